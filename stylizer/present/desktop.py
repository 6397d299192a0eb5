"""Leaf helpers that ask the desktop what SDL does not tell: DPI scale, and on X11 the manager."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DPI_AT_SCALE_1 = 96.0


def ui_scale(driver: str, window: int) -> float:
    """UI scale of the screen the window is on, 1.0 at 96 DPI, clamped to 1..4.

    driver: SDL's video driver. window: the native handle. X11 has one value for all screens, the
    resource Xft.dpi, which desktops set; on macOS and Wayland the window's pixels are already
    scaled by the system, so 1.0 is right there.
    """
    dpi = DPI_AT_SCALE_1
    if driver == "x11":
        dpi = _xft_dpi()
    elif sys.platform == "win32":
        dpi = float(ctypes.windll.user32.GetDpiForWindow(window) or DPI_AT_SCALE_1)
    return min(4.0, max(1.0, dpi / DPI_AT_SCALE_1))


def window_manager_runs() -> bool:
    """Whether an X11 window manager is there (EWMH `_NET_SUPPORTING_WM_CHECK`); True when unsure.

    SDL asks the manager for fullscreen; without one nothing happens, and SDL believes it did.
    """
    with _display() as (x11, display):
        return not display or _root_has(x11, display, b"_NET_SUPPORTING_WM_CHECK")


def move_resize(window: int, x: int, y: int, width: int, height: int) -> None:
    """Place an X11 window, in pixels of the root window; for screens without a manager."""
    with _display() as (x11, display):
        if display:
            x11.XMoveResizeWindow(display, ctypes.c_ulong(window), x, y, width, height)


@contextmanager
def _display() -> Iterator[tuple[Any, Any]]:
    """libX11 and a connection of our own; (None, None) where there is none."""
    try:
        x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    except OSError:
        yield None, None
        return
    x11.XOpenDisplay.restype = x11.XResourceManagerString.restype = ctypes.c_void_p
    x11.XInternAtom.restype = x11.XDefaultRootWindow.restype = ctypes.c_ulong
    address = x11.XOpenDisplay(None)
    try:
        yield (x11, ctypes.c_void_p(address)) if address else (None, None)
    finally:
        if address:
            x11.XCloseDisplay(ctypes.c_void_p(address))


def _xft_dpi() -> float:
    with _display() as (x11, display):
        address = x11.XResourceManagerString(display) if display else None
        resources = ctypes.string_at(address).decode("latin-1") if address else ""
    found = re.search(r"^Xft\.dpi:\s*(\d+(\.\d+)?)", resources, re.MULTILINE)
    return float(found[1]) if found else DPI_AT_SCALE_1


def _root_has(x11: Any, display: Any, name: bytes) -> bool:
    atom = x11.XInternAtom(display, name, 1)
    if not atom:
        return False
    kind, items, left = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
    width, data = ctypes.c_int(), ctypes.c_void_p()
    root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
    outputs = map(ctypes.byref, (kind, width, items, left, data))
    long, any_type = ctypes.c_long, ctypes.c_ulong(0)
    x11.XGetWindowProperty(
        display, root, ctypes.c_ulong(atom), long(0), long(1), 0, any_type, *outputs
    )
    if data:
        x11.XFree(data)
    return items.value > 0
