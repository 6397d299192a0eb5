"""Draws the steps of an integer network: its programs, weights and textures. GL thread only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import moderngl
import numpy as np

from stylizer.frame import Size
from stylizer.style.gl.layout import GROUP, layer_blocks, layouts, matrices
from stylizer.style.gl.sized import Sized
from stylizer.style.gl.steps import MOST_EXACT, Add, Conv, Steps, Tensor
from stylizer.system.resources import shader

COMPUTE_VERSION = 430
GROUP_SIDE = 8  # pixels along a side that a work group computes, SIDE in net_conv.glsl

Program = moderngl.Program | moderngl.ComputeShader
Kind = Literal["fragment", "compute", "packed"]  # of shaders


@dataclass(frozen=True, eq=False)
class Picture:
    """A texture that an input of the network is read from, a texel for each four channels.

    block: texels of one pixel block, across and down.
    """

    texture: moderngl.Texture
    block: Size


@dataclass(frozen=True, eq=False)
class _Pass:
    """One step: program, what it reads, what does not change with the size. vertices: None where
    it is computed, not drawn."""

    step: Conv | Add
    program: Program
    vertices: moderngl.VertexArray | None
    blocks: list[moderngl.Buffer]  # weights, one for each tile
    table: moderngl.Texture | None


class Network:
    """One network in one context.

    kind: "compute" has convolutions of more than one pixel by compute shaders, which need OpenGL
    4.3, "packed" the same with half floats in the memory that threads share. Raises DoesNotFit for
    weights that the driver's uniform blocks cannot hold.
    """

    def __init__(self, context: moderngl.Context, network: Steps, kind: Kind = "fragment") -> None:
        self.context, self.network, self.kind = context, network, kind
        self._layouts = layouts(network, context.info["GL_MAX_UNIFORM_BLOCK_SIZE"])
        self._programs: dict[tuple[str, ...], tuple[Program, moderngl.VertexArray | None]] = {}
        forms = [self._form(step) for step in network.steps]
        self._passes = []
        for step, form in zip(network.steps, forms, strict=True):
            alike = [s for s, f in zip(network.steps, forms, strict=True) if f == form]
            self._passes.append(self._pass(step, form, alike))
        planes = self._layouts[network.result].planes
        self._out = self._program("net_out.frag", f"PLANES {planes}")
        self._sized: Sized | None = None
        # Released while bound, a framebuffer leaves an error for the next one: this one is bound.
        self._idle = context.framebuffer([context.renderbuffer((1, 1), 4)])

    @property
    def computes(self) -> bool:
        """Whether compute shaders are among its own."""
        return any(isinstance(one.program, moderngl.ComputeShader) for one in self._passes)

    def run(
        self, given: dict[str, Picture], size: Size, block: Size, into: moderngl.Framebuffer
    ) -> None:
        """Draw everything. given: the pictures read, by name of the input; size: (columns, rows)
        of blocks; block: pixels of a block in the result, across and down; into: of RGBA, that
        large, or smaller where the last blocks are not whole."""
        if self._sized is None or self._sized.blocks != size:
            self._release_sized()
            self._sized = Sized(self.context, self.network, self._layouts, size)
        self.context.enable_only(moderngl.NOTHING)
        for one in self._passes:
            self._draw(one, given, self._sized)
        self._draw_out(self._sized, block, into)
        self._idle.use()

    def release(self) -> None:
        """Free everything; may be called twice."""
        self._release_sized()
        for one in self._passes:
            for thing in (*one.blocks, one.table):
                if thing is not None:
                    thing.release()
        for program, vertices in self._programs.values():
            if vertices is not None:
                vertices.release()
            program.release()
        self._passes.clear()
        self._programs.clear()

    # --- made once --------------------------------------------------------------------------

    def _form(self, step: Conv | Add) -> tuple[str, ...]:
        """The shader of a step and its defines, but for the number of weights."""
        defines = [f"TARGETS {self._layouts[step.out].planes}"]
        if isinstance(step, Add):
            return "net_add.frag", *defines, *(["SPREAD"] if step.spread is not None else [])
        read = step.parts[0][0]
        defines += [f"PLANES {self._layouts[read].planes}", *(["RAW"] if read.given else [])]
        flags = {"BESIDE": len(step.parts) > 1, "ADD": step.added is not None}
        flags["SPLIT"] = step.bound >= MOST_EXACT
        if self.kind != "fragment" and step.side > 1 and not (flags["SPLIT"] or flags["BESIDE"]):
            defines += ["COMPUTE", f"PATCH {(GROUP_SIDE - 1) * step.stride + step.side}"]
            defines += ["HALFS"] if self.kind == "packed" else []
        return "net_conv.glsl", *defines, *(name for name, on in flags.items() if on)

    def _pass(self, step: Conv | Add, form: tuple[str, ...], alike: Sequence[Conv | Add]) -> _Pass:
        """alike: the steps of this form. They share a program, whose compiling takes longer than
        all else: so their blocks of weights have one size, the largest."""
        if isinstance(step, Add):
            program, vertices = self._program(*form)
            return _Pass(step, program, vertices, [], self._table(step.rule.table))
        count = max(matrices(other, self._layouts) for other in alike if isinstance(other, Conv))
        blocks = layer_blocks(step, self._layouts, count)
        program, vertices = self._program(*form, f"COUNT {count}")
        table = self._table(step.added.rule.table) if step.added else None
        return _Pass(step, program, vertices, [self.context.buffer(b) for b in blocks], table)

    def _table(self, table: np.ndarray) -> moderngl.Texture:
        side = table.shape[0]
        texture = self.context.texture((side, side), 1, table.tobytes(), alignment=1, dtype="u1")
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        return texture

    def _program(self, *key: str) -> tuple[Program, moderngl.VertexArray | None]:
        if key not in self._programs:
            name, *defines = key
            if "COMPUTE" in defines:
                text = shader(name, *defines, number=COMPUTE_VERSION)
                self._programs[key] = self.context.compute_shader(text), None
            else:
                program = self.context.program(shader("net.vert"), shader(name, *defines))
                self._programs[key] = program, self.context.vertex_array(program, [])
        return self._programs[key]

    def _release_sized(self) -> None:
        if self._sized is not None:
            self._sized.release()
            self._sized = None

    # --- drawn every time -------------------------------------------------------------------

    def _draw(self, one: _Pass, given: dict[str, Picture], sized: Sized) -> None:
        step, program, out = one.step, one.program, self._layouts[one.step.out]
        units = _Units(program)
        other = None
        if isinstance(step, Conv):
            for (tensor, _), names in zip(step.parts, (_FIRST, _SECOND), strict=False):
                _set(program, names.where, self._where(tensor, given, sized))
                units.bind(
                    names.planes, sized.textures.get(tensor) or [given[tensor.given].texture]
                )
            _put(program, "side", step.side)
            _put(program, "stride", step.stride)
            _put(program, "zero", float(step.zero))
            other = step.added.other if step.added else None
        else:
            other = step.second
            units.bind("planes", sized.textures[step.first])
            _put(program, "tiles", out.tiles)
            _put(program, "width", sized.size(step.first)[0])
        if other is not None:
            assert one.table is not None
            units.bind("others", sized.textures[other])
            units.bind("table", [one.table])
        self._draw_tiles(one, sized)

    def _draw_tiles(self, one: _Pass, sized: Sized) -> None:
        out, target = self._layouts[one.step.out], sized.targets[one.step.out]
        width, height = sized.size(one.step.out)
        target.use()
        if one.vertices is None:
            _put(one.program, "size", (width, height))
            for unit, texture in enumerate(sized.textures[one.step.out]):
                texture.bind_to_image(unit, read=False, write=True)
        for tile in range(out.tiles):
            target.viewport = (tile * width, 0, width, height)
            _put(one.program, "left", tile * width)
            _put(one.program, "tile", tile)
            if one.blocks:
                one.blocks[tile].bind_to_uniform_block(0)
            if one.vertices is not None:
                one.vertices.render(moderngl.TRIANGLES, vertices=3)
            elif isinstance(one.program, moderngl.ComputeShader):
                one.program.run(-(-width // GROUP_SIDE), -(-height // GROUP_SIDE))
        if one.vertices is None:
            self.context.memory_barrier()

    def _draw_out(self, sized: Sized, block: Size, into: moderngl.Framebuffer) -> None:
        tensor, (program, vertices) = self.network.result, self._out
        _Units(program).bind("planes", sized.textures[tensor])
        _put(program, "block", block)
        _put(program, "width", sized.size(tensor)[0])
        into.use()
        into.viewport = (0, 0, *into.size)
        assert vertices is not None
        vertices.render(moderngl.TRIANGLES, vertices=3)

    def _where(self, tensor: Tensor, given: dict[str, Picture], sized: Sized) -> _Where:
        width, height = size = sized.size(tensor)
        if not tensor.given:
            layout = self._layouts[tensor]
            last = (layout.tiles * width - 1, height - 1)
            return _Where(size, last, (1, 1), (width, 0), layout.tiles, layout.tiles, layout.planes)
        picture, groups = given[tensor.given], tensor.channels // GROUP
        last = (picture.texture.width - 1, picture.texture.height - 1)
        return _Where(size, last, picture.block, (1, 1), picture.block[0], groups, 1)


@dataclass(frozen=True)
class _Where:
    """`Set` of net_conv.glsl."""

    size: Size
    last: Size
    step: Size
    span: Size
    across: int
    tiles: int
    planes: int


@dataclass(frozen=True)
class _Names:
    where: str
    planes: str


_FIRST, _SECOND = _Names("first", "planes"), _Names("second", "beside")


class _Units:
    """Texture units of one draw, given out one after another."""

    def __init__(self, program: Program) -> None:
        self._program, self._next = program, 0

    def bind(self, name: str, textures: list[moderngl.Texture]) -> None:
        """Bind textures to a sampler, or an array of them."""
        units = range(self._next, self._next + len(textures))
        for unit, texture in zip(units, textures, strict=True):
            texture.use(unit)
        sampler = self._program[name]
        assert isinstance(sampler, moderngl.Uniform)
        sampler.value = tuple(units) if len(units) > 1 else units[0]
        self._next = units.stop


def _set(program: Program, name: str, where: _Where) -> None:
    for key, value in vars(where).items():
        _put(program, f"{name}.{key}", value)


def _put(program: Program, name: str, value: object) -> None:
    """A uniform's value, where the program has not lost it for want of use."""
    uniform = program.get(name, None)
    if isinstance(uniform, moderngl.Uniform):
        uniform.value = value
