"""A display of its own, a program in it, and xdotool's hands on it, for record_games.py."""

from __future__ import annotations

import os
import random
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = (1280, 720)
PATIENCE_S = 30.0  # for a game's window
PATH = os.environ.get("PATH", "") + ":/usr/games"


class Stop(Exception):
    """One sentence for the user."""


@contextmanager
def screen() -> Iterator[str]:
    """The name of a display of its own. Without -noreset the server would start anew when a first
    xdotool leaves, and turn a game away that connects just then.
    """
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
    server = subprocess.Popen(
        [*words, "-noreset", "-nolisten", "tcp"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert server.stdout is not None
        number = server.stdout.readline().decode().strip()
        if not number:
            raise Stop("Xvfb did not start; run it by hand to see why.")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def running(
    command: str, files: dict[str, str], words: list[str], display: str
) -> Iterator[subprocess.Popen]:
    """A program with a fresh home folder that holds `files` (path: text); command and texts have
    their {home}, {0}, {1} ... filled in. At the end its whole process group is ended.
    """
    with tempfile.TemporaryDirectory(prefix="game-", ignore_cleanup_errors=True) as home:
        for name, text in files.items():
            (Path(home) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(home) / name).write_text(text.format(*words, home=home))
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "WAYLAND_"))}
        env |= {"HOME": home, "DISPLAY": display, "PATH": PATH, "LIBGL_ALWAYS_SOFTWARE": "1"}
        env |= {"SDL_AUDIODRIVER": "dummy", "ALSOFT_DRIVERS": "null"}
        null = subprocess.DEVNULL
        process = subprocess.Popen(
            ["nice", "-n", "5", *shlex.split(command.format(*words, home=home))],
            cwd=home, env=env, stdin=null, stdout=null, stderr=null, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
                time.sleep(0.3)
            process.wait()


class Player:
    """Hands on keyboard and mouse of one display."""

    def __init__(self, display: str, chance: random.Random) -> None:
        self.display, self.chance = display, chance

    def tool(self, *words: str) -> str:
        env = os.environ | {"DISPLAY": self.display}
        done = subprocess.run(["xdotool", *words], env=env, capture_output=True, text=True)
        return done.stdout

    def window(self) -> dict[str, int]:
        """The largest window, waited for and focused: its place with even sides, on the screen."""
        deadline = time.monotonic() + PATIENCE_S
        best, area = (0, 0, *SIZE), 0
        while not area and time.monotonic() < deadline:
            for name in self.tool("search", "--onlyvisible", "--class", "").split()[1:]:  # 0: root
                lines = self.tool("getwindowgeometry", "--shell", name).splitlines()
                at = {k: int(v) for k, v in (line.split("=") for line in lines)}
                size = at.get("WIDTH", 0), at.get("HEIGHT", 0)
                if size[0] > 300 and size[1] > 200 and size[0] * size[1] > area:
                    area = size[0] * size[1]
                    left, top = max(0, at["X"]), max(0, at["Y"])
                    right = min(at["X"] + size[0], SIZE[0])
                    best = (left, top, right, min(at["Y"] + size[1], SIZE[1]))
                    self.tool("windowfocus", name)
            time.sleep(0.2)
        width, height = (best[2] - best[0]) // 2 * 2, (best[3] - best[1]) // 2 * 2
        return {"left": best[0], "top": best[1], "width": width, "height": height}

    def step(self, steps: str) -> None:
        self.do(self.chance.choice(steps.split("|")))

    def do(self, script: str) -> None:
        for word in script.split():
            self.word(word)

    def word(self, word: str) -> None:
        kind, rest = word[0], word[1:]
        if kind == "~":
            time.sleep(float(rest))
        elif kind in "@!":
            self.tool("mousemove", *rest.split(","), *(["click", "1"] if kind == "!" else []))
        elif kind == ">":
            self.tool("mousemove_relative", "--", *rest.split(","))
        elif kind == "?":
            self.window()
        else:
            keys, _, hold = word.partition(":")
            names = keys.split("+")
            self.tool(*(w for name in names for w in ("keydown", name)))
            time.sleep(float(hold or 0.08))
            self.tool(*(w for name in names for w in ("keyup", name)))
