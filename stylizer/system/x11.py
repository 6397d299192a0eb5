"""X11 by ctypes, as python-mss does it: no compiler on the user's machine, no binary package.

A leaf: any stage may import it. One `Display` belongs to one thread.
"""

from __future__ import annotations

import ctypes as c
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from functools import cache
from typing import Any

from stylizer.errors import StylizerError
from stylizer.system.ending import give_up

Window = int
STRUCTURE_NOTIFY, SUBSTRUCTURE_NOTIFY = 1 << 17, 1 << 19
KEY_PRESS = 2
DESTROY, UNMAP, MAP, CONFIGURE = 17, 18, 19, 22  # event types of X.h
IS_VIEWABLE = 2
INPUT_ONLY = 2
_ANY_TYPE = 0
_PACKAGES = {"X11": "libx11-6", "Xext": "libxext6", "Xcomposite": "libxcomposite1"}
_PACKAGES |= {"Xdamage": "libxdamage1"}


class XWindowAttributes(c.Structure):
    """As in Xlib.h."""

    _fields_ = [
        ("x", c.c_int), ("y", c.c_int), ("width", c.c_int), ("height", c.c_int),
        ("border_width", c.c_int), ("depth", c.c_int), ("visual", c.c_void_p),
        ("root", c.c_ulong), ("kind", c.c_int), ("bit_gravity", c.c_int),
        ("win_gravity", c.c_int), ("backing_store", c.c_int), ("backing_planes", c.c_ulong),
        ("backing_pixel", c.c_ulong), ("save_under", c.c_int), ("colormap", c.c_ulong),
        ("map_installed", c.c_int), ("map_state", c.c_int), ("all_event_masks", c.c_long),
        ("your_event_mask", c.c_long), ("do_not_propagate_mask", c.c_long),
        ("override_redirect", c.c_int), ("screen", c.c_void_p),
    ]  # fmt: skip


class XErrorEvent(c.Structure):
    """As in Xlib.h."""

    _fields_ = [
        ("type", c.c_int), ("display", c.c_void_p), ("resourceid", c.c_ulong),
        ("serial", c.c_ulong), ("error_code", c.c_ubyte), ("request_code", c.c_ubyte),
        ("minor_code", c.c_ubyte),
    ]  # fmt: skip


class XAnyEvent(c.Structure):
    """What all events begin with; `window` is the one that an event was selected on."""

    _fields_ = [
        ("type", c.c_int), ("serial", c.c_ulong), ("send_event", c.c_int),
        ("display", c.c_void_p), ("window", c.c_ulong),
    ]  # fmt: skip


class XEvent(c.Union):
    """Any event: 24 longs."""

    _fields_ = [("type", c.c_int), ("any", XAnyEvent), ("pad", c.c_long * 24)]


class XInputEvent(c.Structure):
    """What Xlib.h calls XKeyEvent and XButtonEvent; `detail` is the keycode or the button."""

    _fields_ = [
        ("type", c.c_int), ("serial", c.c_ulong), ("send_event", c.c_int),
        ("display", c.c_void_p), ("window", c.c_ulong), ("root", c.c_ulong),
        ("subwindow", c.c_ulong), ("time", c.c_ulong), ("x", c.c_int), ("y", c.c_int),
        ("x_root", c.c_int), ("y_root", c.c_int), ("state", c.c_uint), ("detail", c.c_uint),
        ("same_screen", c.c_int),
    ]  # fmt: skip


def input_event(event: XEvent) -> XInputEvent:
    """An event of a key or a button as such."""
    return c.cast(c.byref(event), c.POINTER(XInputEvent)).contents


def server_gone(_: int | None) -> int:
    """Called by Xlib in the thread that found the connection broken; it must not return."""
    give_up("the X server went away, and with it what was shown or captured", 1)


_IO_HANDLER = c.CFUNCTYPE(c.c_int, c.c_void_p)
_HANDLER = c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(XErrorEvent))
_SIGNATURES: dict[str, dict[str, tuple[Any, list[Any]]]] = {
    "X11": {
        "XOpenDisplay": (c.c_void_p, [c.c_char_p]),
        "XCloseDisplay": (c.c_int, [c.c_void_p]),
        "XDefaultRootWindow": (c.c_ulong, [c.c_void_p]),
        "XConnectionNumber": (c.c_int, [c.c_void_p]),
        "XSetErrorHandler": (c.c_void_p, [c.c_void_p]),
        "XSetIOErrorHandler": (c.c_void_p, [c.c_void_p]),
        "XSync": (c.c_int, [c.c_void_p, c.c_int]),
        "XFlush": (c.c_int, [c.c_void_p]),
        "XPending": (c.c_int, [c.c_void_p]),
        "XNextEvent": (c.c_int, [c.c_void_p, c.POINTER(XEvent)]),
        "XSelectInput": (c.c_int, [c.c_void_p, c.c_ulong, c.c_long]),
        "XGetWindowAttributes": (
            c.c_int, [c.c_void_p, c.c_ulong, c.POINTER(XWindowAttributes)]),
        "XTranslateCoordinates": (
            c.c_int, [c.c_void_p, c.c_ulong, c.c_ulong, c.c_int, c.c_int,
                      c.POINTER(c.c_int), c.POINTER(c.c_int), c.POINTER(c.c_ulong)]),
        "XQueryTree": (
            c.c_int, [c.c_void_p, c.c_ulong, c.POINTER(c.c_ulong), c.POINTER(c.c_ulong),
                      c.POINTER(c.POINTER(c.c_ulong)), c.POINTER(c.c_uint)]),
        "XInternAtom": (c.c_ulong, [c.c_void_p, c.c_char_p, c.c_int]),
        "XGetWindowProperty": (
            c.c_int, [c.c_void_p, c.c_ulong, c.c_ulong, c.c_long, c.c_long, c.c_int, c.c_ulong,
                      c.POINTER(c.c_ulong), c.POINTER(c.c_int), c.POINTER(c.c_ulong),
                      c.POINTER(c.c_ulong), c.POINTER(c.c_void_p)]),
        "XSendEvent": (
            c.c_int, [c.c_void_p, c.c_ulong, c.c_int, c.c_long, c.POINTER(XEvent)]),
        "XConfigureWindow": (c.c_int, [c.c_void_p, c.c_ulong, c.c_uint, c.c_void_p]),
        "XMapWindow": (c.c_int, [c.c_void_p, c.c_ulong]),
        "XUnmapWindow": (c.c_int, [c.c_void_p, c.c_ulong]),
        "XStringToKeysym": (c.c_ulong, [c.c_char_p]),
        "XKeysymToKeycode": (c.c_ubyte, [c.c_void_p, c.c_ulong]),
        "XkbKeysymToModifiers": (c.c_uint, [c.c_void_p, c.c_ulong]),
        "XkbSetDetectableAutoRepeat": (c.c_int, [c.c_void_p, c.c_int, c.c_void_p]),
        "XRefreshKeyboardMapping": (c.c_int, [c.POINTER(XEvent)]),
        "XGrabKey": (
            c.c_int, [c.c_void_p, c.c_int, c.c_uint, c.c_ulong, c.c_int, c.c_int, c.c_int]),
        "XUngrabKey": (c.c_int, [c.c_void_p, c.c_int, c.c_uint, c.c_ulong]),
        "XFree": (c.c_int, [c.c_void_p]),
        "XFreePixmap": (c.c_int, [c.c_void_p, c.c_ulong]),
        "XDestroyImage": (c.c_int, [c.c_void_p]),
    },
    "Xext": {
        "XShmQueryExtension": (c.c_int, [c.c_void_p]),
        "XShmCreateImage": (
            c.c_void_p, [c.c_void_p, c.c_void_p, c.c_uint, c.c_int, c.c_char_p, c.c_void_p,
                         c.c_uint, c.c_uint]),
        "XShmAttach": (c.c_int, [c.c_void_p, c.c_void_p]),
        "XShmDetach": (c.c_int, [c.c_void_p, c.c_void_p]),
        "XShmGetImage": (
            c.c_int, [c.c_void_p, c.c_ulong, c.c_void_p, c.c_int, c.c_int, c.c_ulong]),
        "XShapeCombineRectangles": (
            None, [c.c_void_p, c.c_ulong, c.c_int, c.c_int, c.c_int, c.c_void_p, c.c_int,
                   c.c_int, c.c_int]),
    },
    "Xcomposite": {
        "XCompositeQueryExtension": (
            c.c_int, [c.c_void_p, c.POINTER(c.c_int), c.POINTER(c.c_int)]),
        "XCompositeRedirectWindow": (None, [c.c_void_p, c.c_ulong, c.c_int]),
        "XCompositeUnredirectWindow": (None, [c.c_void_p, c.c_ulong, c.c_int]),
        "XCompositeNameWindowPixmap": (c.c_ulong, [c.c_void_p, c.c_ulong]),
    },
    "Xdamage": {
        "XDamageQueryExtension": (c.c_int, [c.c_void_p, c.POINTER(c.c_int), c.POINTER(c.c_int)]),
        "XDamageCreate": (c.c_ulong, [c.c_void_p, c.c_ulong, c.c_int]),
        "XDamageSubtract": (None, [c.c_void_p, c.c_ulong, c.c_ulong, c.c_ulong]),
        "XDamageDestroy": (None, [c.c_void_p, c.c_ulong]),
    },
}  # fmt: skip


@cache
def library(name: str) -> Any:
    """A system library with its functions declared. Raises StylizerError naming its package."""
    path = find_library(name)
    if path is None:
        raise StylizerError(
            f"the system library lib{name} is missing: apt-get install {_PACKAGES[name]}"
        )
    loaded = c.CDLL(path)
    declare(loaded, _SIGNATURES[name])
    return loaded


def declare(loaded: Any, signatures: dict[str, tuple[Any, list[Any]]]) -> None:
    """Tell ctypes what functions return and take: else a 64-bit pointer is cut in half."""
    for function, (result, arguments) in signatures.items():
        entry = getattr(loaded, function)
        entry.restype, entry.argtypes = result, arguments


class _Errors:
    """Errors of our own connections by connection; everybody else's go where they went before."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self._before: Any = None
        self._first: Any = None
        self._passing_on = False
        self._handler = _HANDLER(self._handle)
        self._gone = _IO_HANDLER(server_gone)

    def watch(self, connection: int) -> None:
        """Keep this connection's errors: Xlib's own handler would end the program."""
        before = library("X11").XSetErrorHandler(c.cast(self._handler, c.c_void_p))
        mine = c.cast(self._handler, c.c_void_p).value
        if before and before != mine:
            self._before = c.cast(before, _HANDLER)
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
        size, data = self._property(window, name)
        return [] if size != 32 else [int.from_bytes(data[i : i + 4], "little") for i in
                                      range(0, len(data), 8)]  # fmt: skip

    def text(self, window: Window, name: str) -> str:
        """A property of text, NUL-separated where it has parts; "" when it is not there."""
        size, data = self._property(window, name)
        if size != 8:
            return ""
        try:
            return data.decode("utf-8").rstrip("\0")
        except UnicodeDecodeError:  # the old STRING is Latin-1 (ICCCM 2.7.1)
            return data.decode("latin-1").rstrip("\0")

    def _property(self, window: Window, name: str) -> tuple[int, bytes]:
        """(bits a value, bytes); 32-bit values come as longs."""
        kind, size = c.c_ulong(), c.c_int()
        count, after, data = c.c_ulong(), c.c_ulong(), c.c_void_p()
        with self.trying() as errors:
            self.x.XGetWindowProperty(
                self.pointer, window, self.atom(name), 0, 4096, 0, _ANY_TYPE, c.byref(kind),
                c.byref(size), c.byref(count), c.byref(after), c.byref(data),
            )  # fmt: skip
        if errors or not data:
            return 0, b""
        width = c.sizeof(c.c_long) if size.value == 32 else size.value // 8
        value = c.string_at(data, count.value * width)
        self.x.XFree(data)
        return size.value, value

    def events(self, wait_s: float = 0.0) -> Iterator[XEvent]:
        """What has come in, waiting up to `wait_s` for the first."""
        if not self.x.XPending(self.pointer) and wait_s > 0:
            select.select([self.x.XConnectionNumber(self.pointer)], [], [], wait_s)
        event = XEvent()
        while self.x.XPending(self.pointer):
            self.x.XNextEvent(self.pointer, c.byref(event))
            yield event
