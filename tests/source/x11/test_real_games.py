"""Two real games from Debian, played by keys under openbox, captured covered and uncovered."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import mss
import numpy as np
import pytest
from PIL import Image
from x_display import wait_for_manager, x_server
from x_game import Game

from stylizer.frame import IDLE, Frame
from stylizer.settings import Settings
from stylizer.source.x11.window import WindowSource
from stylizer.source.x11.window_list import WindowInfo, list_windows
from stylizer.system.x11 import Display

ROOT = Path(__file__).parents[3]
PATH = os.environ.get("PATH", "") + ":/usr/games"
TOOLS = [tool for tool in ("xdotool", "openbox") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 only"),
    pytest.mark.skipif(bool(TOOLS), reason=f"not installed: {TOOLS}"),
    pytest.mark.timeout(240),
]
GREEN = (20, 250, 60)  # of the window laid over the game: neither game has it
# Command, part of the title, the keys from the first menu into play, the keys to play with.
GAMES = {
    "chromium-bsu": (["-w", "-na", "-v", "1"], "Chromium", ["Return"], ["Left", "space", "Right"]),
    "armagetronad": (["-w"], "Armagetron", ["Return"] * 3, ["Left", "Right", "Return"]),
}


class Played:
    """A real game that runs, and what the test does to it."""

    def __init__(
        self, process: subprocess.Popen, display: Display, title: str, keys: list[str]
    ) -> None:
        self.process, self.display, self.title = process, display, title
        self.keys = itertools.cycle(keys)
        self.window = self.wait_for_window()
        self.pid = self.window.pid or process.pid

    def wait_for_window(self) -> WindowInfo:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = [w for w in list_windows(self.display) if self.title in w.title]
            if found and found[0].size[0] > 300:
                return found[0]
            assert self.process.poll() is None, "the game ended"
            time.sleep(0.1)
        raise AssertionError(f"no window of {self.title}")

    def tool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True, timeout=20)

    def press(self, key: str) -> None:
        self.tool("windowfocus", "--sync", str(self.window.id), "key", key)

    def play(self) -> None:
        """Press the next of the keys that this game is played with."""
        self.press(next(self.keys))

    def freeze(self) -> None:
        """Stop the program where it is: what it drew stays on the screen, to be compared."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def on_screen(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB of the window's place on the screen."""
        there = self.display.attributes(self.window.id)
        assert there is not None
        x, y = self.display.place(self.window.id)
        with mss.MSS() as grabber:
            box = {"left": x, "top": y, "width": there.width, "height": there.height}
            return np.asarray(grabber.grab(box))[:, :, 2::-1]


@pytest.fixture(scope="module", params=list(GAMES))
def played(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Played]:
    """The game in play, alone on an openbox desktop of 1280x800."""
    options, title, keys, play_keys = GAMES[request.param]
    program = shutil.which(request.param, path=PATH)
    if program is None:
        pytest.skip(f"the game {request.param} is not installed (apt-get install {request.param})")
    before = os.environ.get("DISPLAY")
    home = tmp_path_factory.mktemp(request.param)
    with x_server() as name:
        os.environ["DISPLAY"] = name
        manager = subprocess.Popen(["openbox", "--sm-disable"], stderr=subprocess.DEVNULL)
        process = None
        try:
            wait_for_manager()
            process = subprocess.Popen(
                [program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=os.environ | {"HOME": str(home), "SDL_AUDIODRIVER": "dummy", "PATH": PATH},
                start_new_session=True,
            )  # fmt: skip
            display = Display()
            game = Played(process, display, title, play_keys)
            into_play(game, keys)
            yield game
            display.close()
        finally:
            if process is not None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            manager.kill()
            manager.wait()
            os.environ.pop("DISPLAY")
            if before:
                os.environ["DISPLAY"] = before


def into_play(game: Played, keys: list[str]) -> None:
    """Through the menus, and on with Return while the game stands still and asks something more."""
    source = WindowSource(Settings(source="window", window=f"0x{game.window.id:x}"))
    try:
        menu = next_frames(source, 1, game)[0].rgb().astype(int)
        for key in keys:
            game.press(key)
            frames_within(source, 1.0)
        frames = []
        for _ in range(8):
            frames = frames_within(source, 1.0)
            if len(frames) > 10:
                break
            game.press("Return")
        changed = (np.abs(frames[-1].rgb() - menu).max(axis=2) > 40).mean()
        assert changed > 0.02, "the keys reached the game"
    finally:
        source.close()


def frames_within(source: WindowSource, seconds: float) -> list[Frame]:
    until, frames = time.monotonic() + seconds, []
    while time.monotonic() < until:
        frame = source.read(IDLE)
        frames += [frame] if frame is not None else []
    return frames


def next_frames(source: WindowSource, count: int, game: Played) -> list[Frame]:
    """Equal pictures are no frames: a key is pressed whenever the game stands still."""
    deadline, quiet, frames = time.monotonic() + 60, 0, []
    while len(frames) < count:
        assert time.monotonic() < deadline, f"{len(frames)} of {count} frames"
        frame = source.read(IDLE)
        frames += [frame] if frame is not None else []
        quiet = 0 if frame is not None else quiet + 1
        if quiet % 50 == 49:  # half a second
            game.play()
    return frames


def last_frame(source: WindowSource, last: Frame) -> Frame:
    """The newest one of a frozen game: read until nothing more comes after `last`."""
    quiet = 0
    while quiet < 20:
        frame = source.read(IDLE)
        last, quiet = (frame, 0) if frame is not None else (last, quiet + 1)
    return last


@pytest.fixture
def cover(played: Played) -> Iterator[None]:
    """A green window over all of the game."""
    green = Game("Green Cover", (0, 0, 1280, 800), GREEN)
    green.tell("still")
    assert is_green(played.on_screen()).mean() > 0.98, "the game is covered"
    yield
    green.close()


def is_green(rgb: np.ndarray, exactly: bool = False) -> np.ndarray:
    """bool (height, width): the cover's color, or what lossy coding leaves of it."""
    return np.all(np.abs(rgb.astype(int) - GREEN) <= (0 if exactly else 40), axis=2)


def test_captured_is_what_the_screen_shows(played):
    source = WindowSource(Settings(source="window", window=played.title))
    try:
        frames = next_frames(source, 30, played)  # it moves: equal pictures are no frames
        played.freeze()
        assert np.array_equal(last_frame(source, frames[-1]).rgb(), played.on_screen())
    finally:
        played.thaw()
        source.close()


def test_captured_while_covered_is_what_the_screen_shows_uncovered(played, cover):
    source = WindowSource(Settings(source="window", window=played.title))
    try:
        frames = next_frames(source, 30, played)
        assert not any(is_green(f.rgb(), exactly=True).any() for f in frames)
        played.freeze()
        last = last_frame(source, frames[-1])
        played.tool("windowraise", str(played.window.id))
        deadline = time.monotonic() + 10
        while is_green(played.on_screen(), exactly=True).any():
            assert time.monotonic() < deadline, "the game was not raised"
        assert np.array_equal(last.rgb(), played.on_screen())
    finally:
        played.thaw()
        source.close()


def run_on(played: Played, argv: list[str]) -> tuple[int, str]:
    """Run the program on the game and press keys until it has ended."""
    run = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "run", "--window", played.title, *argv],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 150
        while run.poll() is None:
            assert time.monotonic() < deadline, "the run does not end"
            played.play()
            time.sleep(0.1)
        return run.returncode, run.communicate()[1]
    finally:
        run.kill()
        run.wait()


def test_live_frames_of_a_covered_game_and_nothing_else(played, cover, tmp_path):
    report, video = tmp_path / "r.json", tmp_path / "out.mp4"
    count = 100
    argv = ["--present", "offscreen", "--frames", str(count), "--model", "none"]
    code, error = run_on(played, [*argv, "--report", str(report), "--record", str(video)])
    assert code == 0, error
    found = json.loads(report.read_text())
    assert (found["frames"], found["duplicates"]) == (count, 0)
    assert found["size"] == list(played.window.size)
    assert played.title in found["capture_method"]
    with av.open(str(video)) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(pictures) == count
    assert max(is_green(p).mean() for p in pictures) < 0.001, "nothing of the window above"
    moved = [
        np.abs(a.astype(int) - b).mean() for a, b in zip(pictures, pictures[20:], strict=False)
    ]
    assert np.median(moved) > 0.2, "it is live"


def test_a_covered_game_is_painted(played, cover, tmp_path):
    shot, report = tmp_path / "shot.png", tmp_path / "r.json"
    argv = ["--present", "offscreen", "--frames", "5", "--inference-size", "160x120"]
    argv += ["--model", "mosaic-small", "--provider", "cpu", "--no-detail"]
    code, error = run_on(played, [*argv, "--report", str(report), "--screenshot", str(shot)])
    assert code == 0, error
    told = json.loads(report.read_text())
    assert told["styled_frames"] >= 5
    painted = np.asarray(Image.open(shot).convert("RGB"))
    assert (painted.shape[1], painted.shape[0]) == played.window.size
    assert is_green(painted).mean() < 0.001
    assert told["model"] == "mosaic-small"
    assert painted.std() > 5, "a picture, and no flat one"
    assert painted.mean() < 100, "both games are dark, and stay so"
