"""Real key presses, the mouse and dropped files in a real window on Xvfb."""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path

import pygame
import pytest
from own_window import SIZE, focus, press, settle, wait_for
from whole_program import xdotool

from stylizer.frame import IDLE, Rect, UiEvent
from stylizer.hotkeys import Action
from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        ("1", "model_original"),
        ("Tab", "next_style"),
        ("shift+Tab", "previous_style"),
        ("bracketleft", "strength_down"),
        ("F1", "help"),
        ("h", "hud"),
        ("Escape", "quit"),
    ],
)
def test_keys_become_actions(window: WindowPresenter, keys: str, action: str) -> None:
    assert press(window, keys) == [Action(action)]
    assert window.is_open


def test_held_key_tells_of_its_release(window: WindowPresenter) -> None:
    xdotool("keydown", "space")
    assert wait_for(window, bool) == [Action("show_source", 1.0)]
    time.sleep(0.8)  # longer than X11's delay before a held key repeats (660 ms)
    assert settle(window) == []
    xdotool("keyup", "space")
    assert wait_for(window, bool) == [Action("show_source", 0.0)]


def test_key_repeat_toggles_once(window: WindowPresenter) -> None:
    xdotool("keydown", "b")
    time.sleep(0.8)
    assert settle(window) == [Action("toggle_wipe")]
    xdotool("keyup", "b")
    assert settle(window) == []


def test_keys_can_be_rebound(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    presenter = WindowPresenter(Settings(keys={"hud": "F5", "help": "w"}), SIZE)
    try:
        settle(presenter)
        focus(presenter)
        assert press(presenter, "F5") == [Action("hud")]
        xdotool("keydown", "w", "keydown", "d")
        assert wait_for(presenter, bool) == [Action("help")]
        wait_for(presenter, lambda _: presenter.inputs().right == 1)
        assert presenter.inputs().forward == 0  # a bound key does not move the camera
        xdotool("keyup", "w", "keyup", "d")
    finally:
        presenter.close()


def test_camera_keys(window: WindowPresenter) -> None:
    assert window.inputs() == IDLE
    xdotool("keydown", "w", "keydown", "Left")
    wait_for(window, lambda _: not window.inputs().idle)
    settle(window)
    assert (window.inputs().forward, window.inputs().right) == (1.0, -1.0)
    xdotool("keyup", "w", "keyup", "Left")
    wait_for(window, lambda _: window.inputs().idle)


def test_right_drag_looks_and_left_drag_wipes(window: WindowPresenter) -> None:
    xdotool("mousedown", 1, "mousemove", "--window", window._handle, 200, 60, "mouseup", 1)
    actions = wait_for(window, lambda got: Action("wipe", 200.0) in got)
    assert actions[0] == Action("wipe", 50.0)
    assert window.inputs() == IDLE
    xdotool("mousedown", 3)
    settle(window)
    window.inputs()
    xdotool("mousemove_relative", 40, 25)
    settle(window)
    looked = window.inputs()
    assert looked.look_x > 0
    assert looked.look_y > 0
    xdotool("mouseup", 3, "mousemove_relative", 10, 10)
    settle(window)
    assert window.inputs() == IDLE


def drop(name: bytes) -> None:
    """As SDL tells it, for which pygame has no word: a name is bytes there."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    [path] = {line.split()[-1] for line in maps if "libSDL2-2" in line}
    sdl = ctypes.CDLL(path)
    sdl.SDL_strdup.restype = ctypes.c_void_p
    event = ctypes.create_string_buffer(64)
    ctypes.c_uint32.from_buffer(event, 0).value = pygame.DROPFILE
    ctypes.c_void_p.from_buffer(event, 8).value = sdl.SDL_strdup(name)
    assert sdl.SDL_PushEvent(event) == 1


def test_what_was_copied_is_pasted_as_one_line(window: WindowPresenter) -> None:
    window.show_panel(Rect(0, 0, *SIZE), True, False)
    settle(window)
    pygame.scrap.put_text("my pictures/\na.png\n")
    xdotool("key", "ctrl+v")
    told: list[UiEvent] = []

    def pasted(_: object) -> object:
        told.extend(window.take_ui_events())
        return [event for event in told if event.kind == "text"]

    wait_for(window, pasted)
    assert [e.text for e in told if e.kind == "text"] == ["my pictures/ a.png"]
    assert not [e for e in told if e.text == "ctrl+v" and e.down]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_dropped_files_are_taken_or_told(window: WindowPresenter) -> None:
    settle(window)
    window.take_notices()
    drop("/tmp/Möwe.png".encode())
    settle(window)
    assert window.take_dropped() == ["/tmp/Möwe.png"]
    assert window.take_dropped() == []
    drop(b"/tmp/M\xf6we.png")
    settle(window)
    assert window.take_dropped() == []
    [notice] = window.take_notices()
    assert "not UTF-8" in notice
