"""Over the game: a borderless window that lets clicks and keys through, X11 only.

Override-redirect, so that no window manager frames, focuses or stacks it; an empty XShape input
region, so that the pointer finds the game. A managed window that is kept above does not let clicks
through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

import pygame

from stylizer.frame import Rect
from stylizer.hotkeys import Action
from stylizer.present.global_keys import GlobalKeys
from stylizer.present.over_window import OverWindow
from stylizer.present.sdl import sdl_hint
from stylizer.present.terminal_keys import TerminalKeys
from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings


@final
class OverlayPresenter(WindowPresenter):
    """A `Presenter` that lies over the window told by `follow`, and only over that one.

    It is on the screen from the first picture presented, while that window is; it never has the
    keyboard, so its keys are the global ones. Raises as WindowPresenter does.
    """

    present_name = "overlay"
    # Hidden: without a manager SDL gives a window that it shows the keyboard. We map it ourselves.
    _flags = pygame.OPENGL | pygame.DOUBLEBUF | pygame.NOFRAME | pygame.HIDDEN

    def __init__(self, settings: Settings, size: tuple[int, int]) -> None:
        self._over: OverWindow | None = None
        self._terminal: TerminalKeys | None = None
        self.hidden = True  # nothing on the screen to lie over: the game is minimized or closed
        settings = replace(settings, grab_keys=True)
        with (
            sdl_hint("SDL_VIDEODRIVER", "x11"),
            sdl_hint("SDL_X11_FORCE_OVERRIDE_REDIRECT", "1"),
        ):
            super().__init__(settings, size)
        try:
            self._over = OverWindow(self._handle)
            self._terminal = TerminalKeys()
        except BaseException:
            self.close()
            raise
        if self._terminal.listens:
            self._notices.append("Escape twice in this terminal ends the overlay")
        self.reason += ", over the game's window, clicks and keys go through"

    def follow(self, window_id: int) -> None:
        """Lie over this window from now on, and go where it goes; 0 for none."""
        if self._over is not None:
            self._over.follow(window_id)
            self.hidden = not self._over.target_visible

    def show_panel(self, area: Rect | None, typing: bool, waits_for_key: bool) -> None:
        """The mouse is ours only while the panel is open, over it and the HUD's figures beside it;
        the keyboard while something is typed, or a game holds the mouse, which it lets go with
        it."""
        if self._over is not None:
            hud = () if self._user.hud is None else (self._user.hud,)
            self._over.take_mouse(() if area is None else (area, *hud))
            wanted = typing or self._over.mouse_is_held
            self._over.take_keyboard(wanted and area is not None)
        super().show_panel(area, typing, waits_for_key)

    def show_parts(self, areas: Sequence[Rect] | None) -> None:
        """The game itself is seen beside these parts of the picture."""
        if self._over is not None:
            self._over.show_parts(None if areas is None else tuple(areas))

    @property
    def key_names(self) -> Mapping[str, str]:
        """The global keys that work."""
        return {} if self._global_keys is None else self._global_keys.names

    def _held_keys(self, global_keys: dict[str, str]) -> GlobalKeys:
        """Those of X11 everywhere: the game is an X11 program, and it has the keyboard."""
        return GlobalKeys(global_keys)

    def poll(self) -> list[Action]:
        """As a window does, and what was pressed in the terminal."""
        actions = super().poll()
        # SDL takes our going off the screen for being minimized: no frame would come, nothing be
        # presented, and so nothing mapped ever again.
        self.minimized = self._over is not None and self._over.target_unseen
        if self._terminal is not None and self._terminal.ended():
            actions.append(Action("quit"))
        return actions

    def present(self) -> None:
        """Show what was drawn over the game; nothing while the game is not on the screen."""
        if self._over is not None and self._over.show():
            super().present()

    def toggle_fullscreen(self) -> None:
        """Nothing but a word about it: the overlay is as big as the game."""
        self._notices.append("the overlay is as big as the game: make the game itself fullscreen")

    def close(self) -> None:
        """Take it off the screen; may be called twice."""
        if self._over is not None:
            self._over.close()
            self._over, self.hidden = None, True
        if self._terminal is not None:
            self._terminal.close()
        super().close()
