"""A red game in full screen on a sway desktop, what it was told, and what the screen shows."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from PIL import Image
from sway_desktop import HERE, SwayDesktop
from x_game import RED

SIZE = (640, 360)
FULL_SCREEN = 'for_window [title="Red Game"] fullscreen enable'


class RedGame:
    """painted_window.py over all of the output, and the clicks and keys it got.

    driver: SDL's, "x11" on XWayland or "wayland".
    """

    def __init__(self, desktop: SwayDesktop, driver: str) -> None:
        place = [str(number) for number in (0, 0, *SIZE, *RED)]
        script = str(HERE / "painted_window.py")
        self.process = desktop.open(
            sys.executable, script, "Red Game", *place, SDL_VIDEODRIVER=driver
        )
        self.got: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def is_played(self, player) -> bool:
        """Click and press a key; whether both have come."""
        player.move(400, 300, SIZE)
        player.click()
        player.press("x")
        return "click 400 300" in self.got and "key x" in self.got

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.got.append(line.strip())


def picture(desktop: SwayDesktop, path: Path) -> np.ndarray:
    """uint8 (height, width, 3): what the screen shows."""
    subprocess.run(["grim", str(path)], env=desktop.env, check=True, timeout=20)
    return np.asarray(Image.open(path).convert("RGB"))


def is_covered(screen: np.ndarray) -> bool:
    """Nothing of the game is seen."""
    return bool((screen != np.array(RED)).any(axis=2).mean() > 0.98)


def has_hud(screen: np.ndarray) -> bool:
    """Its dark panel at the top left."""
    return bool(screen[14:20, 60:180].max(axis=2).mean() < 100)
