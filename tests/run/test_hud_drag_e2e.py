"""The HUD is dragged with the mouse, in the window and over a game, and stays where it was put."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from test_masks_e2e import PRESET, SAVE
from test_panel_e2e import PLACE, Program, program, pytestmark, xvfb
from whole_program import until, xdotool
from x_game import heard

__all__ = ["program", "pytestmark", "xvfb"]  # fixtures and marks of that file

HERE = (20, 20)  # on the HUD's ground, above its text


def dark(one: Program, x: int, y: int) -> bool:
    return bool(one.spot(x, y).max() < 45)


def drag(one: Program, start: tuple[int, int], end: tuple[int, int]) -> None:
    one.move(*start)
    xdotool("mousedown", 1)
    one.move((start[0] + end[0]) // 2, end[1])
    one.move(*end)
    xdotool("mouseup", 1)


def test_in_the_window(game: Callable, program: Callable[..., Program], tmp_path: Path) -> None:
    game(place=PLACE)
    file = tmp_path / "settings.toml"
    file.write_text("# mine\n")
    one = program("stylizer", "--hud", "fps", "--wipe", "0", "--settings", str(file))
    until(one.window)
    until(lambda: one.shows(one.painted))
    until(lambda: dark(one, *HERE))
    drag(one, HERE, (520, 420))
    until(lambda: dark(one, 520, 420))
    until(lambda: one.shows(one.painted, *HERE))
    drag(one, (520, 420), (5000, 420))
    until(lambda: dark(one, PLACE[2] - 6, 420))
    assert one.shows(one.painted, 520, 420), "it stays inside; the wipe did not move"
    xdotool("windowfocus", "--sync", one.window())
    xdotool("key", "F2")
    until(one.panel_is_open)
    assert dark(one, PLACE[2] - 6, 420), "beside the panel it is still there"
    drag(one, (PLACE[2] - 6, 420), (PLACE[2] - 6, 120))
    until(lambda: dark(one, PLACE[2] - 6, 120))
    one.click(*PRESET)
    until(lambda: one.spot(281, 92)[2] > 50)
    one.click(*SAVE)
    until(lambda: "hud_place" in file.read_text())
    (section,) = tomllib.loads(file.read_text())["game"]
    x, y = map(float, section["hud_place"].split(","))
    assert x == 1
    assert 0.1 < y < 0.25
    one.close()
    again = program("stylizer", "--hud", "fps", "--settings", str(file))
    until(again.window)
    until(lambda: dark(again, PLACE[2] - 6, 120))


def test_over_the_game_while_the_panel_is_open(
    game: Callable, program: Callable[..., Program]
) -> None:
    red = game(place=PLACE)
    one = program("Red Game", "--present", "overlay", "--hud", "fps", "--hud-place", "1,0.5")
    until(lambda: one.shows(one.painted))
    until(lambda: dark(one, PLACE[2] - 6, 320))
    drag(one, (PLACE[2] - 6, 320), (PLACE[2] - 6, 520))
    until(lambda: f"click {PLACE[2] - 6} 320" in heard(red))
    assert dark(one, PLACE[2] - 6, 320), "the mouse was the game's"
    xdotool("windowfocus", "--sync", one.window())
    xdotool("key", "ctrl+alt+o")
    until(one.panel_is_open)
    drag(one, (PLACE[2] - 6, 320), (PLACE[2] - 6, 520))
    until(lambda: dark(one, PLACE[2] - 6, 520))
    until(lambda: one.shows(one.painted, PLACE[2] - 6, 320))
    assert heard(red).count(f"click {PLACE[2] - 6} 320") == 1
