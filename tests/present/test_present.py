"""The presenters: a real window on Xvfb with real key presses, and the offscreen framebuffer."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mss
import numpy as np
import pygame
import pytest
from whole_program import xdotool
from x_display import wait_for_manager

from stylizer.compose.compositor import Compositor, Look
from stylizer.errors import StylizerError
from stylizer.frame import IDLE, Frame, letterbox
from stylizer.hotkeys import Action
from stylizer.present import desktop
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings

SCREEN = (1280, 800)
SIZE = (640, 360)


@pytest.fixture
def window(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowPresenter]:
    monkeypatch.setenv("DISPLAY", xvfb)
    presenter = WindowPresenter(Settings(size=SIZE), SIZE)
    settle(presenter)
    focus(presenter)
    yield presenter
    presenter.close()


def focus(presenter: WindowPresenter) -> None:
    """Without a window manager nobody gives a new window the keyboard."""
    xdotool("windowfocus", presenter._handle, "mousemove", "--window", presenter._handle, 50, 50)
    wait_for(presenter, lambda _: pygame.key.get_focused())


def settle(presenter: WindowPresenter, rounds: int = 10) -> list[Action]:
    actions = []
    for _ in range(rounds):
        actions += presenter.poll()
        presenter.framebuffer.clear(0.1, 0.2, 0.3)
        presenter.present()
        time.sleep(0.005)
    return actions


def wait_for(
    presenter: WindowPresenter, done: Callable[[list[Action]], object], seconds: float = 10
) -> list[Action]:
    """Run the window until `done` with the actions so far; what came until then."""
    actions: list[Action] = []
    until = time.monotonic() + seconds
    while not done(actions):
        assert time.monotonic() < until, f"the window never got there, only {actions}"
        actions += settle(presenter, 1)
    return actions


def press(presenter: WindowPresenter, *keys: str) -> list[Action]:
    xdotool("key", *keys)
    return wait_for(presenter, bool) + settle(presenter, 3)


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


def picture(size: tuple[int, int]) -> Frame:
    """Noise that no flip, mirror or channel swap leaves unchanged."""
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Frame(pixels, "RGB", 0.0, 0)


def grab(display: str, presenter: WindowPresenter) -> np.ndarray:
    """What the X server shows where the window is, RGB."""
    words = ["xdotool", "getwindowgeometry", "--shell", str(presenter._handle)]
    answer = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    place = dict(line.split("=") for line in answer.split())
    width, height = presenter.size
    with mss.MSS(display=display) as screen:
        shot = screen.grab(
            {"left": int(place["X"]), "top": int(place["Y"]), "width": width, "height": height}
        )
    return np.frombuffer(shot.raw, np.uint8).reshape(height, width, 4)[:, :, 2::-1]


def show(presenter: WindowPresenter, frame: Frame) -> np.ndarray:
    """Draw and present the frame; what was read back before."""
    compositor = Compositor(presenter.context)
    compositor.upload(frame, None)
    compositor.draw(presenter.framebuffer, letterbox(frame.size, presenter.size), Look())
    drawn = presenter.read_back()
    presenter.present()
    presenter.context.finish()
    compositor.release()
    return drawn


def test_the_screen_shows_the_picture_right_way_up_also_after_a_resize(
    window: WindowPresenter, xvfb: str
) -> None:
    frame = picture(SIZE)
    assert np.array_equal(show(window, frame), frame.rgb())
    assert window.context.error == "GL_NO_ERROR"
    assert np.array_equal(grab(xvfb, window), frame.rgb())

    xdotool("windowsize", window._handle, 801, 455)
    wait_for(window, lambda _: window.size == (801, 455))
    frame = picture((801, 455))
    assert window.framebuffer.size == (801, 455)
    assert np.array_equal(show(window, frame), frame.rgb())
    assert np.array_equal(grab(xvfb, window), frame.rgb())


def test_fullscreen_without_a_window_manager(window: WindowPresenter, xvfb: str) -> None:
    for _ in range(2):
        xdotool("key", "F11")
        assert wait_for(window, lambda _: window.size == SCREEN) == []
        frame = picture(SCREEN)
        assert np.array_equal(show(window, frame), frame.rgb())
        assert np.array_equal(grab(xvfb, window), frame.rgb())
        xdotool("key", "F11")
        wait_for(window, lambda _: window.size == SIZE)
        frame = picture(SIZE)
        assert np.array_equal(show(window, frame), frame.rgb())
        assert np.array_equal(grab(xvfb, window), frame.rgb())


def test_fullscreen_at_the_start(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    presenter = WindowPresenter(Settings(fullscreen=True), SIZE)
    wait_for(presenter, lambda _: presenter.size == SCREEN)
    presenter.close()


def test_an_egl_window_works_too(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Wayland; the refused vsync makes it the second window of this process."""
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.setenv("SDL_VIDEO_X11_FORCE_EGL", "1")
    presenter = WindowPresenter(Settings(), SIZE)
    try:
        frame = picture(SIZE)
        settle(presenter)
        assert np.array_equal(show(presenter, frame), frame.rgb())
        assert np.array_equal(grab(xvfb, presenter), frame.rgb())
    finally:
        presenter.close()


def test_scale_follows_the_desktops_dpi(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    with desktop._display() as (x11, display):
        root, name = ctypes.c_ulong(x11.XDefaultRootWindow(display)), b"RESOURCE_MANAGER"
        atom = ctypes.c_ulong(x11.XInternAtom(display, name, 0))
        resources = b"Xft.antialias: 1\nXft.dpi:\t192\n"
        string = ctypes.c_ulong(31)  # XA_STRING
        x11.XChangeProperty(display, root, atom, string, 8, 0, resources, len(resources))
        x11.XSync(display, 0)
        try:
            presenter = WindowPresenter(Settings(), (320, 180))
            assert presenter.scale == 2.0
            presenter.close()
        finally:
            x11.XDeleteProperty(display, root, atom)


@pytest.mark.skipif(not shutil.which("openbox"), reason="no window manager is installed")
def test_fullscreen_with_a_window_manager(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", xvfb)
    manager = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_manager()
        presenter = WindowPresenter(Settings(size=SIZE), SIZE)
        for size in [SCREEN, SIZE]:
            settle(presenter)
            presenter.toggle_fullscreen()
            wait_for(presenter, lambda _, size=size: presenter.size == size)
            settle(presenter, 30)  # until the manager has moved it, too
            frame = picture(size)
            assert np.array_equal(show(presenter, frame), frame.rgb())
            if size == SCREEN:  # xdotool is wrong about the place of a window with a frame
                assert np.array_equal(grab(xvfb, presenter), frame.rgb())
        presenter.close()
    finally:
        manager.terminate()
        manager.wait()


def test_termination_is_a_quit_and_closing_twice_is_fine(window: WindowPresenter) -> None:
    assert window.scale == 1.0
    assert "x11" in window.reason
    assert window.present_name == "window"
    os.kill(os.getpid(), signal.SIGTERM)
    assert Action("quit") in wait_for(window, bool)
    window.close()
    window.close()
    assert not window.is_open


@pytest.mark.parametrize("display", ["", ":987"])
def test_no_display_is_one_sentence(display: str) -> None:
    """In a process of its own: stderr must hold nothing that a library printed."""
    code = (
        "from stylizer.present.window import WindowPresenter\n"
        "from stylizer.settings import Settings\n"
        "from stylizer.errors import StylizerError\n"
        "try: WindowPresenter(Settings(), (64, 36))\n"
        "except StylizerError as error: print(error)\n"
    )
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    env |= {"DISPLAY": display} if display else {}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "set DISPLAY" in done.stdout
    assert "--present offscreen" in done.stdout


def test_a_window_after_an_offscreen_context_and_the_other_way(
    xvfb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EGL and GLX on one thread: without care Xlib ends the process."""
    monkeypatch.setenv("DISPLAY", xvfb)
    first = OffscreenPresenter(Settings(), (64, 36))
    window = WindowPresenter(Settings(), SIZE)
    frame = picture(SIZE)
    assert np.array_equal(show(window, frame), frame.rgb())
    window.close()
    second = OffscreenPresenter(Settings(), SIZE)
    compositor = Compositor(second.context)
    compositor.upload(frame, None)
    compositor.draw(second.framebuffer, letterbox(SIZE, SIZE), Look())
    assert np.array_equal(second.read_back(), frame.rgb())
    second.close()
    del first  # forgotten, not closed: nothing may break


def test_offscreen_reads_back_what_was_drawn_and_follows_a_resize() -> None:
    presenter = OffscreenPresenter(Settings(), (64, 36))
    assert (presenter.poll(), presenter.inputs()) == ([], IDLE)
    assert (presenter.present_name, presenter.scale, presenter.is_open) == ("offscreen", 1.0, True)
    for size in [(64, 36), (33, 77)]:
        presenter.resize(size)
        compositor = Compositor(presenter.context)
        frame = picture(size)
        compositor.upload(frame, None)
        compositor.draw(presenter.framebuffer, letterbox(size, presenter.size), Look())
        presenter.present()
        assert presenter.size == presenter.framebuffer.size == size
        assert np.array_equal(presenter.read_back(), frame.rgb())
        assert presenter.context.error == "GL_NO_ERROR"
    presenter.close()
    presenter.close()
    assert not presenter.is_open


def test_offscreen_never_presents_faster_than_its_pace() -> None:
    presenter = OffscreenPresenter(Settings(fps=200), (8, 8))
    start = time.perf_counter()
    for _ in range(11):
        presenter.present()
    assert time.perf_counter() - start >= 10 / 200
    presenter.close()


def test_no_gl_names_the_package() -> None:
    code = (
        "from stylizer.present.offscreen import OffscreenPresenter\n"
        "from stylizer.settings import Settings\n"
        "from stylizer.errors import StylizerError\n"
        "try: OffscreenPresenter(Settings(), (64, 36))\n"
        "except StylizerError as error: print(error)\n"
    )
    # A vendor list of nothing is what EGL finds where no driver is installed.
    env = os.environ | {"__EGL_VENDOR_LIBRARY_DIRS": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "libegl1 libgl1 libgl1-mesa-dri" in done.stdout
    assert done.stdout.count("\n") == 1
    assert StylizerError.exit_code == 1


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
