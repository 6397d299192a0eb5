"""Small integer networks of the fast kind with random weights, of any channels and inputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CONTRACT = {
    "layout": "blocks4", "range": "0..255", "order": "RGB", "size_multiple": 8,
    "style": "mosaic", "tier": "fast", "precision": "int8",
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A uint8 tensor, channels first, and how its integers are read."""

    name: str
    channels: int
    scale: float = 1 / 255
    zero: int = 0


class IntegerGraph:
    """Collects the nodes of one network."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self.inputs: dict[str, int] = {}

    def node(self, op: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, value: Any, dtype: Any) -> str:
        name = f"constant_{len(self.weights)}"
        self.weights[name] = np.array(value, dtype)
        return name

    def given(self, name: str, channels: int) -> Value:
        """An input of blocks."""
        self.inputs[name] = channels
        return Value(self.node("Transpose", [name], perm=[0, 3, 1, 2]), channels)

    def beside(self, *parts: Value) -> Value:
        joined = self.node("Concat", [part.name for part in parts], axis=1)
        return Value(joined, sum(part.channels for part in parts))

    def floats(self, x: Value) -> str:
        kind = [self.constant(x.scale, np.float32), self.constant(x.zero, np.uint8)]
        return self.node("DequantizeLinear", [x.name, *kind])

    def quantized(self, floats: str, channels: int, scale: float, zero: int) -> Value:
        kind = [self.constant(scale, np.float32), self.constant(zero, np.uint8)]
        return Value(self.node("QuantizeLinear", [floats, *kind]), channels, scale, zero)

    def conv(
        self, x: Value, out: int, side: int = 1, stride: int = 1, zero: int = 0, most: int = 127
    ) -> Value:
        """Weights up to `most`, its output's range about what comes out."""
        rng = self.rng
        if side > 1:
            pads = self.constant([0, 0, side // 2, side // 2] * 2, np.int64)
            x = Value(self.node("Pad", [x.name, pads], mode="edge"), x.channels, x.scale, x.zero)
        whole = rng.integers(-most, most + 1, (out, x.channels, side, side), np.int8)
        spread = 300 * most * (x.channels * side**2) ** 0.5 * x.scale / 255
        scale = (rng.uniform(0.5, 1.5, out) / 64).astype(np.float32)
        bias = rng.integers(-most * 2000, most * 2000, out, np.int32)
        names = [self.constant(whole, np.int8), self.constant(scale, np.float32)]
        w = self.node("DequantizeLinear", [*names, self.constant([0] * out, np.int8)], axis=0)
        names = [self.constant(bias, np.int32), self.constant(scale * x.scale, np.float32)]
        b = self.node("DequantizeLinear", [*names, self.constant([0] * out, np.int32)], axis=0)
        size: dict[str, Any] = {"kernel_shape": [side, side], "strides": [stride, stride]}
        y = self.node("Conv", [self.floats(x), w, b], **size)
        return self.quantized(y, out, float(np.float32(spread / 64)), zero)

    def add(self, a: Value, b: Value, zero: int = 0) -> Value:
        y = self.node("Add", [self.floats(a), self.floats(b)])
        return self.quantized(y, a.channels, float(np.float32((a.scale + b.scale) * 0.7)), zero)

    def spread(self, x: Value) -> Value:
        """Twice the size, a quarter of the channels."""
        y = self.node("DepthToSpace", [x.name], blocksize=2, mode="DCR")
        return Value(y, x.channels // 4, x.scale, x.zero)

    def save(self, path: Path, result: Value, contract: dict | None = None) -> Path:
        self.node("Transpose", [result.name], "output", perm=[0, 2, 3, 1])
        ends = [
            helper.make_tensor_value_info(n, TensorProto.UINT8, [1, "rows", "columns", c])
            for n, c in (*self.inputs.items(), ("output", result.channels))
        ]
        held = [numpy_helper.from_array(v, n) for n, v in self.weights.items()]
        graph = helper.make_graph(self.nodes, "integers", ends[:-1], ends[-1:], held)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        entry = model.metadata_props.add()
        entry.key, entry.value = "stylizer.contract", json.dumps(contract or CONTRACT)
        onnx.save(model, str(path))
        return path


def fast_like(
    path: Path, stem: int = 8, body: int = 12, inner: int = 4, frame: int = 64, canvas: int = 64
) -> Path:
    """The layout of the fast tier, narrow; canvas: channels of its blocks, 0 for none."""
    g = IntegerGraph(stem + body)
    picture = g.given("input", frame)
    both = g.beside(picture, g.given("canvas", canvas)) if canvas else picture
    fine = g.conv(both, stem)
    y = g.conv(fine, body, 3, stride=2)
    y = g.add(y, g.conv(g.conv(y, inner, 3), body, 3, zero=140))
    y = g.add(g.spread(g.conv(y, 4 * stem, zero=120)), fine)
    return g.save(path, g.add(g.conv(picture, frame), g.conv(y, frame, 3, zero=128)))


def mixer(path: Path, contract: dict | None = None) -> Path:
    """Each pixel alone: red takes half of green, green and blue stay: a picture with no edges."""
    g = IntegerGraph()
    x = g.given("input", 64)
    pixel = np.array([[64, 64, 0, 0], [0, 127, 0, 0], [0, 0, 127, 0], [0, 0, 0, 127]])
    whole = np.kron(np.eye(16, dtype=np.int64), pixel)[:, :, None, None]
    scale = np.full(64, 1 / 127, np.float32)
    names = [g.constant(whole, np.int8), g.constant(scale, np.float32)]
    w = g.node("DequantizeLinear", [*names, g.constant([0] * 64, np.int8)], axis=0)
    y = g.node("Conv", [g.floats(x), w], kernel_shape=[1, 1])
    return g.save(path, g.quantized(y, 64, 1 / 255, 0), contract)
