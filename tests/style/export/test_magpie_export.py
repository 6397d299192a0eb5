"""Effects exported for Magpie: read as Magpie reads them, compiled as HLSL, and run in OpenGL."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import moderngl
import numpy as np
import pytest
from exported import SIZE, network, picture_of, wanted
from PIL import Image

from stylizer.app.cli import main
from stylizer.style.export.magpie import magpie_effect
from stylizer.style.gl.thread import GlThread
from stylizer.system.files import write_png
from stylizer.system.pictures import psnr_db

MOST_OUTPUTS = 8
# What Magpie writes before each pass and behind it (EffectCompiler.cpp): the part that we use.
BEFORE = """
cbuffer __CB1 : register(b0) { uint2 __inputSize; uint2 __outputSize; };
uint2 Rmp8x8(uint a) {
    return uint2((a >> 1u) & 7u, (((a >> 3u) & 7u) & ~1u) | (a & 1u));
}
uint2 GetInputSize() { return __inputSize; }
uint2 GetOutputSize() { return __outputSize; }
"""
BEHIND = """
[numthreads({threads}, 1, 1)]
void __M(uint3 tid : SV_GroupThreadID, uint3 gid : SV_GroupID) {{
    Pass{number}(gid.xy * {block}, tid);
}}
"""


@dataclass(frozen=True)
class Block:
    """A part of the file: its directives, the first of them its kind, and its code."""

    told: list[tuple[str, str]]
    code: str

    @property
    def kind(self) -> str:
        return self.told[0][0]

    def names(self, directive: str) -> list[str]:
        return dict(self.told)[directive].split(", ")


def blocks(text: str) -> list[Block]:
    """The file as Magpie takes it apart: comments first, then blocks by their first directive."""
    text = re.sub(r"//(?!!).*", "", text)
    parts = re.split(r"^(?=//!(?:TEXTURE|SAMPLER|COMMON|PASS)\b)", text, flags=re.M)
    return [
        Block(
            re.findall(r"^//!(\w+) ?(.*)$", part, re.M),
            re.sub(r"^//!.*\n", "", part, flags=re.M),
        )
        for part in parts
    ]


@pytest.mark.parametrize("canvas", [0, 16])
def test_it_keeps_to_magpies_grammar(tmp_path, canvas):
    model, steps, _ = network(tmp_path, canvas)
    head, *parts = blocks(magpie_effect(model, steps, "tile.png"))
    assert head.told == [("MAGPIE", "EFFECT"), ("VERSION", "4")]
    assert not head.code.strip()
    textures = [re.fullmatch(r"Texture2D (\w+);", p.code.strip()) for p in parts]
    names = [match[1] for match in textures if match]
    assert names[:2] == ["INPUT", "OUTPUT"]
    assert len(names) == len(set(names))
    passes = [p for p in parts if p.kind == "PASS"]
    assert [p.names("PASS") for p in passes] == [[str(n + 1)] for n in range(len(passes))]
    filled = {"INPUT", "canvas"}
    for part in passes:
        read, written = set(part.names("IN")), part.names("OUT")
        assert read <= filled
        assert not read & set(written)
        assert len(written) <= MOST_OUTPUTS
        assert set(written) <= set(names)
        filled |= set(written)
        # Every texture that the code names is declared for this pass.
        assert {n for n in names if re.search(rf"\b{n}\b", part.code)} <= read | set(written)
    assert passes[-1].names("OUT") == ["OUTPUT"]
    assert ("canvas" in names) == bool(canvas)


@pytest.fixture(scope="module")
def gl() -> Iterator[GlThread]:
    thread = GlThread()
    yield thread
    thread.close()


@pytest.mark.parametrize("canvas", [0, 16])
def test_every_pass_draws_what_the_network_gives(gl, tmp_path, canvas):
    if gl.run(lambda: gl.context.version_code) < 430:
        pytest.skip("compute shaders need OpenGL 4.3")
    for tool in ("glslangValidator", "spirv-cross"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    model, steps, proto = network(tmp_path, canvas)
    rgb = picture_of(SIZE)
    if model.canvas is not None:
        write_png(tmp_path / "tile.png", model.canvas.tile)
    text = magpie_effect(model, steps, "tile.png")
    got = gl.run(lambda: Scaler(gl.context, tmp_path, rgb).run(text))
    right = wanted(model, proto, rgb)
    assert right.std() > 5
    # Sums of tensors come from a table elsewhere: here one in a thousand may round the other way.
    assert psnr_db(got, right) > 50


class Scaler:
    """Runs an effect over one picture, as Magpie's format describes it."""

    def __init__(self, context: moderngl.Context, folder: Path, rgb: np.ndarray) -> None:
        self.context, self.folder = context, folder
        self.size = (rgb.shape[1], rgb.shape[0])
        self.textures = {"INPUT": self.texture(rgb)}
        sizes = np.array([*self.size, *self.size], np.uint32)
        self.constants = context.buffer(sizes.tobytes())

    def texture(self, rgb: np.ndarray) -> moderngl.Texture:
        rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        return self.context.texture(rgba.shape[1::-1], 4, rgba.tobytes())

    def run(self, text: str) -> np.ndarray:
        parts = blocks(text)
        common = "".join(part.code for part in parts if part.kind == "COMMON")
        for part in parts:
            if part.kind == "TEXTURE":
                self.declare(part)
            elif part.kind == "PASS":
                self.dispatch(part, common)
        values = np.frombuffer(self.textures["OUTPUT"].read(), np.uint8)
        return values.reshape(self.size[1], self.size[0], 4)[..., :3]

    def declare(self, part: Block) -> None:
        name, told = part.code.split()[1].rstrip(";"), dict(part.told)
        if "SOURCE" in told:
            self.textures[name] = self.texture(np.asarray(Image.open(self.folder / told["SOURCE"])))
        elif name != "INPUT":
            assert told.get("FORMAT", "R8G8B8A8_UNORM") == "R8G8B8A8_UNORM"
            size = self.length(told["WIDTH"]), self.length(told["HEIGHT"])
            self.textures[name] = self.context.texture(size, 4)

    def length(self, expression: str) -> int:
        """As muParser has it: floats, and `rint`."""
        known = {"INPUT_WIDTH": self.size[0], "INPUT_HEIGHT": self.size[1], "rint": round}
        return round(eval(expression, {"__builtins__": {}}, known))

    def dispatch(self, part: Block, common: str) -> None:
        outs, ins = part.names("OUT"), part.names("IN")
        lines = [f"Texture2D<float4> {n} : register(t{i});" for i, n in enumerate(ins)]
        lines += [f"RWTexture2D<unorm float4> {n} : register(u{i});" for i, n in enumerate(outs)]
        (number,), (block,) = part.names("PASS"), part.names("BLOCK_SIZE")
        behind = BEHIND.format(threads=part.names("NUM_THREADS")[0], number=number, block=block)
        program = self.context.compute_shader(
            self.translated("\n".join([*lines, BEFORE, common, part.code, behind]))
        )
        for unit, name in enumerate(outs):
            self.textures[name].bind_to_image(unit, read=False, write=True)
        for unit, name in enumerate(ins):
            self.textures[name].use(unit)
            key = f"SPIRV_Cross_Combined{name}SPIRV_Cross_DummySampler"
            if isinstance(sampler := program.get(key, None), moderngl.Uniform):
                sampler.value = unit
        self.constants.bind_to_uniform_block(0)
        width, height = self.textures[outs[0]].size
        program.run(-(-width // int(block)), -(-height // int(block)))
        self.context.memory_barrier()

    def translated(self, hlsl: str) -> str:
        """HLSL as GLSL, by way of SPIR-V."""
        source, module = self.folder / "pass.hlsl", self.folder / "pass.spv"
        source.write_text(hlsl)
        words = ["glslangValidator", "-D", "-V", "-S", "comp", "-e", "__M", "--auto-map-bindings"]
        done = subprocess.run(
            [*words, "-o", str(module), str(source)], capture_output=True, text=True, check=False
        )
        assert not done.returncode, done.stdout
        words = ["spirv-cross", "--version", "430", "--no-es", str(module)]
        glsl = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return glsl.replace("rgba32f", "rgba8")  # SPIR-V knows no "unorm"


def test_the_command_writes_the_effect_and_its_canvas(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["models", "export", "mosaic-fast", "--to", "magpie"]) == 0
    assert "mosaic-fast-int8.hlsl and mosaic-fast-int8-canvas.png" in capsys.readouterr().out
    text = (tmp_path / "mosaic-fast-int8.hlsl").read_text()
    assert "//!SOURCE mosaic-fast-int8-canvas.png" in text
    with Image.open(tmp_path / "mosaic-fast-int8-canvas.png") as canvas:
        assert canvas.mode == "RGB"
