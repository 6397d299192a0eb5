"""From the ONNX file of an integer fast network to the steps that the shaders draw.

Nothing of the network's layout is known here but its operators: sizes, order of channels, weights,
scales and zero points are the file's. A graph of other operators is refused by the name of the
first one that does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from stylizer.errors import StylizerError
from stylizer.style import graph
from stylizer.style.gl.block_convolution import over_blocks
from stylizer.style.gl.movement import (
    COLUMNS,
    MOVES,
    ROWS,
    NotKnown,
    View,
    attributes,
    moved,
    places,
    view_of,
)
from stylizer.style.gl.steps import Add, Conv, Quantized, Steps, Tensor, fused, sum_rule

WEIGHT_LEVELS = 128  # int8


class DoesNotFit(StylizerError):
    """A graph that the shaders do not draw; the message names its first such operator."""


@dataclass(frozen=True)
class _Floats:
    """Values of moved uint8 tensors read as floats: a DequantizeLinear's output."""

    view: View
    kind: Quantized


@dataclass(frozen=True)
class _Constant:
    """Integer weights read as floats: themselves, and the scale of each output channel."""

    integers: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class _Product:
    """A convolution not yet rounded."""

    x: _Floats
    weight: _Constant
    bias: _Constant | None
    stride: int


@dataclass(frozen=True)
class _Total:
    """A sum not yet rounded."""

    first: _Floats
    second: _Floats


def read_steps(proto: onnx.ModelProto) -> Steps:
    """The steps of an integer network. Raises DoesNotFit."""
    proto = over_blocks(proto)
    reader = _Reader(proto)
    for number, node in enumerate(proto.graph.node):
        try:
            reader.take(node)
        except NotKnown as reason:
            name = node.name or (node.output[0] if node.output else f"number {number}")
            raise DoesNotFit(f"its operator {node.op_type} {name!r} is {reason}") from reason
    try:
        return fused(reader.finish())
    except NotKnown as reason:
        name = proto.graph.output[0].name
        raise DoesNotFit(f"its output {name!r} is {reason}") from reason


class _Reader:
    """Walks the nodes; what each value's name stands for is kept."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self.proto = proto
        self.constants = graph.constants(proto)
        self.tensors: list[Tensor] = []
        self.numbers: dict[str, np.ndarray] = dict(self.constants)  # moved values and shapes
        self.values: dict[str, _Floats | _Constant | _Product | _Total] = {}
        self.steps: list[Conv | Add] = []
        for given in graph.inputs(proto):
            channels = given.shape[3] if len(given.shape) == 4 else None
            if given.dtype != "uint8" or channels is None or channels % 4:
                continue  # whatever reads it is refused by its name
            blocks = self.new(Tensor(given.name, channels, given=given.name))
            self.numbers[given.name] = blocks.transpose(0, 2, 3, 1)

    def new(self, tensor: Tensor) -> np.ndarray:
        """Take up a tensor; the numbers of its places, channels first."""
        if tensor.channels * ROWS * COLUMNS > 2**20:
            raise NotKnown(f"of {tensor.channels} channels, too many for the shaders")
        self.tensors.append(tensor)
        return places(len(self.tensors) - 1, tensor)

    def take(self, node: onnx.NodeProto) -> None:
        op, output = node.op_type, node.output[0]
        if op == "Constant":
            return
        if op in MOVES:
            for name in node.input:
                if name and name not in self.numbers:
                    raise NotKnown("used on floats, where only integers are moved")
            self.numbers[output] = moved(node, self.numbers)
        elif op == "DequantizeLinear":
            self.values[output] = self.dequantized(node)
        elif op == "Conv":
            self.values[output] = self.product(node)
        elif op == "Add":
            self.values[output] = _Total(*(self.floats(name) for name in node.input))
        elif op == "Relu":
            self.relu(node)
        elif op == "QuantizeLinear":
            self.numbers[output] = self.quantized(node)
        else:
            raise NotKnown("none that the shaders have")

    def finish(self) -> Steps:
        """All steps, with the output looked at."""
        numbers = self.numbers.get(self.proto.graph.output[0].name)
        if numbers is None:
            raise NotKnown("no tensor of uint8")
        view = view_of(numbers.transpose(0, 3, 1, 2), self.tensors)
        tensor = self.tensor_of(view)
        if tensor.given or tensor.channels % 4 or tensor.shrink != 1:
            raise NotKnown("no tensor of pixel blocks as large as the input")
        given = tuple(t for t in self.tensors if t.given)
        return Steps(given, tensor, tuple(self.steps))

    # --- the operators ----------------------------------------------------------------------

    def dequantized(self, node: onnx.NodeProto) -> _Floats | _Constant:
        scale, zero = self.constant(node.input[1]), np.zeros(1, np.int64)
        if len(node.input) > 2:
            zero = self.constant(node.input[2])
        source = node.input[0]
        if source in self.constants:
            if zero.any() or (scale.size > 1 and attributes(node).get("axis", 1) != 0):
                raise NotKnown("of weights with a zero point or scales along another axis")
            return _Constant(self.constants[source], scale.astype(np.float32).ravel())
        numbers = self.numbers.get(source)
        if numbers is None or scale.size != 1:
            raise NotKnown("of values with more than one scale, or of none that were quantized")
        kind = Quantized(np.float32(scale.item()), int(zero.item()))
        return _Floats(view_of(numbers, self.tensors), kind)

    def product(self, node: onnx.NodeProto) -> _Product:
        x, named = self.floats(node.input[0]), attributes(node)
        weight = self.values.get(node.input[1])
        bias = self.values.get(node.input[2]) if len(node.input) > 2 else None
        if not isinstance(weight, _Constant) or weight.integers.dtype != np.int8:
            raise NotKnown("one over weights that are no 8-bit integers")
        if bias is not None and not isinstance(bias, _Constant):
            raise NotKnown("one with a bias that is no integers")
        shape, strides = weight.integers.shape, named.get("strides", [1, 1])
        plain = named.get("group", 1) == 1 and not any(named.get("pads", []))
        plain &= named.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
        plain &= set(named.get("dilations", [1, 1])) == {1} and strides[0] == strides[1]
        if not plain or len(shape) != 4 or shape[2] != shape[3] or x.view.spread is not None:
            raise NotKnown("one with groups, pads, dilations or a kernel that the shaders lack")
        if x.view.rim * 2 + 1 != shape[2] or shape[1] != len(x.view.channels):
            raise NotKnown("one whose edge is not repeated by half of its kernel")
        return _Product(x, weight, bias, strides[0])

    def relu(self, node: onnx.NodeProto) -> None:
        """Nothing to do where what follows clamps at zero, which is looked at there."""
        value = self.values.get(node.input[0])
        users = [n for n in self.proto.graph.node if node.output[0] in n.input]
        clamps = all(n.op_type == "QuantizeLinear" and self.zero_of(n) == 0 for n in users)
        if not isinstance(value, _Product | _Total) or not clamps:
            raise NotKnown("one that no rounding to integers follows")
        self.values[node.output[0]] = value

    def quantized(self, node: onnx.NodeProto) -> np.ndarray:
        scale = self.constant(node.input[1])
        zero = self.zero_of(node)
        value = self.values.get(node.input[0])
        if scale.size != 1 or zero is None:
            raise NotKnown("one that does not give uint8 with a single scale")
        kind = Quantized(np.float32(scale.item()), zero)
        if isinstance(value, _Product):
            return self.conv(node.output[0], value, kind)
        if isinstance(value, _Total):
            return self.add(node.output[0], value, kind)
        raise NotKnown("one of values that are no convolution and no sum")

    def conv(self, name: str, product: _Product, kind: Quantized) -> np.ndarray:
        x, weight = product.x, product.weight.integers.astype(np.float32)
        shrink = self.tensors[x.view.channels[0, 0]].shrink * product.stride
        if ROWS % shrink:
            raise NotKnown("one that makes its picture too small")
        parts = []
        for index in dict.fromkeys(x.view.channels[:, 0].tolist()):
            tensor, mine = self.tensors[index], x.view.channels[:, 0] == index
            part = np.zeros((len(weight), tensor.channels, *weight.shape[2:]), np.float32)
            for channel, at in zip(x.view.channels[mine, 1], np.flatnonzero(mine), strict=True):
                part[:, channel] += weight[:, at]  # a channel may be read twice
            parts.append((tensor, part))
        bias = product.bias.integers if product.bias else np.zeros(len(weight), np.int64)
        bias = bias.astype(np.int64) - x.kind.zero * weight.sum(axis=(1, 2, 3), dtype=np.int64)
        scale = np.float32(x.kind.scale) * product.weight.scale / np.float32(kind.scale)
        scale = np.broadcast_to(scale.astype(np.float32), len(weight))
        out = Tensor(name, len(weight), shrink)
        self.steps.append(Conv(out, tuple(parts), bias, scale, kind.zero, product.stride))
        return self.new(out)

    def add(self, name: str, total: _Total, kind: Quantized) -> np.ndarray:
        first, second = total.first, total.second
        rule = sum_rule(first.kind, second.kind, kind)
        if second.view.spread is not None:
            first, second, rule = second, first, rule.swapped
        right, spread = self.tensor_of(second.view), first.view.spread
        left = self.tensors[first.view.channels[0, 0]] if spread is not None else None
        left = left or self.tensor_of(first.view)
        channels = spread.shape[2] if spread is not None else left.channels
        shrink = left.shrink // 2 if spread is not None else left.shrink
        if left.given or right.given or (channels, shrink) != (right.channels, right.shrink):
            raise NotKnown("one of two tensors that differ in size or were not computed")
        out = Tensor(name, right.channels, right.shrink)
        self.steps.append(Add(out, left, right, rule, spread))
        return self.new(out)

    # --- the values -------------------------------------------------------------------------

    def constant(self, name: str) -> np.ndarray:
        if name not in self.constants:
            raise NotKnown("one whose scale is computed")
        return self.constants[name]

    def floats(self, name: str) -> _Floats:
        value = self.values.get(name)
        if not isinstance(value, _Floats):
            raise NotKnown("one over floats, where the shaders compute in 8-bit integers")
        return value

    def zero_of(self, node: onnx.NodeProto) -> int | None:
        """The zero point of a QuantizeLinear to uint8; None for another kind."""
        zero = self.constants.get(node.input[2]) if len(node.input) > 2 else np.zeros(1, np.uint8)
        fits = zero is not None and zero.size == 1 and zero.dtype == np.uint8
        return int(zero.item()) if zero is not None and fits else None

    def tensor_of(self, view: View) -> Tensor:
        """The tensor that a view is, channel for channel."""
        tensor = self.tensors[view.channels[0, 0]]
        wanted = np.arange(tensor.channels)
        same = (view.channels[:, 0] == view.channels[0, 0]).all()
        if view.rim or view.spread is not None or not same:
            raise NotKnown("one of moved values")
        if not np.array_equal(view.channels[:, 1], wanted):
            raise NotKnown("one of values in another order")
        return tensor
