"""The game's share: the rule under a fake game, the counting of a real window's pictures, a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import mss
import numpy as np
import pytest
import tiny_models

from stylizer.app.cli import main
from stylizer.frame import Frame, InputState, StyledFrame
from stylizer.run.game_share import LEVELS, GameShare, ordinal, rate
from stylizer.run.threads import open_stylist
from stylizer.source.x11.drawing import Pictures
from stylizer.source.x11.window_list import find_window
from stylizer.stages import Source
from stylizer.system.x11 import Display

ROOT = Path(__file__).parents[2]


class FakeGame:
    """A game of `alone` fps, which loses `cost_s` of a second for each frame painted."""

    def __init__(self, share: GameShare, alone: float, cost_s: float, styled_fps: float = 60.0):
        self.share, self.alone, self.cost_s, self.styled_fps = share, alone, cost_s, styled_fps
        self.now = self.drawn_at = self.painted_at = 0.0
        self.quiet_s = 0.0
        self.levels: list[int] = []

    def beside(self) -> float:
        """Its rate while every n-th of its frames is painted: f = alone - cost * alone * f / n."""
        loss = 1 + self.cost_s * self.alone / self.share.every
        free = self.alone / loss
        most = self.alone * (1 - self.cost_s * self.styled_fps)
        return max(free, most)

    def play(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            quiet = self.share.quiet
            rate = self.alone if quiet else self.beside()
            self.now += 1 / rate
            due = not quiet and self.now - self.painted_at > self.share.interval_s
            if due:
                self.painted_at = self.now
            self.share.turn(self.now, [self.now], int(due), may_be_quiet=True)
            self.quiet_s += quiet / rate
            self.levels.append(self.share.every)


@pytest.mark.parametrize(("cost_s", "every"), [(0.002, 1), (0.0075, 2), (0.012, 3), (0.02, 6)])
def test_it_paints_as_many_frames_as_leave_the_share(cost_s, every):
    share = GameShare(0.85)
    game = FakeGame(share, 44, cost_s)
    game.play(55)
    assert share.own_fps == pytest.approx(44, rel=0.02)
    assert share.every == every
    assert share.kept is not None
    assert share.kept >= 0.85
    assert share.text.startswith(f"painting {share.part}: the game keeps ")
    assert share.text.endswith("of its 44 fps")
    assert 3 <= game.quiet_s < 5


def test_it_goes_on_painting_five_frames_a_second_and_says_what_that_costs():
    share = GameShare(0.85)
    game = FakeGame(share, 44, 0.04)
    game.play(100)
    assert share.every == 6
    assert share.at_the_least
    assert "the game keeps only " in share.text
    assert game.quiet_s < 5.2, "it is not looked at again and again"


def test_its_own_rate_is_taken_each_minute_and_painting_comes_back_where_that_is_easy():
    share = GameShare(0.85)
    game = FakeGame(share, 44, 0.012)
    game.play(40)
    assert share.every == 3
    game.cost_s = 0.001
    game.play(100)
    assert share.every == 1
    assert share.taken == 3
    game.alone = 90.0
    game.play(70)
    assert share.own_fps == pytest.approx(90, rel=0.02)


def test_a_scene_that_is_heavier_by_itself_is_not_taken_for_our_doing():
    share = GameShare(0.85)
    game = FakeGame(share, 60, 0.001)
    game.play(30)
    game.alone = 40.0
    game.play(30)
    assert share.every == 1
    assert max(game.levels) == 1
    assert share.own_fps == pytest.approx(40, rel=0.02)


def test_a_load_near_the_limit_does_not_swing():
    share = GameShare(0.85)
    game = FakeGame(share, 44, 0.0092)  # painting every 2nd frame is just too much
    game.play(300)
    changes = sum(a != b for a, b in pairwise(game.levels))
    assert changes <= 8


def test_nobody_is_kept_from_a_picture_that_is_missed():
    share = GameShare(0.85)
    for tick in range(4000):
        share.turn(tick / 40, [tick / 40], 1, may_be_quiet=False)
    assert share.taken == 0


def test_a_game_that_stands_still_has_no_rate():
    share = GameShare(0.85)
    for tick in range(1000):
        share.turn(tick / 40, [], 1, may_be_quiet=True)
    assert (share.own_fps, share.every) == (None, 1)
    assert share.text == "painting every frame: the game stands still"
    for tick in range(1000, 2000):
        share.turn(tick / 40, [tick / 40], 1, may_be_quiet=True)
    assert share.own_fps == pytest.approx(40, rel=0.02), "it is taken once it moves"


def test_every_second_frame_is_captured():
    share = GameShare(0.85)
    FakeGame(share, 44, 0.0075).play(30)
    assert share.every == 2
    assert share.beside_fps is not None
    assert 1 / share.beside_fps < share.interval_s < 2 / share.beside_fps


class Fast(Source):
    """A frame at every read."""

    capture_method, size = "a fake", (4, 4)

    def __init__(self) -> None:
        self.frames = 0

    def read(self, inputs: InputState) -> Frame:
        self.frames += 1
        time.sleep(0.002)
        return Frame(np.zeros((4, 4, 3), np.uint8), "RGB", time.perf_counter(), self.frames)

    def close(self) -> None: ...


def test_a_paced_feed_reads_no_sooner():
    def style(frame: Frame) -> StyledFrame:
        return StyledFrame(frame, None, "none", 0.0, 0.0, time.perf_counter())

    source = Fast()
    stylist, _ = open_stylist(lambda: source, style, sync=False, warmup=1)
    try:
        while source.frames < 20:
            stylist.next(0.1)
        stylist.pace(0.1)
        time.sleep(0.15)
        before, began = source.frames, time.perf_counter()
        time.sleep(1.0)
        assert 2 <= source.frames - before <= (time.perf_counter() - began) / 0.1 + 1
    finally:
        stylist.close()


def test_pauses_are_no_frames():
    assert rate([0.0, 0.1, 0.2, 0.3, 2.3, 2.4, 2.5]) == pytest.approx(10)
    assert rate([0.0, 0.1]) is None
    assert rate([n / 1000 for n in range(100)]) == pytest.approx(1000, rel=0.02)


def test_pictures_are_told_from_their_parts():
    whole, upper, lower = (0, 0, 100, 100), (0, 0, 100, 50), (0, 50, 100, 100)
    pictures = Pictures()
    assert [pictures.begins(box) for box in (whole, whole)] == [True, True]
    pictures = Pictures()
    boxes = (upper, lower, upper, lower, lower, upper)
    assert [pictures.begins(b) for b in boxes] == [True, False, True, False, True, False]


def test_words():
    assert [ordinal(n) for n in LEVELS[1:5]] == ["2nd", "3rd", "4th", "6th"]
    assert ordinal(12) == "12th"


def test_it_belongs_to_the_overlay(capsys):
    assert main(["run", "--game-share", "0.8"]) == 2
    assert "--present overlay" in capsys.readouterr().err
    assert main(["run", "--window", "x", "--present", "overlay", "--game-share", "1"]) == 2
    assert "between 0.1 and 0.95" in capsys.readouterr().err


BUSY_GAME = """
import sys, time, pygame
pygame.display.init()
screen = pygame.display.set_mode((320, 240))
pygame.display.set_caption("Busy Game")
print("drawn", flush=True)
clock, n = pygame.time.Clock(), 0
while True:
    pygame.event.pump()
    n += 1
    screen.fill((n % 200, 40, 90))
    pygame.display.flip()
    clock.tick(20)
"""


@pytest.fixture
def busy_game(xvfb: str) -> Iterator[dict[str, str]]:
    """The environment of what is to paint it."""
    env = os.environ | {"DISPLAY": xvfb, "PYTHONPATH": str(ROOT)}
    game = subprocess.Popen(
        [sys.executable, "-c", BUSY_GAME], env=env | {"SDL_VIDEODRIVER": "x11"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert game.stdout is not None
        game.stdout.readline()
        yield env
    finally:
        game.kill()
        game.communicate()


def plays(model: Path, report: Path) -> list[str]:
    main = [sys.executable, str(ROOT / "main.py"), "play", "Busy Game", "--model", str(model)]
    return [*main, "--provider", "cpu", "--frames", "10", "--report", str(report)]


def test_the_game_goes_on_under_what_is_told_before_it_is_painted(
    busy_game: dict[str, str], tmp_path: Path
) -> None:
    """No frozen picture lies over it while the model loads, nor while its own rate is taken."""
    words = plays(tiny_models.painter(tmp_path / "painter.onnx"), tmp_path / "r.json")
    run = subprocess.Popen(words, env=busy_game, stderr=subprocess.PIPE, text=True)
    eye, told = Display(busy_game["DISPLAY"]), set()
    left, top = eye.place(find_window(eye, "Busy Game")[0].id)
    with mss.MSS(display=busy_game["DISPLAY"]) as grabber:
        while run.poll() is None:
            box = {"left": left, "top": top, "width": 320, "height": 240}
            shown = np.asarray(grabber.grab(box))[:, :, 2::-1]
            if shown[195:220, 60:260].mean(axis=(0, 1))[2] < 70:  # the message's dark ground
                told.add(tuple(shown[100, 160].tolist()))
            time.sleep(0.03)
    eye.close()
    assert run.returncode == 0, run.stderr and run.stderr.read()
    own = [color for color in told if color[1:] == (40, 90)]
    assert len(own) > 10, f"the game's own colors, one after the other: {told}"


def test_a_run_takes_the_rate_of_a_real_window(busy_game: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    words = plays(tiny_models.painter(tmp_path / "painter.onnx"), report)
    done = subprocess.run(words, env=busy_game, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    made = json.loads(report.read_text())
    share = made["game_share"]
    assert share["wanted"] == 0.85
    assert 10 < share["own_fps"] < 21, "its clock holds 20, a busy machine less"
    assert share["own_taken"] == 1
    assert made["styled_frames"] > 0
    assert made["frame_time_ms"]["max"] < 2500, "the pause is no frame"
