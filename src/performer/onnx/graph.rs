//! What has to be known of an ONNX file before the runtime sees it.
//!
//! The runtime allocates what a graph asks for, and an allocation that fails ends the process: it is no panic that could be
//! caught. So shapes that stand in the file are judged here first. Shapes that a graph computes at run time are not seen.
//! Field numbers are those of `onnx.proto3`, and the wire format is that of protobuf's encoding guide.

use std::collections::{HashMap, HashSet};

use super::fault::unavailable;
use crate::error::Error;

/// Most elements of one tensor whose shape stands in the file: 1 GiB as f32.
const MAX_ELEMENTS: u64 = 1 << 28;
/// Largest kernel, stride, dilation or padding.
const MAX_WINDOW: i64 = 1 << 16;
/// Deepest nesting of graphs in graphs.
const MAX_DEPTH: u32 = 4;
/// Longest constant that is read as a shape.
const MAX_SHAPE: usize = 16;

const FLOAT: u64 = 1;
const INT64: u64 = 7;
const EXTERNAL: u64 = 1;
/// Tags of a node's fields 3 and 6, both with a length.
const NAME_TAG: u8 = 3 << 3 | 2;
const DOC_STRING_TAG: u8 = 6 << 3 | 2;

/// A matrix of the file, row by row.
#[derive(Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<f32>,
}

/// Refuses what would take the process down: garbage, weights in other files, loops, gigantic shapes.
///
/// # Errors
/// `Unreadable` when the bytes are no ONNX model, `Unsupported` and `Invalid` for what is refused.
pub(super) fn inspect(file: &str, bytes: &[u8]) -> Result<Checked, Error> {
    let mut graph = Graph::new(file, bytes);
    graph.read(graph_of(file, bytes)?, 0)?;
    let taken = graph.names.iter().filter(|(name, _)| graph.values.contains(name));
    Ok(Checked { taken: taken.map(|(_, place)| *place).collect() })
}

/// What [`inspect`] found in a file that it did not refuse.
pub(super) struct Checked {
    /// Where the names of nodes begin that are names of values as well.
    taken: Vec<usize>,
}

impl Checked {
    /// Turns names of nodes that are also names of values into comments. ONNX keeps both apart, rten 0.24 does not and then
    /// misses the value ("Missing input"); exports from MXNet, as ArcFace's are, name both alike.
    pub(super) fn separate_names(&self, bytes: &mut [u8]) {
        for place in &self.taken {
            if let Some(tag) = bytes.get_mut(*place) {
                *tag = DOC_STRING_TAG;
            }
        }
    }
}

/// The last initializer, if it is a matrix of f32.
///
/// # Errors
/// `Invalid` when it is something else, and as for [`inspect`].
pub(super) fn last_initializer(file: &str, bytes: &[u8]) -> Result<Matrix, Error> {
    let mut last = None;
    for field in Fields(graph_of(file, bytes)?) {
        if let (5, Wire::Bytes(tensor)) = field.map_err(|()| broken(file))? {
            last = Some(tensor);
        }
    }
    let tensor = Tensor::read(last.unwrap_or_default()).map_err(|()| broken(file))?;
    let [rows, columns] = tensor.dims.as_slice() else {
        return Err(no_matrix(file, &tensor.dims));
    };
    let sides = (usize::try_from(*rows), usize::try_from(*columns));
    let (Ok(rows), Ok(columns)) = sides else { return Err(no_matrix(file, &tensor.dims)) };
    if tensor.data_type != FLOAT || rows.checked_mul(columns) != Some(tensor.floats.len()) || tensor.floats.is_empty() {
        return Err(no_matrix(file, &tensor.dims));
    }
    Ok(Matrix { rows, columns, values: tensor.floats })
}

fn no_matrix(file: &str, dims: &[i64]) -> Error {
    unavailable(format!("the last initializer of \"{file}\" has the shape {dims:?}; a matrix of float32 is expected"))
        .suggest("leave `projection` out if the model takes embeddings as they are")
}

fn broken(file: &str) -> Error {
    unavailable(format!("\"{file}\" is not an ONNX model, or it is cut short"))
        .suggest("fetch the file again and compare its size")
}

fn graph_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a [u8], Error> {
    let mut graph = None;
    for field in Fields(bytes) {
        if let (7, Wire::Bytes(bytes)) = field.map_err(|()| broken(file))? {
            graph = Some(bytes);
        }
    }
    graph.ok_or_else(|| broken(file))
}

/// One graph with the constants that may serve as shapes.
struct Graph<'a> {
    file: &'a str,
    bytes: &'a [u8],
    shapes: HashMap<&'a [u8], Vec<i64>>,
    /// All inputs and outputs of nodes.
    values: HashSet<&'a [u8]>,
    /// The names of nodes and where in the file each field begins.
    names: Vec<(&'a [u8], usize)>,
}

impl<'a> Graph<'a> {
    fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        Self { file, bytes, shapes: HashMap::new(), values: HashSet::new(), names: Vec::new() }
    }

    fn read(&mut self, bytes: &'a [u8], depth: u32) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(unavailable(format!("\"{}\" nests graphs deeper than {MAX_DEPTH}", self.file))
                .suggest("export the model without control flow"));
        }
        // Constants first: the file may list them after the nodes that use them.
        for field in Fields(bytes) {
            if let (5, Wire::Bytes(tensor)) = field.map_err(|()| broken(self.file))? {
                self.constant(tensor, None)?;
            }
        }
        for field in Fields(bytes) {
            if let (1, Wire::Bytes(node)) = field.map_err(|()| broken(self.file))? {
                self.node(node, depth)?;
            }
        }
        Ok(())
    }

    fn constant(&mut self, bytes: &'a [u8], output: Option<&'a [u8]>) -> Result<(), Error> {
        let tensor = Tensor::read_shape(bytes).map_err(|()| broken(self.file))?;
        if tensor.location == EXTERNAL {
            return Err(unavailable(format!("\"{}\" keeps its weights in another file", self.file))
                .suggest("save the model as one file, for example with onnx.save_model"));
        }
        self.elements("a constant", &tensor.dims)?;
        if tensor.data_type == INT64 && tensor.integers.len() <= MAX_SHAPE {
            self.shapes.insert(output.unwrap_or(tensor.name), tensor.integers);
        }
        Ok(())
    }

    fn node(&mut self, bytes: &'a [u8], depth: u32) -> Result<(), Error> {
        let mut node = Node::default();
        let mut fields = Fields(bytes);
        loop {
            let rest = fields.0;
            let Some(field) = fields.next() else { break };
            match field.map_err(|()| broken(self.file))? {
                (1, Wire::Bytes(name)) => {
                    self.values.insert(name);
                    node.inputs.push(name);
                }
                (2, Wire::Bytes(name)) => {
                    self.values.insert(name);
                    node.output.get_or_insert(name);
                }
                (3, Wire::Bytes(name)) if rest.first() == Some(&NAME_TAG) => {
                    self.names.push((name, rest.as_ptr().addr().wrapping_sub(self.bytes.as_ptr().addr())));
                }
                (4, Wire::Bytes(name)) => node.operator = name,
                (5, Wire::Bytes(attribute)) => node.attributes.push(attribute),
                _ => {}
            }
        }
        let operator = String::from_utf8_lossy(node.operator);
        if matches!(&*operator, "Loop" | "Scan") {
            return Err(unavailable(format!("\"{}\" has the operator {operator}", self.file))
                .suggest("export the model without loops"));
        }
        for attribute in std::mem::take(&mut node.attributes) {
            self.attribute(attribute, &operator, node.output, depth)?;
        }
        let shape = match &*operator {
            "ConstantOfShape" => node.inputs.first(),
            "Expand" | "Tile" | "Pad" => node.inputs.get(1),
            "Resize" => node.inputs.get(3),
            _ => None,
        };
        match shape.and_then(|name| self.shapes.get(*name)) {
            Some(dims) => self.elements(&operator, dims),
            None => Ok(()),
        }
    }

    fn attribute(
        &mut self,
        bytes: &'a [u8],
        operator: &str,
        output: Option<&'a [u8]>,
        depth: u32,
    ) -> Result<(), Error> {
        let mut name: &[u8] = b"";
        let mut integers = Vec::new();
        for field in Fields(bytes) {
            match field.map_err(|()| broken(self.file))? {
                (1, Wire::Bytes(bytes)) => name = bytes,
                (5, Wire::Bytes(tensor)) => self.constant(tensor, output.filter(|_| operator == "Constant"))?,
                (6 | 11, Wire::Bytes(graph)) => self.read(graph, depth + 1)?,
                (8, wire) => push_integers(&mut integers, wire).map_err(|()| broken(self.file))?,
                _ => {}
            }
        }
        let window =
            matches!(name, b"pads" | b"output_padding" | b"output_shape" | b"kernel_shape" | b"strides" | b"dilations");
        match integers.iter().find(|value| window && value.unsigned_abs() > MAX_WINDOW.unsigned_abs()) {
            Some(value) => Err(unavailable(format!(
                "{operator} in \"{}\" has {value} in {}; at most {MAX_WINDOW} is taken",
                self.file,
                String::from_utf8_lossy(name)
            ))
            .suggest("use a model for pictures of this size")),
            None => Ok(()),
        }
    }

    /// Refuses a shape of more than [`MAX_ELEMENTS`]. Negative and zero sides have a meaning of their own and do not count.
    fn elements(&self, what: &str, dims: &[i64]) -> Result<(), Error> {
        let sides = dims.iter().filter_map(|side| u64::try_from(*side).ok()).filter(|side| *side > 0);
        if sides.fold(1_u64, u64::saturating_mul) <= MAX_ELEMENTS {
            return Ok(());
        }
        Err(unavailable(format!(
            "{what} in \"{}\" has the shape {dims:?}; at most {MAX_ELEMENTS} elements are taken",
            self.file
        ))
        .suggest("use a smaller model"))
    }
}

#[derive(Default)]
struct Node<'a> {
    inputs: Vec<&'a [u8]>,
    output: Option<&'a [u8]>,
    operator: &'a [u8],
    attributes: Vec<&'a [u8]>,
}

/// A `TensorProto`.
#[derive(Default)]
struct Tensor<'a> {
    name: &'a [u8],
    dims: Vec<i64>,
    data_type: u64,
    location: u64,
    /// Values of an INT64 tensor, up to one more than [`MAX_SHAPE`].
    integers: Vec<i64>,
    /// Values of a FLOAT tensor.
    floats: Vec<f32>,
}

impl<'a> Tensor<'a> {
    /// All but the floats.
    fn read_shape(bytes: &'a [u8]) -> Result<Self, ()> {
        Self::fields(bytes, false)
    }

    fn read(bytes: &'a [u8]) -> Result<Self, ()> {
        Self::fields(bytes, true)
    }

    fn fields(bytes: &'a [u8], floats: bool) -> Result<Self, ()> {
        let mut tensor = Self::default();
        let mut raw: &[u8] = b"";
        for field in Fields(bytes) {
            match field? {
                (1, wire) => push_integers(&mut tensor.dims, wire)?,
                (2, Wire::Varint(value)) => tensor.data_type = value,
                (4, Wire::Bytes(packed)) if floats => tensor.floats.extend(floats_of(packed)),
                (7, wire) if tensor.integers.len() <= MAX_SHAPE => push_integers(&mut tensor.integers, wire)?,
                (8, Wire::Bytes(name)) => tensor.name = name,
                (9, Wire::Bytes(bytes)) => raw = bytes,
                (14, Wire::Varint(value)) => tensor.location = value,
                _ => {}
            }
        }
        if tensor.data_type == INT64 {
            let values = raw.chunks_exact(8).take(MAX_SHAPE + 1);
            tensor.integers.extend(values.filter_map(|bytes| bytes.try_into().ok().map(i64::from_le_bytes)));
        }
        if tensor.data_type == FLOAT && floats {
            tensor.floats.extend(floats_of(raw));
        }
        Ok(tensor)
    }
}

fn floats_of(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.chunks_exact(4).filter_map(|bytes| bytes.try_into().ok().map(f32::from_le_bytes))
}

/// Repeated integers come one by one or packed.
fn push_integers(integers: &mut Vec<i64>, wire: Wire<'_>) -> Result<(), ()> {
    match wire {
        Wire::Varint(value) => integers.push(value.cast_signed()),
        Wire::Bytes(mut packed) => {
            while !packed.is_empty() {
                integers.push(varint(&mut packed).ok_or(())?.cast_signed());
            }
        }
        Wire::Fixed => return Err(()),
    }
    Ok(())
}

enum Wire<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// A value of four or eight bytes, which nothing here needs.
    Fixed,
}

/// The fields of a protobuf message: number and value, an error at the first that is cut short.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>), ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(()))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = varint(&mut self.0)?;
        let wire = match tag & 7 {
            0 => Wire::Varint(varint(&mut self.0)?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let length = usize::try_from(varint(&mut self.0)?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, wire))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }
}

/// Takes a base 128 varint of at most ten bytes off the front.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for index in 0..10_u32 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(7 * index)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
