"""Capturing a region of a real screen under Xvfb."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image
from x_display import x_server
from x_game import RED, Game

from stylizer.app.cli import main, parse
from stylizer.app.run_settings import run_settings
from stylizer.errors import BadInput, StylizerError
from stylizer.frame import IDLE, Frame
from stylizer.settings import Settings
from stylizer.source.screen import STILL_AFTER_S, ScreenSource, choose_box

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Xvfb")
GREEN = (20, 180, 60)
TWO = [
    {"left": -1024, "top": 0, "width": 2304, "height": 800},
    {"left": 0, "top": 0, "width": 1280, "height": 800},
    {"left": -1024, "top": 0, "width": 1024, "height": 768},
]


@pytest.fixture
def screen(game) -> Iterator[Callable[..., ScreenSource]]:
    """Opens screen sources and closes them."""
    opened: list[ScreenSource] = []

    def open_source(*region: int, monitor: int | None = None) -> ScreenSource:
        settings = Settings(source="screen", region=region or None, monitor=monitor)  # type: ignore[arg-type]
        opened.append(ScreenSource(settings))
        return opened[-1]

    yield open_source
    for one in opened:
        one.close()


def next_frame(source: ScreenSource) -> Frame:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        frame = source.read(IDLE)
        if frame is not None:
            return frame
    raise AssertionError("no frame within 5 s")


def test_the_region_is_what_the_screen_shows(game, screen):
    game("Red Game", (40, 30, 200, 120), RED)
    game("Green Cover", (140, 30, 200, 120), GREEN)
    source = screen(40, 36, 200, 110)
    frame = next_frame(source)
    assert frame.size == source.size == (200, 110)
    assert frame.channel_order == "BGRA"
    assert frame.pixels.flags.c_contiguous
    rgb = frame.rgb()
    assert (rgb[:, :100] == np.array(RED)).all()
    assert (rgb[:, 100:] == np.array(GREEN)).all(), "the screen holds what covers the game"
    assert "40,36" in source.capture_method


def test_the_whole_monitor_without_a_region(screen):
    for source in (screen(), screen(monitor=1)):
        assert source.size == next_frame(source).size == (1280, 800)
        assert "monitor 1" in source.capture_method


def test_a_still_screen_gives_one_frame_and_costs_little(game, screen):
    one = game()
    one.tell("still")
    time.sleep(0.2)
    source = screen(40, 30, 200, 120)
    first = next_frame(source)
    started, cpu, reads = time.monotonic(), time.process_time(), 0
    while time.monotonic() - started < STILL_AFTER_S + 0.5:
        assert source.read(IDLE) is None
        reads += 1
    assert reads < 200, "no busy loop"
    assert time.process_time() - cpu < 0.3
    one.tell("draw")
    second = next_frame(source)
    assert second.number == first.number + 1
    assert not np.array_equal(first.pixels, second.pixels)


def test_regions_and_monitors_that_are_not_there_are_one_sentence(screen):
    with pytest.raises(BadInput, match=r"leaves the screen \(1280x800 at 0,0\).*1: 1280x800"):
        screen(1000, 0, 400, 200)
    with pytest.raises(BadInput, match="there is no monitor 2; there are: 1: 1280x800 at 0,0"):
        screen(monitor=2)


def test_a_region_of_one_of_two_monitors():
    assert choose_box(TWO, (10, 20, 100, 50), 2)[0] == {
        "left": -1014, "top": 20, "width": 100, "height": 50,
    }  # fmt: skip
    assert choose_box(TWO, (-100, 0, 200, 50), None)[0]["left"] == -100
    assert choose_box(TWO, None, None)[0]["width"] == 1280
    with pytest.raises(BadInput, match="leaves monitor 2"):
        choose_box(TWO, (1000, 0, 100, 50), 2)


def test_the_command_line_knows_what_belongs_together(capsys):
    settings = run_settings(parse(["run", "--region", "1,2,30,40"]))
    assert (settings.source, settings.region) == ("screen", (1, 2, 30, 40))
    assert run_settings(parse(["run", "--monitor", "2"])).source == "screen"
    for argv, said in (
        (["--region", "1,2,3"], "no region"),
        (["--region", "1,2,3,4"], "at least 16"),
        (["--source", "demo", "--monitor", "1"], "belong to --source screen"),
    ):
        assert main(["run", *argv]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1


def test_without_a_screen_it_is_one_sentence(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":97")
    with pytest.raises(StylizerError, match="the screen cannot be captured"):
        ScreenSource(Settings(source="screen"))


def test_a_window_that_cannot_be_captured_names_the_second_choice(monkeypatch):
    """Said, not taken: the user decides whether the screen will do."""
    from stylizer.source.x11.window import WindowSource

    with x_server("-extension", "Composite") as display:
        monkeypatch.setenv("DISPLAY", display)
        one = Game("Red Game", (-20, 30, 200, 120), RED)
        try:
            with pytest.raises(StylizerError, match=r"--source screen --region 0,30,180,120$"):
                WindowSource(Settings(source="window", window="Red Game"))
        finally:
            one.close()


def test_a_game_on_the_screen_is_run_through_the_loop(game, tmp_path):
    game("Red Game", (40, 30, 320, 192), RED)
    report, shot = tmp_path / "r.json", tmp_path / "shot.png"
    argv = ["run", "--source", "screen", "--region", "40,36,320,180", "--present", "offscreen"]
    argv += ["--model", "none", "--frames", "5", "--report", str(report), "--screenshot", str(shot)]
    # The stripe that moves lies above the region: what changes is another window over it.
    mover = subprocess.Popen(
        [sys.executable, "-c", MOVER], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        assert main(argv) == 0
    finally:
        mover.kill()
        mover.wait()
    found = json.loads(report.read_text())
    assert (found["source"], found["size"]) == ("screen", [320, 180])
    assert "screen (mss): region" in found["capture_method"]
    picture = np.asarray(Image.open(shot).convert("RGB"))
    assert (picture[100:] == np.array(RED)).all()


MOVER = """
import os
os.environ["SDL_VIDEO_WINDOW_POS"] = "60,60"
import pygame
pygame.display.init()
screen = pygame.display.set_mode((64, 32), pygame.NOFRAME)
clock = pygame.time.Clock()
for number in range(10**6):
    pygame.event.get()
    screen.fill((number * 7 % 256, 90, 200))
    pygame.display.flip()
    clock.tick(40)
"""
