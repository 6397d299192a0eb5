"""A connection to the X server, and what it says of windows (see `xlib`).

A leaf: any stage may import it. One `Display` belongs to one thread.
"""

from __future__ import annotations

import ctypes as c
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stylizer.errors import StylizerError
from stylizer.system.ending import give_up
from stylizer.system.xlib import (
    ANY_TYPE,
    HANDLER,
    IO_HANDLER,
    Window,
    XEvent,
    XTextProperty,
    XWindowAttributes,
    library,
)


def server_gone(_: int | None) -> int:
    """Called by Xlib in the thread that found the connection broken; it must not return."""
    give_up("the X server went away, and with it what was shown or captured", 1)


class _Errors:
    """Errors of our own connections by connection; everybody else's go where they went before."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self._before: Any = None
        self._first: Any = None
        self._passing_on = False
        self._handler = HANDLER(self._handle)
        self._gone = IO_HANDLER(server_gone)

    def watch(self, connection: int) -> None:
        """Keep this connection's errors: Xlib's own handler would end the program."""
        before = library("X11").XSetErrorHandler(c.cast(self._handler, c.c_void_p))
        mine = c.cast(self._handler, c.c_void_p).value
        if before and before != mine:
            self._before = c.cast(before, HANDLER)
            self._first = self._first or self._before
        self.last[connection] = 0
        self.watch_server()

    def watch_server(self) -> None:
        """Xlib ends the program when the connection breaks, without a word to Python."""
        library("X11").XSetIOErrorHandler(c.cast(self._gone, c.c_void_p))

    def _handle(self, connection: int, event: Any) -> int:
        if connection in self.last:
            self.last[connection] = event.contents.error_code
            return 0
        # A library that came between two of our connections (SDL) passes it back to us: then it
        # goes to whoever was there first, or the two would call each other for ever.
        after = self._first if self._passing_on else self._before
        self._passing_on = True
        try:
            return after(connection, event) if after else 0
        finally:
            self._passing_on = False


_errors = _Errors()


def watch_server() -> None:
    """Have a broken X connection of anybody in this process end the run with its report."""
    _errors.watch_server()


class Display:
    """A connection to the X server. One thread. Raises StylizerError when there is none."""

    def __init__(self, name: str | None = None) -> None:
        self.x = library("X11")
        self.pointer: int = self.x.XOpenDisplay(name.encode() if name else None)
        if not self.pointer:
            shown = name or os.environ.get("DISPLAY") or ""
            raise StylizerError(
                f"the X display {shown!r} cannot be opened: start an X server or set DISPLAY"
            )
        _errors.watch(self.pointer)
        self.root: Window = self.x.XDefaultRootWindow(self.pointer)
        self._atoms: dict[str, int] = {}

    def close(self) -> None:
        """Close the connection; may be called twice."""
        if self.pointer:
            self.x.XCloseDisplay(self.pointer)
            _errors.last.pop(self.pointer, None)
            self.pointer = 0

    @contextmanager
    def trying(self) -> Iterator[list[int]]:
        """The list given holds the error code after the block, if the server sent one."""
        found: list[int] = []
        self.x.XSync(self.pointer, 0)
        _errors.last[self.pointer] = 0
        yield found
        self.x.XSync(self.pointer, 0)
        if _errors.last[self.pointer]:
            found.append(_errors.last[self.pointer])

    def attributes(self, window: Window) -> XWindowAttributes | None:
        """None when the window is gone."""
        attributes = XWindowAttributes()
        with self.trying() as errors:
            there = self.x.XGetWindowAttributes(self.pointer, window, c.byref(attributes))
        return attributes if there and not errors else None

    def children(self, window: Window) -> list[Window]:
        """Bottom first; empty when the window is gone."""
        return self._tree(window)[1]

    def parent(self, window: Window) -> Window:
        """0 for the root, and for a window that is gone."""
        return self._tree(window)[0]

    def top(self, window: Window) -> Window:
        """The child of the root that holds the window: its frame, or itself without a manager."""
        while (above := self.parent(window)) not in (self.root, 0):
            window = above
        return window

    def _tree(self, window: Window) -> tuple[Window, list[Window]]:
        root, parent, count = c.c_ulong(), c.c_ulong(), c.c_uint()
        children = c.POINTER(c.c_ulong)()
        with self.trying() as errors:
            there = self.x.XQueryTree(
                self.pointer, window, c.byref(root), c.byref(parent), c.byref(children),
                c.byref(count),
            )  # fmt: skip
        if errors or not there:
            return 0, []
        found = [int(children[i]) for i in range(count.value)]
        if children:
            self.x.XFree(children)
        return parent.value, found

    def place(self, window: Window) -> tuple[int, int]:
        """(x, y) of the window's inside on the screen."""
        x, y, child = c.c_int(), c.c_int(), c.c_ulong()
        with self.trying():
            self.x.XTranslateCoordinates(
                self.pointer, window, self.root, 0, 0, c.byref(x), c.byref(y), c.byref(child)
            )
        return x.value, y.value

    def atom(self, name: str) -> int:
        """Number of a name; asked for once."""
        if name not in self._atoms:
            self._atoms[name] = self.x.XInternAtom(self.pointer, name.encode(), 0)
        return self._atoms[name]

    def numbers(self, window: Window, name: str) -> list[int]:
        """A property of 32-bit values (windows, atoms, cardinals); [] when it is not there."""
        _, size, data = self._property(window, name)
        return [] if size != 32 else [int.from_bytes(data[i : i + 4], "little") for i in
                                      range(0, len(data), 8)]  # fmt: skip

    def text(self, window: Window, name: str) -> str:
        """A property of text, NUL-separated where it has parts; "" when it is not there."""
        kind, size, data = self._property(window, name)
        if size != 8:
            return ""
        if kind == self.atom("COMPOUND_TEXT"):
            return self._compound(kind, data)
        try:
            return data.decode("utf-8").rstrip("\0")
        except UnicodeDecodeError:  # the old STRING is Latin-1 (ICCCM 2.7.1)
            return data.decode("latin-1").rstrip("\0")

    def _compound(self, kind: int, data: bytes) -> str:
        """Text of several encodings, as old programs write titles (ISO 2022; ICCCM 2.7.1)."""
        given = XTextProperty(data, kind, 8, len(data))
        parts, count = c.POINTER(c.c_char_p)(), c.c_int()
        self.x.Xutf8TextPropertyToTextList(
            self.pointer, c.byref(given), c.byref(parts), c.byref(count)
        )
        found = [parts[i] or b"" for i in range(count.value)] if parts else []
        if parts:
            self.x.XFreeStringList(parts)
        return b"\0".join(found).decode("utf-8", "replace").rstrip("\0")

    def _property(self, window: Window, name: str) -> tuple[int, int, bytes]:
        """(atom of its type, bits a value, bytes); 32-bit values come as longs."""
        kind, size = c.c_ulong(), c.c_int()
        count, after, data = c.c_ulong(), c.c_ulong(), c.c_void_p()
        with self.trying() as errors:
            self.x.XGetWindowProperty(
                self.pointer, window, self.atom(name), 0, 4096, 0, ANY_TYPE, c.byref(kind),
                c.byref(size), c.byref(count), c.byref(after), c.byref(data),
            )  # fmt: skip
        if errors or not data:
            return 0, 0, b""
        width = c.sizeof(c.c_long) if size.value == 32 else size.value // 8
        value = c.string_at(data, count.value * width)
        self.x.XFree(data)
        return kind.value, size.value, value

    def events(self, wait_s: float = 0.0) -> Iterator[XEvent]:
        """What has come in, waiting up to `wait_s` for the first."""
        if not self.x.XPending(self.pointer) and wait_s > 0:
            select.select([self.x.XConnectionNumber(self.pointer)], [], [], wait_s)
        event = XEvent()
        while self.x.XPending(self.pointer):
            self.x.XNextEvent(self.pointer, c.byref(event))
            yield event
