"""Effects exported for ReShade: what they declare, and vkBasalt, which runs them on Linux."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exported import network, ours, picture_of
from PIL import Image, ImageGrab
from x_display import x_server

from stylizer.app.cli import main
from stylizer.style.export.files import FORMATS
from stylizer.style.export.reshade import reshade_effect
from stylizer.system.pictures import psnr_db

LAVAPIPE = Path("/usr/share/vulkan/icd.d/lvp_icd.x86_64.json")
LAYER = Path("/usr/lib/x86_64-linux-gnu/vkbasalt/libvkbasalt.so")
DEVICE = "llvmpipe (LLVM 15.0.6, 256 bits)"
MOST_SAMPLERS = 32  # of a stage, in Mesa's lavapipe
WAIT_S = 300


def bodies(text: str) -> dict[str, str]:
    """Each pixel shader's name and code."""
    return dict(
        re.findall(r"^(?:void|float4) (Pass\d+|Show)\(.*?\n\{\n(.*?)^\}", text, re.M | re.S)
    )


@pytest.mark.parametrize("canvas", [0, 16])
def test_what_passes_read_was_written_before(tmp_path, canvas):
    model, steps, _ = network(tmp_path, canvas)
    text = reshade_effect(model, steps, "tile.png")
    textures = set(re.findall(r"^texture (\w+)", text, re.M))
    assert len(textures) <= MOST_SAMPLERS
    assert ("tile.png" in text) == bool(canvas)
    code, filled = bodies(text), {"Frame", "Tile"}
    technique = text[text.index("technique") :]
    passes = re.findall(r"PixelShader = (\w+);(.*?)\}", technique, re.S)
    assert [name for name, _ in passes] == list(code), "each once, in their order"
    for name, state in passes:
        targets = re.findall(r"RenderTarget\d = (\w+);", state)
        read = set(re.findall(r"(\w+)At, ", code[name]))
        assert read <= filled
        assert not read & set(targets), "no pass may read what it writes"
        assert set(targets) <= textures
        filled |= set(targets)
    assert not passes[-1][1].count("RenderTarget"), "the last one draws into the frame"


def test_the_command_writes_the_effect_and_its_canvas(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["models", "export", "mosaic-fast", "--to", "reshade"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "mosaic-fast-int8.fx and mosaic-fast-int8-canvas.png" in told
    assert "reshade-shaders/Shaders" in told
    assert main(words) == 0, "our own are replaced"
    (tmp_path / "mosaic-fast-int8-canvas.png").write_text("mine")
    assert main(words) == 2
    assert (tmp_path / "mosaic-fast-int8-canvas.png").read_text() == "mine"
    assert "no picture of ours" in capsys.readouterr().err


@pytest.mark.parametrize("program", ["mpv", "reshade", "magpie"])
def test_no_name_of_a_foreign_file_gets_into_the_code(tmp_path, program):
    """A network's author chose the tensors' names, whoever saved it the file's."""
    model, steps, _ = network(tmp_path, 16)
    odd = 'a"\n*/ //!PASS 99 ${x} é'
    for step in steps.steps:
        object.__setattr__(step.out, "name", odd)  # frozen, and compared by identity
    text = FORMATS[program].write(
        replace(model, path=tmp_path / f"1{odd[:2]}.onnx"), steps, "t.png"
    )
    assert "PASS 99" not in text
    assert 'a"' not in text
    assert text.isascii()


@pytest.mark.desktop
def test_vkbasalt_runs_an_exported_effect_over_mpv(tmp_path):
    for needed in (LAVAPIPE, LAYER):
        if not needed.exists():
            pytest.skip(f"{needed} is not installed")
    if not shutil.which("mpv"):
        pytest.skip("mpv is not installed")
    rgb = picture_of((178, 99))
    Image.fromarray(rgb).save(tmp_path / "in.png")
    assert main(["models", "export", "mosaic-fast", "--to", "reshade", "--out", str(tmp_path)]) == 0
    settings = ["effects = style", f"style = {tmp_path}/mosaic-fast-int8.fx"]
    settings += [f"reshade{kind}Path = {tmp_path}" for kind in ("Texture", "Include")]
    (tmp_path / "layer.conf").write_text("\n".join(settings) + "\n")
    with x_server() as display:
        shown = painted(display, tmp_path, rgb)
    assert psnr_db(shown, ours("mosaic-fast", rgb)) > 50


def painted(display: str, folder: Path, rgb: np.ndarray) -> np.ndarray:
    """The display's top left corner once mpv's picture of `in.png` is there, no longer bare."""
    height, width = rgb.shape[:2]
    words = ["mpv", "--no-config", "--vo=gpu", "--gpu-sw=yes", "--gpu-api=vulkan", "--no-osc"]
    words += ["--gpu-context=x11vk", f"--vulkan-device={DEVICE}", "--no-border", "--osd-level=0"]
    words += ["--dither-depth=no", "--image-display-duration=inf"]
    words += [f"--geometry={width}x{height}+0+0", str(folder / "in.png")]
    told = {"DISPLAY": display, "VK_ICD_FILENAMES": str(LAVAPIPE), "ENABLE_VKBASALT": "1"}
    told |= {"VKBASALT_CONFIG_FILE": str(folder / "layer.conf")}
    # mpv's libsixel has functions of the same names as the layer, which then died in them.
    told |= {"LD_PRELOAD": str(LAYER)}
    nowhere = subprocess.DEVNULL
    player = subprocess.Popen(words, env=os.environ | told, stdout=nowhere, stderr=nowhere)
    try:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            assert player.poll() is None, "mpv ended"
            shown = np.asarray(ImageGrab.grab((0, 0, width, height), xdisplay=display))
            if shown.any() and psnr_db(shown, rgb) < 40:
                return shown
            time.sleep(0.5)
        raise AssertionError("no painted picture came")
    finally:
        player.kill()
        player.wait()
