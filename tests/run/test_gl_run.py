"""`run --provider gl`: what is shown and written is the picture of the integers, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import integer_reference as reference
import numpy as np
import onnx
import pytest
from PIL import Image

from stylizer.app.cli import main
from stylizer.style.canvas import Canvas
from stylizer.style.contract import Packer
from stylizer.style.probe import load_model
from stylizer.system.resources import models_folder

ROOT = Path(__file__).parents[2]
MODEL = "mosaic-fast"
DEMO = ["run", "--source", "demo", "--size", "104x72", "--sync", "--frames", "2", "--warmup", "0"]
GL = ["--model", MODEL, "--provider", "gl", "--no-move-canvas"]


def wanted(rgb: np.ndarray) -> np.ndarray:
    """What the integer network makes of a picture (height, width, 3), its canvas at rest."""
    from stylizer.frame import Frame

    path = models_folder() / f"{MODEL}-int8.onnx"
    model, _ = load_model(path, 0)
    size = rgb.shape[1], rgb.shape[0]
    packer = Packer(model, size, None)
    canvas = Canvas(model, model.padded_size(size)).tensor
    feeds = {"input": packer.pack(Frame(rgb, "RGB", 0.0, 0)), "canvas": canvas}
    return packer.unpack(reference.run(onnx.load(str(path)), feeds)).rgb()


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames of the demo scene, and what was painted of them, offscreen."""
    folder = tmp_path_factory.mktemp("painted")
    offscreen = ["--present", "offscreen", "--output"]
    assert main([*DEMO, *offscreen, str(folder / "source"), "--model", "none"]) == 0
    report = ["--report", str(folder / "report.json"), "--screenshot", str(folder / "last.png")]
    assert main([*DEMO, *offscreen, str(folder / "styled"), *GL, *report]) == 0
    return folder


def test_the_demo_is_painted_byte_for_byte(painted):
    for name in ("000001.png", "000002.png"):
        source = np.ascontiguousarray(picture(painted / "source" / name))
        assert np.array_equal(picture(painted / "styled" / name), wanted(source))
    assert np.array_equal(picture(painted / "last.png"), picture(painted / "styled/000002.png"))


def test_the_report_names_it(painted):
    report = json.loads((painted / "report.json").read_text())
    assert report["provider"] == "gl"
    assert report["model"] == "mosaic-fast-int8"
    assert report["provider_reason"].startswith("gl: asked for, drawn by ")


def test_a_window_shows_the_same(painted, xvfb, tmp_path):
    """In a process of its own: a window's GL context beside the network's."""
    shot = tmp_path / "window.png"
    argv = [*DEMO, *GL, "--present", "window", "--hud", "off", "--screenshot", str(shot)]
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *argv],
        env=os.environ | {"DISPLAY": xvfb, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert np.array_equal(picture(shot), picture(painted / "styled" / "000002.png"))
