//! The runtime behind a small wrapper. Nothing else here knows that it is rten.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rten::{DataType, Dimension, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueType};
use rten_tensor::prelude::*;

use super::fault::{internal, unavailable};
use super::graph;
use crate::error::Error;

/// Largest output in elements: 256 MiB. What the models here give is far below.
const MAX_OUTPUT: usize = 1 << 26;

/// A tensor of f32, the last dimension fastest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// An input or output: its name and, where the file says so, its sides. `None` is a side that the file leaves open.
#[derive(Debug)]
pub(super) struct Port {
    id: NodeId,
    pub(super) name: String,
    pub(super) shape: Option<Vec<Option<usize>>>,
}

/// One thread that runs models. One thread, so that sums have one order; its own, so that tracks run side by side.
#[derive(Clone)]
pub(super) struct Runner(Arc<ThreadPool>);

impl Runner {
    pub(super) fn new() -> Self {
        Self(Arc::new(ThreadPool::with_num_threads(1)))
    }
}

/// A loaded model.
pub(super) struct Model {
    file: String,
    model: rten::Model,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Model {
    /// Loads an ONNX file.
    ///
    /// # Errors
    /// `Unreadable` for garbage, `Unsupported` for operators and types that are not there, `Invalid` for what contradicts itself.
    pub(super) fn load(file: &str, mut bytes: Vec<u8>) -> Result<Self, Error> {
        graph::inspect(file, &bytes)?.separate_names(&mut bytes);
        let loaded = catch_unwind(AssertUnwindSafe(|| ModelOptions::with_all_ops().load(bytes)));
        let model = match loaded {
            Ok(Ok(model)) => model,
            Ok(Err(error)) => return Err(load_error(file, &error)),
            Err(_) => {
                return Err(unavailable(format!("\"{file}\" made the runtime fail while loading"))
                    .suggest("check the model with onnx.checker"));
            }
        };
        let ports = |ids: &[NodeId]| ids.iter().map(|id| port(&model, *id)).collect::<Vec<_>>();
        let (inputs, outputs) = (ports(model.input_ids()), ports(model.output_ids()));
        for input in &inputs {
            let kind = model.node_info(input.id).and_then(|node| node.dtype());
            if kind.is_some_and(|kind| kind != ValueType::Tensor(DataType::Float)) {
                return Err(unavailable(format!(
                    "the input \"{}\" of \"{file}\" is {kind:?}; float32 is expected",
                    input.name
                ))
                .suggest("export the model with float32 inputs"));
            }
        }
        Ok(Self { file: file.to_owned(), model, inputs, outputs })
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    pub(super) fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    pub(super) fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// The port called `name`, else the one at `position`.
    pub(super) fn find<'a>(ports: &'a [Port], name: &str, position: usize) -> Option<&'a Port> {
        ports.iter().find(|port| port.name == name).or_else(|| ports.get(position))
    }

    /// Checks the shape that the file declares for an input against the one it will get.
    pub(super) fn check_input(&self, port: &Port, expected: &[usize]) -> Result<(), Error> {
        let Some(declared) = &port.shape else { return Ok(()) };
        let fits = declared.len() == expected.len()
            && declared.iter().zip(expected).all(|(side, expected)| side.is_none_or(|side| side == *expected));
        if fits {
            return Ok(());
        }
        let declared: Vec<String> =
            declared.iter().map(|side| side.map_or("?".to_owned(), |side| side.to_string())).collect();
        Err(unavailable(format!(
            "the input \"{}\" of \"{}\" has the shape [{}]; {expected:?} is expected",
            port.name,
            self.file,
            declared.join(", ")
        ))
        .suggest("give in the description the size that the model was made for"))
    }

    /// The error for an output of the wrong shape.
    pub(super) fn output_error(&self, port: &Port, expected: &str, found: &[usize]) -> Error {
        unavailable(format!(
            "the output \"{}\" of \"{}\" has the shape {found:?}; {expected} is expected",
            port.name, self.file
        ))
        .suggest("use a model of the kind that the description names")
    }

    /// Runs the model: one tensor for each of `outputs`.
    ///
    /// # Errors
    /// `Invalid` when the model does not take these inputs or gives no f32, `Internal` when the runtime panics.
    pub(super) fn run(
        &self,
        runner: &Runner,
        inputs: Vec<(&Port, Tensor)>,
        outputs: &[&Port],
    ) -> Result<Vec<Tensor>, Error> {
        let failed = |why: String| {
            unavailable(format!("\"{}\" cannot be run: {why}", self.file))
                .suggest("compare the model's inputs with the description")
        };
        let mut values: Vec<(NodeId, ValueOrView<'_>)> = Vec::with_capacity(inputs.len());
        for (port, tensor) in inputs {
            let value = Value::from_shape(tensor.shape.as_slice(), tensor.values);
            values.push((port.id, value.map_err(|error| failed(error.to_string()))?.into()));
        }
        let ids: Vec<NodeId> = outputs.iter().map(|port| port.id).collect();
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&runner.0)));
        let found = match catch_unwind(AssertUnwindSafe(|| self.model.run(values, &ids, Some(options)))) {
            Ok(found) => found.map_err(|error| failed(error.to_string()))?,
            Err(_) => {
                return Err(internal(format!("\"{}\" made the runtime fail", self.file))
                    .suggest("check the model with onnx.checker, or export it anew"));
            }
        };
        outputs.iter().zip(found).map(|(port, value)| self.tensor(port, &value)).collect()
    }

    fn tensor(&self, port: &Port, value: &Value) -> Result<Tensor, Error> {
        let Value::FloatTensor(tensor) = value else {
            return Err(unavailable(format!(
                "the output \"{}\" of \"{}\" is {:?}; float32 is expected",
                port.name,
                self.file,
                value.dtype()
            ))
            .suggest("export the model with float32 outputs"));
        };
        let shape = tensor.shape().to_vec();
        if tensor.len() > MAX_OUTPUT {
            return Err(self.output_error(port, &format!("at most {MAX_OUTPUT} elements"), &shape));
        }
        Ok(Tensor { shape, values: tensor.to_vec() })
    }
}

fn port(model: &rten::Model, id: NodeId) -> Port {
    let node = model.node_info(id);
    let name = node.as_ref().and_then(rten::NodeInfo::name).unwrap_or_default().to_owned();
    let shape = node.and_then(|node| node.shape()).map(|shape| {
        shape.iter().map(|side| if let Dimension::Fixed(side) = side { Some(*side) } else { None }).collect()
    });
    Port { id, name, shape }
}

fn load_error(file: &str, error: &rten::LoadError) -> Error {
    use rten::LoadErrorKind as Kind;
    let message = format!("\"{file}\" cannot be loaded: {error}");
    match error.kind() {
        Kind::OperatorInvalid => unavailable(message).suggest("export the model with the standard operators of ONNX"),
        Kind::GraphError | Kind::OptimizeError => unavailable(message).suggest("check the model with onnx.checker"),
        _ => unavailable(message).suggest("fetch the file again and compare its size"),
    }
}
