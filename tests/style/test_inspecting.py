"""What is found out about a file: layout, range, size, cost, and files that are no model."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_models as tiny

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style import inspection
from stylizer.style.opening import open_style

SIZE = (50, 37)  # (width, height), no multiple of anything


# --- probing ------------------------------------------------------------------------------


def known(path: Path) -> dict:
    return inspection.inspect(str(path))


@pytest.mark.parametrize("multiple", [1, 2, 4, 8, 16, 32])
def test_size_multiple_is_probed(tmp_path, multiple):
    found = known(tiny.painter(tmp_path / "m.onnx", multiple=multiple))
    assert found["contract"]["size_multiple"] == multiple
    assert found["known"]["size_multiple"]["how"] == "probed"


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("shape_known", [True, False])
def test_layout_is_found(tmp_path, layout, shape_known):
    found = known(tiny.painter(tmp_path / "m.onnx", layout, shape_known=shape_known))
    assert found["contract"]["layout"] == layout
    assert found["known"]["layout"]["how"] == ("shape" if shape_known else "probed")
    assert found["known"]["order"]["how"] == "assumed"


@pytest.mark.parametrize("value_range", ["0..255", "0..1", "-1..1"])
def test_range_by_the_last_node(tmp_path, value_range):
    found = known(tiny.painter(tmp_path / "m.onnx", value_range=value_range))
    assert found["contract"]["output_range"] == value_range
    assert found["contract"]["range"] == value_range
    assert found["known"]["output_range"]["how"] == "graph"


@pytest.mark.parametrize("value_range", ["0..255", "0..1"])
def test_range_by_plausibility(tmp_path, value_range):
    found = known(tiny.painter(tmp_path / "m.onnx", value_range=value_range, clip=False))
    assert found["contract"]["range"] == value_range
    assert found["contract"]["output_range"] == value_range


def test_range_of_a_tanh_network(tmp_path):
    found = known(tiny.tanh_network(tmp_path / "m.onnx"))
    assert (found["contract"]["range"], found["contract"]["output_range"]) == ("-1..1", "-1..1")


def test_metadata_is_taken(tmp_path):
    found = known(tiny.painter(tmp_path / "m.onnx", multiple=4, metadata=tiny.CONTRACT))
    for fact in ("layout", "range", "order", "size_multiple"):
        assert found["known"][fact]["how"] == "metadata"
    assert found["contract"]["style"] == "mosaic"


def test_unknown_flag_value(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx")
    with pytest.raises(BadInput, match=r"no range '0..2'; choose one of 0..255"):
        open_style(Settings(provider="cpu", model_range="0..2"), str(path), SIZE)


# --- bad files ----------------------------------------------------------------------------


def missing(folder: Path) -> Path:
    return folder / "m.onnx"


def a_folder(folder: Path) -> Path:
    (folder / "m.onnx").mkdir()
    return folder / "m.onnx"


def not_onnx(folder: Path) -> Path:
    (folder / "m.onnx").write_bytes(b"\xff\x00 this is a picture of a cat \x07" * 50)
    return folder / "m.onnx"


def begins(folder: Path, head: bytes) -> Path:
    """What is saved under a model's name, but is none."""
    (folder / "m.onnx").write_bytes(head + bytes(3000))
    return folder / "m.onnx"


def empty(folder: Path) -> Path:
    (folder / "m.onnx").write_bytes(b"")
    return folder / "m.onnx"


def cut(folder: Path) -> Path:
    path = tiny.painter(folder / "m.onnx")
    path.write_bytes(path.read_bytes()[:-40])
    return path


def weights_gone(folder: Path) -> Path:
    path, weights = tiny.with_external_data(folder / "m.onnx")
    weights.unlink()
    return path


BAD_FILES = {
    "missing": (missing, "does not exist"),
    "folder": (a_folder, "is a folder"),
    "not onnx": (not_onnx, "not an ONNX file"),
    "lfs": (
        lambda f: begins(f, b"version https://git-lfs.github.com/spec/v1\noid"),
        "git lfs pull",
    ),
    "page": (lambda f: begins(f, b"\n<!DOCTYPE html><html>"), "a web page"),
    "pytorch": (lambda f: begins(f, b"PK\x03\x04\x00"), "a zip archive.*export it to ONNX"),
    "empty": (empty, "not an ONNX file"),
    "cut": (cut, "damaged|not an ONNX file"),
    "external data": (weights_gone, "weights in another file"),
    "classifier": (lambda f: tiny.classifier(f / "m.onnx"), "no style network"),
    "half size": (lambda f: tiny.halver(f / "m.onnx"), "every size tried"),
    "channels": (lambda f: tiny.one_operator(f / "m.onnx", "Abs", 5), "5 channels"),
    "batch": (lambda f: tiny.one_operator(f / "m.onnx", "Abs", batch=4), "4 pictures at once"),
    "nan": (lambda f: tiny.one_operator(f / "m.onnx", "Sqrt"), "not finite"),
    "no such op": (lambda f: tiny.one_operator(f / "m.onnx", "Frobnicate"), "cannot be loaded"),
    "old opset": (lambda f: tiny.painter(f / "m.onnx", opset=6), "opset 6"),
    "contract": (
        lambda f: tiny.painter(f / "m.onnx", metadata={"size_multiple": "four"}),
        "size_multiple 'four'",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_is_one_sentence(tmp_path, name):
    make, says = BAD_FILES[name]
    path = make(tmp_path)
    with pytest.raises(BadInput, match=says) as caught:
        open_style(Settings(provider="cpu"), str(path), SIZE)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    assert caught.value.exit_code == 2


# --- reports ------------------------------------------------------------------------------


def test_inspect_counts(tmp_path):
    found = known(tiny.painter(tmp_path / "m.onnx"))
    assert found["parameters"] == 9
    assert found["macs"] == 1280 * 720 * 9
    assert (found["opset"], found["bytes"]) == (17, (tmp_path / "m.onnx").stat().st_size)
    assert found["inputs"][0]["shape"] == [1, 3, None, None]


def test_check_of_a_sane_and_a_flat_model(tmp_path):
    good = inspection.check(
        str(tiny.painter(tmp_path / "m.onnx")), Settings(provider="cpu"), (64, 48), runs=2
    )
    assert good["ok"]
    assert good["runs"] == 2
    flat = inspection.check(
        str(tiny.one_operator(tmp_path / "f.onnx", "Relu")), Settings(provider="cpu"), (64, 48)
    )
    assert flat["problems"] == ["the styled picture is one flat color"]
