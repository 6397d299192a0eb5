"""The contact sheet: every tile where it belongs, and mistakes in one sentence."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tiny_models as tiny
from PIL import Image

SCRIPT = Path(__file__).parents[1] / "scripts" / "contact_sheet.py"
SIZE = (800, 450)
TALL = 360  # of a tile of such a frame


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contact_sheet", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Ten flat frames, brighter by name, with detail in one corner."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for k in range(10):
        pixels = np.full((SIZE[1], SIZE[0], 3), 20 * k + 20, np.uint8)
        pixels[-40::2, -60:] = 255
        Image.fromarray(pixels).save(folder / f"game_{k}.png")
    return folder


def test_frames_models_and_anchors_stand_in_columns(script, frames, tmp_path):
    model = tiny.painter(tmp_path / "mix-small.onnx", multiple=4)
    anchor = tmp_path / "anchors" / "good"
    anchor.mkdir(parents=True)
    Image.new("RGB", SIZE, (200, 0, 0)).save(anchor / "wave_game_0.png")
    (anchor.parent / "source").mkdir()  # a name that a column has: the frames' own stay
    Image.new("RGB", SIZE, (0, 200, 0)).save(anchor.parent / "source" / "game_0.png")
    out = tmp_path / "sheet.png"
    argv = [str(model), "--frames", str(frames), "--out", str(out)]
    argv += ["--anchors", str(anchor.parent)]
    assert script.main(argv) == 0
    first = out.read_bytes()
    sheet = np.asarray(Image.open(out))
    row = TALL + 360 + 2 * script.LABEL + script.GAP
    step = script.TILE_WIDTH + script.GAP
    assert sheet.shape == (8 * row + script.GAP, 3 * step + script.GAP, 3)
    middle = script.GAP + TALL // 2
    source, styled, good = (sheet[middle, script.GAP + 100 + k * step] for k in range(3))
    assert source.tolist() == [20, 20, 20]
    assert styled.tolist() == tiny.mixed(source).tolist()
    assert good.tolist() == [200, 0, 0]
    last = 7 * row + middle
    assert sheet[last, script.GAP + 100].tolist() == [200, 200, 200]
    assert sheet[last, script.GAP + 100 + 2 * step].tolist() == [208, 208, 208], "no anchor"
    corner = sheet[script.GAP + TALL + script.LABEL :][:360, script.GAP :][:, : script.TILE_WIDTH]
    assert (corner[-40::2, -60:] == 255).all(), "the crop is where the detail is, one to one"
    assert script.main(argv) == 0
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--frames": "nowhere"}, "nowhere"),
        ({"--out": "sheet.gif"}, ".png or .jpg"),
        ({"--out": "no/where/sheet.png"}, "where"),
        ({"--colors": "2"}, "--help"),
        ({"--anchors": "."}, "no folder in it"),
        ({"model": "nothing-small"}, "nothing-small"),
    ],
)
def test_mistakes_are_one_sentence(script, frames, tmp_path, monkeypatch, capsys, changes, words):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    options = {"--frames": str(frames), "--out": str(tmp_path / "s.jpg")} | changes
    model = options.pop("model", "none")
    argv = [model, *(word for option in options.items() for word in option)]
    assert script.main(argv) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
