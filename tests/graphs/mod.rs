//! Writes small ONNX graphs: protobuf's wire format and no more of `onnx.proto3` than the tests need.

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: i64) {
    varint(out, field << 3);
    varint(out, value as u64);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn tensor(name: &str, data_type: i64, dims: &[i64], raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    dims.iter().for_each(|dim| number(&mut out, 1, *dim));
    number(&mut out, 2, data_type);
    bytes(&mut out, 8, name.as_bytes());
    bytes(&mut out, 9, raw);
    out
}

/// A `ValueInfoProto` of f32.
fn value(name: &str, dims: &[i64]) -> Vec<u8> {
    let (mut shape, mut kind, mut holder, mut out) = (vec![], vec![], vec![], vec![]);
    for dim in dims {
        let mut side = Vec::new();
        number(&mut side, 1, *dim);
        bytes(&mut shape, 1, &side);
    }
    number(&mut kind, 1, 1);
    bytes(&mut kind, 2, &shape);
    bytes(&mut holder, 1, &kind);
    bytes(&mut out, 1, name.as_bytes());
    bytes(&mut out, 2, &holder);
    out
}

#[derive(Default)]
pub struct Graph(Vec<u8>);

impl Graph {
    pub fn input(mut self, name: &str, dims: &[i64]) -> Self {
        bytes(&mut self.0, 11, &value(name, dims));
        self
    }

    pub fn output(mut self, name: &str, dims: &[i64]) -> Self {
        bytes(&mut self.0, 12, &value(name, dims));
        self
    }

    pub fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        bytes(&mut self.0, 5, &tensor(name, 1, dims, &raw));
        self
    }

    pub fn integers(mut self, name: &str, values: &[i64]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        bytes(&mut self.0, 5, &tensor(name, 7, &[values.len() as i64], &raw));
        self
    }

    pub fn node(self, operator: &str, inputs: &[&str], output: &str) -> Self {
        self.node_with(operator, inputs, output, &[])
    }

    /// A node with attributes of integers; those called `keepdims` and `axis` are one integer each.
    pub fn node_with(mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, &[i64])]) -> Self {
        let mut out = Vec::new();
        inputs.iter().for_each(|name| bytes(&mut out, 1, name.as_bytes()));
        bytes(&mut out, 2, output.as_bytes());
        bytes(&mut out, 3, output.as_bytes());
        bytes(&mut out, 4, operator.as_bytes());
        for (name, values) in attributes {
            let mut attribute = Vec::new();
            bytes(&mut attribute, 1, name.as_bytes());
            let single = matches!(*name, "keepdims" | "axis");
            values.iter().for_each(|value| number(&mut attribute, if single { 3 } else { 8 }, *value));
            number(&mut attribute, 20, if single { 2 } else { 7 });
            bytes(&mut out, 5, &attribute);
        }
        bytes(&mut self.0, 1, &out);
        self
    }

    /// An output that does not depend on the input, though the graph uses it.
    pub fn constant(self, input: &str, output: &str, dims: &[i64], values: &[f32]) -> Self {
        let [zero, nothing, none, held] = ["zero", "nothing", "none", "held"].map(|part| format!("{output}.{part}"));
        self.floats(&zero, &[], &[0.0])
            .floats(&held, dims, values)
            .node("Mul", &[input, &zero], &nothing)
            .node_with("ReduceMax", &[&nothing], &none, &[("keepdims", &[0])])
            .node("Add", &[&held, &none], output)
    }

    pub fn model(mut self) -> Vec<u8> {
        let mut graph = Vec::new();
        bytes(&mut graph, 2, b"test");
        graph.append(&mut self.0);
        let (mut opset, mut out) = (vec![], vec![]);
        bytes(&mut opset, 1, b"");
        number(&mut opset, 2, 13);
        number(&mut out, 1, 8);
        bytes(&mut out, 7, &graph);
        bytes(&mut out, 8, &opset);
        out
    }
}
