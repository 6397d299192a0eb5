"""A fast network's file with another color grade and another canvas: what it lays, and on what.

The network learned to lay whatever canvas it is given over the graded frame, strongly where that is
calm; so neither needs a training.
"""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from PIL import Image

from stylizer.errors import BadInput
from stylizer.frame import CANVAS_MIDDLE_BYTE, WEIGHT_LEVELS
from stylizer.painting.grade import Grade
from stylizer.style.metadata import (
    CONTRACT_KEY,
    PAINTING_KEY,
    RANGES_KEY,
    RECIPE_KEY,
    TILE_KEY,
    texts_of,
)

OF_TRAINING = (RECIPE_KEY, RANGES_KEY)  # metadata that is no longer true
QUALITY = 92  # of the tile as WebP


def grade_of(proto: onnx.ModelProto) -> Grade:
    """The grade of a fast model's file, float or integer. Raises BadInput for any other file."""
    values = _values(proto)
    if not {"grade.weight", "grade.bias"} <= set(values) or TILE_KEY not in texts_of(proto):
        raise BadInput("only fast models of this program have colors and strokes to be taken from")
    weight, bias = values["grade.weight"][:3, :3, 0, 0], values["grade.bias"][:3]
    if weight.dtype == np.int8:
        scales = values["grade.weight_scale"][:3, None]
        return weight * scales.astype(np.float64), bias * values["grade.bias_scale"][:3].astype(
            float
        )
    return weight.astype(np.float64), bias.astype(np.float64) / 255


def tile_of(proto: onnx.ModelProto) -> np.ndarray:
    """uint8 (side, side, 3): the canvas of a fast model's file."""
    with Image.open(io.BytesIO(base64.b64decode(texts_of(proto)[TILE_KEY]))) as image:
        return np.asarray(image.convert("RGB"))


def recolored(tile: np.ndarray, before: Grade, after: Grade) -> np.ndarray:
    """Strokes made for one palette, uint8 (side, side, 3), in another."""
    turn = after[0] @ np.linalg.pinv(before[0], rcond=0.05)
    strokes = (tile.astype(np.float64) - CANVAS_MIDDLE_BYTE) @ turn.T
    kept = np.std(tile) / max(float(strokes.std()), 1.0)  # as strong as they were
    return np.rint(strokes * kept + CANVAS_MIDDLE_BYTE).clip(0, 255).astype(np.uint8)


def repainted(
    proto: onnx.ModelProto, grade: Grade, tile: np.ndarray, style: str, made_of: dict[str, Any]
) -> onnx.ModelProto:
    """A copy of the network with this grade and this canvas, uint8 (side, side, 3), named `style`;
    made_of is kept in its metadata. Raises BadInput when the network has none of the two."""
    grade_of(proto)
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    stored = io.BytesIO()
    Image.fromarray(tile).save(stored, "WEBP", quality=QUALITY)
    webp = base64.b64encode(stored.getvalue()).decode("ascii")
    texts = {k: v for k, v in texts_of(proto).items() if k not in OF_TRAINING}
    contract = json.loads(texts.get(CONTRACT_KEY, "{}")) | {"style": style}
    texts |= {TILE_KEY: webp, CONTRACT_KEY: json.dumps(contract, sort_keys=True)}
    texts[PAINTING_KEY] = json.dumps(made_of, sort_keys=True)
    del copy.metadata_props[:]
    for key in sorted(texts):
        copy.metadata_props.add(key=key, value=texts[key])
    values = _values(proto)
    integer = values["grade.weight"].dtype == np.int8
    new = _integers(values, grade) if integer else _floats(values, grade)
    if "canvas_tile" in values:
        shown = tile_of(copy).transpose(2, 0, 1)[None]  # as it comes out of the metadata
        new |= {"canvas_tile": shown.astype(values["canvas_tile"].dtype)}
        new |= {"tile_side": np.full(2, tile.shape[0], np.int64)}
    for value in copy.graph.initializer:
        if value.name in new:
            value.CopyFrom(numpy_helper.from_array(new[value.name], value.name))
    return copy


def _values(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {value.name: numpy_helper.to_array(value) for value in proto.graph.initializer}


def _floats(values: dict[str, np.ndarray], grade: Grade) -> dict[str, np.ndarray]:
    """The grade's convolution: (3, 3, 1, 1) and (3,) in 0..255."""
    kind = values["grade.weight"].dtype
    return {
        "grade.weight": grade[0][:, :, None, None].astype(kind),
        "grade.bias": (grade[1] * 255).astype(kind),
    }


def _integers(values: dict[str, np.ndarray], grade: Grade) -> dict[str, np.ndarray]:
    """The same of an integer graph: RGBX pixels beside each other, one scale an output."""
    scales, units = values["grade.weight_scale"].copy(), values["grade.bias_scale"].copy()
    input_scale = float(units[0] / scales[0])
    weight, bias = values["grade.weight"].copy(), values["grade.bias"].copy()
    for first in range(0, len(weight), 4):
        for row in range(3):
            at = first + row
            scales[at] = max(float(np.abs(grade[0][row]).max()), 1e-6) / WEIGHT_LEVELS
            units[at] = scales[at] * input_scale
            weight[at] = 0
            weight[at, first : first + 3, 0, 0] = np.rint(grade[0][row] / scales[at])
            bias[at] = np.rint(grade[1][row] / units[at])
    return {
        "grade.weight": weight, "grade.weight_scale": scales,
        "grade.bias": bias, "grade.bias_scale": units,
    }  # fmt: skip
