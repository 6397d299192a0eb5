"""Over a whole monitor of a Wayland desktop with layers (wlroots' compositors, KDE): for native
games in full screen, whose clicks and keys go through. X11 games have the better overlay.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, final

import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import IDLE, InputState, Rect, UiEvent
from stylizer.hotkeys import Action
from stylizer.present.layer_surface import LayerSurface
from stylizer.present.terminal_keys import TerminalKeys
from stylizer.present.wayland_keys import WaylandKeys
from stylizer.settings import Settings
from stylizer.stages import Presenter
from stylizer.system.gl import read_rgb
from stylizer.system.remote import RemoteKeys
from stylizer.system.wayland_gl import WaylandGl


@final
class LayerPresenter(Presenter):
    """A `Presenter` as big as the monitor in use, whatever `size` says.

    Raises BadInput where the desktop has no layers, StylizerError without Wayland or OpenGL 3.3.
    """

    present_name = "layer"

    def __init__(self, settings: Settings, size: tuple[int, int]) -> None:
        self._surface = LayerSurface()
        try:
            display, surface = self._surface.display.pointer, self._surface.surface.pointer
            assert display is not None, "it was connected just now"
            self._gl = WaylandGl(display, surface, self._surface.size)
            self._remote, self._terminal = RemoteKeys(), TerminalKeys()
        except BaseException:
            self._surface.close()
            raise
        self.context = self._gl.context
        self.framebuffer = self.context.screen
        self.size = (0, 0)
        self._follow_size()
        self.is_open, self._shown = True, False
        self._area: Rect | None = None
        self._parts: tuple[Rect, ...] | None = None  # that are seen; None: all
        self._notices = [self._remote.why] if self._remote.why else []
        if self._terminal.listens:
            self._notices.append("Escape twice in this terminal ends the overlay")
        self._global_keys = dict(settings.global_keys)
        self._keys: WaylandKeys | None = None  # asked for by the first `poll`
        self.reason = "wayland, a layer over the monitor, clicks and keys go through"

    def poll(self) -> list[Action]:
        """What was asked for from outside since the last call; a monitor that is gone is "quit"."""
        self._surface.display.read()
        self._follow_size()
        if self._keys is None:
            self._keys = WaylandKeys(self._global_keys)
        actions = self._remote.actions() + self._keys.actions()
        self._notices += self._keys.take_notices()
        self.hidden = self._keys.asks and not self._shown
        if self._terminal.ended() or self._surface.is_closed:
            actions.append(Action("quit"))
        return [action for action in actions if action.name != "fullscreen"]

    def inputs(self) -> InputState:
        """No key and no mouse is ours."""
        return IDLE

    def present(self) -> None:
        """Hand it over; waits for nobody. What is to be seen of it is opaque, whatever was drawn.
        Nothing while the desktop asks for our keys: its dialog would lie below."""
        if self.hidden:
            return
        self._shown = True
        self.framebuffer.color_mask = (False, False, False, True)
        self.framebuffer.clear(alpha=1.0)
        self.framebuffer.color_mask = (True, True, True, True)
        if self._parts is not None:
            for rest in beside(self._parts, self.size):
                self._clear(rest)
        self._gl.swap()

    def show_parts(self, areas: Sequence[Rect] | None) -> None:
        """The game itself is seen beside these parts of the picture."""
        self._parts = None if areas is None else tuple(areas)

    def read_back(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB of what was drawn since the last `present`, row 0 on top."""
        pixels = read_rgb(self.framebuffer)
        _ = self.context.error  # as in window.py: a window has no color attachment 0
        return pixels

    def take_notices(self) -> list[str]:
        """How it is controlled, and what has changed in that."""
        notices, self._notices = self._notices, []
        return notices

    @property
    def key_names(self) -> Mapping[str, str]:
        """The keys that the desktop gave, and what does the same where it gave none."""
        return {} if self._keys is None else self._keys.names

    def rebind(self, keys: dict[str, str], global_keys: dict[str, str]) -> None:
        """Other keys from now on, as in settings.global_keys."""
        self._global_keys = dict(global_keys)
        if self._keys is not None:
            self._keys.rebind(self._global_keys)

    def show_panel(self, area: Rect | None, typing: bool, waits_for_key: bool) -> None:
        """The mouse is ours over the open panel; the keyboard never is."""
        if area != self._area:
            self._area = area
            self._surface.take_mouse(area)

    def take_ui_events(self) -> list[UiEvent]:
        """What the mouse did over the open panel since the last call."""
        return self._surface.take_events()

    def close(self) -> None:
        """Take it off the screen; may be called twice."""
        if self.is_open:
            self.is_open = False
            self._remote.close()
            if self._keys is not None:
                self._keys.close()
            self._terminal.close()
            self.context.release()
            self._gl.close()
            self._surface.close()

    def _clear(self, area: Rect) -> None:
        """Nothing of the picture is seen there. OpenGL counts rows from below."""
        below = self.size[1] - area.y - area.height
        self.framebuffer.clear(viewport=(area.x, below, area.width, area.height))

    def _follow_size(self) -> None:
        """moderngl keeps the size that the screen had at the start: tell it of another."""
        self.scale = float(self._surface.scale)
        if self._surface.size == self.size:
            return
        if min(self._surface.size) < 1:
            raise StylizerError("the compositor gave the overlay no place: is a monitor on?")
        self.size = self._surface.size
        self._gl.resize(self.size)
        screen: Any = self.framebuffer
        screen._size = self.size
        self.framebuffer.viewport = (0, 0, *self.size)


def beside(parts: Sequence[Rect], size: tuple[int, int]) -> list[Rect]:
    """What these parts leave of a picture of `size`, in rectangles that do not overlap."""
    width, height = size
    sides = {y for part in parts for y in (part.y, part.y + part.height)}
    rows = sorted({0, height, *(y for y in sides if 0 < y < height)})
    left: list[Rect] = []
    for top, bottom in pairwise(rows):
        x = 0
        for part in sorted(parts, key=lambda part: part.x):
            if part.y <= top and bottom <= part.y + part.height:
                if part.x > x:
                    left.append(Rect(x, top, part.x - x, bottom - top))
                x = max(x, part.x + part.width)
        if x < width:
            left.append(Rect(x, top, width - x, bottom - top))
    return left
