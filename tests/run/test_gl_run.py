"""`run --provider gl`: what is shown and written is the picture of the integers, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import integer_reference as reference
import moderngl
import numpy as np
import onnx
import pytest
from PIL import Image

from stylizer.app.cli import main
from stylizer.frame import Frame, StyledTexture
from stylizer.settings import Settings
from stylizer.style import opening, providers
from stylizer.style.canvas import Canvas
from stylizer.style.contract import Packer
from stylizer.style.probe import load_model
from stylizer.system.resources import models_folder

ROOT = Path(__file__).parents[2]
CPU_FLAGS = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
MODEL = "mosaic-fast"
DEMO = ["run", "--source", "demo", "--size", "104x72", "--sync", "--frames", "2", "--warmup", "0"]
GL = ["--model", MODEL, "--provider", "gl", "--no-move-canvas"]


def wanted(rgb: np.ndarray) -> np.ndarray:
    """What the integer network makes of a picture (height, width, 3), its canvas at rest."""
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


def test_a_mask_keeps_the_frame_exactly(painted: Path, tmp_path: Path) -> None:
    mask = ["--mask-shapes", "rectangle 0,0,0.5,1", "--present", "offscreen"]
    assert (
        main([*DEMO[:-4], "--frames", "1", *DEMO[-2:], *GL, *mask, "--output", str(tmp_path)]) == 0
    )
    shown, styled = picture(tmp_path / "000001.png"), picture(painted / "styled" / "000001.png")
    source = picture(painted / "source" / "000001.png")
    assert np.array_equal(shown[:, :52], source[:, :52])
    assert np.array_equal(shown[:, 52:], styled[:, 52:])


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
    assert report["gpu_ms"] is None, "a software renderer is no GPU"


def test_the_report_tells_the_gpus_time(tmp_path, monkeypatch, capsys):
    """With a software renderer taken for a GPU: its timer queries answer as well."""
    monkeypatch.setattr("stylizer.run.screen.is_software_gl", lambda renderer: False)
    monkeypatch.setattr("stylizer.system.gl.GpuTimer.LATE", 2)
    report = tmp_path / "report.json"
    words = [*DEMO, *GL, "--present", "offscreen", "--frames", "6", "--hud", "graph"]
    shot = tmp_path / "shot.png"
    assert main([*words, "--report", str(report), "--screenshot", str(shot)]) == 0
    told = json.loads(report.read_text())
    assert set(told["gpu_ms"]) == {"infer", "compose"}
    assert 0 < told["gpu_ms"]["infer"]["p50"] < told["stage_ms"]["infer"]["p50"]
    assert told["gpu_ms"]["compose"]["p50"] > 0
    assert "GPU p50 ms" in capsys.readouterr().out


def test_a_window_shows_the_same(painted, xvfb, tmp_path):
    """In a process of its own: a window's GL context beside the network's. On a busy machine one of
    the two pictures presented may be the first one once more."""
    shot, report = tmp_path / "window.png", tmp_path / "report.json"
    argv = [*DEMO, *GL, "--present", "window", "--hud", "off", "--screenshot", str(shot)]
    argv += ["--report", str(report)]
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *argv],
        env=os.environ | {"DISPLAY": xvfb, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = json.loads(report.read_text())["styled_frames"]
    assert np.array_equal(picture(shot), picture(painted / "styled" / f"00000{last}.png"))


@pytest.mark.skipif("vnni" not in CPU_FLAGS, reason="without VNNI ONNX Runtime saturates")
@pytest.mark.parametrize("game", ["extremetuxracer", "freedoom"])
def test_a_recorded_game_is_painted_as_the_cpu_paints_it(tmp_path, game):
    """The canvas moving with the picture, the frame larger than what the network sees."""
    words = ["run", "--input", str(ROOT / "tests" / "run" / "clips" / f"{game}.mp4")]
    words += ["--present", "offscreen", "--frames", "3", "--warmup", "0", "--model", MODEL]
    for provider in ("gl", "cpu"):
        out = ["--provider", provider, "--output", str(tmp_path / provider)]
        assert main([*words, "--inference-size", "128x96", *out]) == 0
    for number in range(1, 4):
        shot = f"{number:06}.png"
        assert np.array_equal(picture(tmp_path / "gl" / shot), picture(tmp_path / "cpu" / shot))


# --- what stays on the GPU ------------------------------------------------------------------

MOVES = [
    (moderngl.Texture, "write"),
    (moderngl.TextureArray, "write"),
    (moderngl.Texture, "read"),
    (moderngl.Texture, "read_into"),
    (moderngl.Framebuffer, "read"),
    (moderngl.Framebuffer, "read_into"),
]


@pytest.fixture
def over_the_bus(monkeypatch) -> Counter[str]:
    """How often pictures were sent ("write") and fetched ("read") by all contexts, and how many
    bytes of arrays that were filled with them."""
    counted: Counter[str] = Counter()

    def counting(name: str, real: Callable) -> Callable:
        def call(self: Any, *args: Any, **more: Any) -> Any:
            counted[name.removesuffix("_into")] += 1
            if name == "read_into":
                counted["bytes"] += args[0].nbytes
            return real(self, *args, **more)

        return call

    for kind, name in MOVES:
        monkeypatch.setattr(kind, name, counting(name, getattr(kind, name)))
    return counted


SMALL = ["run", "--source", "synthetic", "--size", "104x72", "--present", "offscreen", "--sync"]
SMALL += ["--warmup", "0", "--hud", "off", *GL]


@pytest.mark.parametrize("look", [[], ["--strength", "0.5", "--stabilize", "0.5"]], ids=str)
def test_a_frame_is_sent_once_and_nothing_comes_back(over_the_bus, look):
    counts = []
    for frames in (2, 5):
        over_the_bus.clear()
        assert main([*SMALL, *look, "--frames", str(frames)]) == 0
        counts.append(dict(over_the_bus))
    assert counts[1].get("read", 0) == 0
    assert counts[1]["write"] - counts[0]["write"] == 3


def test_the_demo_is_drawn_where_it_is_read(over_the_bus):
    """Of a frame only the means of its cells come back, for its motion."""
    counts = []
    for frames in (2, 5):
        over_the_bus.clear()
        words = [*SMALL, "--source", "demo", "--strength", "0.5", "--stabilize", "0.5"]
        assert main([*words, "--frames", str(frames)]) == 0
        counts.append(dict(over_the_bus))
    assert counts[1]["write"] == counts[0]["write"], "each frame drawn was sent"
    assert counts[1]["bytes"] - counts[0]["bytes"] == 3 * (104 // 8) * (72 // 8)


@pytest.mark.parametrize("faster", ["gl", "cpu"])
def test_nothing_comes_back_where_auto_took_the_shaders(
    over_the_bus, faster, tmp_path, monkeypatch
):
    """With a software renderer taken for a GPU that is faster or slower than the CPU."""
    monkeypatch.setattr("stylizer.run.opened.software_gl", lambda renderer: "")
    monkeypatch.setattr("stylizer.style.gl.backend.is_software_gl", lambda renderer: False)
    monkeypatch.setattr(providers, "is_installed", lambda row: row.name in ("gl", "cpu"))
    monkeypatch.setattr(opening, "_frame_ms", lambda style, size: float(style.provider != faster))
    report = tmp_path / "report.json"
    words = [*SMALL, "--provider", "auto", "--frames", "3", "--report", str(report)]
    assert main(words) == 0
    told = json.loads(report.read_text())
    assert told["provider"] == faster
    assert "read back" not in told["provider_reason"]
    assert over_the_bus["read"] == 0


@pytest.mark.parametrize(
    "look",
    [
        ["--strength", "0.6", "--keep-colors", "--wipe", "0.4"],
        ["--stabilize", "0.8"],
        ["--inference-size", "56x40"],
        ["--source", "demo", "--move-canvas", "--strength", "0.6", "--stabilize", "0.8"],
        ["--source", "demo", "--inference-size", "56x40", "--size", "107x75"],
    ],
    ids=str,
)
def test_a_texture_is_composed_as_its_pixels_are(look, tmp_path, monkeypatch):
    """The same run where no context can be shared, which is said: every picture read back."""
    shots = [tmp_path / "shared.png", tmp_path / "apart.png"]
    report = tmp_path / "report.json"
    for shot in shots:
        out = ["--screenshot", str(shot), "--report", str(report), "--overwrite"]
        assert main([*SMALL, *look, "--frames", "3", *out]) == 0
        reason = json.loads(report.read_text())["provider_reason"]
        assert ("read back for the window: not here" in reason) == (shot is shots[1])
        monkeypatch.setattr("stylizer.style.gl.thread.SharedContext", refused)
    assert np.array_equal(picture(shots[0]), picture(shots[1]))


def refused() -> None:
    raise OSError("not here")


def test_pictures_are_not_drawn_over_while_somebody_holds_them():
    from stylizer.style.gl.thread import GlThread
    from stylizer.style.opening import open_style
    from stylizer.system.gl import leave_egl, standalone_context

    context = standalone_context()
    thread = GlThread.beside_current()
    style = open_style(Settings(provider="gl"), MODEL, (64, 48), lambda: thread)
    try:
        frames = [Frame(np.full((48, 64, 3), 40 * n, np.uint8), "RGB", 0.0, n) for n in range(6)]
        held = [style.style(frame).image for frame in frames]
        first = [image.rgb().copy() for image in held if isinstance(image, StyledTexture)]
        assert len(first) == len({picture.tobytes() for picture in first}) == 6
        names = {image.picture.name for image in held if isinstance(image, StyledTexture)}
        assert len(names) == 6
        del held
        for frame in frames * 2:  # one at a time: the same few textures
            image = style.style(frame).image
            assert isinstance(image, StyledTexture)
            names.add(image.picture.name)
            assert np.array_equal(image.rgb(), first[frame.number])
        assert len(names) <= 7
    finally:
        style.close()
        thread.close()
        context.release()
        leave_egl()
