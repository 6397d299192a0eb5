"""The panel (F2): what a mouse can change while a run goes on.

Dear ImGui lays it out into a picture of its own: at once when the user does something or what is
chosen changes, else four times a second for the figures. Each frame only copies that picture, which
in software GL takes a tenth of drawing its triangles. Nothing exists until it is opened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import moderngl
import numpy as np
from imgui_bundle import imgui

from stylizer.compose.imgui_surface import ImguiSurface, without_passed_places
from stylizer.compose.panel_canvas import lay_out_canvas
from stylizer.compose.panel_layout import fitting_scale, lay_out_panel
from stylizer.compose.panel_theme import GROUND, dress
from stylizer.compose.panel_ui import Memory, Ui
from stylizer.compose.panel_values import Change, PanelFigures, PanelState
from stylizer.compose.thumbnails import Thumbnails
from stylizer.frame import Rect, UiEvent
from stylizer.system.resources import shader

FIGURES_PERIOD_S = 0.25
_UNIT = 0
_FRAME = "frame"
_MODIFIERS = ("shift", "ctrl", "alt", "super", "meta")


class Panel:
    """Takes events and values, gives changes, and draws itself. One GL context, one thread.

    area: where it lies in the window, in pixels; scale: of its user interface. typing: it wants the
    keyboard, for a text or for a new key; waits_for_key: for the latter.
    """

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._surface = ImguiSurface(context)
        self._surface.use()
        imgui.get_io().config_windows_move_from_title_bar_only = True
        self._program = context.program(
            vertex_shader=shader("compose.vert"), fragment_shader=shader("panel.frag")
        )
        self._program["panel"] = _UNIT
        self._vertices = context.vertex_array(self._program, [])
        self._own: tuple[moderngl.Texture, moderngl.Framebuffer] | None = None  # painted into
        self._memory = Memory()
        self._thumbnails = Thumbnails(context, self._surface.renderer)
        self._frozen: Thumbnails | None = None  # one picture, of the frame that is drawn on
        self.scale = 0.0
        self._laid_out: tuple[object, ...] = ()
        self._at = self._figures_at = float("-inf")
        self._figures = PanelFigures()
        self.area = Rect(0, 0, 1, 1)
        self.typing = False

    @property
    def waits_for_key(self) -> bool:
        return bool(self._memory.waiting)

    def picture(self, style: str, pixels: np.ndarray) -> None:
        """The thumbnail of a style: uint8 (height, width, 3) RGB."""
        self._thumbnails.put(style, pixels)
        self._laid_out = ()

    def freeze(self, pixels: np.ndarray | None) -> None:
        """Show this frame, uint8 (height, width, 3) RGB, under the panel to draw masks on; None:
        the picture moves again. Meanwhile the whole window is the panel's `area`."""
        if self._frozen is not None:
            self._frozen.release()
            self._frozen = None
        if pixels is None:
            self._memory.tool, self._memory.corners = "", []
        else:
            self._frozen = Thumbnails(self._context, self._surface.renderer)
            self._frozen.put(_FRAME, pixels)
        self._laid_out = ()

    def update(
        self,
        events: Sequence[UiEvent],
        state: PanelState,
        figures: Callable[[], PanelFigures],
        size: tuple[int, int],
        scale: float,
    ) -> list[Change]:
        """Take what the user did since the last call; what is to be changed by it.

        Each event has a layout of its own, so that a click whose press and release come together is
        one. size: (width, height) of the window in pixels; scale: of the user interface.
        """
        now, scale = time.perf_counter(), fitting_scale(scale, size)
        changes: list[Change] = []
        for event in without_passed_places(events):
            changes += self._take(event)
            changes += self._lay_out(state, size, scale, now)
        key = (state, size, scale)
        if now - self._figures_at >= FIGURES_PERIOD_S:
            self._figures, self._figures_at = figures(), now
            self._laid_out = ()
        # Once more after an event: a widget that was let go looks so one layout later.
        if events or key != self._laid_out:
            changes += self._lay_out(state, size, scale, now)
            self._laid_out = key
            self._paint(size)
        return changes

    def draw(self, framebuffer: moderngl.Framebuffer) -> None:
        """Over what the framebuffer holds, of the size that `update` was told."""
        if self._own is None or self._own[0].size != framebuffer.size:
            return
        a, height = self.area, framebuffer.height
        framebuffer.use()
        self._context.enable_only(moderngl.NOTHING)
        framebuffer.viewport = (a.x, height - a.y - a.height, a.width, a.height)
        self._own[0].use(_UNIT)
        self._vertices.render(moderngl.TRIANGLES, vertices=3)
        framebuffer.viewport = (0, 0, *framebuffer.size)

    def release(self) -> None:
        """Free everything; may be called twice."""
        self._thumbnails.release()
        if self._frozen is not None:
            self._frozen.release()
            self._frozen = None
        self._surface.release()
        self._release_own()
        self._vertices.release()
        self._program.release()

    def _take(self, event: UiEvent) -> list[Change]:
        if event.kind == "key" and event.down and self._memory.waiting:
            action, self._memory.waiting = self._memory.waiting, ""
            if event.text == "escape":
                return []
            if event.text.rpartition("+")[2].removeprefix("left ").removeprefix("right ") in (
                _MODIFIERS
            ):  # the key that it belongs to is still to come
                self._memory.waiting = action
                return []
            return [Change("key", (action, event.text))]
        self._surface.take(event)
        return []

    def _lay_out(
        self, state: PanelState, size: tuple[int, int], scale: float, now: float
    ) -> list[Change]:
        self._surface.use()
        if scale != self.scale:
            self.scale = scale
            dress(scale)
        pictures = self._thumbnails.references()
        ui = Ui(state, self._figures, pictures, self._surface.fonts, scale, self._memory)

        def draw() -> None:
            frozen = None if self._frozen is None else self._frozen.get(_FRAME)
            if frozen is not None:
                lay_out_canvas(ui, frozen[1], frozen[0], size)
            area = lay_out_panel(ui, size)
            self.area = area if frozen is None else Rect(0, 0, *size)

        # A key that is held repeats by ImGui's own clock; at least 1 ms, which it insists on.
        seconds, self._at = min(0.25, max(0.001, now - self._at)), now
        said = state, self._figures.target_text, self._memory
        self._surface.lay_out(size, seconds, draw, said)
        self.typing = imgui.get_io().want_text_input or self.waits_for_key
        return ui.changes

    def _paint(self, size: tuple[int, int]) -> None:
        """The triangles into the picture that is copied from now on."""
        before = self._context.fbo
        if self._own is None or self._own[0].size != size:
            self._release_own()
            texture = self._context.texture(size, 4)
            self._own = texture, self._context.framebuffer([texture])
        self._own[1].use()
        self._own[1].clear(*GROUND)
        self._surface.renderer.draw(self._own[1])
        before.use()

    def _release_own(self) -> None:
        if self._own is not None:
            for thing in reversed(self._own):
                thing.release()
            self._own = None
