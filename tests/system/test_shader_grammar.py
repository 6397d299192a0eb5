"""Every shader by the reference compiler: Mesa's takes more than other drivers do."""

from __future__ import annotations

import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import get_args

import onnx
import pytest

from stylizer.compose.programs import Shows, Variant
from stylizer.style import catalog
from stylizer.style.gl import network
from stylizer.style.gl.reading import read_steps
from stylizer.system.gl import leave_egl, standalone_context
from stylizer.system.resources import shader

FOLDER = Path(__file__).parents[2] / "shaders"
INCLUDED = "demo_light.glsl"
WITH_DEFINES = ("compose.frag", "net_")  # the rest is compiled as it lies there


def complaints(texts: list[str], stage: str, tmp_path: Path) -> str:
    """What the compiler has against shaders of one stage; "" where it takes them all."""
    if not shutil.which("glslangValidator"):
        pytest.skip("glslang-tools are not installed")
    files = [tmp_path / f"{number}.{stage}" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text.replace(f'#include "{INCLUDED}"', (FOLDER / INCLUDED).read_text()))
    done = subprocess.run(["glslangValidator", *files], capture_output=True, text=True)
    return done.stdout if done.returncode else ""


def test_it_complains(tmp_path):
    assert "'wrong'" in complaints(["#version 330\nvoid main() { wrong(); }"], "frag", tmp_path)


@pytest.mark.parametrize("kind", ["fragment", "compute", "packed"])
def test_the_network_of_every_fast_model(tmp_path, monkeypatch, kind):
    made: dict[tuple, str] = {}
    monkeypatch.setattr(
        network, "shader", lambda *a, **k: made.setdefault((*a, *k), shader(*a, **k))
    )
    context = standalone_context()
    try:
        for model in catalog.bundled(own=False):
            if (model.tier, model.precision) == ("fast", "int8"):
                steps = read_steps(onnx.load(str(model.path)))
                network.Network(context, steps, kind).release()
    finally:
        context.release()
        leave_egl()
    computed = [text for key, text in made.items() if "COMPUTE" in key]
    drawn = [t for key, t in made.items() if key[0] != "net.vert" and t not in computed]
    assert bool(computed) == (kind != "fragment")
    assert complaints(drawn, "frag", tmp_path) == ""
    assert not computed or complaints(computed, "comp", tmp_path) == ""


@pytest.mark.parametrize("shows", get_args(Shows))
def test_every_way_to_compose(tmp_path, shows):
    variants = [Variant(shows, *flags) for flags in product((False, True), repeat=7)]
    texts = [shader("compose.frag", *variant.defines()) for variant in variants]
    assert complaints(texts, "frag", tmp_path) == ""


def test_the_others(tmp_path):
    paths = [*FOLDER.glob("*.vert"), *FOLDER.glob("*.frag")]
    plain = [path for path in paths if not path.name.startswith(WITH_DEFINES)]
    assert len(plain) > 12
    for stage in ("vert", "frag"):
        texts = [path.read_text() for path in plain if path.suffix == f".{stage}"]
        assert complaints(texts, stage, tmp_path) == ""
