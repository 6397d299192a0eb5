"""The fast network as ONNX: an integer graph on pixel blocks, or plain float pictures.

Integer (U8S8, QDQ): uint8 RGBX blocks (1, H/4, W/4, 64) in and out, value order (row, column,
channel); no float is left at either end, so that pixels are moved once, by whoever packs them. The
canvas, half as large, is a second input of blocks of 2x2 (1, H/4, W/4, 16).
Float (fp32, fp16): NCHW RGB 0..255, for GPUs and other programs; the canvas is made in the graph,
as the tensor "canvas" (1, 3, H/2, W/2) in 0..255, where a runtime that moves it can put its own.
The tile lies in the metadata too, see `painter_graph`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import helper

from stylizer.lab.nets.fake_quant import WEIGHT_LEVELS, Activation, QuantConv
from stylizer.lab.nets.fast import (
    AREA,
    BLOCK,
    CANVAS_BLOCK,
    PIXELS,
    FastBlock,
    FastNetwork,
    activations,
)
from stylizer.lab.onnx.onnx_graph import OnnxGraph, write_model
from stylizer.lab.onnx.painter_graph import canvas_of, graded, keep_tile, with_canvas

CANVAS_AREA = CANVAS_BLOCK**2
OF_PIXELS = ("head", "taken")  # convolutions that give the edit's pixels
RGBX = 4  # bytes of a pixel in the integer graph
GRADED = 4  # pixels beside each other that one place of the grade's convolution holds


@dataclass(frozen=True)
class Value:
    """A tensor of the graph; with scale it is uint8."""

    name: str
    scale: float = 0.0
    zero_point: int = 0


Precision = Literal["fp32", "fp16", "int8"]


def beside(path: Path, precision: Precision) -> Path:
    """Where the file of another precision lies beside the float file."""
    return path.with_name(f"{path.stem}-{precision}.onnx")


def write_fast(
    network: FastNetwork, path: Path, precision: Precision, contract: dict, recipe: dict
) -> None:
    """Write the network to `path`; `contract` and `recipe` go into the metadata."""
    contract = with_canvas(contract) | {"precision": precision}
    if precision == "int8":
        contract["layout"] = f"blocks{BLOCK}"
    model = _FastGraph(network, precision).build()
    keep_tile(model, network)
    ranges = {name: [float(a.depth), float(a.reach)] for name, a in activations(network)}
    write_model(model, path, contract=contract, recipe=recipe, ranges=ranges)


@dataclass(frozen=True)
class Layer:
    """A convolution's weights as the graph takes them; scale: (out,), of one step."""

    weight: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    rim: int = 0
    stride: int = 1


class _FastGraph(OnnxGraph):
    """Collects nodes and weights of one network."""

    def __init__(self, network: FastNetwork, precision: Precision) -> None:
        super().__init__("fast_style")
        self.network = network
        self.integer = precision == "int8"
        self.number = np.float16 if precision == "fp16" else np.float32

    def build(self) -> onnx.ModelProto:
        net = self.network
        fine = self.integer_stem() if self.integer else self.float_stem()
        y = self.conv(fine, "down", net.down, net.down_act)
        y = self.blocks(y)
        y = self.shuffle(self.conv(y, "up", net.up, net.up_act), net.arch.stem)
        y = self.add(y, fine, net.join)
        y = self.conv(y, "tail", net.tail, net.tail_act)
        limit = self.conv(y, "limit", net.limit, net.limit_act)
        beyond = self.add(self.detail(), limit, net.beyond)
        taken = self.conv(beyond, "taken", net.taken, net.taken_act)
        edit = self.conv(y, "head", net.head, net.head_act)
        edit = self.add(edit, taken, net.edit, 255)
        ground = self.ground()
        if not self.integer:
            edit = Value(self.node("DepthToSpace", [edit.name], blocksize=BLOCK))
        y = self.add(ground, edit, net.out, 255)
        if not self.integer:
            self.node("Identity", [y.name], "output")
            return self.model(self.number, ["batch", 3, "height", "width"])
        self.node("Transpose", [y.name], "output", perm=[0, 2, 3, 1])
        place: list[Any] = [1, "rows", "columns"]
        model = self.model(np.uint8, [*place, RGBX * AREA])
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(np.uint8))
        shape = [*place, RGBX * CANVAS_AREA]
        model.graph.input.append(helper.make_tensor_value_info("canvas", kind, shape))
        return model

    def integer_stem(self) -> Value:
        """Of the blocks of frame and canvas beside each other."""
        joined = self.node("Concat", ["input", "canvas"], axis=3)
        both = Value(self.node("Transpose", [joined], perm=[0, 3, 1, 2]), 1 / 255)
        return self.conv(both, "stem", self.network.stem, self.network.stem_act)

    def float_stem(self) -> Value:
        """A convolution of the frame and one of the canvas, added: a 1x1 convolution of pixel
        blocks is one of the block's size and stride, which every provider has."""
        stem = self.arranged("stem", self.network.stem)
        sums = []
        for name, picture, bias in (
            ("frame", "input", True),
            ("canvas", canvas_of(self, self.network, self.number), False),
        ):
            side, first = (BLOCK, 0) if name == "frame" else (CANVAS_BLOCK, PIXELS)
            weight = stem.weight[:, first : first + 3 * side**2] / 255
            weight = weight.reshape(len(weight), 3, side, side)
            names = [picture, self.constant(f"stem.{name}.weight", weight.astype(self.number))]
            if bias:
                names.append(self.constant("stem.bias", stem.bias.astype(self.number)))
            sums.append(self.node("Conv", names, kernel_shape=[side, side], strides=[side, side]))
        return self.bounded(self.node("Add", sums), self.network.stem_act)

    def detail(self) -> Value:
        """Each pixel's luma less the light around it."""
        net, layer, frame = self.network, self.arranged("luma", self.network.luma), Value("input")
        if self.integer:
            frame = Value(self.node("Transpose", ["input"], perm=[0, 3, 1, 2]), 1 / 255)
        else:
            weight = (layer.weight / 255).reshape(len(layer.weight), 3, BLOCK, BLOCK)
            layer = replace(layer, weight=weight, stride=BLOCK)
        lumas = self.convolved(frame, "luma", layer, net.luma_act)
        return self.conv(lumas, "detail", net.detail, net.detail_act)

    def ground(self) -> Value:
        """The color-graded frame. In integers as a convolution of four pixels beside each other
        (a block's row; all sixteen took 2.6 times as long, each by itself longer still), clamped by
        its range."""
        if not self.integer:
            return Value(graded(self, self.network, self.number))
        matrix, offset = self.network.matrix.numpy(), self.network.offset.numpy()
        weight = np.zeros((RGBX, RGBX), np.float32)
        weight[:3, :3] = matrix
        step = np.append(np.abs(matrix).max(axis=1) / WEIGHT_LEVELS, 1.0).astype(np.float32)
        layer = Layer(
            np.kron(np.eye(GRADED, dtype=np.float32), weight)[:, :, None, None],
            np.tile(np.append(offset, 1.0), GRADED).astype(np.float32),
            np.tile(step, GRADED),
        )
        rows = self.constant("pixel_rows", np.array([1, 0, -1, RGBX * GRADED], np.int64))
        split = self.node("Reshape", ["input", rows])
        frame = Value(self.node("Transpose", [split], perm=[0, 3, 1, 2]), 1 / 255)
        laid = self.convolved(frame, "grade", layer, self.network.out)
        last = self.node("Transpose", [laid.name], perm=[0, 2, 3, 1])
        picture = self.node("Reshape", [last, self.node("Shape", ["input"])])
        back = self.node("Transpose", [picture], perm=[0, 3, 1, 2])
        return Value(back, laid.scale, laid.zero_point)

    def blocks(self, y: Value) -> Value:
        for number, block in enumerate(self.network.blocks):
            assert isinstance(block, FastBlock)
            prefix = f"blocks.{number}."
            inner = self.conv(y, prefix + "conv1", block.conv1, block.act1)
            inner = self.conv(inner, prefix + "conv2", block.conv2, block.act2)
            y = self.add(y, inner, block.out)
        return y

    def conv(self, x: Value, name: str, conv: QuantConv, act: Activation) -> Value:
        unit = 255 if name in OF_PIXELS else 1
        return self.convolved(x, name, self.arranged(name, conv), act, unit)

    def convolved(self, x: Value, name: str, layer: Layer, act: Activation, unit: int = 1) -> Value:
        """A convolution and its activation; float values in units of 1 / `unit`."""
        k, s = layer.weight.shape[2], layer.stride
        size: dict[str, Any] = {"kernel_shape": [k, k], "strides": [s, s]}
        x = self.rimmed(x, layer.rim)
        if not self.integer:
            names = [
                self.constant(f"{name}.{n}", v.astype(self.number))
                for n, v in (("weight", layer.weight), ("bias", layer.bias))
            ]
            return self.bounded(self.node("Conv", [x.name, *names], **size), act, unit)
        scale = layer.scale
        steps = np.rint(layer.weight / scale[:, None, None, None])
        steps = np.clip(steps, -127, 127).astype(np.int8)
        w = self.dequantized(self.constant(f"{name}.weight", steps), scale, np.int8)
        bias_scale = scale * np.float32(x.scale)
        steps_of_bias = np.rint(layer.bias.astype(np.float64) / bias_scale)
        bias = np.clip(steps_of_bias, -(2**31) + 1, 2**31 - 1).astype(np.int32)
        b = self.dequantized(self.constant(f"{name}.bias", bias), bias_scale, np.int32)
        return self.quantized(self.node("Conv", [self.float_of(x), w, b], **size), act)

    def rimmed(self, x: Value, rim: int) -> Value:
        """The edge repeated `rim` times around, in whatever numbers x has."""
        if not rim:
            return x
        pads = self.constant(f"rim{rim}", np.array([0, 0, rim, rim, 0, 0, rim, rim], np.int64))
        padded = self.node("Pad", [x.name, pads], mode="edge")
        return Value(padded, x.scale, x.zero_point)

    def arranged(self, name: str, conv: QuantConv) -> Layer:
        """Weights, bias and scale, a block's values in the order (row, column, channel)."""
        weight, bias = (v.detach().float().numpy().copy() for v in conv.folded())
        scale = conv.weight_scale().float().numpy().copy()
        if name == "stem" and self.integer:
            weight = integer_stem_weight(weight.swapaxes(0, 1)).swapaxes(0, 1)
        if name == "luma" and self.integer:
            weight = interleaved(weight.swapaxes(0, 1), AREA, RGBX, 0.0).swapaxes(0, 1)
        if name in OF_PIXELS:
            channels = RGBX if self.integer else 3
            weight = interleaved(weight, AREA, channels, 0.0)
            bias = interleaved(bias, AREA, channels, 0.0)
            scale = interleaved(scale, AREA, channels, 1.0)
            if not self.integer:
                weight, bias = weight * 255, bias * 255
        if name == "up":
            fine = self.network.arch.stem
            weight, bias, scale = (interleaved(v, 4, fine, 0.0) for v in (weight, bias, scale))
        return Layer(np.ascontiguousarray(weight), bias, scale, conv.rim, conv.stride[0])

    def add(self, a: Value, b: Value, act: Activation, unit: int = 1) -> Value:
        if not self.integer:
            return self.bounded(self.node("Add", [a.name, b.name]), act, unit)
        return self.quantized(self.node("Add", [self.float_of(a), self.float_of(b)]), act)

    def bounded(self, x: str, act: Activation, unit: int = 1) -> Value:
        """Float values kept to the range that the integers have, in units of 1 / `unit`."""
        ends = [
            self.constant(f"{x}_{end}", np.array(value * unit, self.number))
            for end, value in zip(("least", "most"), act.bounds(), strict=True)
        ]
        return Value(self.node("Clip", [x, *ends]))

    def shuffle(self, y: Value, channels: int) -> Value:
        """Twice the size, a quarter of the channels. In integers by moving whole pixels channels
        last, where ONNX Runtime's integer convolutions have them anyway."""
        if not self.integer:
            return Value(self.node("DepthToSpace", [y.name], blocksize=2))
        last = self.node("Transpose", [y.name], perm=[0, 2, 3, 1])
        split = self.constant("split", np.array([0, 0, 0, 2, 2 * channels], np.int64))
        pairs = self.node("Reshape", [last, split])
        rows = self.node("Transpose", [pairs], perm=[0, 1, 3, 2, 4])
        shape = self.node("Shape", ["input"], start=0, end=3)
        depth = self.constant("fine_channels", np.array([channels], np.int64))
        fine = self.node("Reshape", [rows, self.node("Concat", [shape, depth], axis=0)])
        return Value(self.node("Transpose", [fine], perm=[0, 3, 1, 2]), y.scale, y.zero_point)

    def dequantized(self, name: str, scale: np.ndarray, dtype: type) -> str:
        zero = np.zeros(scale.shape, dtype)
        s = self.constant(f"{name}_scale", scale.astype(np.float32))
        return self.node("DequantizeLinear", [name, s, self.constant(f"{name}_zero", zero)], axis=0)

    def float_of(self, x: Value) -> str:
        """The uint8 tensor as float, for the operator that ONNX Runtime then joins it with."""
        return self.node("DequantizeLinear", [x.name, *self.step_of(x)])

    def quantized(self, name: str, act: Activation) -> Value:
        value = Value(f"{name}_u8", float(act.scale()), act.zero_point)
        self.node("QuantizeLinear", [name, *self.step_of(value)], value.name)
        return value

    def step_of(self, x: Value) -> list[str]:
        scale = self.constant(f"{x.name}_scale", np.array(x.scale, np.float32))
        return [scale, self.constant(f"{x.name}_zero", np.array(x.zero_point, np.uint8))]


def integer_stem_weight(weight: np.ndarray) -> np.ndarray:
    """(in, out, 1, 1), PyTorch's order -> blocks of the frame's RGBX, then the canvas's."""
    frame, canvas = weight[:PIXELS], weight[PIXELS:]
    return np.concatenate(
        [interleaved(frame, AREA, RGBX, 0.0), interleaved(canvas, CANVAS_AREA, RGBX, 0.0)]
    )


def interleaved(values: np.ndarray, area: int, channels: int, fill: float) -> np.ndarray:
    """First axis from PyTorch's (channel, place) to (place, channel), with `fill` for channels
    that are not there (the X of RGBX)."""
    there = len(values) // area
    full = np.full((area, channels, *values.shape[1:]), fill, values.dtype)
    full[:, :there] = values.reshape(there, area, *values.shape[1:]).swapaxes(0, 1)
    return full.reshape(area * channels, *values.shape[1:])
