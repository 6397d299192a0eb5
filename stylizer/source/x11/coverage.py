"""What of a window its program has drawn, and what of it the screen shows: so that nobody else's
pixels are taken for the window's own."""

from __future__ import annotations

import ctypes as c

import numpy as np

from stylizer.system.x11 import Display
from stylizer.system.xlib import IS_VIEWABLE, Window, XEvent

EXPOSE, EXPOSURE_MASK = 12, 1 << 15


class XExposeEvent(c.Structure):
    """As in Xlib.h."""

    _fields_ = [
        ("type", c.c_int), ("serial", c.c_ulong), ("send_event", c.c_int),
        ("display", c.c_void_p), ("window", c.c_ulong), ("x", c.c_int), ("y", c.c_int),
        ("width", c.c_int), ("height", c.c_int), ("count", c.c_int),
    ]  # fmt: skip


class Coverage:
    """Which pixels of a window have been drawn since it was redirected."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._drawn = np.zeros((size[1], size[0]), bool)
        self._complete = False

    def add(self, x: int, y: int, width: int, height: int) -> None:
        """A rectangle was drawn, in the window's pixels; a border lies outside."""
        self._drawn[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = True

    @property
    def begun(self) -> bool:
        """Something has been drawn."""
        return bool(self._drawn.any())

    @property
    def complete(self) -> bool:
        """Nothing is left of what was on the screen before."""
        if not self._complete:  # 0.1 ms at most at 1280x720, and only until it is
            self._complete = bool(self._drawn.all())
        return self._complete


def send_expose(display: Display, window: Window, size: tuple[int, int]) -> None:
    """Tell a program that all of its window has to be drawn."""
    event = XEvent()
    expose = c.cast(c.byref(event), c.POINTER(XExposeEvent)).contents
    expose.type, expose.display, expose.window = EXPOSE, display.pointer, window
    expose.width, expose.height = size
    with display.trying():
        display.x.XSendEvent(display.pointer, window, 0, EXPOSURE_MASK, c.byref(event))


def is_uncovered(display: Display, window: Window) -> bool:
    """Whether the screen shows all of the window: inside the screen, nothing mapped above it."""
    attributes, screen = display.attributes(window), display.attributes(display.root)
    if attributes is None or screen is None or attributes.map_state != IS_VIEWABLE:
        return False
    x, y = display.place(window)
    right, bottom = x + attributes.width, y + attributes.height
    if x < 0 or y < 0 or right > screen.width or bottom > screen.height:
        return False
    top = display.top(window)
    siblings = display.children(display.root)
    for other in siblings[siblings.index(top) + 1 :] if top in siblings else []:
        a = display.attributes(other)
        if a is None or a.map_state != IS_VIEWABLE:
            continue
        border = 2 * a.border_width
        wide, high = a.width + border, a.height + border
        overlaps = a.x < right and a.y < bottom and a.x + wide > x and a.y + high > y
        if overlaps:
            return False
    return True


def screen_instead(display: Display, window: Window) -> str:
    """The command line that captures the part of the screen where the window lies."""
    attributes, screen = display.attributes(window), display.attributes(display.root)
    if attributes is None or screen is None:
        return "--source screen"
    x, y = display.place(window)
    left, top = max(0, x), max(0, y)
    width = min(x + attributes.width, screen.width) - left
    height = min(y + attributes.height, screen.height) - top
    if attributes.map_state != IS_VIEWABLE or min(width, height) < 16:
        return "--source screen"
    return f"--source screen --region {left},{top},{width},{height}"
