"""What the metadata says of a network's further pictures: today the canvas and its tile."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, shape_inference
from PIL import Image

from stylizer.errors import BadInput
from stylizer.style import graph
from stylizer.style.contract import LAYOUTS, CanvasInput, StyleModel
from stylizer.style.metadata import TILE_KEY, texts_of

TILE_MULTIPLE = 8
STEPS = (1, 2)
LARGEST_TILE_PX = 4096
FLOATS = ("float32", "float16")


def canvas_input(path: Path, proto: onnx.ModelProto, contract: dict) -> CanvasInput | None:
    """The canvas of a model whose contract gives it that role; None for all other models.

    Raises BadInput for an unknown role, a value that the graph does not have, and a tile that is
    missing or damaged.
    """
    roles = contract.get("roles", {})
    if not isinstance(roles, dict) or any(role != "canvas" for role in roles):
        raise BadInput(
            f"{path}: its metadata gives the roles {roles!r}, and only canvas is known here; "
            "update the program, or export the model again"
        )
    name = roles.get("canvas")
    if name is None:
        return None
    dtype = _dtype(proto, name)
    if dtype is None:
        raise BadInput(
            f"{path}: its metadata names the canvas {name!r}, which is no picture of its graph; "
            "export it again"
        )
    step = contract.get("canvas_step", 1)
    if step not in STEPS:
        raise BadInput(
            f"{path}: its metadata gives the canvas_step {step!r}, and only 1 and 2 are known "
            "here; update the program, or export the model again"
        )
    return CanvasInput(name, dtype, _tile(path, proto), step)


def check_layout(model: StyleModel, proto: onnx.ModelProto) -> None:
    """Raises BadInput for a canvas that cannot be fed beside a picture of this layout."""
    canvas = model.canvas
    if canvas is None:
        return
    if LAYOUTS[model.layout].block:
        given = {tensor.name: tensor for tensor in graph.inputs(proto)}
        picture, beside = given[model.input.name], given.get(canvas.name)
        fits = (
            beside is not None
            and (picture.dtype, picture.shape[:3]) == (beside.dtype, beside.shape[:3])
            and picture.shape[3] == (beside.shape[3] or 0) * canvas.step**2
        )
    else:
        planar = model.layout == "NCHW" and model.input.channels == 3
        fits = planar and canvas.dtype in FLOATS
    if not fits:
        raise BadInput(
            f"{model.path}: a canvas of {canvas.dtype} beside {model.layout} pictures of "
            f"{model.input.channels} channels in {model.input.dtype} is not known here; "
            "export it again, as blocks of uint8 or NCHW of 3 channels"
        )


def _dtype(proto: onnx.ModelProto, name: Any) -> str | None:
    """numpy's name for the type of an input, or of a value that a node makes; None: neither."""
    for tensor in graph.inputs(proto):
        if tensor.name == name:
            return tensor.dtype
    if name not in {output for node in proto.graph.node for output in node.output}:
        return None
    for value in (*proto.graph.value_info, *shape_inference.infer_shapes(proto).graph.value_info):
        kind = value.type.tensor_type.elem_type
        if value.name == name and kind != TensorProto.UNDEFINED:
            return str(helper.tensor_dtype_to_np_dtype(kind))
    return None


def _tile(path: Path, proto: onnx.ModelProto) -> np.ndarray:
    """uint8 (side, side, 3) RGB. Raises BadInput."""
    stored = texts_of(proto).get(TILE_KEY)
    if stored is None:
        raise BadInput(f"{path}: its metadata lacks the canvas ({TILE_KEY}); export it again")
    try:
        data = base64.b64decode(stored, validate=True)
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            width, height = image.size
            fits = width == height <= LARGEST_TILE_PX and width % TILE_MULTIPLE == 0
            tile = np.asarray(image.convert("RGB")) if fits else None
    except Exception as error:  # Pillow raises half a dozen classes for broken bytes
        raise BadInput(
            f"{path}: the canvas in its metadata ({TILE_KEY}) is damaged; export it again"
        ) from error
    if tile is None:
        raise BadInput(
            f"{path}: the canvas in its metadata ({TILE_KEY}) is {width}x{height} and must be a "
            f"square whose side is a multiple of {TILE_MULTIPLE}; export it again"
        )
    return tile
