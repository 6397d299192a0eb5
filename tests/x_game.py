"""A painted window on X11, and the clicks and keys that it got."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

RED = (200, 30, 40)


class Game:
    """One painted window."""

    def __init__(self, title: str, place: tuple[int, int, int, int], color: tuple) -> None:
        script = Path(__file__).with_name("painted_window.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), title, *map(str, (*place, *color))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"SDL_VIDEODRIVER": "x11"},
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.said = ""  # so far, of its clicks and keys
        time.sleep(0.2)

    def tell(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def heard(one: Game) -> list[str]:
    """The clicks and keys that a game got so far."""
    assert one.process.stdout is not None
    pipe = one.process.stdout.fileno()
    while select.select([pipe], [], [], 0)[0] and (data := os.read(pipe, 4096)):
        one.said += data.decode()
    return one.said.splitlines()
