"""A network's file with another grade and another canvas: the same colors in every precision, and
nothing else changed."""

import json
import time

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from stylizer.errors import BadInput
from stylizer.frame import Frame, StyledImage
from stylizer.painting.network import WEIGHT_LEVELS, grade_of, recolored, repainted, tile_of
from stylizer.settings import Settings
from stylizer.style import kin
from stylizer.style.metadata import CONTRACT_KEY, RECIPE_KEY, texts_of
from stylizer.style.opening import open_style
from stylizer.system.pictures import psnr_db
from stylizer.system.resources import models_folder

GRADE = (
    np.array([[0.9, 0.1, -0.1], [0.2, 0.7, 0.05], [-0.1, 0.3, 0.6]]),
    np.array([0.02, -0.03, 0.1]),
)
SIZE = (96, 64)


def bundled(precision: str) -> onnx.ModelProto:
    return onnx.load(models_folder() / f"the-scream-fast{precision}.onnx")


def painted(precision: str, tile: np.ndarray) -> onnx.ModelProto:
    return repainted(bundled(precision), GRADE, tile, "mine", {"of": "the-scream"})


@pytest.fixture(scope="module")
def tile() -> np.ndarray:
    waves = np.sin(np.arange(64) / 64 * 8 * np.pi)
    return np.rint(128 + 60 * waves[:, None, None] * np.ones((64, 64, 3))).astype(np.uint8)


@pytest.mark.parametrize("precision", ["", "-int8", "-fp16"])
def test_the_grade_is_read_back(precision: str, tile: np.ndarray):
    matrix, offset = grade_of(painted(precision, tile))
    np.testing.assert_allclose(matrix, GRADE[0], atol=0.9 / WEIGHT_LEVELS)
    np.testing.assert_allclose(offset, GRADE[1], atol=2e-3)


def shown(
    proto: onnx.ModelProto, folder, precision: str, pixels: np.ndarray | None = None
) -> np.ndarray:
    """A picture by the file, (H, W, 3) RGB."""
    path = folder / f"mine-fast{precision}.onnx"
    onnx.save(proto, path)
    if pixels is None:
        pixels = np.random.default_rng(0).integers(0, 256, (8, 12, 4), np.uint8)
        pixels = np.repeat(np.repeat(pixels, 8, 0), 8, 1)
    style = open_style(Settings(provider="cpu"), str(path), SIZE)
    try:
        image = style.style(Frame(pixels, "RGBA", time.perf_counter(), 0)).image
    finally:
        style.close()
    assert isinstance(image, StyledImage)
    return image.rgb()


def test_all_precisions_give_one_picture(tile: np.ndarray, tmp_path):
    pictures = [shown(painted(p, tile), tmp_path, p) for p in ("", "-int8")]
    assert psnr_db(*pictures) > 30
    before = shown(bundled(""), tmp_path, "")
    assert psnr_db(pictures[0], before) < 22, "another grade is another picture"


def test_white_is_one_color_in_integers_on_every_cpu(tmp_path):
    """Weights of 8 bits saturate on a CPU without VNNI, and white came out light blue there."""
    proto = bundled("-int8")
    again = repainted(proto, grade_of(proto), tile_of(proto), "mine", {"of": "the-scream"})
    weights = {value.name: value for value in again.graph.initializer}["grade.weight"]
    assert np.abs(numpy_helper.to_array(weights).astype(int)).max() <= WEIGHT_LEVELS
    white = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    pictures = [shown(p, tmp_path, "-int8", white).astype(int) for p in (again, proto)]
    assert np.abs(pictures[0].mean((0, 1)) - pictures[1].mean((0, 1))).max() < 2


def test_metadata_tell_what_it_is(tile: np.ndarray):
    proto = painted("-int8", tile)
    texts = texts_of(proto)
    assert '"style": "mine"' in texts[CONTRACT_KEY]
    assert kin.made_of(proto) == {"of": "the-scream"}
    assert RECIPE_KEY not in texts, "it was not trained like that"
    np.testing.assert_allclose(tile_of(proto).astype(float), tile, atol=16)


def test_a_file_without_grade_and_canvas_is_refused(tile: np.ndarray):
    proto = bundled("")
    del proto.metadata_props[:]
    with pytest.raises(BadInput, match="only fast models"):
        repainted(proto, GRADE, tile, "mine", {})


@pytest.mark.parametrize("precision", ["", "-int8", "-fp16"])
def test_it_is_kin_of_the_bundled_one(precision: str, tile: np.ndarray):
    assert kin.is_kin(painted(precision, tile))
    assert not kin.is_kin(bundled(precision)), "it names nothing"


@pytest.mark.parametrize("precision", ["int8", "fp32", "odd", ["int8"], None])
def test_it_is_held_against_the_file_of_its_own_precision_alone(precision, tile, monkeypatch):
    proto, read = painted("-int8", tile), []
    for entry in proto.metadata_props:
        if entry.key == CONTRACT_KEY:
            entry.value = json.dumps({"precision": precision})
    load = onnx.load
    monkeypatch.setattr(onnx, "load", lambda path: read.append(path.name) or load(path))
    assert kin.is_kin(proto) == (precision == "int8")
    names = {"int8": ["the-scream-fast-int8.onnx"], "fp32": ["the-scream-fast.onnx"]}
    assert read == names.get(str(precision), [])


@pytest.mark.parametrize("precision", ["", "-int8", "-fp16"])
def test_with_other_weights_it_is_kin_still(precision: str, tile: np.ndarray):
    """As a training writes it, every minute: no process has to look at it first."""
    proto, changed = painted(precision, tile), 0
    for value in proto.graph.initializer:
        numbers = numpy_helper.to_array(value)
        if numbers.dtype not in (np.int64, np.uint8):
            trained = (numbers * 0.9).astype(numbers.dtype)
            value.CopyFrom(numpy_helper.from_array(trained, value.name))
            changed += 1
    assert changed > 40
    assert kin.is_kin(proto)


def integers_of(proto: onnx.ModelProto) -> list[str]:
    return [v.name for v in proto.graph.initializer if v.data_type == onnx.TensorProto.INT64]


@pytest.mark.parametrize("name", [*integers_of(bundled("")), "head.bias", "step"])
def test_a_forged_one_is_no_kin(name: str, tile: np.ndarray):
    """A shape changed, or a node added: it is vetted like any stranger."""
    proto = painted("", tile)
    if name == "step":
        proto.graph.node.add(op_type="Identity", input=["input"], output=["more"])
    for value in proto.graph.initializer:
        if value.name == name:
            before = numpy_helper.to_array(value)
            forged = before + 1 if before.dtype == np.int64 else np.append(before, before)
            value.CopyFrom(numpy_helper.from_array(forged, name))
    assert not kin.is_kin(proto)


def test_strokes_take_the_new_colors_and_keep_their_strength():
    strokes = np.full((64, 64, 3), 128, np.uint8)
    strokes[:, 32:] = (160, 128, 128)  # red ones
    swap = (np.eye(3)[[2, 1, 0]], np.zeros(3))  # red and blue change places
    turned = recolored(strokes, (np.eye(3), np.zeros(3)), swap)
    assert tuple(turned[0, 40]) == (128, 128, 160)
    assert tuple(turned[0, 0]) == (128, 128, 128)
