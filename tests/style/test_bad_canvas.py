"""A canvas that a file tells wrongly is refused in one sentence."""

from __future__ import annotations

import base64
import io
import json
from itertools import pairwise

import canvas_networks
import numpy as np
import onnx
import pytest
import tiny_models as tiny
from canvas_files import KINDS
from PIL import Image

from stylizer.app.cli import main
from stylizer.errors import BadInput
from stylizer.style.probe import load_model

# --- refused ----------------------------------------------------------------------------------


def as_text(picture: np.ndarray, kind: str = "WEBP") -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


BAD_TILES = {
    "missing": (None, "lacks the canvas"),
    "empty": ("", "is damaged"),
    "no base64": ("%% no base64 %%", "is damaged"),
    "no picture": (base64.b64encode(b"a cat").decode(), "is damaged"),
    "cut": (as_text(canvas_networks.tile(64))[:400], "is damaged"),
    "png": (as_text(canvas_networks.tile(), "PNG"), "is damaged"),
    "no square": (as_text(np.zeros((16, 24, 3), np.uint8)), "is 24x16 and must be"),
    "side": (as_text(np.zeros((20, 20, 3), np.uint8)), "is 20x20 and must be"),
}


@pytest.mark.parametrize("name", BAD_TILES)
@pytest.mark.parametrize("kind", ["blocks", "float32"])
def test_a_bad_tile_is_one_sentence(tmp_path, capsys, name, kind):
    drawn, says = BAD_TILES[name]
    path = KINDS[kind](tmp_path / "m.onnx", drawn)
    assert main(["models", "check", str(path)]) == 2
    text = capsys.readouterr().err.strip()
    assert says in text
    assert str(path) in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ({"canvas": "nowhere"}, "names the canvas 'nowhere'"),
        ({"canvas": 3}, "names the canvas 3"),
        ({"last": "picture"}, "only canvas is known"),
        (["canvas"], "only canvas is known"),
        ({"canvas": "wide"}, "wants canvas"),
    ],
)
def test_a_bad_role_is_one_sentence(tmp_path, roles, says):
    path = canvas_networks.canvas_blocks(tmp_path / "m.onnx", canvas_networks.tile())
    model = onnx.load(str(path))
    told = tiny.CONTRACT | {"layout": "blocks4", "roles": roles}
    model.metadata_props[0].value = json.dumps(told)
    onnx.save(model, str(path))
    with pytest.raises(BadInput, match=says):
        load_model(path)


@pytest.mark.parametrize(
    ("step", "says"), [(3, "canvas_step 3"), (2, "dimensions for input: canvas")]
)
def test_a_step_that_does_not_fit_is_one_sentence(tmp_path, step, says):
    path = canvas_networks.canvas_blocks(tmp_path / "m.onnx", canvas_networks.tile())
    model = onnx.load(str(path))
    told = json.loads(model.metadata_props[0].value) | {"canvas_step": step}
    model.metadata_props[0].value = json.dumps(told)
    onnx.save(model, str(path))
    with pytest.raises(BadInput, match=says):
        load_model(path)


def test_a_canvas_inside_a_graph_of_blocks_is_refused(tmp_path):
    told = tiny.CONTRACT | {"layout": "blocks4", "roles": {"canvas": "inner"}}
    ends = ("uint8", [1, "rows", "columns", 64])
    names = ("input", "inner", "styled")
    nodes = [onnx.helper.make_node("Identity", [a], [b]) for a, b in pairwise(names)]
    path = tmp_path / "m.onnx"
    tiny.save(path, nodes, {"input": ends}, {"styled": ends}, {}, metadata=told)
    with pytest.raises(BadInput, match="a canvas of uint8 beside blocks4"):
        load_model(canvas_networks.canvas_metadata(path, canvas_networks.tile()))
