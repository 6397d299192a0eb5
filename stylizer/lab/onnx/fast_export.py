"""The fast network as ONNX: an integer graph on pixel blocks, or plain float pictures.

Integer (U8S8, QDQ): uint8 RGBX blocks (1, H/b, W/b, 4 b b) in and out, value order (row, column,
channel); no float is left at either end, so that pixels are moved once, by whoever packs them.
Float (fp32, fp16): NCHW RGB 0..255, for GPUs and other programs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from stylizer.errors import StylizerError
from stylizer.lab.nets.fake_quant import Activation, QuantConv, bound
from stylizer.lab.nets.fast import FastBlock, FastNetwork, Separable, activations
from stylizer.lab.onnx.onnx_graph import OnnxGraph, write_model

RANGES_KEY = "stylizer.ranges"  # of the activations, so that training can go on from the file


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
    contract = contract | {"precision": precision}
    if precision == "int8":
        contract["layout"] = f"blocks{network.arch.block}"
    model = _FastGraph(network, precision).build()
    ranges = {name: [float(a.depth), float(a.reach)] for name, a in activations(network)}
    write_model(model, path, contract=contract, recipe=recipe, ranges=ranges)


def load_fast_weights(network: FastNetwork, path: Path) -> None:
    """Fill the network from a float file that `write_fast` wrote.

    Raises StylizerError when the file holds another network.
    """
    model = onnx.load(str(path))
    values = {v.name: numpy_helper.to_array(v).copy() for v in model.graph.initializer}
    texts = {p.key: p.value for p in model.metadata_props}
    for name, module in network.named_modules():
        if not isinstance(module, QuantConv):
            continue
        if values.get(f"{name}.weight") is None or module.bias is None:
            raise StylizerError(f"{path}: not a float model of this architecture (no {name!r})")
        weight, bias = _disarranged(network, name, values)
        if weight.shape != tuple(module.weight.shape):
            raise StylizerError(f"{path}: {name!r} is {weight.shape}, not {module.weight.shape}")
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(weight))
            module.bias.copy_(torch.from_numpy(bias))
    ranges = json.loads(texts.get(RANGES_KEY, "{}"))
    for name, act in activations(network):
        depth, reach = _ends(ranges.get(name, float(act.reach)), act.signed)
        act.depth.fill_(depth)
        act.reach.fill_(reach)
    bound(network, bool(ranges))


def _ends(value: float | list[float], signed: bool) -> tuple[float, float]:
    """How far a range goes below and above zero; of old files one number, for both."""
    if isinstance(value, list):
        return value[0], value[1]
    return (value if signed else 0.0), value


def inner_widths(path: Path) -> tuple[int, ...]:
    """Channels between the two convolutions of each block of a file that `write_fast` wrote."""
    shapes = {v.name: v.dims[0] for v in onnx.load(str(path)).graph.initializer if v.dims}
    numbers = range(sum(bool(re.fullmatch(r"blocks\.\d+\.conv1\.weight", n)) for n in shapes))
    return tuple(int(shapes[f"blocks.{i}.conv1.weight"]) for i in numbers)


def _disarranged(
    network: FastNetwork, name: str, values: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The weights and bias of a convolution as PyTorch has them: `arranged` backwards."""
    weight, bias = values[f"{name}.weight"], values[f"{name}.bias"]
    area = network.arch.block**2
    if name == "stem":
        weight = planewise(weight.swapaxes(0, 1), area).swapaxes(0, 1) * 255
    elif name == "head":
        weight, bias = planewise(weight, area) / 255, planewise(bias, area) / 255
    elif name == "up":
        weight, bias = planewise(weight, 4), planewise(bias, 4)
    return np.ascontiguousarray(weight), np.ascontiguousarray(bias)


def planewise(values: np.ndarray, area: int) -> np.ndarray:
    """First axis from (place, channel) to PyTorch's (channel, place)."""
    split = values.reshape(area, len(values) // area, *values.shape[1:])
    return split.swapaxes(0, 1).reshape(values.shape)


class _FastGraph(OnnxGraph):
    """Collects nodes and weights of one network."""

    def __init__(self, network: FastNetwork, precision: Precision) -> None:
        super().__init__("fast_style")
        self.network = network
        self.integer = precision == "int8"
        self.number = np.float16 if precision == "fp16" else np.float32
        self.channels = 4 if self.integer else 3  # of a pixel

    def build(self) -> onnx.ModelProto:
        net, b = self.network, self.network.arch.block
        values = self.channels * b * b
        if self.integer:
            shape: list[Any] = [1, "rows", "columns", values]
            y = Value(self.node("Transpose", ["input"], perm=[0, 3, 1, 2]), 1 / 255)
        else:
            shape = ["batch", 3, "height", "width"]
            y = Value(self.node("SpaceToDepth", ["input"], blocksize=b))
        fine = y = self.conv(y, "stem", net.stem, net.stem_act)
        if net.arch.halved:
            y = self.conv(y, "down", net.down, net.down_act)
        y = self.blocks(y, "blocks", net.blocks)
        if net.arch.halved:
            y = self.rejoin(y, fine)
        for number, layer in enumerate(net.refine):
            assert isinstance(layer, Separable)
            prefix = f"refine.{number}."
            y = self.conv(y, prefix + "each", layer.each, layer.each_act)
            y = self.conv(y, prefix + "mix", layer.mix, layer.out)
        if net.arch.separable:
            y = self.conv(y, "head_each", net.head_each, net.head_act)
        y = self.conv(y, "head", net.head, net.out)
        if self.integer:
            self.node("Transpose", [y.name], "output", perm=[0, 2, 3, 1])
        else:
            self.node("DepthToSpace", [y.name], "output", blocksize=b)
        return self.model(np.uint8 if self.integer else self.number, shape)

    def rejoin(self, y: Value, fine: Value) -> Value:
        net = self.network
        y = self.conv(y, "up", net.up, net.up_act)
        y = self.shuffle(y, net.arch.stem)
        return self.add(y, fine, net.join) if net.arch.skip else y

    def blocks(self, y: Value, name: str, blocks: Any) -> Value:
        for number, block in enumerate(blocks):
            assert isinstance(block, FastBlock)
            prefix = f"{name}.{number}."
            inner = self.conv(y, prefix + "conv1", block.conv1, block.act1)
            inner = self.conv(inner, prefix + "conv2", block.conv2, block.act2)
            y = self.add(y, inner, block.out)
        return y

    def conv(self, x: Value, name: str, conv: QuantConv, act: Activation) -> Value:
        weight, bias, scale = self.arranged(name, conv)
        k, s, d = conv.kernel_size[0], conv.stride[0], conv.dilation[0]
        size: dict[str, Any] = {"kernel_shape": [k, k], "strides": [s, s], "dilations": [d, d]}
        size["group"] = conv.groups
        x = self.rimmed(x, conv.rim)
        if not self.integer:
            names = [
                self.constant(f"{name}.{n}", v.astype(self.number))
                for n, v in (("weight", weight), ("bias", bias))
            ]
            y = self.node("Conv", [x.name, *names], **size)
            return self.bounded(y, act, 255 if name == "head" else 1)
        steps = np.clip(np.rint(weight / scale[:, None, None, None]), -127, 127).astype(np.int8)
        w = self.dequantised(self.constant(f"{name}.weight", steps), scale, np.int8)
        bias_scale = scale * np.float32(x.scale)
        whole = np.clip(np.rint(bias / bias_scale), -(2**31) + 1, 2**31 - 1).astype(np.int32)
        b = self.dequantised(self.constant(f"{name}.bias", whole), bias_scale, np.int32)
        y = self.node("Conv", [self.float_of(x), w, b], **size)
        return self.quantised(y, act)

    def rimmed(self, x: Value, rim: int) -> Value:
        """The edge repeated `rim` times around, in whatever numbers x has."""
        if not rim:
            return x
        pads = self.constant(f"rim{rim}", np.array([0, 0, rim, rim, 0, 0, rim, rim], np.int64))
        padded = self.node("Pad", [x.name, pads], mode="edge")
        return Value(padded, x.scale, x.zero_point)

    def arranged(self, name: str, conv: QuantConv) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, bias and scale, a block's values in the order (row, column, channel)."""
        weight, bias = (v.detach().float().numpy().copy() for v in conv.folded())
        scale = conv.weight_scale().float().numpy().copy()
        area = self.network.arch.block**2
        if name == "stem":
            weight = interleaved(weight.swapaxes(0, 1), area, self.channels, 0.0).swapaxes(0, 1)
            weight = weight if self.integer else weight / 255
        if name == "head":
            weight = interleaved(weight, area, self.channels, 0.0)
            bias = interleaved(bias, area, self.channels, 1.0)
            scale = interleaved(scale, area, self.channels, 1.0)
            if not self.integer:
                weight, bias = weight * 255, bias * 255
        if name == "up":
            fine = self.network.arch.stem
            weight, bias, scale = (interleaved(v, 4, fine, 0.0) for v in (weight, bias, scale))
        return np.ascontiguousarray(weight), bias, scale

    def add(self, a: Value, b: Value, act: Activation) -> Value:
        if not self.integer:
            return self.bounded(self.node("Add", [a.name, b.name]), act)
        return self.quantised(self.node("Add", [self.float_of(a), self.float_of(b)]), act)

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

    def dequantised(self, name: str, scale: np.ndarray, dtype: type) -> str:
        zero = np.zeros(scale.shape, dtype)
        s = self.constant(f"{name}_scale", scale.astype(np.float32))
        return self.node("DequantizeLinear", [name, s, self.constant(f"{name}_zero", zero)], axis=0)

    def float_of(self, x: Value) -> str:
        """The uint8 tensor as float, for the operator that ONNX Runtime then joins it with."""
        return self.node("DequantizeLinear", [x.name, *self.step_of(x)])

    def quantised(self, name: str, act: Activation) -> Value:
        value = Value(f"{name}_u8", float(act.scale()), act.zero_point)
        self.node("QuantizeLinear", [name, *self.step_of(value)], value.name)
        return value

    def step_of(self, x: Value) -> list[str]:
        scale = self.constant(f"{x.name}_scale", np.array(x.scale, np.float32))
        return [scale, self.constant(f"{x.name}_zero", np.array(x.zero_point, np.uint8))]


def interleaved(values: np.ndarray, area: int, channels: int, fill: float) -> np.ndarray:
    """First axis from PyTorch's (channel, place) to (place, channel), with `fill` for channels
    that are not there (the X of RGBX)."""
    there = len(values) // area
    full = np.full((area, channels, *values.shape[1:]), fill, values.dtype)
    full[:, :there] = values.reshape(there, area, *values.shape[1:]).swapaxes(0, 1)
    return full.reshape(area * channels, *values.shape[1:])
