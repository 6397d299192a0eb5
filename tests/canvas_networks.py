"""Builders of tiny ONNX networks with a canvas beside the frame."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image
from tiny_models import CONTRACT, save

# Each pixel so many times.
EACH_TIMES: dict[str, Any] = {
    "mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric",
}  # fmt: skip


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
