"""The presenters' pictures: a real window on Xvfb, and the offscreen framebuffer."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time

import mss
import numpy as np
import pytest
from own_window import SIZE, settle, wait_for
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
