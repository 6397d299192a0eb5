"""What the stylizer stores in an ONNX file about the model: contract, recipe, canvas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx

from stylizer.errors import BadInput
from stylizer.system.outputs import CONTRACT_KEY

RECIPE_KEY = "stylizer.recipe"
RANGES_KEY = "stylizer.ranges"  # of the activations, so that training can go on from the file
TILE_KEY = "stylizer.canvas"  # base64 of a WebP: the canvas's tile, RGB
PAINTING_KEY = "stylizer.painting"  # JSON: "of" is the bundled style whose network it is


def texts_of(proto: onnx.ModelProto) -> dict[str, str]:
    """All of a file's metadata."""
    return {entry.key: entry.value for entry in proto.metadata_props}


def metadata_of(proto: onnx.ModelProto, path: Path) -> dict[str, Any]:
    """Our contract as a dict (with the recipe under its own key); empty for a foreign model.

    Raises BadInput for metadata of ours that are damaged.
    """
    stored = texts_of(proto)
    found: dict[str, Any] = {}
    for key in (CONTRACT_KEY, RECIPE_KEY):
        if key not in stored:
            continue
        try:
            value = json.loads(stored[key])
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise BadInput(f"{path}: its metadata {key} is no JSON object; export it again")
        found = {**found, **value} if key == CONTRACT_KEY else {**found, RECIPE_KEY: value}
    multiple = found.get("size_multiple", 1)
    if not isinstance(multiple, int) or not 1 <= multiple <= 256:
        raise BadInput(f"{path}: its metadata says size_multiple {multiple!r}; export it again")
    return found
