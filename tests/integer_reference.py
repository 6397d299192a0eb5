"""An integer fast network in plain numpy: what every way of running it is held to.

It walks the ONNX graph node by node, as the standard defines the operators, with whole numbers for
the convolutions. Rounding as in ONNX Runtime's QLinearConv and QLinearAdd on CPUs with fused
multiply-adds; nothing here is shared with the shaders' reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

Floats = np.ndarray | np.floating


@dataclass(frozen=True)
class Scaled:
    """(integers - zero) * scale."""

    integers: np.ndarray
    scale: np.ndarray
    zero: int


@dataclass(frozen=True)
class Sums:
    """Whole sums of a convolution, (1, out, rows, columns), and the scale of each channel."""

    integers: np.ndarray
    scale: np.ndarray


def run(model: onnx.ModelProto | Path, feeds: dict[str, np.ndarray]) -> np.ndarray:
    """The only output."""
    proto = onnx.load(str(model)) if isinstance(model, Path) else model
    values: dict = {w.name: numpy_helper.to_array(w) for w in proto.graph.initializer} | feeds
    for node in proto.graph.node:
        named = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        inputs = [values[name] for name in node.input if name]
        values[node.output[0]] = OPERATORS[node.op_type](named, *inputs)
    return values[proto.graph.output[0].name]


def dequantize(named: dict, whole: np.ndarray, scale: np.ndarray, zero: np.ndarray) -> Scaled:
    assert scale.size == 1 or named["axis"] == 0
    return Scaled(whole.astype(np.int64), scale.astype(np.float32), int(np.unique(zero).item()))


def conv(named: dict, x: Scaled, weight: Scaled, bias: Scaled | None = None) -> Sums:
    side, (down, across) = weight.integers.shape[2], named.get("strides", [1, 1])
    assert not any(named.get("pads", [0]))
    windows = np.lib.stride_tricks.sliding_window_view(x.integers[0] - x.zero, (side, side), (1, 2))
    windows = windows[:, ::down, ::across]  # (in, rows, columns, side, side)
    shape = windows.shape[1:3]
    columns = windows.transpose(0, 3, 4, 1, 2).reshape(-1, shape[0] * shape[1])
    flat = weight.integers.reshape(len(weight.integers), -1)
    sums = np.rint(flat.astype(np.float64) @ columns.astype(np.float64)).astype(np.int64)
    if bias is not None:
        sums += bias.integers[:, None]
    assert np.abs(sums).max(initial=0) < 2**31
    return Sums(sums.reshape(1, -1, *shape), x.scale * weight.scale)


def add(named: dict, a: Scaled, b: Scaled) -> tuple[Scaled, Scaled]:
    return a, b


def quantize(named: dict, value, scale: np.ndarray, zero: np.ndarray) -> np.ndarray:
    assert zero.dtype == np.uint8
    if isinstance(value, Sums):
        factor = np.broadcast_to(value.scale / scale, value.integers.shape[1]).astype(np.float32)
        product = value.integers.astype(np.float32) * factor[None, :, None, None]
        return np.clip(np.rint(product) + int(zero), 0, 255).astype(np.uint8)
    a, b = value
    ratio_a, ratio_b = a.scale / scale, b.scale / scale
    fixed = np.float32(zero) - multiply_add(
        np.float32(a.zero), ratio_a, np.float32(b.zero) * ratio_b
    )
    part = multiply_add(b.integers.astype(np.float32), ratio_b, fixed)
    total = multiply_add(a.integers.astype(np.float32), ratio_a, part)
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def multiply_add(x: Floats, y: Floats, z: Floats) -> np.ndarray:
    """x * y + z rounded once: a product of two float32 is exact in float64."""
    return np.asarray(np.float64(x) * np.float64(y) + np.float64(z), np.float32)


def pad(named: dict, x: np.ndarray, pads: np.ndarray) -> np.ndarray:
    assert named["mode"] == b"edge"
    before, after = pads.reshape(2, -1)
    return np.pad(x, list(zip(before, after, strict=True)), "edge")


def reshape(named: dict, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return x.reshape([x.shape[i] if d == 0 else d for i, d in enumerate(shape.tolist())])


def depth_to_space(named: dict, x: np.ndarray) -> np.ndarray:
    (_, channels, rows, columns), side = x.shape, named["blocksize"]
    assert named["mode"] == b"DCR"
    places = x.reshape(1, side, side, channels // side**2, rows, columns)
    return places.transpose(0, 3, 4, 1, 5, 2).reshape(1, -1, rows * side, columns * side)


OPERATORS = {
    "Add": add,
    "Concat": lambda named, *xs: np.concatenate(xs, axis=named["axis"]),
    "Conv": conv,
    "DepthToSpace": depth_to_space,
    "DequantizeLinear": dequantize,
    "Pad": pad,
    "QuantizeLinear": quantize,
    "Reshape": reshape,
    "Shape": lambda named, x: np.array(x.shape[named.get("start", 0) : named.get("end")]),
    "Transpose": lambda named, x: x.transpose(named["perm"]),
}
