"""The HUD over the picture: frame rates, frame-time graph, stages, F1 help, messages.

Dear ImGui and ImPlot lay it out (hud_layout.py). That is done ten times a second at most, with
numbers that change four times a second so that they can be read; between, the triangles that lie
on the GPU are drawn again.
"""

from __future__ import annotations

import time
from dataclasses import replace

import moderngl

from stylizer.compose.hud_layout import lay_out
from stylizer.compose.hud_values import HudData
from stylizer.compose.imgui_surface import ImguiSurface
from stylizer.frame import Rect

LAYOUT_PERIOD_S = 0.1
NUMBERS_PERIOD_S = 0.25

__all__ = ["Hud", "HudData"]


class Hud:
    """Draws HudData over a framebuffer. One GL context, one thread.

    scale: pixels a 1/96 inch (1.0 at 96 DPI); may be changed at any time.
    """

    def __init__(self, context: moderngl.Context, scale: float) -> None:
        self.scale = scale
        self._surface: ImguiSurface | None = ImguiSurface(context)
        self._numbers: HudData | None = None  # as shown, at most NUMBERS_PERIOD_S old
        self._numbers_at = self._laid_out_at = float("-inf")
        self._laid_out: tuple[object, ...] | None = None
        self.layouts = 0  # made so far
        # Of the figures in the window, in pixels, None where there are none; and of all of it.
        self.area: Rect | None = None
        self.covered: tuple[Rect, ...] = ()

    def draw(self, framebuffer: moderngl.Framebuffer, data: HudData) -> None:
        """Draw over what the framebuffer holds; nothing when there is nothing to show."""
        if self._surface is None or (
            data.mode == "off" and not data.show_help and not data.message
        ):
            self.clear()
            return
        now = time.perf_counter()
        # What must follow the user at once; the rest waits for the next layout.
        state = (
            framebuffer.size, self.scale, data.mode, data.corner, data.place, data.show_help,
            data.message, data.covered, data.model, data.provider, data.recording,
        )  # fmt: skip
        if state != self._laid_out or now - self._laid_out_at >= LAYOUT_PERIOD_S:
            if self._numbers is None or state != self._laid_out or self._numbers_are_old(now):
                self._numbers, self._numbers_at = data, now
            shown = replace(self._numbers, frame_time_ms=data.frame_time_ms)
            self._lay_out(shown, framebuffer.size, self._surface)
            self._laid_out, self._laid_out_at = state, now
        self._surface.renderer.draw(framebuffer)

    def clear(self) -> None:
        """Nothing of it is drawn."""
        self.area, self.covered = None, ()

    def release(self) -> None:
        """Free everything; may be called twice."""
        if self._surface is not None:
            self._surface.release()
            self._surface = None

    def _numbers_are_old(self, now: float) -> bool:
        return now - self._numbers_at >= NUMBERS_PERIOD_S

    def _lay_out(self, data: HudData, size: tuple[int, int], surface: ImguiSurface) -> None:
        def draw() -> None:
            self.area, self.covered = lay_out(data, surface.fonts, self.scale, size)

        surface.lay_out(size, LAYOUT_PERIOD_S, draw, replace(data, frame_time_ms=()))
        self.layouts += 1
