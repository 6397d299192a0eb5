"""X servers of the tests' own, with a window manager or without."""

from __future__ import annotations

import ctypes as c
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stylizer.system.foreign import Signatures, declare
from stylizer.system.x11 import Display

SIMPLE_WINDOW: Signatures = {
    "XCreateSimpleWindow": (
        c.c_ulong, [c.c_void_p, c.c_ulong, c.c_int, c.c_int, c.c_uint, c.c_uint, c.c_uint,
                    c.c_ulong, c.c_ulong]),
    "XDestroyWindow": (c.c_int, [c.c_void_p, c.c_ulong]),
}  # fmt: skip


@contextmanager
def x_server(*options: str) -> Iterator[str]:
    """The DISPLAY of an Xvfb that ends with the block; skips where Xvfb is not installed."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed")
    read_fd, write_fd = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb",
            "-noreset",
            "-displayfd",
            str(write_fd),
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
            *options,
        ],
        pass_fds=[write_fd],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write_fd)
    try:
        with os.fdopen(read_fd) as answer:  # Xvfb writes the number once it accepts connections
            number = answer.readline().strip()
        if not number:
            pytest.fail("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def managed(manager: str, **env: str) -> Iterator[str]:
    """The DISPLAY of an Xvfb on which this window manager runs; skips where it is not installed."""
    if not shutil.which(manager):
        pytest.skip(f"{manager} is not installed")
    with x_server() as display:
        process = subprocess.Popen(
            [manager],
            env=os.environ | {"DISPLAY": display} | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_manager(display)
            yield display
        finally:
            process.terminate()
            process.wait()


def wait_for_manager(name: str | None = None) -> None:
    """Until a window manager runs on a display (DISPLAY unless named), and takes windows.

    openbox says that it runs before it does: now and then a window opened at once was never mapped
    (3 of some 100 runs on a busy machine), and SDL waits for that without end.
    """
    display, deadline = Display(name), time.monotonic() + 30
    declare(display.x, SIMPLE_WINDOW)
    while not (display.numbers(display.root, "_NET_SUPPORTING_WM_CHECK") and is_managed(display)):
        assert time.monotonic() < deadline, "the window manager did not start"
        time.sleep(0.01)
    display.close()


def is_managed(display: Display) -> bool:
    """Whether a window that is opened now is taken by a manager, by its WM_STATE (ICCCM 4.1.3.1),
    which must also let it go again."""
    window = display.x.XCreateSimpleWindow(display.pointer, display.root, 0, 0, 9, 9, 0, 0, 0)
    display.x.XMapWindow(display.pointer, window)
    deadline = time.monotonic() + 0.5
    while not (taken := display.numbers(window, "WM_STATE")) and time.monotonic() < deadline:
        time.sleep(0.01)
    display.x.XDestroyWindow(display.pointer, window)
    while display.numbers(display.root, "_NET_CLIENT_LIST") and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(taken)
