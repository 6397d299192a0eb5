"""Builders of tiny ONNX networks for tests: each computes something a test can work out itself."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

# Each pixel so many times.
EACH_TIMES: dict[str, Any] = {
    "mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric",
}  # fmt: skip
OPSET = 17
ELEMENT = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "uint8": TensorProto.UINT8,
}
LIMITS = {"0..255": (0.0, 255.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}
# RGB out = MIX @ RGB in: red takes green in, blue is darkened; so swapped channels show
MIX = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5]], np.float32)
CONTRACT = {
    "layout": "NCHW",
    "range": "0..255",
    "order": "RGB",
    "size_multiple": 4,
    "style": "mosaic",
    "tier": "small",
    "precision": "fp32",
}


def mixed(rgb: np.ndarray, value_range: str = "0..255") -> np.ndarray:
    """What `painter` makes of uint8 (H, W, 3): MIX in the network's range, rounded half up."""
    low, high = LIMITS[value_range]
    x = rgb / 255 * (high - low) + low
    y = np.clip(x @ MIX.T.astype(np.float64), low, high)
    return np.floor((y - low) / (high - low) * 255 + 0.5).astype(np.uint8)


def painter(
    path: Path,
    layout: str = "NCHW",
    value_range: str = "0..255",
    order: str = "RGB",
    size: tuple[int, int] | None = None,
    multiple: int = 1,
    dtype: str = "float32",
    channels: int = 3,
    shape_known: bool = True,
    clip: bool = True,
    opset: int = OPSET,
    metadata: dict | None = None,
) -> Path:
    """A network that mixes colors by MIX in its own range, order and layout.

    multiple > 1 passes the picture through SpaceToDepth, which refuses other sizes. clip=False
    bounds the values by Min and Max, so that nothing but a run shows the range.
    """
    weight = MIX if order == "RGB" else MIX[::-1, ::-1]
    weight = np.concatenate([weight, np.zeros((3, channels - 3), np.float32)], axis=1)
    weights = {"mix": np.ascontiguousarray(weight[:, :, None, None]).astype(dtype)}
    nodes, x = [], "picture"
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [x], ["planes"], perm=[0, 3, 1, 2]))
        x = "planes"
    if multiple > 1:
        nodes.append(helper.make_node("SpaceToDepth", [x], ["deep"], blocksize=multiple))
        nodes.append(helper.make_node("DepthToSpace", ["deep"], ["wide"], blocksize=multiple))
        x = "wide"
    nodes.append(helper.make_node("Conv", [x, "mix"], ["mixed"], kernel_shape=[1, 1]))
    bounded = "bounded" if layout == "NHWC" else "styled"
    low, high = LIMITS[value_range]
    older = clip and opset < 11
    nodes += bounding(bounded, clip, (low, high) if older else None)
    weights |= {} if older else {"low": np.array(low, dtype), "high": np.array(high, dtype)}
    if layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [bounded], ["styled"], perm=[0, 2, 3, 1]))
    width, height = size or ("w", "h")
    shape = [1, channels, height, width] if layout == "NCHW" else [1, height, width, channels]
    ends = {"picture": (dtype, shape if shape_known else [*"abcd"])}, {"styled": (dtype, None)}
    return save(path, nodes, *ends, weights, opset=opset, metadata=metadata)


def bounding(
    output: str, clip: bool, attributes: tuple[float, float] | None
) -> list[onnx.NodeProto]:
    """ "mixed" between "low" and "high": by Clip, whose limits were attributes once, or by Max and
    Min."""
    if attributes is not None:
        low, high = attributes
        return [helper.make_node("Clip", ["mixed"], [output], min=float(low), max=float(high))]
    if clip:
        return [helper.make_node("Clip", ["mixed", "low", "high"], [output])]
    above = helper.make_node("Max", ["mixed", "low"], ["above"])
    return [above, helper.make_node("Min", ["above", "high"], [output])]


def many_styles(path: Path, count: int = 3) -> Path:
    """Style k keeps channel k of the picture and blackens the others; second input one-hot (N,)."""
    nodes = [
        helper.make_node("Unsqueeze", ["style", "front"], ["row"]),
        helper.make_node("MatMul", ["row", "gains"], ["gain"]),
        helper.make_node("Reshape", ["gain", "shape"], ["factor"]),
        helper.make_node("Mul", ["picture", "factor"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "low", "high"], ["styled"]),
    ]
    weights = {
        "front": np.array([0], np.int64),
        "gains": np.eye(count, 3, dtype=np.float32),
        "shape": np.array([1, 3, 1, 1], np.int64),
        "low": np.array(0, np.float32),
        "high": np.array(255, np.float32),
    }
    inputs = {"picture": ("float32", [1, 3, "h", "w"]), "style": ("float32", [count])}
    return save(path, nodes, inputs, {"styled": ("float32", [1, 3, "h", "w"])}, weights)


def byte_network(path: Path, layout: str = "NHWC", metadata: dict | None = None) -> Path:
    """uint8 in and out, gives the picture back; blocks8 of RGB, blocks4 of RGBX pixels."""
    shapes = {
        "NHWC": [1, "h", "w", 3],
        "NCHW": [1, 3, "h", "w"],
        "blocks8": [1, "rows", "columns", 192],
        "blocks4": [1, "rows", "columns", 64],
    }
    ends = ("uint8", shapes[layout])
    node = helper.make_node("Identity", ["picture"], ["styled"])
    return save(path, [node], {"picture": ends}, {"styled": ends}, {}, metadata=metadata)


def tile(side: int = 16, seed: int = 5) -> np.ndarray:
    """A canvas's tile, uint8 (side, side, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def over_canvas(rgb: np.ndarray, canvas: np.ndarray) -> np.ndarray:
    """What the two networks below make of uint8 (H, W, 3) and the canvas beside it."""
    return np.clip(rgb.astype(int) + canvas - 128, 0, 255).astype(np.uint8)


def canvas_blocks(
    path: Path, drawn: np.ndarray | str | None, role: bool = True, step: int = 1
) -> Path:
    """picture + canvas - 128, both uint8 blocks4 of RGBX; drawn: see `canvas_metadata`. step: 2 for
    a canvas of half the size, each of whose pixels stands for four."""
    ends = ("uint8", [1, "rows", "columns", 64])
    row, column, channel = np.mgrid[:4, :4, :4] // np.array([step, step, 1])[:, None, None, None]
    nodes = [
        helper.make_node("Cast", ["input"], ["wide"], to=TensorProto.INT32),
        helper.make_node("Gather", ["canvas", "places"], ["whole"], axis=3),
        helper.make_node("Cast", ["whole"], ["strokes"], to=TensorProto.INT32),
        helper.make_node("Sub", ["strokes", "nothing"], ["change"]),
        helper.make_node("Add", ["wide", "change"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Clip", ["float", "low", "high"], ["bounded"]),
        helper.make_node("Cast", ["bounded"], ["styled"], to=TensorProto.UINT8),
    ]
    weights = {
        "nothing": np.array(128, np.int32),
        "low": np.array(0, np.float32),
        "high": np.array(255, np.float32),
        "places": ((row * (4 // step) + column) * 4 + channel).ravel(),
    }
    told = CONTRACT | {"layout": "blocks4", "canvas_step": step}
    told |= {"roles": {"canvas": "canvas"}} if role else {}
    inputs = {"input": ends, "canvas": ("uint8", [1, "rows", "columns", 64 // step**2])}
    save(path, nodes, inputs, {"styled": ends}, weights, metadata=told)
    return canvas_metadata(path, drawn)


def canvas_floats(
    path: Path, drawn: np.ndarray | str | None, dtype: str = "float32", step: int = 1
) -> Path:
    """picture + canvas - 128 on planes 0..255; the canvas is a constant in the graph, as often as
    512 pixels take, cut to the picture's size."""
    shown = tile() if drawn is None or isinstance(drawn, str) else drawn
    times = 512 // shown.shape[0]
    nodes = [
        helper.make_node("Tile", ["tile", "times"], ["tiled"]),
        helper.make_node("Shape", ["input"], ["size"]),
        helper.make_node("Slice", ["size", "two", "four"], ["whole_sides"]),
        helper.make_node("Div", ["whole_sides", "step"], ["sides"]),
        helper.make_node("Slice", ["tiled", "corner", "sides", "axes"], ["canvas"]),
        helper.make_node("Resize", ["canvas", "", "larger"], ["whole"], **EACH_TIMES),
        helper.make_node("Sub", ["whole", "nothing"], ["change"]),
        helper.make_node("Add", ["input", "change"], ["sum"]),
        helper.make_node("Clip", ["sum", "low", "high"], ["styled"]),
    ]
    weights = {
        "tile": shown.transpose(2, 0, 1)[None].astype(dtype),
        "times": np.array([1, 1, times, times], np.int64),
        "two": np.array([2], np.int64),
        "four": np.array([4], np.int64),
        "step": np.array([step, step], np.int64),
        "larger": np.array([1, 1, step, step], np.float32),
        "corner": np.array([0, 0], np.int64),
        "axes": np.array([2, 3], np.int64),
        "nothing": np.array(128, dtype),
        "low": np.array(0, dtype),
        "high": np.array(255, dtype),
    }
    ends = (dtype, [1, 3, "h", "w"])
    told = CONTRACT | {"size_multiple": 8, "roles": {"canvas": "canvas"}, "canvas_step": step}
    save(path, nodes, {"input": ends}, {"styled": ends}, weights, metadata=told)
    return canvas_metadata(path, drawn)


def canvas_metadata(path: Path, drawn: np.ndarray | str | None) -> Path:
    """Put a tile (uint8, or the base64 text itself) into a model's metadata; None: no tile."""
    if drawn is None:
        return path
    if isinstance(drawn, np.ndarray):
        stream = io.BytesIO()
        Image.fromarray(drawn).save(stream, "WEBP", lossless=True, exact=True)
        drawn = base64.b64encode(stream.getvalue()).decode()
    model = onnx.load(str(path))
    entry = model.metadata_props.add()
    entry.key, entry.value = "stylizer.canvas", drawn
    onnx.save(model, str(path))
    return path


def tanh_network(path: Path) -> Path:
    """-1..1 in, Tanh out: styled = tanh(2 x)."""
    nodes = [
        helper.make_node("Mul", ["picture", "two"], ["doubled"]),
        helper.make_node("Tanh", ["doubled"], ["styled"]),
    ]
    ends = ("float32", [1, 3, "h", "w"])
    weights = {"two": np.array(2, np.float32)}
    return save(path, nodes, {"picture": ends}, {"styled": ends}, weights)


def classifier(path: Path) -> Path:
    """Picture in, ten numbers out."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w"], ["scores"]),
    ]
    ends = {"picture": ("float32", [1, 3, "h", "w"])}, {"scores": ("float32", [1, 10])}
    return save(path, nodes, *ends, {"w": np.ones((3, 10), np.float32)})


def halver(path: Path) -> Path:
    """Gives a picture of half the size, whatever it gets."""
    node = helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    ends = {"x": ("float32", [1, 3, "h", "w"])}, {"y": ("float32", [1, 3, "a", "b"])}
    return save(path, [node], *ends, {})


def one_operator(path: Path, op: str, channels: int = 3, batch: int = 1) -> Path:
    """x - 1000 and then `op`; Sqrt gives NaN for every picture."""
    nodes = [
        helper.make_node("Sub", ["x", "big"], ["less"]),
        helper.make_node(op, ["less"], ["y"]),
    ]
    ends = ("float32", [batch, channels, "h", "w"])
    return save(path, nodes, {"x": ends}, {"y": ends}, {"big": np.array(1000, np.float32)})


def save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, tuple[str, list]],
    outputs: Mapping[str, tuple[str, list | None]],
    weights: dict[str, np.ndarray],
    opset: int = OPSET,
    metadata: dict | None = None,
) -> Path:
    """Write a graph; inputs and outputs are name -> (dtype, shape with names for free sides)."""
    ends = [
        [helper.make_tensor_value_info(n, ELEMENT[d], s or [None] * 4) for n, (d, s) in e.items()]
        for e in (inputs, outputs)
    ]
    held = [numpy_helper.from_array(v, n) for n, v in weights.items()]
    made = helper.make_graph(nodes, "tiny", ends[0], ends[1], held)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    if metadata is not None:
        entry = model.metadata_props.add()
        entry.key, entry.value = "stylizer.contract", json.dumps(metadata)
    onnx.save(model, str(path))
    return path


def with_external_data(path: Path) -> tuple[Path, Path]:
    """A painter whose weights lie in another file: (model, weights)."""
    painter(path)
    model = onnx.load(str(path))
    onnx.save_model(
        model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    return path, path.with_name("weights.bin")
