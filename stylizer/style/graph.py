"""The ONNX graph itself: loading it, wrapping it in uint8 planes, its ends and constants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from stylizer.errors import BadInput
from stylizer.style import fitting
from stylizer.style.contract import LAYOUTS, RANGES, StyleModel
from stylizer.style.cutting import cut_canvas

PREFIX = "stylizer_"  # names of what we add, so that they cannot meet the network's own
INSTEAD = {  # how other files begin, in lower case, that are taken for a model
    b"version https://git-lfs": "a pointer of Git LFS; fetch the model itself with `git lfs pull`",
    b"<!doctype html": "a web page; download the model again",
    b"<html": "a web page; download the model again",
    b"pk\x03\x04": "a zip archive, as PyTorch's checkpoints are; unpack it or export it to ONNX",
    b"\x80\x02": "a checkpoint of PyTorch; export it to ONNX",
}
MIN_OPSET = 7  # before it, arithmetic did not broadcast; ONNX Runtime starts there too


@dataclass(frozen=True)
class Tensor:
    """Name, numpy dtype name and shape of a graph's input or output; None for a free dimension."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} ({', '.join('?' if d is None else str(d) for d in self.shape)})"


def read(path: Path) -> onnx.ModelProto:
    """The file alone, without external data. Raises BadInput with the reason in one sentence."""
    if path.is_dir():
        raise BadInput(f"{path} is a folder, not a model; name the .onnx file inside it")
    if not path.exists():
        raise BadInput(f"{path} does not exist; check the path, or see `models list`")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror}); check its permissions"
        ) from error
    except Exception as error:  # protobuf's DecodeError and what else broken bytes may cause
        raise BadInput(f"{path} is {_instead(path)}") from error
    if not model.graph.node or not model.graph.output:
        raise BadInput(f"{path} is not an ONNX file, or an empty one; export it again")
    return model


def _instead(path: Path) -> str:
    """What a file is that ONNX cannot read, and what to do about it."""
    with open(path, "rb") as file:
        head = file.read(512).lstrip().lower()
    for begin, told in INSTEAD.items():
        if head.startswith(begin):
            return f"not an ONNX file but {told}"
    return "not an ONNX file, or a damaged one; export it again"


def load(path: Path) -> onnx.ModelProto:
    """The model with its external data. Raises BadInput with the reason in one sentence."""
    model = read(path)
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except Exception as error:
        raise BadInput(
            f"{path} keeps its weights in another file that cannot be read; put that file beside "
            "it, or export the model as one file"
        ) from error
    if opset(model) < MIN_OPSET:
        raise BadInput(
            f"{path} uses opset {opset(model)}; export it with opset {MIN_OPSET} or newer"
        )
    return model


def opset(model: onnx.ModelProto) -> int:
    """Version of the standard operator set."""
    versions = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
    return max(versions, default=0)


def inputs(model: onnx.ModelProto) -> list[Tensor]:
    """The graph's inputs without those that are only names of weights (old exporters)."""
    weights = {w.name for w in model.graph.initializer}
    return [_tensor(v) for v in model.graph.input if v.name not in weights]


def outputs(model: onnx.ModelProto) -> list[Tensor]:
    return [_tensor(v) for v in model.graph.output]


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    kind = value.type.tensor_type
    dims = kind.shape.dim if kind.HasField("shape") else ()
    shape = tuple(d.dim_value if d.dim_value > 0 else None for d in dims)
    known = kind.elem_type in TensorProto.DataType.values() and kind.elem_type
    dtype = str(helper.tensor_dtype_to_np_dtype(kind.elem_type)) if known else "unknown"
    return Tensor(value.name, dtype, shape)


def wrap(proto: onnx.ModelProto, model: StyleModel, whole_pixels: bool = False) -> bytes:
    """The graph with uint8 planes at both ends and the style chosen; serialized.

    In: "stylizer_in" uint8 (1, channels, H, W) in the model's channel order. Out: "stylizer_out"
    uint8 RGB (1, 3, H, W), rounded half up and clipped; with whole_pixels RGBA (1, H, W, 4), where
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
    builder = _Builder(graph, opset(proto), whole_pixels)
    before = builder.to_network(model)
    after = builder.from_network(model)
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    ends = ((model.input.channels, "height", "width"), (3, "canvas_height", "canvas_width"))
    for name, planes in zip(fed(model), ([1, *end] for end in ends), strict=False):
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.UINT8, planes))
    styled = [1, 3, "styled_height", "styled_width"]
    if builder.whole_pixels and builder.rounds(model):
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

    def __init__(self, graph: onnx.GraphProto, version: int, whole_pixels: bool) -> None:
        self.graph = graph
        self.version = version
        self.whole_pixels = whole_pixels and version >= 11
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
        if self.whole_pixels:
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


def constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Weights and Constant nodes that hold a tensor, by name."""
    found = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    found[node.output[0]] = numpy_helper.to_array(attribute.t)
                elif attribute.name == "value_float":
                    found[node.output[0]] = np.array(attribute.f, np.float32)
    return found
