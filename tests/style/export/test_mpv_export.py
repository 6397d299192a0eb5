"""Shaders exported for mpv: each pass run as mpv runs it, and mpv itself playing one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import moderngl
import numpy as np
import pytest
from exported import SIZE, network, ours, picture_of, wanted
from PIL import Image
from x_display import x_server

from stylizer.app.cli import main
from stylizer.style.export.mpv import mpv_shader
from stylizer.style.gl.reading import DoesNotFit
from stylizer.style.gl.thread import GlThread
from stylizer.system.pictures import psnr_db


@pytest.fixture(scope="module")
def gl() -> Iterator[GlThread]:
    thread = GlThread()
    yield thread
    thread.close()


# --- what mpv does with such a file -----------------------------------------------------------

VERTICES = """#version 330
void main() {
    gl_Position = vec4(vec2((gl_VertexID << 1) & 2, gl_VertexID & 2) * 2.0 - 1.0, 0.0, 1.0);
}"""
FRAGMENTS = """#version 330
uniform int frame;
uniform vec2 out_size;
out vec4 result;
{names}
{body}
void main() {{ result = hook(); }}"""
NAMES = """uniform sampler2D {0}_raw;
uniform vec2 {0}_size;
#define {0}_mul 1.0
#define {0}_pos (gl_FragCoord.xy / out_size)
#define {0}_tex(pos) texture({0}_raw, pos)"""


class Player:
    """Hook passes over one picture, as the manual of mpv describes them."""

    def __init__(self, context: moderngl.Context, rgb: np.ndarray) -> None:
        self.context = context
        self.pictures = {"HOOKED": self.texture(rgb, 3)}
        self.given: set[str] = set()  # textures of the file: plain samplers

    def texture(self, values: np.ndarray, channels: int) -> moderngl.Texture:
        size = (values.shape[1], values.shape[0])
        return self.context.texture(size, channels, values.tobytes(), alignment=1)

    def play(self, text: str) -> np.ndarray:
        for block in re.split(r"^(?=//!(?:HOOK|TEXTURE))", text, flags=re.M)[1:]:
            told = dict(re.findall(r"^//!(\w+) (.*)$", block, re.M))
            body = re.sub(r"^//!.*\n", "", block, flags=re.M)
            if "TEXTURE" in told:
                assert (told["FORMAT"], told["FILTER"]) == ("rgba8", "NEAREST")
                width, height = map(int, told["SIZE"].split())
                values = np.frombuffer(bytes.fromhex(body.strip()), np.uint8)
                self.pictures[told["TEXTURE"]] = self.texture(values.reshape(height, width, 4), 4)
                self.given.add(told["TEXTURE"])
            else:
                self.hook(told, re.findall(r"^//!BIND (.*)$", block, re.M), body)
        width, height = self.pictures["HOOKED"].size
        values = np.frombuffer(self.pictures["HOOKED"].read(), np.float16)
        picture = values.reshape(height, width, 4)[..., :3].astype(np.float32) * 255
        return np.rint(picture).astype(np.uint8)

    def hook(self, told: dict[str, str], binds: list[str], body: str) -> None:
        width = self.length(told.get("WIDTH", "HOOKED.w"))
        size = width, self.length(told.get("HEIGHT", "HOOKED.h"))
        names = "\n".join(
            f"uniform sampler2D {name};" if name in self.given else NAMES.format(name)
            for name in binds
        )
        program = self.context.program(VERTICES, FRAGMENTS.format(names=names, body=body))
        for unit, name in enumerate(binds):
            picture = self.pictures[name]
            picture.use(unit)
            for key, value in ((f"{name}_size", picture.size), (f"{name}_raw", unit), (name, unit)):
                if isinstance(uniform := program.get(key, None), moderngl.Uniform):
                    uniform.value = value
        if isinstance(uniform := program.get("out_size", None), moderngl.Uniform):
            uniform.value = size
        target = self.context.texture(size, 4, dtype="f2")
        self.context.framebuffer([target]).use()
        self.context.viewport = (0, 0, *size)
        self.context.vertex_array(program, []).render(moderngl.TRIANGLES, vertices=3)
        self.pictures[told.get("SAVE", "HOOKED")] = target

    def length(self, words: str) -> int:
        stack: list[float] = []
        for word in words.split():
            if word in "+-*/%":
                b, a = stack.pop(), stack.pop()
                stack.append({"+": a + b, "-": a - b, "*": a * b, "/": a / b, "%": a % b}[word])
            elif "." in word:
                name, side = word.split(".")
                stack.append(self.pictures[name].size["wh".index(side)])
            else:
                stack.append(float(word))
        assert len(stack) == 1
        assert stack[0] == int(stack[0]), "which way mpv would round is not told"
        return int(stack[0])


@pytest.mark.parametrize("canvas", [0, 16])
def test_every_pass_draws_what_the_network_gives(gl, tmp_path, canvas):
    model, steps, proto = network(tmp_path, canvas)
    rgb = picture_of(SIZE)
    right = wanted(model, proto, rgb)
    text = mpv_shader(model, steps)
    got = gl.run(lambda: Player(gl.context, rgb).play(text))
    assert right.std() > 5
    # Sums of tensors come from a table elsewhere: here one in a thousand may round the other way.
    assert psnr_db(got, right) > 50


def test_what_mpv_has_no_place_for_is_refused(tmp_path):
    model, steps, _ = network(tmp_path, 16)
    with pytest.raises(DoesNotFit, match="reads what mpv has no place for"):
        mpv_shader(replace(model, canvas=None), steps)


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_a_file_and_keeps_foreign_ones(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["models", "export", "mosaic-fast", "--to", "mpv"]
    assert main(words) == 0
    file = tmp_path / "mosaic-fast-int8.glsl"
    assert f"mpv --glsl-shader={file.name} VIDEO" in capsys.readouterr().out
    text = file.read_text()
    saved = re.findall(r"^//!(?:SAVE|TEXTURE) (\w+)", text, re.M)
    bound = set(re.findall(r"^//!BIND (\w+)", text, re.M))
    assert bound == {"HOOKED", *saved}
    assert main(words) == 0, "our own is replaced"
    file.write_text("mine")
    assert main(words) == 2
    assert file.read_text() == "mine"
    assert "no shader of ours" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("export mosaic-fast", "needs --to"),
        ("export mosaic-small --to mpv", "cannot be exported to mpv: its operator Cast"),
        ("export none --to mpv", "no network"),
        ("list --to mpv", "belong to `models export`"),
    ],
)
def test_what_cannot_be_exported_is_said(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    assert main(["models", *words.split()]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# --- mpv itself ---------------------------------------------------------------------------------

SHOOT = """
local shot = false
mp.add_periodic_timer(0.2, function()
    if mp.get_property("vo-configured") == "yes" and not shot then
        shot = true
        mp.add_timeout(0.5, function()
            mp.commandv("screenshot-to-file", os.getenv("SHOT"), "window")
            mp.command("quit")
        end)
    end
end)"""


@pytest.mark.desktop
@pytest.mark.parametrize("output", ["gpu", "gpu-next"])
def test_mpv_plays_an_exported_shader(tmp_path, output):
    if not shutil.which("mpv"):
        pytest.skip("mpv is not installed")
    rgb = picture_of((178, 99))
    Image.fromarray(rgb).save(tmp_path / "in.png")
    (tmp_path / "shoot.lua").write_text(SHOOT)
    assert main(["models", "export", "mosaic-fast", "--to", "mpv", "--out", str(tmp_path)]) == 0
    shader, shot = tmp_path / "mosaic-fast-int8.glsl", tmp_path / "shot.png"
    words = ["--no-config", f"--vo={output}", "--gpu-sw=yes", "--gpu-api=opengl", "--no-osc"]
    words += ["--dither-depth=no", "--osd-level=0", "--image-display-duration=inf"]
    words += ["--geometry=178x99", f"--glsl-shader={shader}", f"--script={tmp_path}/shoot.lua"]
    with x_server() as display:
        subprocess.run(
            ["mpv", *words, str(tmp_path / "in.png")],
            env=os.environ | {"DISPLAY": display, "SHOT": str(shot)},
            timeout=300,
            check=True,
            capture_output=True,
        )
    played = np.asarray(Image.open(shot).convert("RGB"))
    assert played.shape == rgb.shape
    assert psnr_db(played, ours("mosaic-fast", rgb)) > 40
