"""Multiply-accumulates and weights of an ONNX graph."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, shape_inference

from stylizer.style import graph
from stylizer.style.contract import LAYOUTS, Size, StyleModel
from stylizer.style.wrapping import PREFIX, one_hot

Shapes = dict[str, tuple[int, ...]]

# operator -> which input holds the weight
_WEIGHT = {"Conv": 1, "ConvTranspose": 1, "ConvInteger": 1, "QLinearConv": 3}
_MATRIX = {"Gemm": (0, 1), "MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3)}


def parameters(proto: onnx.ModelProto) -> int:
    """Values of all float and quantized weights.

    int64 tensors are shapes and pads, and what only a Resize reads is its scales: no weights.
    """
    read_by: dict[str, set[str]] = {}
    for node in proto.graph.node:
        for name in node.input:
            read_by.setdefault(name, set()).add(node.op_type)
    return sum(
        values.size
        for name, values in graph.constants(proto).items()
        if values.ndim
        and values.dtype not in (np.int64, np.bool_)
        and not read_by.get(name, set()) <= {"Resize", "Upsample"}
    )


def macs(proto: onnx.ModelProto, model: StyleModel, size: Size) -> int | None:
    """Multiply-accumulates for one picture of `size` (width, height), padded as the model asks.

    Counted over convolutions and matrix products. Shapes come from ONNX shape inference; where
    the graph computes its own shapes (tracers write padding so), from one real run on the CPU.
    None when that run fails, for example for want of memory. `proto` takes its canvas as an input.
    """
    padded = model.padded_size(model.fixed_size or size)
    shape = LAYOUTS[model.layout].shape(padded, model.input.channels)
    counted = _count(proto, _inferred_shapes(proto, model, shape))
    if counted is not None:
        return counted
    try:
        return _count(proto, _shapes_of_a_run(proto, model, shape))
    except Exception:  # ONNX Runtime has a dozen classes for "cannot run"
        return None


def _count(proto: onnx.ModelProto, shapes: Shapes) -> int | None:
    counts = [_node_macs(node, shapes) for node in proto.graph.node]
    return None if None in counts else sum(c for c in counts if c)


def _inferred_shapes(proto: onnx.ModelProto, model: StyleModel, shape: tuple[int, ...]) -> Shapes:
    fixed = onnx.ModelProto()
    fixed.CopyFrom(proto)
    lengths = {model.input.name: shape}
    if model.canvas:
        lengths[model.canvas.name] = model.canvas.shape_beside(shape, model.layout)
    for value in fixed.graph.input:
        if value.name in lengths:
            dims = value.type.tensor_type.shape.dim
            for dim, length in zip(dims, lengths[value.name], strict=True):
                dim.dim_value = length
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    return _shapes(shape_inference.infer_shapes(fixed, data_prop=True))


def _shapes_of_a_run(proto: onnx.ModelProto, model: StyleModel, shape: tuple[int, ...]) -> Shapes:
    """Run once with a Shape node on every value that counts: no picture but the last is kept."""
    import onnxruntime as ort

    asking = onnx.ModelProto()
    asking.CopyFrom(proto)
    known: Shapes = {name: value.shape for name, value in graph.constants(proto).items()}
    makers = {o for n in proto.graph.node for o in n.output} | {model.input.name}
    wanted = {name for node in proto.graph.node for name in _counted(node)} & makers - set(known)
    for name in sorted(wanted):
        asking.graph.node.append(helper.make_node("Shape", [name], [f"{PREFIX}shape_{name}"]))
        asking.graph.output.append(
            helper.make_tensor_value_info(f"{PREFIX}shape_{name}", TensorProto.INT64, [None])
        )
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(
        asking.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feeds = {model.input.name: np.zeros(shape, model.input.dtype)}
    if model.selector:
        feeds[model.selector.name] = one_hot(model)
    if model.canvas:
        beside = model.canvas.shape_beside(shape, model.layout)
        feeds[model.canvas.name] = np.zeros(beside, model.canvas.dtype)
    names = sorted(wanted)
    results = session.run([f"{PREFIX}shape_{name}" for name in names], feeds)
    found = {n: tuple(np.asarray(r).tolist()) for n, r in zip(names, results, strict=True)}
    return known | found


def _counted(node: onnx.NodeProto) -> list[str]:
    """Values whose shapes the node's count needs."""
    if node.op_type in _WEIGHT or node.op_type in _MATRIX:
        return [*(name for name in node.input if name), node.output[0]]
    return []


def _shapes(model: onnx.ModelProto) -> Shapes:
    """Fully known shapes by value name."""
    g = model.graph
    found = {name: value.shape for name, value in graph.constants(model).items()}
    for value in (*g.input, *g.value_info, *g.output):
        kind = value.type.tensor_type
        dims = kind.shape.dim
        if kind.HasField("shape") and all(d.HasField("dim_value") for d in dims):
            found[value.name] = tuple(d.dim_value for d in dims)
    return found


def _node_macs(node: onnx.NodeProto, shapes: Shapes) -> int | None:
    if node.op_type in _WEIGHT:
        weight = shapes.get(node.input[_WEIGHT[node.op_type]])
        # A transposed convolution spreads each input value, the others gather each output value.
        many = node.input[0] if node.op_type == "ConvTranspose" else node.output[0]
        values = shapes.get(many)
        return (
            None if weight is None or values is None else math.prod(values) * math.prod(weight[1:])
        )
    if node.op_type in _MATRIX:
        left, right = (shapes.get(node.input[i]) for i in _MATRIX[node.op_type])
        result = shapes.get(node.output[0])
        if left is None or right is None or result is None:
            return None
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        return math.prod(result) * (left[0] if transposed else left[-1])
    return 0
