"""The overlay over a real window of another process: under openbox, icewm and without a manager."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import mss
import numpy as np
import pytest
import tiny_models
from conftest import RED, flat, heard, managed, x_server
from whole_program import until, xdotool

from stylizer.app.cli import main
from stylizer.errors import BadInput
from stylizer.frame import IDLE
from stylizer.hotkeys import DEFAULT_KEYS, Action, global_combinations, parse_combination
from stylizer.present.global_keys import GlobalKeys, keysym
from stylizer.present.overlay import OverlayPresenter
from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings
from stylizer.source.x11.window import WindowSource
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display
from stylizer.system.xlib import IS_VIEWABLE

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
GREEN = (20, 180, 60)
PAINT = (251, 7, 243)  # plain magenta is in icewm's tray
PLACE = (300, 200, 400, 300)  # of the game: x, y, width, height


@pytest.fixture(scope="module", params=["no manager", "openbox", "icewm"])
def xvfb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A display of this file's own, since a window manager leaves its properties on the root.

    icewm starts programs by keys, Ctrl+Alt+B among them where there is xdg-open: not here.
    """
    config = tmp_path_factory.mktemp("icewm")
    (config / "keys").touch()
    manager = request.param
    if manager == "no manager":
        with x_server() as display:
            yield display
        return
    with managed(manager, ICEWM_PRIVCFG=str(config)) as display:
        yield display


class Overlay:
    """An overlay over the game, in this process, all of one color; and an eye on the screen."""

    def __init__(self, display: str, settings: Settings) -> None:
        self.eye = Display(display)
        self.grabber = mss.MSS(display=display)
        self.game_id = find_window(self.eye, "Red Game")[0].id
        self.presenter = OverlayPresenter(settings, PLACE[2:])
        self.actions: list[Action] = []

    @property
    def id(self) -> int:
        return self.presenter._handle

    def turn(self) -> None:
        """One turn of the pipeline's loop."""
        self.presenter.follow(self.game_id)
        self.actions += self.presenter.poll()
        if self.presenter.minimized:
            return
        red, green, blue = (v / 255 for v in PAINT)
        self.presenter.framebuffer.clear(red, green, blue)
        self.presenter.present()

    def until(self, done: Callable[[], object], seconds: float = 15.0) -> None:
        """Turn until it is so."""

        def turned() -> object:
            self.turn()
            return done()

        until(turned, seconds=seconds)

    def place(self, window: int) -> tuple[int, int, int, int]:
        """(x, y, width, height) of a window's inside on the screen."""
        found = self.eye.attributes(window)
        assert found is not None
        return (*self.eye.place(window), found.width, found.height)

    def screen(self) -> np.ndarray:
        """uint8 (height, width, 3): the whole screen."""
        return np.asarray(self.grabber.grab(self.grabber.monitors[0]))[:, :, 2::-1]

    def shown(self) -> np.ndarray:
        """What the screen shows where the game is."""
        x, y, width, height = self.place(self.game_id)
        return self.screen()[y : y + height, x : x + width]

    def covers(self) -> bool:
        """The overlay, and nothing else, is seen exactly where the game is, nowhere else."""
        painted = (self.screen() == np.array(PAINT)).all(axis=2)
        x, y, width, height = self.place(self.game_id)
        return bool(
            painted[y : y + height, x : x + width].all() and painted.sum() == width * height
        )

    def is_mapped(self) -> bool:
        found = self.eye.attributes(self.id)
        return found is not None and found.map_state == IS_VIEWABLE

    def close(self) -> None:
        self.presenter.close()
        self.grabber.close()
        self.eye.close()


@pytest.fixture
def overlay(game, xvfb: str) -> Iterator[Callable[..., Overlay]]:
    """Opens the red game, then an overlay that covers it."""
    opened: list[Overlay] = []

    def open_overlay(**changes: object) -> Overlay:
        opened.append(Overlay(xvfb, replace(Settings(present="overlay"), **changes)))  # type: ignore[arg-type]
        opened[-1].until(opened[-1].covers)
        return opened[-1]

    yield open_overlay
    for one in opened:
        one.close()


def raise_window(window: int) -> None:
    """As a click on its title does; without a manager the program does it itself."""
    managed = subprocess.run(["xdotool", "windowactivate", str(window)], capture_output=True)
    if managed.returncode or managed.stderr:
        xdotool("windowraise", window)


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


@pytest.mark.parametrize("xvfb", ["openbox"], indirect=True)
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
    assert code == 0, error
    assert "Traceback" not in error
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["present"] == "overlay"
    assert report["styled_frames"] > 2
    assert not [word for word in heard(one) if word.startswith("key ") and word[4:] in "b]"]


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
