"""The whole program as a user meets it: a command that fails, a window in its own process."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mss
import numpy as np

from stylizer.app.cli import main
from stylizer.errors import BadInput
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

ROOT = Path(__file__).parents[1]


def xdotool(*words: object) -> str:
    """What it prints; it must succeed."""
    done = subprocess.run(
        ["xdotool", *map(str, words)], check=True, timeout=20, capture_output=True, text=True
    )
    return done.stdout.strip()


def until(done: Callable[[], object], what: str = "it never came", seconds: float = 100.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def fails(capsys, argv: list[str], code: int, *words: str) -> str:
    """The command fails with this code and one sentence that holds the words."""
    assert main([str(a) for a in argv]) == code
    error = capsys.readouterr().err.strip()
    assert error.count("\n") == 0, error
    assert error.startswith("stylizer: ")
    for word in words:
        assert word in error, error
    assert "Traceback" not in error
    assert "usage:" not in error
    return error


class OnScreen:
    """A program in a process of its own, and an eye on the screen; places in its window's pixels.

    title: of the window that is meant where no other is named.
    """

    def __init__(self, display: str, title: str, cwd: Path, *argv: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), *argv], cwd=cwd, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "DISPLAY": display} | env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.eye, self.grabber, self.title = Display(display), mss.MSS(display=display), title

    def window(self, title: str = "") -> int:
        """The window of this title; 0 while there is none."""
        try:
            return find_window(self.eye, title or self.title)[0].id
        except BadInput:
            return 0

    def pixels(self, x: int, y: int, width: int, height: int, title: str = "") -> np.ndarray:
        """(height, width, 3) RGB."""
        left, top = self.eye.place(self.window(title))
        box = {"left": left + x, "top": top + y, "width": width, "height": height}
        return np.asarray(self.grabber.grab(box))[:, :, 2::-1].astype(int)

    def spot(self, x: int, y: int, title: str = "") -> np.ndarray:
        """RGB of a pixel."""
        return self.pixels(x, y, 1, 1, title)[0, 0]

    def move(self, x: int, y: int, title: str = "") -> None:
        left, top = self.eye.place(self.window(title))
        xdotool("mousemove", left + x, top + y)

    def click(self, x: int, y: int, title: str = "") -> None:
        self.move(x, y, title)
        xdotool("click", 1)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.grabber.close()
        self.eye.close()


class Window:
    """The stylizer as a user starts it, in a process of its own."""

    def __init__(self, display: str, cwd: Path, *argv: str) -> None:
        self.env = os.environ | {"DISPLAY": display, "PYTHONPATH": str(ROOT)}
        self.display = display
        self.root = self.xdotool("getmouselocation").rpartition("window:")[2]
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "run", "--provider", "cpu", *argv],
            cwd=cwd, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.id = self.find()

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self.env, capture_output=True, text=True, timeout=20
        )
        return done.stdout.strip()

    def find(self) -> str:
        """Id of the window in the middle of the screen (`xdotool search` misses windows that
        exist where no window manager runs)."""
        width, height = map(int, self.xdotool("getdisplaygeometry").split())
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.xdotool("mousemove", str(width // 2), str(height // 2))
            found = self.xdotool("getmouselocation").rpartition("window:")[2]
            # Where vsync is refused a first window is made for nothing; it never gets the title.
            if found != self.root and self.xdotool("getwindowname", found).endswith("stylizer"):
                return found
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate()[1])
            time.sleep(0.1)
        raise AssertionError("no window appeared")

    def key(self, *names: str) -> None:
        self.xdotool("windowfocus", self.id)
        for name in names:
            self.xdotool("key", name)
            time.sleep(0.1)

    def is_drawn(self) -> bool:
        """Whether it shows anything but one color."""
        return self.picture().std() > 10

    def picture(self) -> np.ndarray:
        """uint8 (height, width, 3) of the window's place on the screen."""
        where = dict(
            line.split("=")
            for line in self.xdotool("getwindowgeometry", "--shell", self.id).split()
        )
        box = {"left": int(where["X"]), "top": int(where["Y"])}
        box |= {"width": int(where["WIDTH"]), "height": int(where["HEIGHT"])}
        with mss.MSS(display=self.display) as grabber:
            return np.asarray(grabber.grab(box))[:, :, 2::-1]

    def end(self) -> tuple[int, str]:
        _, error = self.process.communicate(timeout=90)
        return self.process.returncode, error
