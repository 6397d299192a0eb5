"""The ways to compile compose.frag, each compiled when it is first drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import moderngl

from stylizer.system.resources import shader

Shows = Literal["SOURCE", "STYLED", "BLEND"]


@dataclass(frozen=True)
class Variant:
    """One way to compile compose.frag; its flags are explained there."""

    shows: Shows
    exact: bool
    planar: bool
    small: bool
    bottom_up: bool
    detail: bool
    masked: bool
    tinted: bool

    def defines(self) -> list[str]:
        flags = {"EXACT": self.exact, "PLANAR": self.planar}
        flags |= {"SMALL": self.small, "BOTTOM_UP": self.bottom_up, "DETAIL": self.detail}
        flags |= {"MASKED": self.masked, "TINTED": self.tinted}
        return [self.shows, *(name for name, on in flags.items() if on)]


class Programs:
    """Compiled variants of one GL context."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._made: dict[Variant, tuple[moderngl.Program, moderngl.VertexArray]] = {}

    def get(self, variant: Variant) -> tuple[moderngl.Program, moderngl.VertexArray]:
        """The program, and the vertex array that draws with it."""
        if variant not in self._made:
            program = self._context.program(
                vertex_shader=shader("compose.vert"),
                fragment_shader=shader("compose.frag", *variant.defines()),
            )
            self._made[variant] = program, self._context.vertex_array(program, [])
        return self._made[variant]

    def release(self) -> None:
        """Free them; may be called twice."""
        for program, vertices in self._made.values():
            vertices.release()
            program.release()
        self._made.clear()
