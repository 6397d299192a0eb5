"""Keys that work over a game or beside it: under openbox, icewm and without a manager."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest
from whole_program import until, xdotool
from x_game import heard
from x_overlay import PLACE, raise_window

from stylizer.errors import BadInput
from stylizer.hotkeys import DEFAULT_KEYS, Action, global_combinations, parse_combination
from stylizer.present.global_keys import GlobalKeys, keysym
from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")


@pytest.fixture(scope="module")
def xvfb(each_manager: str) -> str:
    return each_manager


def test_a_global_key_acts_and_the_game_does_not_see_it(game, overlay):
    one = game(place=PLACE)
    over = overlay(global_keys={"show_source": "ctrl+shift+F9"})
    x, y, _, _ = over.place(over.game_id)
    xdotool("mousemove", x + 120, y + 90, "click", 1)
    for locks in ([], ["Caps_Lock"], ["Num_Lock"], ["Caps_Lock", "Num_Lock"]):
        over.actions.clear()
        for lock in locks:
            xdotool("key", lock)
        xdotool("key", "ctrl+alt+b")
        over.until(lambda: over.actions == [Action("toggle_wipe")])
        for lock in locks:
            xdotool("key", lock)
    over.actions.clear()
    xdotool("keydown", "ctrl+shift+F9")
    over.until(lambda: over.actions == [Action("show_source", 1.0)])
    held_until = time.monotonic() + 0.8  # longer than X11's delay before a held key repeats
    over.until(lambda: time.monotonic() > held_until)
    xdotool("keyup", "ctrl+shift+F9")
    over.until(lambda: len(over.actions) > 1)
    assert over.actions == [Action("show_source", 1.0), Action("show_source", 0.0)]
    xdotool("key", "b")  # alone it is the game's
    over.until(lambda: "key b" in heard(one))
    assert heard(one).count("key b") == 1
    assert "key f9" not in heard(one)
    assert len(over.actions) == 2


def test_a_key_that_another_program_has_is_named(game, overlay, xvfb):
    game(place=PLACE)
    other = Display(xvfb)
    try:
        keycode = other.x.XKeysymToKeycode(other.pointer, keysym("p"))
        with other.trying() as errors:
            other.x.XGrabKey(other.pointer, keycode, 4 | 8, other.root, 0, 1, 1)  # Ctrl+Alt
        assert not errors
        over = overlay()
        notices = " ".join(over.presenter.take_notices())
        assert "ctrl+alt+p (screenshot)" in notices
        assert "taken by another program" in notices
        assert "ctrl+alt+c" not in notices
        assert over.presenter.take_notices() == []
        xdotool("key", "ctrl+alt+p", "ctrl+alt+c")
        over.until(lambda: over.actions)
        assert over.actions == [Action("keep_colors")]
    finally:
        other.close()


@pytest.mark.skipif(shutil.which("setxkbmap") is None, reason="setxkbmap is not installed")
def test_global_keys_follow_the_keyboards_layout(game, overlay):
    game(place=PLACE)
    over = overlay()
    try:
        subprocess.run(["setxkbmap", "us", "dvorak"], check=True)  # its b lies where n was
        over.until(lambda: over.actions or xdotool("key", "ctrl+alt+b"))
        assert over.actions[0] == Action("toggle_wipe")
    finally:
        subprocess.run(["setxkbmap", "us"], check=True)
        over.turn()


def test_global_keys_in_a_window_only_when_asked(game, xvfb):
    one = game(place=PLACE)
    presenter = WindowPresenter(Settings(grab_keys=True), (200, 120))
    try:
        eye = Display(xvfb)
        raise_window(find_window(eye, "Red Game")[0].id)
        xdotool("windowfocus", find_window(eye, "Red Game")[0].id)
        eye.close()
        actions: list[Action] = []
        xdotool("key", "ctrl+alt+b")
        until(lambda: actions.extend(presenter.poll()) or actions)
        assert actions == [Action("toggle_wipe")]
        xdotool("key", "a")
        until(lambda: "key a" in heard(one))
        assert "key b" not in heard(one)
    finally:
        presenter.close()
    assert WindowPresenter.present_name == "window"
    assert not Settings().grab_keys


def test_every_action_has_a_global_key_of_its_own():
    combinations = global_combinations({})
    assert set(combinations) == set(DEFAULT_KEYS)
    assert len(set(combinations.values())) == len(DEFAULT_KEYS)
    for text in combinations.values():
        modifiers, key = parse_combination(text)
        assert {"ctrl", "alt"} <= modifiers
        assert keysym(key)
    changed = global_combinations({"quit": "Super+F9", "hud": ""})
    assert changed["quit"] == "super+f9"
    assert "hud" not in changed


def test_combinations_are_read_and_mistakes_named():
    assert parse_combination("ctrl+alt+1") == ({"ctrl", "alt"}, "1")
    assert parse_combination("ctrl++") == ({"ctrl"}, "plus")
    assert parse_combination("f9") == (frozenset(), "f9")
    for text, word in (("ctlr+x", "'ctlr' is no modifier"), ("ctrl+", "names no key")):
        with pytest.raises(BadInput, match=word):
            parse_combination(text)
    with pytest.raises(BadInput, match="no action 'jump'"):
        global_combinations({"jump": "ctrl+j"})


def test_pygames_key_names_are_known_to_x():
    import pygame

    names = [pygame.key.name(code) for code in range(33, 127)]
    names += ["escape", "tab", "space", "return", "backspace", "delete", "insert", "home", "end"]
    names += ["page up", "page down", "left", "right", "up", "down", "f1", "f12", "pause"]
    names += ["print screen", "scroll lock", "caps lock", "numlock", "enter", "[0]", "[9]"]
    numbers = {name: keysym(name) for name in names if name}
    assert len(set(numbers.values())) == len(numbers)
    assert (numbers["["], numbers["page up"], numbers["f1"]) == (0x5B, 0xFF55, 0xFFBE)
    with pytest.raises(BadInput, match="no key 'warp'"):
        keysym("warp")


def test_two_actions_on_one_key_are_said(xvfb, monkeypatch):
    monkeypatch.setenv("DISPLAY", xvfb)
    keys = GlobalKeys({"screenshot": "ctrl+alt+r"})
    try:
        found = [n for n in keys.take_notices() if "two actions" in n]
        assert len(found) == 1
        assert "ctrl+alt+r (start or stop recording)" in found[0]
    finally:
        keys.close()
