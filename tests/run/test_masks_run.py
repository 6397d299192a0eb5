"""Masks in whole runs: pictures, videos, recordings, the shaders' network, and bad masks."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
import tiny_models
from flat_clips import flat
from PIL import Image
from whole_program import fails
from x_game import RED

from stylizer.app.cli import main

SIZE = (64, 48)
LEFT = ["--mask-shapes", "rectangle 0,0,0.5,1"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tiny_models.painter(tmp_path_factory.mktemp("model") / "painter.onnx")
    return ["--model", str(path), "--provider", "cpu"]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "red.png"
    Image.fromarray(flat(SIZE, RED)).save(path)
    return path


PAINTED = tiny_models.mixed(flat((1, 1), RED))[0, 0].astype(int)


def stylized(picture: Path, out: Path, *argv: str) -> np.ndarray:
    run = ["run", "--input", str(picture), "--present", "offscreen", "--output", str(out)]
    assert main([*run, *argv]) == 0
    return np.asarray(Image.open(out / "red.png")).astype(int)


def test_shapes_on_a_picture(picture: Path, model: list[str], tmp_path: Path) -> None:
    shown = stylized(picture, tmp_path, *model, *LEFT)
    assert (shown[:, :32] == RED).all()
    assert abs(shown[:, 32:] - PAINTED).max() <= 1
    half = stylized(picture, tmp_path, *model, *LEFT, "--mask-strength", "0.5")
    assert abs(half[:, :32] - (PAINTED + RED) / 2).max() <= 1.5


def test_a_gray_picture_as_mask_at_its_own_size(
    picture: Path, model: list[str], tmp_path: Path
) -> None:
    gray = np.zeros((12, 16), np.uint8)
    gray[:, 8:] = 255
    Image.fromarray(gray).save(tmp_path / "mask.png")
    shown = stylized(picture, tmp_path / "out", *model, "--mask", str(tmp_path / "mask.png"))
    assert abs(shown[:, :29] - PAINTED).max() <= 1
    assert (shown[:, 35:] == RED).all()


def test_a_recording_holds_them(model: list[str], tmp_path: Path) -> None:
    """Against the same run unmasked and unpainted; never the tint."""
    demo = ["run", "--source", "synthetic", "--size", "64x48", "--present", "offscreen", "--sync"]
    pictures = {}
    for name, more in {"source": ["--model", "none"], "masked": [*model, *LEFT]}.items():
        path = tmp_path / f"{name}.mp4"
        assert main([*demo, "--frames", "3", "--record", str(path), *more]) == 0
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            pictures[name] = frame.to_ndarray(format="rgb24").astype(int)
    differs = np.abs(pictures["source"] - pictures["masked"]).mean(axis=(0, 2))
    assert differs[:28].mean() < 4
    assert differs[36:].mean() > 20


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.png", ["there is no mask", "none.png"]),
        ("pipe.png", ["there is no mask", "pipe.png"]),
        (".", ["is a folder"]),
        ("text.png", ["no picture that Pillow can read", "name a grayscale picture"]),
        ("cut.png", ["damaged or cut off", "name a grayscale picture"]),
        ("color.png", ["in colors", "grayscale"]),
        ("huge.png", ["20000x20000 pixels", "scale it down"]),
    ],
)
def test_bad_masks(
    capsys: pytest.CaptureFixture, tmp_path: Path, name: str, words: list[str]
) -> None:
    (tmp_path / "text.png").write_text("no picture")
    os.mkfifo(tmp_path / "pipe.png")
    Image.fromarray(flat(SIZE, RED)).save(tmp_path / "color.png")
    Image.new("L", (300, 300), 9).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:90])
    head = struct.pack(">4sIIBBBBB", b"IHDR", 20000, 20000, 8, 0, 0, 0, 0)
    whole = (tmp_path / "whole.png").read_bytes()
    crc = struct.pack(">I", zlib.crc32(head))
    (tmp_path / "huge.png").write_bytes(whole[:12] + head + crc + whole[33:])
    run = ["run", "--source", "synthetic", "--present", "offscreen", "--model", "none"]
    fails(capsys, [*run, "--mask", str(tmp_path / name)], 2, *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("box 0,0,1,1", ["is no shape"]),
        ("rectangle 0,0,2,1", ["between 0 and 1"]),
        ("rectangle nan,0,1,1", ["between 0 and 1"]),
        ("ellipse 0,0,1", ["two corners"]),
        ("polygon 0,0,1,1", ["3 to 64 corners"]),
        ("rectangle 0,0,0,1", ["empty"]),
        ("rectangle", ["is not a number"]),
        (";".join(["rectangle 0,0,1,1"] * 65), ["65 shapes"]),
    ],
)
def test_bad_shapes(capsys: pytest.CaptureFixture, text: str, words: list[str]) -> None:
    run = ["run", "--source", "synthetic", "--present", "offscreen", "--model", "none"]
    fails(capsys, [*run, "--mask-shapes", text], 2, "--mask-shapes", *words)


def test_an_output_never_takes_the_masks_place(
    capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    mask = tmp_path / "mask.png"
    Image.new("L", SIZE, 255).save(mask)
    run = ["run", "--source", "synthetic", "--present", "offscreen", "--model", "none"]
    fails(capsys, [*run, "--mask", str(mask), "--screenshot", str(mask)], 2, "is read by this run")
