"""Ranges that a graph's own nodes give away: the last operator's bounds, the first one's factor."""

from __future__ import annotations

import math

import numpy as np
import onnx

from stylizer.style import graph

_PASS_THROUGH = {
    "Transpose",
    "Cast",
    "Identity",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "QuantizeLinear",
    "DequantizeLinear",
}


def output_range(model: onnx.ModelProto, name: str) -> tuple[str, str] | None:
    """(range, why) when the last real operator bounds the output: Sigmoid, Tanh or Clip."""
    makers = {o: n for n in model.graph.node for o in n.output}
    node = makers.get(name)
    while node is not None and node.op_type in _PASS_THROUGH:
        node = makers.get(node.input[0])
    if node is None:
        return None
    if node.op_type == "Sigmoid":
        return "0..1", "the network ends in Sigmoid"
    if node.op_type == "Tanh":
        return "-1..1", "the network ends in Tanh"
    if node.op_type == "Clip":
        limits = _clip_limits(model, node)
        known = {(0.0, 255.0): "0..255", (0.0, 1.0): "0..1", (-1.0, 1.0): "-1..1"}
        if limits in known:
            return known[limits], f"the network ends in a Clip to {limits[0]:g}..{limits[1]:g}"
    return None


def _clip_limits(model: onnx.ModelProto, node: onnx.NodeProto) -> tuple[float, float]:
    found = {a.name: a.f for a in node.attribute}
    values = graph.constants(model)
    for key, name in zip(("min", "max"), node.input[1:], strict=False):
        if name in values and values[name].size == 1:
            found[key] = float(values[name].reshape(-1)[0])
    return found.get("min", -math.inf), found.get("max", math.inf)


def input_range(model: onnx.ModelProto, name: str) -> tuple[str, str] | None:
    """(range, why) when the first real operator gives the range away: a division by 255, say."""
    node = _consumer(model, name)
    while node is not None and node.op_type in _PASS_THROUGH:
        node = _consumer(model, node.output[0])
    if node is None or node.op_type not in ("Div", "Mul", "Sub"):
        return None
    values = graph.constants(model)
    known = [values[i] for i in node.input if i in values and values[i].size <= 4]
    if not known:
        return None
    value = float(np.abs(known[0]).mean())
    if node.op_type == "Div" and 100 < value <= 256:
        return "0..255", f"the network first divides by {value:g}"
    if node.op_type == "Mul" and 1 / 256 <= value < 1 / 100:
        return "0..255", f"the network first multiplies by {value:.4g}"
    if node.op_type == "Sub" and value > 50:
        return "0..255", f"the network first subtracts {value:g}"
    if node.op_type == "Mul" and 250 <= value <= 256:
        return "0..1", f"the network first multiplies by {value:g}"
    return None


def _consumer(model: onnx.ModelProto, name: str) -> onnx.NodeProto | None:
    users = [n for n in model.graph.node if name in n.input and n.op_type != "Shape"]
    return users[0] if len(users) == 1 else None
