"""Keys by the sign they give, whatever the layout, and a terminal that ends an overlay."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest
from x_display import x_server

from stylizer.hotkeys import DEFAULT_KEYS, Action, key_label
from stylizer.present.global_keys import GlobalKeys, keysym
from stylizer.present.keyboard import Place, place_of, sign_of
from stylizer.present.reserved import free_combinations
from stylizer.present.user_input import UserInput
from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings
from stylizer.system.x11 import Display

needs_tools = pytest.mark.skipif(
    not (shutil.which("setxkbmap") and shutil.which("xdotool")),
    reason="setxkbmap or xdotool is not installed",
)
ALTGR, EIGHT = 108, 17  # keycodes


@pytest.fixture(scope="module")
def german() -> Iterator[str]:
    """A display of its own with a German keyboard."""
    with x_server() as display:
        done = subprocess.run(["setxkbmap", "de"], env=os.environ | {"DISPLAY": display})
        assert done.returncode == 0
        yield display


@needs_tools
def test_signs_are_found_on_a_german_keyboard(german):
    display = Display(german)
    try:
        assert place_of(display, keysym("[")) == Place("8", "altgr")
        assert place_of(display, keysym("/")) == Place("7", "shift")
        assert place_of(display, keysym("c")) is None
    finally:
        display.close()


@needs_tools
@pytest.mark.parametrize(
    ("layout", "sign", "base"), [("cz", "2", "ě"), ("pl", "[", ""), ("hu", "[", "f")]
)
def test_letters_older_than_unicode_are_named(layout: str, sign: str, base: str):
    with x_server() as name:
        assert subprocess.run(["setxkbmap", "-display", name, layout]).returncode == 0
        display = Display(name)
        try:
            place = place_of(display, keysym(sign))
        finally:
            display.close()
    assert (place.base if place else "") == base


def test_keysyms_of_other_alphabets():
    signs = {0x1EC: "ě", 0x6C1: "а", 0x7E1: "α", 0xCE0: "א", 0xFFBE: "", 0xFE03: "", 0x8F6: ""}
    assert {number: sign_of(number) for number in signs} == signs


@needs_tools
def test_a_window_hears_altgr_8_as_a_bracket(german, monkeypatch):
    monkeypatch.setenv("DISPLAY", german)
    presenter = WindowPresenter(Settings(size=(200, 120)), (200, 120))
    actions: list[Action] = []

    def until(done, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, actions
            actions.extend(presenter.poll())
            presenter.present()
            time.sleep(0.01)

    try:
        assert key_label(presenter.key_names["strength_down"]) == "AltGr+8"
        subprocess.run(["xdotool", "windowfocus", str(presenter._handle)], check=True)
        until(pygame.key.get_focused)
        keys = ["keydown", str(ALTGR), "key", str(EIGHT), "keyup", str(ALTGR), "key", "c"]
        subprocess.run(["xdotool", *keys], check=True)
        until(lambda: len(actions) > 1)
        assert actions == [Action("strength_down"), Action("keep_colors")]
    finally:
        presenter.close()


def test_keys_without_latin_letters_count_by_their_place():
    user = UserInput({})
    cyrillic = {"key": ord("\u0440"), "mod": 0, "scancode": 11}  # where h is
    assert user.actions(pygame.Event(pygame.KEYDOWN, cyrillic)) == [Action("hud")]


@needs_tools
def test_another_combination_takes_the_place_of_a_taken_one(german, monkeypatch):
    monkeypatch.setenv("DISPLAY", german)
    other = Display(german)
    try:
        for sign, modifiers in (
            ("escape", 4 | 8),
            ("escape", 1 | 4 | 8),
            ("h", 4 | 8),
            ("b", 4 | 8),
        ):
            keycode = other.x.XKeysymToKeycode(other.pointer, keysym(sign))
            with other.trying() as errors:
                other.x.XGrabKey(other.pointer, keycode, modifiers, other.root, 0, 1, 1)
            assert not errors
        keys = GlobalKeys({"toggle_wipe": "ctrl+alt+b"})
        try:
            told, way_out = keys.take_notices()
            assert keys.names["quit"] == "ctrl+shift+escape"
            assert keys.names["hud"] == "ctrl+alt+shift+h"
            assert keys.names["strength_down"] == "ctrl+alt+8"
            assert "toggle_wipe" not in keys.names, "what the user chose has no other"
            assert "ctrl+alt+h (HUD: off, fps, graph): ctrl+alt+shift+h instead" in told
            assert way_out == "ctrl+shift+escape: quit; ctrl+alt+k: all keys"
            subprocess.run(["xdotool", "key", "ctrl+shift+Escape", "ctrl+alt+shift+h"], check=True)
            found: list[Action] = []
            deadline = time.monotonic() + 20
            while len(found) < 2 and time.monotonic() < deadline:
                found += keys.actions()
                time.sleep(0.01)
            assert found == [Action("quit"), Action("hud")]
        finally:
            keys.close()
    finally:
        other.close()


@needs_tools
def test_what_the_desktop_keeps_is_not_taken(german, monkeypatch):
    monkeypatch.setenv("DISPLAY", german)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    keys = GlobalKeys({"previous_style": "ctrl+alt+shift+tab"})
    try:
        assert keys.names["quit"] == "ctrl+shift+escape"
        assert keys.names["next_style"] == "ctrl+shift+tab"
        assert keys.names["previous_style"] == "ctrl+alt+shift+tab", "what the user chose is tried"
        assert keys.names["hud"] == "ctrl+alt+h"
        assert "ctrl+shift+escape: quit; ctrl+alt+k: all keys" in keys.take_notices()
    finally:
        keys.close()
    found = free_combinations({})
    assert found["quit"] == "ctrl+shift+escape"
    assert found["next_style"] == "ctrl+shift+tab"
    assert found["previous_style"] == "alt+shift+tab"
    assert len(set(found.values())) == len(found) == len(DEFAULT_KEYS)


LISTEN = """
import sys, time
sys.path.insert(0, sys.argv[1])
from stylizer.present.terminal_keys import TerminalKeys
keys = TerminalKeys()
print("ready", keys.listens, flush=True)
deadline = time.monotonic() + 30
while not keys.ended() and time.monotonic() < deadline:
    time.sleep(0.01)
keys.close()
print("ended" if time.monotonic() < deadline else "never", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="terminals as POSIX has them")
def test_escape_twice_in_the_terminal_ends_it():
    import pty
    import termios

    root = str(Path(__file__).parents[2])
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", LISTEN, root])
    said = b""

    def until(word: bytes) -> None:
        nonlocal said
        while word not in said:
            said += os.read(terminal, 1024)

    try:
        before = termios.tcgetattr(terminal)[3]
        until(b"ready True")
        assert not termios.tcgetattr(terminal)[3] & termios.ECHO
        for keys in (b"\x1b[A", b"x", b"\x1b"):  # an arrow, a letter, one Escape
            os.write(terminal, keys)
            time.sleep(0.3)
        time.sleep(1.2)  # too late for a second press
        os.write(terminal, b"\x1b")
        time.sleep(0.3)
        assert b"ended" not in said
        os.write(terminal, b"\x1b")
        until(b"ended")
        assert termios.tcgetattr(terminal)[3] == before
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
