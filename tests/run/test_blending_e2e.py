"""A second style as a user mixes it: the panel's slider and its masks, the screen read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tiny_models
from test_masks_e2e import DONE, INSIDE, OUTSIDE, draw, near, open_masks
from test_panel_e2e import PLACE, Program, program, pytestmark, xvfb
from whole_program import until, xdotool
from x_game import RED

__all__ = ["program", "pytestmark", "xvfb"]  # fixtures and marks of that file

# In the panel: x, y in the window.
SHARE_HALF, SHARE_ALL, SHARE_NONE = (270, 492), (382, 492), (150, 492)
STYLE, SECOND_INSIDE = (50, 87), (154, 264)
SECOND = np.array([0, RED[1], 0])  # keeps green


def test_mixed_by_the_slider_and_inside_a_mask(
    game: Callable, program: Callable[..., Program], tmp_path: Path
) -> None:
    game(place=PLACE)
    other = tiny_models.many_styles(tmp_path / "many.onnx")
    one = program("stylizer", "--blend-with", f"{other}#1", "--blend", "0")
    until(one.window)
    until(lambda: one.shows(one.painted))
    xdotool("windowfocus", "--sync", one.window())
    xdotool("key", "F2")
    until(one.panel_is_open)
    one.click(*SHARE_HALF)
    until(lambda: one.shows((one.painted + SECOND) / 2))
    one.click(*SHARE_ALL)
    until(lambda: one.shows(SECOND))
    one.click(*SHARE_NONE)
    until(lambda: one.shows(one.painted))
    xdotool("key", "F2")
    until(lambda: not one.panel_is_open())
    open_masks(one, "F2")
    draw(one, (600, 200), (800, 400))
    one.click(*DONE)
    until(lambda: near(one, OUTSIDE, one.painted))
    assert near(one, INSIDE, RED)
    one.click(*SECOND_INSIDE)
    until(lambda: near(one, INSIDE, SECOND))
    assert near(one, OUTSIDE, one.painted)
