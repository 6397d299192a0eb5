"""One Dear ImGui and ImPlot context with its fonts and renderer: the HUD has one, the panel too."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import moderngl
from imgui_bundle import ImVec2, imgui, implot

from stylizer.compose.imgui_renderer import ImguiRenderer
from stylizer.compose.more_fonts import MoreFonts
from stylizer.compose.pen import Fonts
from stylizer.frame import UiEvent

_KEYS = {
    "backspace": imgui.Key.backspace, "delete": imgui.Key.delete, "left": imgui.Key.left_arrow,
    "right": imgui.Key.right_arrow, "home": imgui.Key.home, "end": imgui.Key.end,
    "return": imgui.Key.enter, "enter": imgui.Key.keypad_enter, "escape": imgui.Key.escape,
    "tab": imgui.Key.tab,
}  # fmt: skip
_WITH_CTRL = {"a": imgui.Key.a, "z": imgui.Key.z, "y": imgui.Key.y}  # all, undo, redo
_HELD = {"ctrl": imgui.Key.mod_ctrl, "shift": imgui.Key.mod_shift}


class ImguiSurface:
    """Lays out a frame of ImGui and keeps its triangles on the GPU. One GL context, one thread."""

    def __init__(self, context: moderngl.Context) -> None:
        self._imgui = imgui.create_context()
        imgui.set_current_context(self._imgui)
        self._implot = implot.create_context()
        self.use()
        io = imgui.get_io()
        io.set_ini_filename("")  # nothing of the layout is the user's to keep
        io.set_log_filename("")
        io.config_input_trickle_event_queue = False  # one event a layout: see `feed`
        _style_plots()
        self.fonts = Fonts.load()
        self._more_fonts = MoreFonts(self.fonts)
        self.renderer = ImguiRenderer(context)
        self._open = True

    def use(self) -> None:
        """Make its contexts the current ones: several surfaces live side by side."""
        imgui.set_current_context(self._imgui)
        implot.set_current_context(self._implot)

    def lay_out(
        self, size: tuple[int, int], seconds: float, draw: Callable[[], None], said: object = ""
    ) -> None:
        """One frame of ImGui: `draw` puts everything into it. size: (width, height) in pixels of
        what it lies on; seconds: since the last one; said: values with all the text that is not
        ours, a window's title for example."""
        self.use()
        self._more_fonts.take(str(said))
        io = imgui.get_io()
        io.display_size = ImVec2(*size)
        io.delta_time = seconds
        imgui.new_frame()
        try:
            draw()
        except BaseException:  # Ctrl+C, too: that windows stay open is then no mistake of ours
            io.config_error_recovery_enable_debug_log = False
            io.config_error_recovery_enable_assert = False
            raise
        finally:
            imgui.render()
        self.renderer.take(imgui.get_draw_data())

    def take(self, event: UiEvent) -> None:
        """What the user did, for the next layout. One event a layout: a press and its release in
        the same one would be no click."""
        self.use()
        io = imgui.get_io()
        if event.kind == "move":
            io.add_mouse_pos_event(event.x, event.y)
        elif event.kind == "button":
            io.add_mouse_button_event(event.number, event.down)
        elif event.kind == "wheel":
            io.add_mouse_wheel_event(event.x, event.y)
        elif event.kind == "text":
            _hold(())  # with Ctrl held it would be no text
            io.add_input_characters_utf8(event.text)
        else:
            *held, name = event.text.split("+")
            known = _KEYS | _WITH_CTRL if "ctrl" in held or not event.down else _KEYS
            if name in known:
                _hold(held)
                io.add_key_event(known[name], event.down)

    def release(self) -> None:
        """Free everything; may be called twice."""
        if self._open:
            self._open = False
            self.use()
            self.renderer.release()
            implot.destroy_context(self._implot)
            imgui.destroy_context(self._imgui)


def _hold(held: Sequence[str]) -> None:
    """Of Ctrl and Shift these are held down, the others not."""
    for name, key in _HELD.items():
        imgui.get_io().add_key_event(key, name in held)


def without_passed_places(events: Sequence[UiEvent]) -> list[UiEvent]:
    """Of moves that follow each other only the last: a mouse tells 1,000 places a second."""
    following = [*events[1:], None] if events else []
    return [
        event
        for event, after in zip(events, following, strict=True)
        if after is None or event.kind != "move" or after.kind != "move"
    ]


def _style_plots() -> None:
    imgui.get_style().window_border_size = 0.0
    style = implot.get_style()
    style.plot_border_size = 0.0
    style.plot_min_size = ImVec2(40, 30)
    for part in (implot.Col_.frame_bg, implot.Col_.plot_bg, implot.Col_.plot_border):
        style.set_color_(part, (0.0, 0.0, 0.0, 0.0))
    style.set_color_(implot.Col_.axis_text, (0.64, 0.68, 0.74, 1.0))
    style.set_color_(implot.Col_.axis_grid, (1.0, 1.0, 1.0, 0.10))
