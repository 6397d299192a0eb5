"""What float graphs of all the lab's networks share: the canvas, the color grade, and what the
metadata says of them."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from stylizer.errors import BadInput
from stylizer.frame import CANVAS_MIDDLE, LUMA
from stylizer.lab.nets.johnson import StyleNetwork
from stylizer.lab.nets.painter import CANVAS_STEP, CanvasFile, Painter
from stylizer.lab.nets.smoothing import HALF, RADIUS
from stylizer.lab.onnx.onnx_graph import OnnxGraph
from stylizer.style.metadata import TILE_KEY, texts_of

SMOOTH_NAME = "smooth.variance"  # of the luma of texture that is smoothed away, in 0..255 squared


def with_canvas(contract: dict[str, Any]) -> dict[str, Any]:
    """The contract of a model whose graph has a value "canvas"."""
    return contract | {"roles": {"canvas": "canvas"}, "canvas_step": CANVAS_STEP}


def keep_tile(model: onnx.ModelProto, network: Painter) -> None:
    """Put the canvas's tile into the metadata, for a runtime that moves it."""
    entry = model.metadata_props.add()
    entry.key, entry.value = TILE_KEY, base64.b64encode(network.canvas_file.webp).decode("ascii")


def take_style(network: Painter, path: Path, model: onnx.ModelProto) -> None:
    """The grade and the canvas of a float file that the lab wrote, into the network.

    Raises BadInput when it has none: it is of an older kind.
    """
    values = {v.name: numpy_helper.to_array(v) for v in model.graph.initializer}
    texts = texts_of(model)
    if "grade.weight" not in values or TILE_KEY not in texts:
        raise BadInput(
            f"{path}: a model of an older kind, without a color grade and a canvas; train it anew, "
            "or start from random weights with --init none"
        )
    matrix, offset = values["grade.weight"][:, :, 0, 0], values["grade.bias"] / 255
    canvas = CanvasFile(base64.b64decode(texts[TILE_KEY]))
    network.take_style(torch.from_numpy(matrix.copy()), torch.from_numpy(offset.copy()), canvas)


def canvas_of(graph: OnnxGraph, network: Painter, number: type) -> str:
    """The tile, repeated over the frame: "canvas", (1, 3, H/2, W/2) in 0..255 of this type."""
    tile = network.tile.numpy()[None]
    step = graph.constant("canvas_step", np.array([CANVAS_STEP] * 2, np.int64))
    sides = graph.node("Div", [graph.node("Shape", ["input"], start=2, end=4), step])
    side = graph.constant("tile_side", np.array([tile.shape[2]] * 2, np.int64))
    one = graph.constant("one", np.array([1, 1], np.int64))
    times = graph.node("Add", [graph.node("Div", [sides, side]), one])
    repeats = graph.node("Concat", [one, times], axis=0)
    repeated = graph.node("Tile", [graph.constant("canvas_tile", tile), repeats])
    start = graph.constant("corner", np.array([0, 0], np.int64))
    axes = graph.constant("sides", np.array([2, 3], np.int64))
    cut = graph.node("Slice", [repeated, start, sides, axes])
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(number))
    return graph.node("Cast", [cut], "canvas", to=kind)


def full_canvas(graph: OnnxGraph, network: Painter) -> str:
    """(1, 3, H, W): the canvas at the frame's size."""
    canvas = canvas_of(graph, network, np.float32)
    return graph.enlarged(canvas, "canvas_scales", CANVAS_STEP)


def beside_frame(graph: OnnxGraph, canvas: str) -> str:
    """(B, 6, H, W): the frame and the canvas at its size."""
    batch = graph.node("Shape", ["input"], start=0, end=1)
    ones = graph.constant("one_each", np.ones(3, np.int64))
    shape = graph.node("Concat", [batch, ones], axis=0)
    return graph.node("Concat", ["input", graph.node("Expand", [canvas, shape])], axis=1)


def laid(graph: OnnxGraph, network: StyleNetwork, given: str, canvas: str) -> None:
    """The output, (B, 3, H, W): the graded frame, the edit, the canvas as strongly and without
    texture as far as the last layer says; `given` is its (B, 5, H, W), all in units of 0..255: with
    the strength in units of one, eight bits for all channels left it only a few steps."""
    axis = graph.constant("channels", np.array([1], np.int64))
    ends = [graph.constant(f"given_{n}", np.array([n], np.int64)) for n in (0, 3, 4, 5)]
    edit, strength, smoothing = (
        graph.node("Slice", [given, *pair, axis]) for pair in itertools.pairwise(ends)
    )
    nothing = graph.constant("no_canvas", np.array(255 * CANVAS_MIDDLE, np.float32))
    unit = graph.constant("unit", np.array(255, np.float32))
    off = graph.node("Div", [graph.node("Sub", [canvas, nothing]), unit])
    strokes = graph.node("Mul", [strength, off])
    ground = graded(graph, network, np.float32)
    texture = graph.node("Div", [without_texture(graph, network.smooth, ground), unit])
    taken = graph.node("Mul", [smoothing, texture])
    parts = graph.node("Add", [graph.node("Add", [edit, strokes]), taken])
    graph.node("Add", [ground, parts], "output")


def without_texture(graph: OnnxGraph, variance: float, picture: str) -> str:
    """(B, 3, H, W): what `smoothing.smoothed` adds to the picture, (B, 3, H, W) in 0..255."""

    def boxed(x: str) -> str:
        side, r = 2 * RADIUS + 1, RADIUS
        x = graph.node("AveragePool", [x], kernel_shape=[side, 1], pads=[r, 0, r, 0])
        return graph.node("AveragePool", [x], kernel_shape=[1, side], pads=[0, r, 0, r])

    def at_size(x: str) -> str:
        return graph.node("Resize", [x, "", scales], mode="linear")

    scales = graph.constant("half_scales", np.array([1, 1, HALF, HALF], np.float32))
    half = graph.node("AveragePool", [picture], kernel_shape=[HALF] * 2, strides=[HALF] * 2)
    weights = graph.constant("luma", np.array(LUMA, np.float32).reshape(3, 1, 1))
    axis = graph.constant("channels", np.array([1], np.int64))
    y = graph.node("ReduceSum", [graph.node("Mul", [half, weights]), axis])
    mean = boxed(y)
    square = graph.node("Mul", [mean, mean])
    own = graph.node("Relu", [graph.node("Sub", [boxed(graph.node("Mul", [y, y])), square])])
    least = graph.constant(SMOOTH_NAME, np.array(variance * 255**2, np.float32))
    whole = graph.node("Add", [own, least])
    away = boxed(graph.node("Div", [least, whole]))
    return graph.node("Mul", [at_size(away), graph.node("Sub", [at_size(boxed(half)), picture])])


def graded(graph: OnnxGraph, network: Painter, number: type) -> str:
    """The frame in the style's colors, (B, 3, H, W) in 0..255."""
    matrix, offset = network.matrix.numpy()[:, :, None, None], network.offset.numpy() * 255
    names = [
        graph.constant(f"grade.{name}", values.astype(number))
        for name, values in (("weight", matrix), ("bias", offset))
    ]
    laid = graph.node("Conv", ["input", *names], "grade", kernel_shape=[1, 1])
    ends = [graph.constant(f"grade_{v}", np.array(v, number)) for v in (0, 255)]
    return graph.node("Clip", [laid, *ends])
