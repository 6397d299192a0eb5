"""The graph as a session runs it: uint8 planes at both ends, its style chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from stylizer.style import fitting
from stylizer.style.contract import LAYOUTS, RANGES, StyleModel
from stylizer.style.cutting import cut_canvas
from stylizer.style.graph import opset

PREFIX = "stylizer_"  # names of what we add, so that they cannot meet the network's own


def wrap(proto: onnx.ModelProto, model: StyleModel, rgba_output: bool = False) -> bytes:
    """The graph with uint8 planes at both ends and the style chosen; serialized.

    In: "stylizer_in" uint8 (1, channels, H, W) in the model's channel order. Out: "stylizer_out"
    uint8 RGB (1, 3, H, W), rounded half up and clipped; with rgba_output RGBA (1, H, W, 4), where
    the network gives floats and its opset has such a Pad. A Transpose at the ends of an NHWC model
    meets the exporter's own and ONNX Runtime removes both. A graph whose layout is not planar
    takes and gives uint8 already: only its style is chosen. A canvas that a planar graph holds as
    a constant becomes "stylizer_canvas", uint8 RGB (1, 3, H / step, W / step).
    """
    wrapped = onnx.ModelProto()
    wrapped.CopyFrom(proto)
    graph = wrapped.graph
    wrapped.ir_version = max(wrapped.ir_version, 4)  # from 4 on weights need not be inputs
    if model.selector:
        _choose_style(graph, model)
    if LAYOUTS[model.layout].block:
        return wrapped.SerializeToString()
    if model.canvas:
        cut_canvas(graph, model.canvas)
    builder = _Builder(graph, opset(proto), rgba_output)
    before = builder.to_network(model)
    after = builder.from_network(model)
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    ends = ((model.input.channels, "height", "width"), (3, "canvas_height", "canvas_width"))
    for name, planes in zip(fed(model), ([1, *end] for end in ends), strict=False):
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.UINT8, planes))
    styled = [1, 3, "styled_height", "styled_width"]
    if builder.rgba_output and builder.rounds(model):
        styled = [1, "styled_height", "styled_width", 4]
    graph.output.append(helper.make_tensor_value_info(f"{PREFIX}out", TensorProto.UINT8, styled))
    return wrapped.SerializeToString()


def fed(model: StyleModel) -> list[str]:
    """Inputs of the wrapped graph: the picture's and, where there is one, the canvas's."""
    if LAYOUTS[model.layout].block:
        return [model.input.name, *([model.canvas.name] if model.canvas else [])]
    return [f"{PREFIX}in", *([f"{PREFIX}canvas"] if model.canvas else [])]


def one_hot(model: StyleModel) -> np.ndarray:
    """The second input's value for the chosen style."""
    selector = model.selector
    assert selector is not None
    values = np.zeros(selector.count, selector.dtype)
    values[selector.selected] = 1
    return values.reshape(selector.shape)


def _choose_style(graph: onnx.GraphProto, model: StyleModel) -> None:
    assert model.selector is not None
    kept = [v for v in graph.input if v.name != model.selector.name]
    del graph.input[:]
    graph.input.extend(kept)
    graph.initializer.append(numpy_helper.from_array(one_hot(model), model.selector.name))


class _Builder:
    """Makes the nodes around the network; values carry PREFIX in their names."""

    def __init__(self, graph: onnx.GraphProto, version: int, rgba_output: bool) -> None:
        self.graph = graph
        self.version = version
        self.rgba_output = rgba_output and version >= 11
        self.count = 0

    def constant(self, value: object, dtype: str) -> str:
        name = f"{PREFIX}constant_{len(self.graph.initializer)}"
        self.graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def node(
        self, op: str, inputs: list[str], output: str = "", **attributes: Any
    ) -> onnx.NodeProto:
        self.count += 1
        output = output or f"{PREFIX}value_{self.count}"
        name = f"{PREFIX}{op.lower()}_{self.count}"
        return helper.make_node(op, inputs, [output], name=name, **attributes)

    def cast(self, x: str, dtype: str, output: str = "") -> onnx.NodeProto:
        return self.node("Cast", [x], output, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def to_network(self, model: StyleModel) -> list[onnx.NodeProto]:
        nodes, x = [], f"{PREFIX}in"
        if model.input.dtype != "uint8":
            scale, shift = RANGES[model.range]
            nodes.append(self.cast(x, "float32"))
            if scale != 1:
                nodes.append(self._then("Mul", nodes, self.constant(scale, "float32")))
            if shift != 0:
                nodes.append(self._then("Add", nodes, self.constant(shift, "float32")))
            if model.input.dtype != "float32":
                nodes.append(self.cast(nodes[-1].output[0], model.input.dtype))
        if model.layout == "NHWC":
            last = nodes[-1].output[0] if nodes else x
            nodes.append(self.node("Transpose", [last], perm=[0, 2, 3, 1]))
        if not nodes:
            nodes.append(self.node("Identity", [x]))
        nodes[-1].output[0] = model.input.name
        if model.canvas:
            nodes.append(self.cast(f"{PREFIX}canvas", model.canvas.dtype, model.canvas.name))
        return nodes

    def from_network(self, model: StyleModel) -> list[onnx.NodeProto]:
        nodes: list[onnx.NodeProto] = []
        last = model.output.name
        if model.output_layout == "NHWC":
            nodes.append(self.node("Transpose", [last], perm=[0, 3, 1, 2]))
            last = nodes[-1].output[0]
        picked = [2, 1, 0] if model.order == "BGR" else [0, 1, 2]
        picked = [0, 0, 0] if model.output.channels == 1 else picked
        if picked != [0, 1, 2] or model.output.channels != 3:
            nodes.append(self.node("Gather", [last, self.constant(picked, "int64")], axis=1))
            last = nodes[-1].output[0]
        if self.rounds(model):
            nodes.extend(self._to_bytes(last, model))
        if not nodes:
            nodes.append(self.node("Identity", [last]))
        nodes[-1].output[0] = f"{PREFIX}out"
        return nodes

    def rounds(self, model: StyleModel) -> bool:
        """Whether what the network gives is not yet the picture's bytes."""
        return model.output.dtype != "uint8" or model.scale != 1 or model.lost != (0, 0)

    def _to_bytes(self, x: str, model: StyleModel) -> list[onnx.NodeProto]:
        """Float -> 0..255, rounded half up: Cast truncates, so half is added before the clip."""
        nodes = []
        if model.output.dtype != "float32":
            nodes.append(self.cast(x, "float32"))
            x = nodes[-1].output[0]
        for made in self._fitting(x, model):
            nodes.append(made)
            x = made.output[0]
        scale, shift = RANGES[model.output_range]
        if scale != 1:
            nodes.append(self.node("Mul", [x, self.constant(1 / scale, "float32")]))
            x = nodes[-1].output[0]
        half = 0.5 - shift / scale
        nodes.append(self.node("Add", [x, self.constant(half, "float32")]))
        if self.version >= 11:
            limits = [self.constant(0, "float32"), self.constant(255, "float32")]
            nodes.append(self.node("Clip", [nodes[-1].output[0], *limits]))
        else:
            nodes.append(self.node("Clip", [nodes[-1].output[0]], min=0.0, max=255.0))
        if self.rgba_output:
            nodes.append(self._then("Transpose", nodes, perm=[0, 2, 3, 1]))
            opaque = self.constant([0] * 7 + [1], "int64"), self.constant(255, "float32")
            nodes.append(self._then("Pad", nodes, *opaque))
        nodes.append(self.cast(nodes[-1].output[0], "uint8"))
        return nodes

    def _fitting(self, x: str, model: StyleModel) -> list[onnx.NodeProto]:
        """What `fitting.fitted` does in numpy: the mean of blocks, the edge repeated."""
        nodes: list[onnx.NodeProto] = []
        if model.scale > 1:
            sides = [model.scale] * 2
            nodes.append(self.node("AveragePool", [x], kernel_shape=sides, strides=sides))
            x = nodes[-1].output[0]
        if model.lost != (0, 0):
            (left, right), (top, bottom) = (
                fitting.sides(model.lost[0]),
                fitting.sides(model.lost[1]),
            )
            pads = [0, 0, top, left, 0, 0, bottom, right]
            if self.version >= 11:
                made = self.node("Pad", [x, self.constant(pads, "int64")], mode="edge")
            else:
                made = self.node("Pad", [x], mode="edge", pads=pads)
            nodes.append(made)
        return nodes

    def _then(
        self, op: str, nodes: list[onnx.NodeProto], *more: str, **attributes: Any
    ) -> onnx.NodeProto:
        return self.node(op, [nodes[-1].output[0], *more], **attributes)
