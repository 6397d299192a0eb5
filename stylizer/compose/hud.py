"""The HUD over the picture: frame rates, frame-time graph, stages, F1 help, messages.

Dear ImGui and ImPlot lay it out (hud_layout.py). That is done ten times a second at most, with
numbers that change four times a second so that they can be read; between, the triangles that lie
on the GPU are drawn again.
"""

from __future__ import annotations

import time
from dataclasses import replace

import moderngl
from imgui_bundle import ImVec2, imgui, implot

from stylizer.compose.hud_layout import lay_out
from stylizer.compose.hud_values import HudData
from stylizer.compose.imgui_renderer import ImguiRenderer
from stylizer.compose.pen import Fonts

LAYOUT_PERIOD_S = 0.1
NUMBERS_PERIOD_S = 0.25

__all__ = ["Hud", "HudData"]


class Hud:
    """Draws HudData over a framebuffer. One GL context, one thread.

    scale: pixels a 1/96 inch (1.0 at 96 DPI); may be changed at any time.
    """

    def __init__(self, context: moderngl.Context, scale: float) -> None:
        self.scale = scale
        self._imgui = imgui.create_context()
        imgui.set_current_context(self._imgui)
        self._implot = implot.create_context()
        self._use_contexts()
        io = imgui.get_io()
        io.set_ini_filename("")  # nothing of the layout is the user's to keep
        io.set_log_filename("")
        self._style()
        self._fonts = Fonts.load()
        self._renderer: ImguiRenderer | None = ImguiRenderer(context)
        self._numbers: HudData | None = None  # as shown, at most NUMBERS_PERIOD_S old
        self._numbers_at = self._laid_out_at = float("-inf")
        self._laid_out: tuple[object, ...] | None = None
        self.layouts = 0  # made so far

    def draw(self, framebuffer: moderngl.Framebuffer, data: HudData) -> None:
        """Draw over what the framebuffer holds; nothing when there is nothing to show."""
        if self._renderer is None or (
            data.mode == "off" and not data.show_help and not data.message
        ):
            return
        now = time.perf_counter()
        # What must follow the user at once; the rest waits for the next layout.
        state = (
            framebuffer.size, self.scale, data.mode, data.show_help, data.message, data.model,
            data.provider, data.recording,
        )  # fmt: skip
        if state != self._laid_out or now - self._laid_out_at >= LAYOUT_PERIOD_S:
            if self._numbers is None or state != self._laid_out or self._numbers_are_old(now):
                self._numbers, self._numbers_at = data, now
            shown = replace(self._numbers, frame_time_ms=data.frame_time_ms)
            self._lay_out(shown, framebuffer.size, self._renderer)
            self._laid_out, self._laid_out_at = state, now
        self._renderer.draw(framebuffer)

    def release(self) -> None:
        """Free everything; may be called twice."""
        if self._renderer is not None:
            self._use_contexts()
            self._renderer.release()
            self._renderer = None
            implot.destroy_context(self._implot)
            imgui.destroy_context(self._imgui)

    def _numbers_are_old(self, now: float) -> bool:
        return now - self._numbers_at >= NUMBERS_PERIOD_S

    def _lay_out(self, data: HudData, size: tuple[int, int], renderer: ImguiRenderer) -> None:
        self._use_contexts()
        io = imgui.get_io()
        io.display_size = ImVec2(*size)
        io.delta_time = LAYOUT_PERIOD_S
        imgui.new_frame()
        lay_out(data, self._fonts, self.scale, size)
        imgui.render()
        renderer.take(imgui.get_draw_data())
        self.layouts += 1

    def _use_contexts(self) -> None:
        imgui.set_current_context(self._imgui)
        implot.set_current_context(self._implot)

    def _style(self) -> None:
        """Of the plot; everything else is drawn by the layout itself."""
        imgui.get_style().window_border_size = 0.0
        style = implot.get_style()
        style.plot_border_size = 0.0
        style.plot_min_size = ImVec2(40, 30)
        for part in (implot.Col_.frame_bg, implot.Col_.plot_bg, implot.Col_.plot_border):
            style.set_color_(part, (0.0, 0.0, 0.0, 0.0))
        style.set_color_(implot.Col_.axis_text, (0.64, 0.68, 0.74, 1.0))
        style.set_color_(implot.Col_.axis_grid, (1.0, 1.0, 1.0, 0.10))
