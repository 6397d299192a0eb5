"""Holds the styled picture still where its source stands still; one pass a new pair.

Temporal blending gated by the source, as temporal anti-aliasing does it (Karis 2014), without
motion vectors: what moved takes the new picture at once, so nothing trails and nothing is delayed.
"""

from __future__ import annotations

from typing import Literal

import moderngl
import numpy as np

from stylizer.frame import Frame
from stylizer.system.resources import shader

CUT = 32  # mean change of the source, in 255ths, that is no motion but another scene
SAMPLE = 24  # every so many pixels are looked at for a cut
MOST = 0.95  # with more, what was let go by mistake would stay for seconds


class Stabilizer:
    """Two pictures in turn: the last steady one and the one being drawn. GL thread only.

    8 bits a channel: a change that would move a value by less than half a step stops there, so
    that small noise is not followed at all.
    """

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._targets: list[moderngl.Framebuffer] = []
        self._pictures: list[moderngl.Texture] = []
        self._programs: dict[str, tuple[moderngl.Program, moderngl.VertexArray]] = {}
        self._nearest = context.sampler(
            repeat_x=False, repeat_y=False, filter=(moderngl.NEAREST, moderngl.NEAREST)
        )
        self._sample: np.ndarray | None = None
        self._fresh = True  # nothing to keep yet

    def reset(self) -> None:
        """Forget the last picture: another model, another source."""
        self._fresh = True

    def draw(
        self,
        frame: Frame,
        size: tuple[int, int],
        kind: Literal["", "PLANAR", "BOTTOM_UP"],
        units: tuple[int, int, int],
        keep: float,
    ) -> None:
        """Draw the pair bound to texture units (source, styled), both of `size`, over the last
        picture, which is bound to the third; `picture` is the result. kind: of the styled one, as
        in the shader. `keep`: 0..1, kept a frame where it is still.
        """
        self._fit(size)
        cut = self._is_cut(frame)
        program, vertices = self._program(kind)
        source, styled, before = units
        self._pictures[0].use(before)
        program["source_picture"], program["styled_picture"] = source, styled
        program["before"] = before
        program["size"] = size
        program["keep"] = 0.0 if self._fresh or cut else min(keep, MOST)
        bound = self._context.fbo
        self._targets[1].use()
        self._context.enable_only(moderngl.NOTHING)
        for unit in units:
            self._nearest.use(unit)
        vertices.render(moderngl.TRIANGLES, vertices=3)
        for unit in units:
            self._nearest.clear(unit)
        bound.use()
        self._pictures.reverse()
        self._targets.reverse()
        self._fresh = False

    @property
    def picture(self) -> moderngl.Texture:
        """What `draw` drew last, bottom row first: RGB, and in alpha the source's luma."""
        return self._pictures[0]

    def copy_to(self, framebuffer: moderngl.Framebuffer) -> None:
        """Put the picture onto a framebuffer of its size: 0.4 ms on llvmpipe, a pass takes 2."""
        self._context.copy_framebuffer(framebuffer, self._targets[0])

    def release(self) -> None:
        """Free everything; may be called twice."""
        for thing in (*self._targets, *self._pictures, self._nearest):
            thing.release()
        for program, vertices in self._programs.values():
            vertices.release()
            program.release()
        self._targets, self._pictures, self._programs = [], [], {}

    def _fit(self, size: tuple[int, int]) -> None:
        if self._pictures and self._pictures[0].size == size:
            return
        for thing in (*self._targets, *self._pictures):
            thing.release()
        self._pictures = [self._context.texture(size, 4) for _ in range(2)]
        for picture in self._pictures:
            picture.repeat_x = picture.repeat_y = False
        self._targets = [self._context.framebuffer([picture]) for picture in self._pictures]
        self._fresh = True

    def _is_cut(self, frame: Frame) -> bool:
        if frame.drawn is not None:
            sample = frame.drawn.luma.astype(np.int16)
        else:
            sample = frame.pixels[::SAMPLE, ::SAMPLE, 1].astype(np.int16)
        before, self._sample = self._sample, sample
        if before is None or before.shape != sample.shape:
            return True
        return float(np.abs(sample - before).mean()) > CUT

    def _program(self, kind: str) -> tuple[moderngl.Program, moderngl.VertexArray]:
        if kind not in self._programs:
            program = self._context.program(
                vertex_shader=shader("compose.vert"),
                fragment_shader=shader("stabilize.frag", *[kind] * bool(kind)),
            )
            self._programs[kind] = program, self._context.vertex_array(program, [])
        return self._programs[kind]
