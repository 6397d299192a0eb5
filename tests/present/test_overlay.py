"""The overlay over a real window of another process: under openbox, icewm and without a manager."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

import numpy as np
import pytest
from flat_clips import flat
from whole_program import until, xdotool
from x_game import RED, heard
from x_overlay import PAINT, PLACE, raise_window

from stylizer.frame import IDLE, Rect
from stylizer.settings import Settings
from stylizer.source.x11.window import WindowSource
from stylizer.source.x11.window_list import find_window

pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
GREEN = (20, 180, 60)


@pytest.fixture(scope="module")
def xvfb(each_manager: str) -> str:
    return each_manager


def test_it_follows_moves_and_resizes(game, overlay):
    game(place=PLACE)
    over = overlay()
    assert over.place(over.id) == over.place(over.game_id)
    for command, values in (("windowmove", (90, 60)), ("windowsize", (520, 260))):
        before = over.place(over.game_id)
        xdotool(command, over.game_id, *values)
        until(lambda before=before: over.place(over.game_id) != before)
        over.until(over.covers)
        assert over.place(over.id) == over.place(over.game_id)
    assert over.presenter.size == (520, 260)


def test_it_leaves_the_screen_with_a_minimized_game_and_comes_back(game, overlay, monkeypatch):
    monkeypatch.setenv("SWAYSOCK", "/nonexistent/sway.sock")  # of one that has ended
    game(place=PLACE)
    over = overlay()
    managed = bool(over.eye.numbers(over.eye.root, "_NET_SUPPORTING_WM_CHECK"))
    xdotool("windowminimize" if managed else "windowunmap", over.game_id)
    over.until(lambda: not over.is_mapped())
    assert over.presenter.hidden
    assert not (over.screen() == np.array(PAINT)).all(axis=2).any()
    xdotool("windowmap", over.game_id)
    over.until(over.covers)
    assert not over.presenter.hidden


def test_other_windows_cover_both_alike(game, overlay):
    game(place=PLACE)
    over = overlay()
    game("Green Cover", (200, 150, 300, 200), GREEN)
    cover = find_window(over.eye, "Green Cover")[0].id

    def color_where_both_are() -> tuple[int, ...]:
        x, y, width, height = over.place(cover)
        return tuple(int(v) for v in over.screen()[y + height - 20, x + width - 20])

    raise_window(cover)
    over.until(lambda: color_where_both_are() == GREEN)
    assert over.is_mapped()
    assert (over.shown()[-20:] == np.array(PAINT)).all()  # the rest is painted still
    for _ in range(2):
        raise_window(over.game_id)
        over.until(lambda: color_where_both_are() == PAINT)
        over.until(over.covers)
        raise_window(cover)
        over.until(lambda: color_where_both_are() == GREEN)


def test_a_still_desktop_costs_no_question_to_the_server(game, overlay, monkeypatch):
    game(place=PLACE)
    over = overlay()
    for _ in range(5):
        over.turn()
    asked: list[int] = []
    inside = over.presenter._over
    assert inside is not None
    monkeypatch.setattr(inside, "_arrange", lambda: asked.append(1))
    for _ in range(20):
        over.turn()
    assert not asked
    xdotool("windowmove", over.game_id, 20, 30)
    over.until(lambda: asked)


def test_clicks_and_keys_reach_the_game_and_the_focus_stays(game, overlay):
    one = game(place=PLACE)
    focus = xdotool("getwindowfocus")
    over = overlay()
    x, y, _, _ = over.place(over.game_id)
    xdotool("mousemove", x + 120, y + 90, "click", 1)
    over.until(lambda: "click 120 90" in heard(one))
    xdotool("key", "a")
    over.until(lambda: "key a" in heard(one))
    assert over.actions == []
    assert xdotool("getwindowfocus") == focus


def test_a_game_that_holds_the_mouse_lets_it_go_for_the_panel(game, overlay):
    """As many do in fullscreen: no click would reach the panel. Afterwards it has all back."""
    one = game(place=PLACE)
    over = overlay()
    xdotool("windowfocus", over.game_id)
    one.tell("hold")
    x, y, _, _ = over.place(over.game_id)
    held = [Rect(0, 0, *PLACE[2:])]

    def clicked(told: Callable[[], object], at: tuple[int, int]) -> None:
        clicks: list[float] = []

        def again() -> object:
            over.presenter.show_panel(held[0] if held else None, False, False)
            now = time.monotonic()
            if not clicks or now - clicks[-1] > 1.5:  # the game lets go when it gets to it
                xdotool("mousemove", x + at[0], y + at[1], "click", 1)
                clicks.append(now)
            return told()

        over.until(again, seconds=60)

    held.clear()
    clicked(lambda: "click 120 90" in heard(one), (120, 90))
    held.append(Rect(0, 0, *PLACE[2:]))
    clicked(lambda: any(e.kind == "button" for e in over.presenter.take_ui_events()), (130, 90))
    held.clear()
    clicked(lambda: "click 140 90" in heard(one), (140, 90))
    xdotool("key", "a")
    over.until(lambda: "key a" in heard(one))


def test_what_the_overlay_shows_never_comes_back_in_the_capture(game, overlay):
    game(place=PLACE)
    over = overlay()
    source = WindowSource(Settings(source="window", window="Red Game"))
    frames: list[np.ndarray] = []

    def captured() -> bool:
        frame = source.read(IDLE)
        if frame is not None:
            assert over.covers()
            frames.append(frame.rgb().copy())
        return len(frames) >= 8

    try:
        over.until(captured)
    finally:
        source.close()
    assert all((frame[6:] == np.array(RED)).all() for frame in frames)


def test_it_follows_the_game_that_comes_back(game, overlay):
    one = game(place=PLACE)
    over = overlay()
    source = WindowSource(Settings(source="window", window="Red Game", wait=True))

    def follow_source() -> int:
        source.read(IDLE)
        over.game_id = source.window_id
        return source.window_id

    try:
        assert follow_source()
        one.close()
        over.until(lambda: follow_source() == 0)
        over.until(lambda: over.presenter.hidden and not over.is_mapped())
        game("Red Game again", (100, 120, 260, 180), RED)
        over.until(lambda: follow_source() and not over.presenter.hidden)
        over.until(over.covers)
    finally:
        source.close()


def test_a_screenshot_is_read_back_and_fullscreen_is_refused_in_words(game, overlay):
    game(place=PLACE)
    over = overlay(global_keys={"fullscreen": "ctrl+shift+f8"})
    over.presenter.take_notices()
    over.presenter.framebuffer.clear(0, 1, 0)
    assert (over.presenter.read_back() == flat(over.presenter.size, (0, 255, 0))).all()
    size = over.presenter.size
    xdotool("key", "ctrl+shift+F8")
    found: list[str] = []
    over.until(lambda: found.extend(over.presenter.take_notices()) or found)
    assert "as big as the game" in found[0]
    assert over.presenter.size == size
    assert over.actions == []
