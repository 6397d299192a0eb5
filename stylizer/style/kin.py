"""Files of a bundled network with another canvas (see painting/) and other weights (see
lab/commands/learn.py): the same graph but for numbers that do no harm, so that they need not be
vetted as strangers are."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from stylizer.style.metadata import CONTRACT_KEY, PAINTING_KEY, texts_of
from stylizer.style.roles import LARGEST_TILE_PX
from stylizer.system.resources import models_folder

TILE = ("canvas_tile", "tile_side")
# Inputs, by number, whose values decide neither a shape nor how long a node takes.
WEIGHTS = {
    "Conv": (1, 2), "Clip": (1, 2), "QuantizeLinear": (1, 2), "DequantizeLinear": (0, 1, 2),
}  # fmt: skip
ENDINGS = {"fp32": "", "fp16": "-fp16", "int8": "-int8"}  # of a file's name, by its precision


def made_of(proto: onnx.ModelProto) -> dict[str, str]:
    """What a painting's file says it was made of; empty for all others."""
    return {k: v for k, v in _noted(proto, PAINTING_KEY).items() if isinstance(v, str)}


def is_kin(proto: onnx.ModelProto) -> bool:
    """Whether a graph is that of the bundled file of its own precision, in all but its weights and
    its canvas."""
    name = made_of(proto).get("of", "")
    ending = ENDINGS.get(str(_noted(proto, CONTRACT_KEY).get("precision")))
    if ending is None or "/" in name or "\\" in name:
        return False
    path = models_folder() / f"{name}-fast{ending}.onnx"
    return path.is_file() and same_network(proto, onnx.load(path))


def _noted(proto: onnx.ModelProto, key: str) -> dict[str, Any]:
    """An entry of the metadata; empty where it is missing or damaged."""
    try:
        noted = json.loads(texts_of(proto).get(key, "{}"))
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


def same_network(made: onnx.ModelProto, network: onnx.ModelProto) -> bool:
    """Whether the two graphs differ in weights and canvas only, and that by values of the same
    kind."""
    names = _changeable(network)
    mine, its = (_values(m, names) for m in (made, network))
    if set(mine) != set(its) or any(mine[n].dtype != its[n].dtype for n in its):
        return False
    if any(mine[n].shape != its[n].shape for n in its if n != "canvas_tile"):
        return False
    if "canvas_tile" in its:
        side = int(mine["tile_side"][0])
        square = mine["canvas_tile"].shape == (1, 3, side, side)
        if not square or side > LARGEST_TILE_PX or (mine["tile_side"] != side).any():
            return False
    return _but_for(made, names) == _but_for(network, names)


def _changeable(network: onnx.ModelProto) -> set[str]:
    """Names of the values that are weights wherever they are used, and of the canvas."""
    used: dict[str, bool] = {}
    for node in network.graph.node:
        for number, name in enumerate(node.input):
            used[name] = used.get(name, True) and number in WEIGHTS.get(node.op_type, ())
    held = {value.name for value in network.graph.initializer}
    return {name for name in held if used.get(name)} | (held & set(TILE))


def _values(proto: onnx.ModelProto, names: set[str]) -> dict[str, np.ndarray]:
    found = [v for v in proto.graph.initializer if v.name in names and not v.external_data]
    return {value.name: numpy_helper.to_array(value) for value in found}


def _but_for(proto: onnx.ModelProto, names: set[str]) -> bytes:
    graph = onnx.GraphProto()
    graph.CopyFrom(proto.graph)
    kept = [value for value in graph.initializer if value.name not in names]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    opsets = ",".join(f"{o.domain}:{o.version}" for o in proto.opset_import)
    return opsets.encode() + graph.SerializeToString(deterministic=True)
