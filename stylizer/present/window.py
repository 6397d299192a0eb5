"""The live window: pygame-ce gives it an OpenGL 3.3 core context, resizable and fullscreen.

pygame.display rather than pygame.Window, which cannot ask for vsync. Since SDL 2 neither a resize
nor fullscreen makes a new context.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame

from stylizer.errors import BadInput, StylizerError, one_sentence
from stylizer.frame import InputState, Rect, UiEvent
from stylizer.hotkeys import Action
from stylizer.present import desktop
from stylizer.present.global_keys import GlobalKeys, keysym
from stylizer.present.keyboard import place_of
from stylizer.present.sdl import open_display, open_window, sdl_hint
from stylizer.present.user_input import UserInput
from stylizer.settings import Settings
from stylizer.stages import Presenter
from stylizer.system import own_windows
from stylizer.system.gl import attach_context, leave_egl, read_rgb
from stylizer.system.remote import RemoteKeys
from stylizer.system.x11 import Display

if TYPE_CHECKING:
    from stylizer.present.session_keys import SessionKeys

MINIMIZING = {
    pygame.WINDOWMINIMIZED: True,
    pygame.WINDOWRESTORED: False,
    pygame.WINDOWMAXIMIZED: False,
    pygame.WINDOWEXPOSED: False,
}


class WindowPresenter(Presenter):
    """A `Presenter` in a window titled "stylizer".

    size: (width, height) of the window's inside in pixels. Of `settings` it reads keys, fullscreen,
    grab_keys, global_keys and provider. Raises StylizerError without a display or without OpenGL
    3.3, BadInput for global keys that cannot be.
    """

    present_name = "window"
    _flags = pygame.OPENGL | pygame.RESIZABLE | pygame.DOUBLEBUF

    def __init__(self, settings: Settings, size: tuple[int, int]) -> None:
        driver, vsync = self._open(size, shares_textures=settings.provider == "gl")
        pygame.key.stop_text_input()  # keys are commands here: no input method, no accent menu
        self.is_open = True
        self.exposed = False  # another window lay over it: it must be drawn again
        self.minimized = False  # nobody sees it: nothing need be styled
        self._handle = int(pygame.display.get_wm_info().get("window", 0))
        self._user = UserInput(settings.keys)
        self._driver = driver
        self._lay_out_keys()
        self._notices: list[str] = []
        self._remote = RemoteKeys()
        if self._remote.why:
            self._notices.append(self._remote.why)
        self._dropped: list[str] = []
        self._global_keys: GlobalKeys | SessionKeys | None = None
        self._global_names = settings.global_keys if settings.grab_keys else None
        if self._global_names is not None:
            self._grab_keys(self._global_names)
        # SDL's fullscreen is a request to the window manager: without one we place the window.
        self._managed = driver != "x11" or desktop.window_manager_runs()
        self._windowed: tuple[int, int, int, int] | None = None  # None: not fullscreen
        self.scale = desktop.ui_scale(driver, self._handle)
        self.reason = f"{driver}, {'vsync' if vsync else 'no vsync: the display refused it'}"
        self.framebuffer = self.context.screen
        self.size = (0, 0)
        self._follow_size()
        if settings.fullscreen:
            self.toggle_fullscreen()

    def window_place(self) -> Rect | None:
        """Asked of the server each time."""
        if self._driver != "x11" or not self._handle:
            return None
        display = Display()
        try:
            return Rect(*display.place(self._handle), *self.size)
        finally:
            display.close()

    def _open(self, size: tuple[int, int], shares_textures: bool) -> tuple[str, bool]:
        """Window and context: (SDL's driver, whether there is vsync). Raises StylizerError."""
        # The shaders' context shares textures through EGL; else SDL takes what is usual.
        egl = "1" if shares_textures else None
        with sdl_hint("SDL_VIDEO_X11_FORCE_EGL", egl):
            driver = open_display()
        leave_egl()
        try:
            with sdl_hint("SDL_VIDEO_X11_FORCE_EGL", egl):
                vsync = open_window(size, self._flags)
            self.name("")  # a refused vsync loses title and icon set before
            pygame.display.set_icon(pygame.image.load(Path(__file__).with_name("icon.png")))
            self.context = attach_context()
        except Exception as error:  # moderngl raises bare Exceptions
            pygame.display.quit()
            why = one_sentence(error).rstrip(".")
            raise StylizerError(
                f"no OpenGL 3.3 window ({why}): install or update the graphics "
                "driver, or use --present offscreen"
            ) from error
        return driver, vsync

    def poll(self) -> list[Action]:
        """Handle events: what the user asked for since the last call.

        "fullscreen" is done here and not reported; closing the window is reported as "quit".
        """
        actions: list[Action] = []
        self.exposed = False
        for event in self._events():
            self.exposed |= event.type == pygame.WINDOWEXPOSED
            if event.type == pygame.DROPFILE:
                self._dropped.append(event.file)
            if event.type in MINIMIZING:
                self.minimized = MINIMIZING[event.type]
            if event.type == pygame.KEYMAPCHANGED:
                self._lay_out_keys()
            if event.type in (pygame.QUIT, pygame.WINDOWCLOSE):
                actions.append(Action("quit"))
            else:
                actions += self._user.actions(event)
        actions += self._remote.actions()
        if self._global_keys is not None:
            actions += self._global_keys.actions()
            self._notices += self._global_keys.take_notices()
        for action in actions:
            if action.name == "fullscreen":
                self.toggle_fullscreen()
        self._follow_size()
        return [action for action in actions if action.name != "fullscreen"]

    def _events(self) -> list[pygame.Event]:
        try:
            return pygame.event.get()
        except SystemError:  # pygame could not decode it; what came with it is lost
            self._notices.append(
                "a file was dropped whose name is not UTF-8, which cannot be taken: rename it"
            )
            return []

    @property
    def key_names(self) -> Mapping[str, str]:
        """Keys that work, where they are not as they are bound: "altgr+8" for "["."""
        return self._user.names

    def take_notices(self) -> list[str]:
        """What the user should read since the last call: keys that could not be had."""
        notices, self._notices = self._notices, []
        return notices

    def take_dropped(self) -> list[str]:
        """Paths of the files that were dropped on the window since the last call."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def inputs(self) -> InputState:
        """Camera input since the last call: WASD and arrows, E and Q, the mouse while its right
        button is held."""
        return self._user.inputs()

    def present(self) -> None:
        """Swap the buffers; waits for the display with vsync."""
        pygame.display.flip()

    def read_back(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB of what was drawn since the last `present`, row 0 on top.

        Call it before `present`: the back buffer's content is undefined after a swap.
        """
        pixels = read_rgb(self.framebuffer)
        # moderngl reads color attachment 0, which a window's framebuffer has not: OpenGL reads the
        # back buffer as wished but notes an error, which would be blamed on a later call.
        _ = self.context.error
        return pixels

    def toggle_fullscreen(self) -> None:
        """Cover the desktop, or go back to the window."""
        if self._windowed is not None:
            back, self._windowed = self._windowed, None
            self._place(back)
        else:
            x, y = pygame.display.get_window_position()
            self._windowed = (x, y, self.size[0], self.size[1])
            width, height = pygame.display.get_desktop_sizes()[0]
            self._place((0, 0, width, height))

    def close(self) -> None:
        """Close the window and free its context; may be called twice."""
        if self.is_open:
            self.is_open = False
            self._remote.close()
            if self._global_keys is not None:
                self._global_keys.close()
            self.context.release()
            pygame.display.quit()

    def take_ui_events(self) -> list[UiEvent]:
        """What mouse and keyboard did since the last call, while the panel is open."""
        return self._user.take_ui_events()

    def show_panel(self, area: Rect | None, typing: bool, waits_for_key: bool) -> None:
        """Told each turn: where the panel lies, None while it is closed, and whether the keyboard
        is its own: for a text, or for a new key."""
        user = self._user
        if typing != user.typing:
            (pygame.key.start_text_input if typing else pygame.key.stop_text_input)()
            # What is grabbed would never come to us as the new key.
            if self._global_names is not None and waits_for_key != (self._global_keys is None):
                self._let_keys_go() if waits_for_key else self._grab_keys(self._global_names)
        user.show_panel(area, typing)

    def show_hud(self, area: Rect | None) -> None:
        """Told each turn where the HUD's figures lie, which the left button drags."""
        self._user.hud = area

    def take_hud_drag(self) -> tuple[float, float]:
        """By how many pixels they were dragged since the last call."""
        return self._user.take_hud_drag()

    def name(self, words: str) -> None:
        """What the window's title says beside "stylizer", which stands last as is usual."""
        pygame.display.set_caption(own_windows.title(words))

    def rebind(self, keys: dict[str, str], global_keys: dict[str, str]) -> None:
        """Other keys from now on, as in settings.keys and settings.global_keys."""
        self._user.bind(keys)
        self._lay_out_keys()
        if self._global_names is not None:
            self._global_names = global_keys
            if self._global_keys is not None:
                self._let_keys_go()
                self._grab_keys(global_keys)

    def _let_keys_go(self) -> None:
        if self._global_keys is not None:
            self._global_keys.close()
            self._global_keys = None

    def _lay_out_keys(self) -> None:
        """Find the signs that lie elsewhere on this keyboard; known on X11 only."""
        if self._driver != "x11":
            return
        display = Display()
        try:
            self._user.lay_out(lambda sign: place_of(display, keysym(sign)))
        finally:
            display.close()

    def _grab_keys(self, global_keys: dict[str, str]) -> None:
        try:
            self._global_keys = self._held_keys(global_keys)
        except BaseException:
            self.close()
            raise

    def _held_keys(self, global_keys: dict[str, str]) -> GlobalKeys | SessionKeys:
        """How keys reach us from everywhere here."""
        x11, wayland = self._driver == "x11", bool(os.environ.get("WAYLAND_DISPLAY"))
        if sys.platform.startswith("linux") and wayland:
            from stylizer.present.session_keys import SessionKeys

            return SessionKeys(global_keys, x11)
        if not x11:
            raise BadInput(f"global keys work on X11 and Wayland only, not on {self._driver}")
        return GlobalKeys(global_keys)

    def _place(self, place: tuple[int, int, int, int]) -> None:
        if self._managed:
            pygame.display.toggle_fullscreen()
        else:
            desktop.move_resize(self._handle, *place)

    def _follow_size(self) -> None:
        """moderngl keeps the size that the screen had at the start: tell it of a resize."""
        width, height = pygame.display.get_window_size()
        if (width, height) == self.size or min(width, height) < 1:  # minimized on Windows: 0x0
            return
        self.size = width, height
        screen: Any = self.framebuffer
        screen._size = self.size
        self.framebuffer.viewport = (0, 0, width, height)
