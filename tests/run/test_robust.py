"""200 seeded window events while the whole program runs on a window: it always comes back."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from x_display import wait_for_manager, x_server
from x_game import RED, Game

from stylizer.errors import BadInput
from stylizer.frame import Frame
from stylizer.run.outputs import Outputs
from stylizer.run.pipeline import Given, Run
from stylizer.settings import Settings
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

TOOLS = [tool for tool in ("xdotool", "openbox") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 only"),
    pytest.mark.skipif(bool(TOOLS), reason=f"not installed: {TOOLS}"),
]
EVENTS = 200
STEPS = 400  # of the loop, until a frame is there again: each ends with a frame or within 0.25 s
KINDS = ["move"] * 4 + ["resize"] * 4 + ["minimize"] * 2 + ["cover", "raise"] * 2 + ["reopen"]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Display, Game, Game]]:
    """An openbox desktop with the game and a green window to lay over it."""
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        opened: list = []
        manager = subprocess.Popen(["openbox", "--sm-disable"], stderr=subprocess.DEVNULL)
        try:
            wait_for_manager()
            opened.append(Game("Red Game", (200, 150, 200, 120), RED))
            opened.append(Game("Green Cover", (150, 100, 500, 400), (20, 180, 60)))
            opened[1].tell("still")
            connection = Display()
            yield connection, *opened
            connection.close()
        finally:
            for game in opened:
                game.close()
            manager.kill()
            manager.wait()


class Player:
    """Runs the program step by step and does things to the windows."""

    def __init__(self, desk: tuple[Display, Game, Game], active: Run) -> None:
        self.display, self.game, _ = desk
        self.active = active
        self.cover = self.window("Green Cover")
        self.red = self.window("Red Game")
        self.random = random.Random(4)
        self.last: object = None
        self.longest = 0

    def window(self, title: str) -> int:
        """A busy manager may list a window a moment after it can be captured."""
        for _ in range(100):
            try:
                return find_window(self.display, title)[0].id
            except BadInput:
                time.sleep(0.05)
        return find_window(self.display, title)[0].id

    @property
    def state(self) -> str:
        return self.active.opened.source.state

    def size(self) -> tuple[int, int] | None:
        there = self.display.attributes(self.red)
        return (there.width, there.height) if there else None

    def step(self) -> Frame | None:
        """One turn of the loop; the frame if a new one was shown. Below the game's stripe it is the
        game's red, or the black of its new window, but never anything of the other window."""
        assert self.active.step(), "the run goes on"
        shown = self.active.shown
        if shown is None or shown is self.last or shown.warmup:
            return None
        self.last, frame = shown, shown.styled.frame
        assert self.active.opened.presenter.size == frame.size
        picture = frame.rgb()[6:]
        is_red = (picture == np.array(RED)).all(axis=2)
        assert (is_red | ~picture.any(axis=2)).all(), "somebody else's pixels"
        return frame if is_red.all() else None

    def until_frame(self, what: str) -> None:
        """Step until the game was shown in the window's size."""
        for count in range(STEPS):
            frame = self.step()
            if frame is not None and frame.size == self.size():
                self.longest = max(self.longest, count)
                return
        raise AssertionError(f"no frame of {self.size()} within {STEPS} steps after {what}")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        for _ in range(STEPS):
            self.step()
            if condition():
                return
        raise AssertionError(f"never {what}")

    def act(self, kind: str) -> None:
        numbers = self.random.randint
        if kind == "move":
            self.tool("windowmove", self.red, numbers(-80, 1200), numbers(0, 700))
        elif kind == "resize":
            self.tool("windowsize", self.red, numbers(60, 400), numbers(50, 300))
        elif kind == "minimize":
            self.tool("windowminimize", self.red)
            self.until(lambda: self.state in ("minimized", "hidden"), "minimized")
            self.tool("windowmap", self.red)
        elif kind == "cover":
            self.tool("windowraise", self.cover)
        elif kind == "raise":
            self.tool("windowraise", self.red)
        else:
            self.game.tell("close")
            self.until(lambda: self.state == "closed", "closed")
            self.game.tell("open")
            self.until(lambda: self.state == "", "captured again")
            self.red = self.window("Red Game")

    def tool(self, *words: object) -> None:
        subprocess.run(["xdotool", *map(str, words)], check=True, timeout=20)


def held() -> tuple[float, int, int]:
    """Resident MB, file descriptors, and segments of shared memory that we have made."""
    process = psutil.Process()
    rows = [row.split() for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    ours = sum(int(row[4]) == process.pid for row in rows)
    return process.memory_info().rss / 1e6, process.num_fds(), ours


@pytest.mark.timeout(240)
def test_two_hundred_window_events_and_it_still_runs(desk):
    settings = Settings(
        source="window", window="Red Game", wait=True, model="none", present="offscreen", hud="off"
    )
    before = (0.0, 0, 0)
    with Run(settings, Given(), Outputs(settings)) as active:
        player = Player(desk, active)
        player.until_frame("the start")
        for number in range(EVENTS):
            kind = player.random.choice(KINDS)
            player.act(kind)
            player.until_frame(f"event {number}: {kind}")
            if number == EVENTS // 4:  # libraries are loaded, buffers have grown
                before = held()
        after = held()
    assert after[0] - before[0] < 20, "memory"
    assert abs(after[1] - before[1]) <= 1, "file descriptors"
    assert after[2] == before[2] == 1, "shared memory"
