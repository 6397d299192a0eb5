"""The pictures that a window's own program draws, counted by what the X server says is damaged."""

from __future__ import annotations

import ctypes as c

from stylizer.system.x11 import Display
from stylizer.system.xlib import Window, library

RAW_RECTANGLES = 0  # XDamageReportRawRectangles
MOST_PARTS = 256  # of one picture; a program that draws in more is counted too high

Box = tuple[int, int, int, int]  # left, top, right, bottom


class XDamageNotifyEvent(c.Structure):
    """As in Xdamage.h; area is (x, y, width, height) in the window; timestamp: server's ms."""

    _fields_ = [
        ("type", c.c_int), ("serial", c.c_ulong), ("send_event", c.c_int),
        ("display", c.c_void_p), ("drawable", c.c_ulong), ("damage", c.c_ulong),
        ("level", c.c_int), ("more", c.c_int), ("timestamp", c.c_ulong),
        ("x", c.c_short), ("y", c.c_short), ("width", c.c_ushort), ("height", c.c_ushort),
    ]  # fmt: skip


class Pictures:
    """Tells where one picture ends and the next begins: a game draws all of its window at once, or
    in parts that do not overlap. What is drawn over something drawn before begins another."""

    def __init__(self) -> None:
        self._parts: list[Box] = []

    def begins(self, box: Box) -> bool:
        """Whether a picture begins with what was drawn here."""
        left, top, right, bottom = box
        again = any(left < p[2] and p[0] < right and top < p[3] and p[1] < bottom
                    for p in self._parts)  # fmt: skip
        if again or not self._parts or len(self._parts) >= MOST_PARTS:
            self._parts = [box]
            return True
        self._parts.append(box)
        return False


class Drawing:
    """When a window's program draws. A connection of its own, one thread; costs a few microseconds
    a picture, and nothing of the window is read. Raises StylizerError without X or Damage."""

    def __init__(self, window: Window) -> None:
        self._display, self._damages = Display(), library("Xdamage")
        first, error = c.c_int(), c.c_int()
        pointer = self._display.pointer
        self._damages.XDamageQueryExtension(pointer, c.byref(first), c.byref(error))
        self._event, self._pictures = first.value, Pictures()
        with self._display.trying() as errors:
            self._damage = self._damages.XDamageCreate(pointer, window, RAW_RECTANGLES)
        if errors:  # the window has just gone
            self._damage = 0
        self.take()  # a new damage object reports all of the window

    def take(self) -> list[float]:
        """The seconds, by the server's clock, at which pictures began since the last call."""
        began, drawn = [], False
        for event in self._display.events():
            if event.type != self._event:
                continue
            drawn = True
            area = c.cast(c.byref(event), c.POINTER(XDamageNotifyEvent)).contents
            box = (area.x, area.y, area.x + area.width, area.y + area.height)
            if self._pictures.begins(box):
                began.append(area.timestamp / 1000)
        if drawn and self._damage:
            with self._display.trying():  # else what is damaged would grow and grow
                self._damages.XDamageSubtract(self._display.pointer, self._damage, 0, 0)
        return began

    def close(self) -> None:
        """Stop counting; may be called twice."""
        self._display.close()
