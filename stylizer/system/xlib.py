"""Xlib and its extensions by ctypes, as python-mss does it: no compiler on the user's machine, no
binary package. What is declared here is what is used; `x11.Display` is a connection."""

from __future__ import annotations

import ctypes as c
from ctypes.util import find_library
from functools import cache
from typing import Any

from stylizer.errors import StylizerError
from stylizer.system.foreign import Signatures, declare
from stylizer.system.installed import X11_LIBRARIES

Window = int
STRUCTURE_NOTIFY, SUBSTRUCTURE_NOTIFY = 1 << 17, 1 << 19
KEY_PRESS = 2
DESTROY, UNMAP, MAP, CONFIGURE = 17, 18, 19, 22  # event types of X.h
IS_VIEWABLE = 2
INPUT_ONLY = 2
ANY_TYPE = 0


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


class XTextProperty(c.Structure):
    """As in Xutil.h."""

    _fields_ = [
        ("value", c.c_char_p), ("encoding", c.c_ulong), ("format", c.c_int), ("nitems", c.c_ulong)
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


IO_HANDLER = c.CFUNCTYPE(c.c_int, c.c_void_p)
HANDLER = c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(XErrorEvent))
_SIGNATURES: dict[str, Signatures] = {
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
        "XGetInputFocus": (
            c.c_int, [c.c_void_p, c.POINTER(c.c_ulong), c.POINTER(c.c_int)]),
        "XSetInputFocus": (c.c_int, [c.c_void_p, c.c_ulong, c.c_int, c.c_ulong]),
        "XStringToKeysym": (c.c_ulong, [c.c_char_p]),
        "XKeysymToKeycode": (c.c_ubyte, [c.c_void_p, c.c_ulong]),
        "XkbKeycodeToKeysym": (c.c_ulong, [c.c_void_p, c.c_ubyte, c.c_uint, c.c_uint]),
        "XkbGetState": (c.c_int, [c.c_void_p, c.c_uint, c.c_void_p]),
        "XkbKeysymToModifiers": (c.c_uint, [c.c_void_p, c.c_ulong]),
        "XkbSetDetectableAutoRepeat": (c.c_int, [c.c_void_p, c.c_int, c.c_void_p]),
        "XRefreshKeyboardMapping": (c.c_int, [c.POINTER(XEvent)]),
        "XGrabPointer": (
            c.c_int, [c.c_void_p, c.c_ulong, c.c_int, c.c_uint, c.c_int, c.c_int, c.c_ulong,
                      c.c_ulong, c.c_ulong]),
        "XUngrabPointer": (c.c_int, [c.c_void_p, c.c_ulong]),
        "XGrabKey": (
            c.c_int, [c.c_void_p, c.c_int, c.c_uint, c.c_ulong, c.c_int, c.c_int, c.c_int]),
        "XUngrabKey": (c.c_int, [c.c_void_p, c.c_int, c.c_uint, c.c_ulong]),
        "Xutf8TextPropertyToTextList": (
            c.c_int, [c.c_void_p, c.POINTER(XTextProperty),
                      c.POINTER(c.POINTER(c.c_char_p)), c.POINTER(c.c_int)]),
        "XFreeStringList": (None, [c.POINTER(c.c_char_p)]),
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
    """A system library with its functions declared. Raises StylizerError naming the packages."""
    path = find_library(name)
    if path is None:
        raise StylizerError(f"the system library lib{name} is missing: {X11_LIBRARIES}")
    loaded = c.CDLL(path)
    declare(loaded, _SIGNATURES[name])
    return loaded
