"""Masks as a user draws and finds them: real keys and the mouse, the screen read back."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import hud_window
import numpy as np
import pytest
import tiny_models
from flat_clips import flat
from test_panel_e2e import PLACE, Program, program, pytestmark, xvfb
from whole_program import ROOT, until, xdotool
from x_game import RED, heard

__all__ = ["program", "pytestmark", "xvfb"]  # fixtures and marks of that file

# In the panel: x, y in the window.
MASKS, PRESET, SAVE = (237, 87), (300, 87), (116, 200)
RECTANGLE, DONE, FIND = (84, 117), (212, 147), (212, 147)
INSIDE, OUTSIDE = (700, 300), (840, 560)
AMBER_OVER_RED = np.array(RED) * 0.7 + np.array([255, 194, 92]) * 0.3


def near(one: Program, place: tuple[int, int], color: np.ndarray | tuple[int, ...]) -> bool:
    return bool(abs(one.spot(*place) - np.array(color)).max() <= 6)


def open_masks(one: Program, key: str) -> None:
    xdotool("windowfocus", "--sync", one.window())
    xdotool("key", key)
    until(one.panel_is_open)
    one.click(*MASKS)
    until(lambda: one.spot(211, 92)[2] > 50)  # this tab is in front


def draw(one: Program, start: tuple[int, int], end: tuple[int, int]) -> None:
    one.click(*RECTANGLE)
    until(lambda: near(one, OUTSIDE, RED))  # the frozen frame, unpainted
    one.move(*start)
    xdotool("mousedown", 1)
    one.move(*end)
    xdotool("mouseup", 1)
    until(lambda: near(one, INSIDE, AMBER_OVER_RED))


def test_drawn_shown_by_its_key_and_saved(
    game: Callable, program: Callable[..., Program], tmp_path: Path
) -> None:
    game(place=PLACE)
    file = tmp_path / "settings.toml"
    file.write_text("# mine\n")
    one = program("stylizer", "--settings", str(file))
    until(one.window)
    until(lambda: one.shows(one.painted))
    open_masks(one, "F2")
    draw(one, (600, 200), (800, 400))
    one.click(*DONE)
    until(lambda: near(one, OUTSIDE, one.painted))
    assert near(one, INSIDE, RED), "as the game draws it"
    xdotool("key", "m")
    until(lambda: near(one, INSIDE, AMBER_OVER_RED))
    assert near(one, OUTSIDE, one.painted)
    xdotool("key", "m")
    until(lambda: near(one, INSIDE, RED))
    one.click(*PRESET)
    until(lambda: one.spot(281, 92)[2] > 50)
    one.click(*SAVE)
    until(lambda: "mask_shapes" in file.read_text())
    (section,) = tomllib.loads(file.read_text())["game"]
    assert len(section["mask_shapes"]) == 1
    assert section["mask_shapes"][0].startswith("rectangle 0.66")
    assert file.read_text().startswith("# mine")


def test_over_the_game_the_mouse_is_the_panels_while_a_mask_is_drawn(
    game: Callable, program: Callable[..., Program]
) -> None:
    red = game(place=PLACE)
    one = program("Red Game", "--present", "overlay")
    until(lambda: one.shows(one.painted))
    open_masks(one, "ctrl+alt+o")
    draw(one, (600, 200), (800, 400))
    assert not [words for words in heard(red) if words.startswith("click")]
    one.click(*DONE)
    until(lambda: near(one, OUTSIDE, one.painted))
    assert near(one, INSIDE, RED)
    one.click(*INSIDE)
    until(lambda: f"click {INSIDE[0]} {INSIDE[1]}" in heard(red))


@pytest.fixture
def game_with_hud(xvfb: str) -> Iterator[None]:
    script = Path(hud_window.__file__)
    started = subprocess.Popen(
        [sys.executable, str(script), "Red Game", *map(str, PLACE)],
        env=os.environ | {"DISPLAY": xvfb, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    yield
    started.kill()
    started.wait()


def test_the_hud_is_found_and_taken_by_a_click(
    game_with_hud: None, program: Callable[..., Program]
) -> None:
    one = program("stylizer")
    until(one.window)
    ground = (hud_window.HUD_X + 5, hud_window.HUD_Y + 5)
    painted = tiny_models.mixed(flat((1, 1), hud_window.GROUND))[0, 0].astype(int)
    until(lambda: near(one, ground, painted))
    open_masks(one, "F2")
    one.click(*FIND)
    green = np.array(hud_window.GROUND) * 0.7 + np.array([128, 222, 143]) * 0.3
    until(lambda: near(one, ground, green))
    one.click(*ground)
    until(lambda: near(one, ground, hud_window.GROUND))  # the only one: the picture moves again
    mark = (hud_window.HUD_X + 15, hud_window.HUD_Y + 20)
    assert near(one, mark, hud_window.MARK)
