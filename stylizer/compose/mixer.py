"""Two styles of one frame in one picture: a share of the second, and inside a mask the second
alone. One pass a new pair, and nothing at all where there is one style."""

from __future__ import annotations

from dataclasses import dataclass

import moderngl

from stylizer.compose.masks import Mask
from stylizer.compose.styled_picture import StyledPicture
from stylizer.frame import Styled
from stylizer.system.resources import shader


@dataclass(frozen=True)
class Mix:
    """share: of the second style, 0..1. mask: inside it, the second style alone; None: nowhere."""

    share: float = 0.0
    mask: Mask | None = None

    def __bool__(self) -> bool:
        """Whether the second style is seen anywhere."""
        return self.share > 0 or bool(self.mask)


class Mixer:
    """The mixed picture, of the first style's size. GL thread only; nothing exists until `draw`."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._target: moderngl.Framebuffer | None = None
        self._picture: moderngl.Texture | None = None
        self._programs: dict[tuple[str, ...], tuple[moderngl.Program, moderngl.VertexArray]] = {}
        self._nearest: moderngl.Sampler | None = None

    def draw(
        self,
        first: tuple[StyledPicture, Styled],
        second: tuple[StyledPicture, Styled],
        share: float,
        masked: bool,
        units: tuple[int, int, int],
    ) -> None:
        """Mix two pictures, each with what it was made of, on texture units (first, second, mask);
        masked: a mask is bound to the third."""
        size = first[1].size
        target, nearest = self._fit(size)
        kinds = [*_kinds("FIRST", *first), *_kinds("SECOND", *second), *["MASKED"] * masked]
        program, vertices = self._program(tuple(kinds))
        first[0].use(units[0])
        second[0].use(units[1])
        program["first_picture"], program["second_picture"] = units[:2]
        program["size"], program["share"] = size, share
        if masked:
            program["mask"] = units[2]
        bound = self._context.fbo
        target.use()
        self._context.enable_only(moderngl.NOTHING)
        exact = units[:1] if second[1].size != size else units[:2]
        for unit in exact:  # on llvmpipe half the cost of linear filtering
            nearest.use(unit)
        vertices.render(moderngl.TRIANGLES, vertices=3)
        for unit in exact:
            nearest.clear(unit)
        bound.use()

    def use(self, unit: int) -> None:
        """Bind the mixed picture, bottom row first."""
        assert self._picture is not None
        self._picture.use(unit)

    def copy_to(self, framebuffer: moderngl.Framebuffer) -> None:
        """Put it onto a framebuffer of its size."""
        assert self._target is not None
        self._context.copy_framebuffer(framebuffer, self._target)

    def release(self) -> None:
        """Free everything; may be called twice."""
        for thing in (self._target, self._picture, self._nearest):
            if thing is not None:
                thing.release()
        self._target = self._picture = self._nearest = None
        for program, vertices in self._programs.values():
            vertices.release()
            program.release()
        self._programs.clear()

    def _fit(self, size: tuple[int, int]) -> tuple[moderngl.Framebuffer, moderngl.Sampler]:
        if self._target is None or self._target.size != size:
            for thing in (self._target, self._picture):
                if thing is not None:
                    thing.release()
            self._picture = self._context.texture(size, 4)
            self._picture.repeat_x = self._picture.repeat_y = False
            self._target = self._context.framebuffer([self._picture])
        if self._nearest is None:
            self._nearest = self._context.sampler(
                repeat_x=False, repeat_y=False, filter=(moderngl.NEAREST, moderngl.NEAREST)
            )
        return self._target, self._nearest

    def _program(self, kinds: tuple[str, ...]) -> tuple[moderngl.Program, moderngl.VertexArray]:
        if kinds not in self._programs:
            program = self._context.program(
                vertex_shader=shader("compose.vert"), fragment_shader=shader("mix.frag", *kinds)
            )
            self._programs[kinds] = program, self._context.vertex_array(program, [])
        return self._programs[kinds]


def _kinds(which: str, picture: StyledPicture, image: Styled) -> list[str]:
    """How it is read, as in the shader."""
    found = [f"{which}_PLANAR"] if picture.planar else []
    return [*found, f"{which}_BOTTOM_UP"] if image.bottom_up else found
