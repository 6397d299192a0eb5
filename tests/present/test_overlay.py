"""The overlay over a real window of another process: under openbox, icewm and without a manager."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mss
import numpy as np
import pytest
import tiny_models
from flat_clips import flat
from whole_program import until, xdotool
from x_game import RED, heard
from x_overlay import PAINT, PLACE, raise_window

from stylizer.app.cli import main
from stylizer.frame import IDLE, Rect
from stylizer.settings import Settings
from stylizer.source.x11.window import WindowSource
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

ROOT = Path(__file__).parents[2]
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


class Program:
    """The stylizer as a user starts it, over the red game."""

    def __init__(self, cwd: Path, *argv: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "run", "--window", "Red Game", *argv],
            cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> tuple[int, str]:
        _, error = self.process.communicate(timeout=60)
        return self.process.returncode, error


@pytest.mark.parametrize("each_manager", ["openbox"], indirect=True)
def test_the_whole_program_paints_the_game_under_the_mouse(game, xvfb, tmp_path):
    """Painted exactly once, frame after frame: what is shown is not captured again."""
    one = game(place=PLACE)
    model = tiny_models.painter(tmp_path / "painter.onnx")
    painted = tiny_models.mixed(flat((1, 1), RED))[0, 0]
    eye, grabber = Display(xvfb), mss.MSS(display=xvfb)
    window = find_window(eye, "Red Game")[0].id
    x, y = eye.place(window)
    box = {"left": x, "top": y + 6, "width": PLACE[2], "height": PLACE[3] - 6}

    def colors() -> np.ndarray:
        return np.asarray(grabber.grab(box))[:, :, 2::-1].astype(int)

    def is_painted(part: slice = slice(None)) -> bool:
        return bool((abs(colors()[:, part] - painted) <= 1).all())

    assert abs(painted.astype(int) - RED).max() > 20
    program = Program(
        tmp_path, "--present", "overlay", "--model", str(model), "--provider", "cpu",
        "--hud", "off", "--report", "r.json", "--strength", "0.9",
    )  # fmt: skip
    try:
        until(lambda: (abs(colors() - RED) > 10).any(), seconds=60)  # it is there
        xdotool("mousemove", x + 200, y + 150, "click", 1)
        until(lambda: "click 200 150" in heard(one))
        xdotool("key", "ctrl+alt+bracketright")  # 90 % -> 100 %
        until(is_painted, seconds=30)
        xdotool("key", "ctrl+alt+b")  # before/after: the left half is the game's
        until(lambda: (colors()[:, :150] == np.array(RED)).all() and is_painted(slice(250, 400)))
        one.tell("quit")
        code, error = program.end()
    finally:
        program.process.kill()
        grabber.close()
        eye.close()
    assert (code, "Traceback" in error) == (0, False), error
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["present"] == "overlay"
    assert report["styled_frames"] > 2
    assert not [word for word in heard(one) if word.startswith("key ") and word[4:] in "b]"]


# --- without a display of any kind --------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--present", "overlay"], ["overlay needs --window NAME"]),
        (["--present", "overlay", "--input", "a.mp4"], ["overlay needs --window NAME"]),
        (
            ["--present", "overlay", "--source", "screen"],
            ["overlay needs --window NAME", "whatever lies over the game"],
        ),
        (["--present", "offscreen", "--grab-keys"], ["--grab-keys", "offscreen"]),
    ],
)
def test_where_an_overlay_cannot_be(capsys, argv, words):
    assert main(["run", *argv]) == 2
    error = capsys.readouterr().err.strip()
    assert error.count("\n") == 0
    assert all(word in error for word in words), error


def test_a_foreign_x_error_still_ends_at_xlib(xvfb):
    """SDL's error handler between two of ours passes errors back to us: no endless circle."""
    code = (
        "import ctypes, pygame\n"
        "from stylizer.system.x11 import Display\n"
        "first = Display()\n"
        "pygame.display.init()\n"
        "second = Display()\n"
        "x = first.x\n"
        "foreign = x.XOpenDisplay(None)\n"
        "with second.trying() as errors: x.XMapWindow(second.pointer, 1)\n"
        "print(errors, flush=True)\n"
        "x.XMapWindow(foreign, 1)\n"
        "x.XSync(foreign, 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | {"DISPLAY": xvfb, "SDL_VIDEODRIVER": "x11"},
    )  # fmt: skip
    assert "[3]" in done.stdout  # BadWindow, ours: told to us
    assert done.returncode == 1
    assert "BadWindow" in done.stderr
