"""What the stylizer stores in an ONNX file about the model: its contract and its recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx

from stylizer.errors import BadInput

CONTRACT_KEY, RECIPE_KEY = "stylizer.contract", "stylizer.recipe"


def metadata_of(proto: onnx.ModelProto, path: Path) -> dict[str, Any]:
    """Our contract as a dict (with the recipe under its own key); empty for a foreign model.

    Raises BadInput for metadata of ours that are damaged.
    """
    stored = {entry.key: entry.value for entry in proto.metadata_props}
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
