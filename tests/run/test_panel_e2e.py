"""The panel as a user meets it: real keys and clicks, on a window and over a game."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from flat_clips import flat
from whole_program import OnScreen, until, xdotool
from x_display import managed
from x_game import RED, heard

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed"),
]
PLACE = (150, 60, 900, 660)  # of the game: x, y, width, height
# In the panel, with the bundled styles in three rows and a model that has no tiers: x, y in the
# window.
STRENGTH_HALF, KEYS, KEEP_COLORS_KEY, CLOSE = (270, 432), (173, 87), (313, 409), (398, 21)
AMBER = (255, 194, 92)


@pytest.fixture(scope="module", params=["openbox", "icewm"])
def xvfb(request: pytest.FixtureRequest) -> Iterator[str]:
    """A display of this file's own, with a window manager."""
    with managed(request.param) as display:
        yield display


class Program(OnScreen):
    """The stylizer on the red game."""

    def __init__(self, display: str, cwd: Path, title: str, *argv: str) -> None:
        model = tiny_models.painter(cwd / "painter.onnx")
        self.painted = tiny_models.mixed(flat((1, 1), RED))[0, 0].astype(int)
        words = ["--window", "Red Game", "--hud", "off", "--model", str(model), *argv]
        super().__init__(display, title, cwd, "run", "--provider", "cpu", *words)

    def waits_for_key(self) -> bool:
        """Whether "press a key" stands where the key of keep_colors does."""
        x, y = KEEP_COLORS_KEY
        pixels = self.pixels(x - 60, y - 16, 120, 32)
        return bool((abs(pixels - AMBER).max(axis=2) < 40).any())

    def bind_keep_colors(self, key: str) -> None:
        """By clicks and the key itself."""
        self.click(*KEYS)
        until(lambda: self.spot(150, 92)[2] > 50)  # this tab is in front
        self.click(*KEEP_COLORS_KEY)
        until(self.waits_for_key)
        xdotool("key", key)
        until(lambda: not self.waits_for_key())

    def shows(self, color: np.ndarray, x: int = 800, y: int = 500) -> bool:
        return bool(abs(self.spot(x, y) - color).max() <= 6)

    def panel_is_open(self) -> bool:
        return bool(self.spot(20, 600).max() < 40)


@pytest.fixture
def program(xvfb: str, tmp_path: Path, game: Callable) -> Iterator[Callable[..., Program]]:
    """Starts the stylizer on a red game of its own."""
    opened: list[Program] = []

    def start(title: str, *argv: str) -> Program:
        opened.append(Program(xvfb, tmp_path, title, *argv))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def half_way(painted: np.ndarray) -> np.ndarray:
    return (painted + RED) / 2


def test_in_the_window(game: Callable, program: Callable[..., Program]) -> None:
    game(place=PLACE)
    one = program("stylizer")
    until(one.window)
    until(lambda: one.shows(one.painted))
    xdotool("windowfocus", "--sync", one.window())
    xdotool("key", "F2")
    until(one.panel_is_open)
    one.click(*STRENGTH_HALF)
    until(lambda: one.shows(half_way(one.painted)))
    one.move(*STRENGTH_HALF)
    xdotool("mousedown", 1)
    one.move(800, 440)  # dragged on beside the panel
    until(lambda: one.shows(one.painted))
    xdotool("mouseup", 1)
    one.bind_keep_colors("k")
    xdotool("key", "k")
    until(lambda: not one.shows(one.painted))  # its brightness, the game's color
    xdotool("key", "c", "k")  # c no longer is it
    until(lambda: one.shows(one.painted))
    xdotool("key", "Escape")
    until(lambda: not one.panel_is_open())
    assert one.process.poll() is None, "Escape closes what is in front"
    xdotool("key", "Escape")
    assert one.process.wait(30) == 0


def test_over_the_game_it_has_the_mouse_only_while_and_where_it_is_open(
    game: Callable, program: Callable[..., Program]
) -> None:
    red = game(place=PLACE)
    one = program("Red Game", "--present", "overlay")
    until(lambda: one.shows(one.painted))
    xdotool("windowfocus", "--sync", one.window())
    xdotool("key", "ctrl+alt+o")
    until(one.panel_is_open)
    one.click(*STRENGTH_HALF)
    until(lambda: one.shows(half_way(one.painted)))
    one.click(700, 300)
    until(lambda: "click 700 300" in heard(red))
    assert f"click {STRENGTH_HALF[0]} {STRENGTH_HALF[1]}" not in heard(red)
    one.bind_keep_colors("ctrl+alt+y")
    assert not [w for w in heard(red) if w == "key y"], "the new key was the panel's"
    xdotool("key", "a")
    until(lambda: "key a" in heard(red))  # the game has the keyboard again
    xdotool("key", "ctrl+alt+y")
    until(lambda: not one.shows(half_way(one.painted)))
    xdotool("key", "ctrl+alt+y")
    until(lambda: one.shows(half_way(one.painted)))
    one.click(*CLOSE)
    until(lambda: not one.panel_is_open())
    one.click(*STRENGTH_HALF)
    until(lambda: f"click {STRENGTH_HALF[0]} {STRENGTH_HALF[1]}" in heard(red))
    assert "key y" not in heard(red)
