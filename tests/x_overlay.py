"""An overlay over the game of x_game.py, and what the screen shows."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import mss
import numpy as np
from whole_program import until, xdotool

from stylizer.hotkeys import Action
from stylizer.settings import Settings
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display
from stylizer.system.xlib import IS_VIEWABLE

PAINT = (251, 7, 243)  # plain magenta is in icewm's tray
PLACE = (300, 200, 400, 300)  # of the game: x, y, width, height


class Overlay:
    """An overlay over the game, in this process, all of one color; and an eye on the screen."""

    def __init__(self, display: str, settings: Settings) -> None:
        from stylizer.present.overlay import OverlayPresenter  # with pygame: not for every test

        self.eye = Display(display)
        self.grabber = mss.MSS(display=display)
        self.game_id = find_window(self.eye, "Red Game")[0].id
        self.presenter = OverlayPresenter(settings, PLACE[2:])
        self.actions: list[Action] = []

    @property
    def id(self) -> int:
        return self.presenter._handle

    def turn(self) -> None:
        """One turn of the pipeline's loop."""
        self.presenter.follow(self.game_id)
        self.actions += self.presenter.poll()
        if self.presenter.minimized:
            return
        red, green, blue = (v / 255 for v in PAINT)
        self.presenter.framebuffer.clear(red, green, blue)
        self.presenter.present()

    def until(self, done: Callable[[], object], seconds: float = 15.0) -> None:
        """Turn until it is so."""

        def turned() -> object:
            self.turn()
            return done()

        until(turned, seconds=seconds)

    def place(self, window: int) -> tuple[int, int, int, int]:
        """(x, y, width, height) of a window's inside on the screen."""
        found = self.eye.attributes(window)
        assert found is not None
        return (*self.eye.place(window), found.width, found.height)

    def screen(self) -> np.ndarray:
        """uint8 (height, width, 3): the whole screen."""
        return np.asarray(self.grabber.grab(self.grabber.monitors[0]))[:, :, 2::-1]

    def shown(self) -> np.ndarray:
        """What the screen shows where the game is."""
        x, y, width, height = self.place(self.game_id)
        return self.screen()[y : y + height, x : x + width]

    def covers(self) -> bool:
        """The overlay, and nothing else, is seen exactly where the game is, nowhere else."""
        painted = (self.screen() == np.array(PAINT)).all(axis=2)
        x, y, width, height = self.place(self.game_id)
        return bool(
            painted[y : y + height, x : x + width].all() and painted.sum() == width * height
        )

    def is_mapped(self) -> bool:
        found = self.eye.attributes(self.id)
        return found is not None and found.map_state == IS_VIEWABLE

    def close(self) -> None:
        self.presenter.close()
        self.grabber.close()
        self.eye.close()


def raise_window(window: int) -> None:
    """As a click on its title does; without a manager the program does it itself."""
    managed = subprocess.run(["xdotool", "windowactivate", str(window)], capture_output=True)
    if managed.returncode or managed.stderr:
        xdotool("windowraise", window)
