"""`--pick`: the window that the user clicks, as xwininfo and xprop let one choose it."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable

from stylizer.errors import StylizerError
from stylizer.source.x11.window_list import WindowInfo, describe
from stylizer.system.foreign import Signatures, declare
from stylizer.system.x11 import Display
from stylizer.system.xlib import KEY_PRESS, Window, input_event

BUTTON_PRESS, BUTTON_RELEASE = 4, 5  # event types of X.h
PRESS_AND_RELEASE = 1 << 2 | 1 << 3  # ButtonPressMask, ButtonReleaseMask
ASYNCHRONOUS, CURRENT_TIME, NOTHING = 1, 0, 0
CROSSHAIR = 34  # cursorfont.h
ESCAPE = 0xFF1B  # keysymdef.h
LEFT = 1
WAIT_S = 0.5

_SIGNATURES: Signatures = {
    "XCreateFontCursor": (c.c_ulong, [c.c_void_p, c.c_uint]),
    "XFreeCursor": (c.c_int, [c.c_void_p, c.c_ulong]),
    "XGrabKeyboard": (
        c.c_int, [c.c_void_p, c.c_ulong, c.c_int, c.c_int, c.c_int, c.c_ulong]),
    "XUngrabKeyboard": (c.c_int, [c.c_void_p, c.c_ulong]),
}  # fmt: skip


def pick_window(display: Display, ready: Callable[[], None]) -> WindowInfo:
    """Wait for a click and give the program's window under it; programs do not see the click.

    ready: called once clicks are ours.

    Raises StylizerError when the user cancels (Escape, right click), clicks the desktop, or the
    mouse is held by another program.
    """
    declare(display.x, _SIGNATURES)
    cursor = display.x.XCreateFontCursor(display.pointer, CROSSHAIR)
    try:
        _grab(display, cursor)
        ready()
        top = _wait_for_click(display)
    finally:
        display.x.XUngrabKeyboard(display.pointer, CURRENT_TIME)
        display.x.XUngrabPointer(display.pointer, CURRENT_TIME)
        display.x.XFreeCursor(display.pointer, cursor)
        display.x.XSync(display.pointer, 0)
    info = describe(display, client_window(display, top)) if top else None
    if info is None:
        raise StylizerError("the desktop was clicked, not a window; try again or use --window NAME")
    return info


def client_window(display: Display, top: Window) -> Window:
    """The program's own window inside the manager's frame `top`: the one with WM_STATE (ICCCM
    4.1.3.1), looked for level by level as XmuClientWindow does; `top` itself where none has it."""
    level = [top]
    while level:
        for window in level:
            if display.numbers(window, "WM_STATE"):
                return window
        level = [child for window in level for child in display.children(window)]
    return top


def _grab(display: Display, cursor: int) -> None:
    """Take the mouse, and the keyboard if it is free (only Escape needs it)."""
    refused = display.x.XGrabPointer(
        display.pointer, display.root, 0, PRESS_AND_RELEASE, ASYNCHRONOUS, ASYNCHRONOUS,
        NOTHING, cursor, CURRENT_TIME,
    )  # fmt: skip
    if refused:
        raise StylizerError(
            "another program holds the mouse (a game that locks it?): free it there and try again, "
            "or use --window NAME"
        )
    display.x.XGrabKeyboard(
        display.pointer, display.root, 0, ASYNCHRONOUS, ASYNCHRONOUS, CURRENT_TIME
    )
    display.x.XSync(display.pointer, 0)


def _wait_for_click(display: Display) -> Window:
    """The child of the root that was clicked, 0 for the root itself. The button is up again when
    this returns: the release must not reach the program."""
    escape = display.x.XKeysymToKeycode(display.pointer, ESCAPE)
    clicked: Window | None = None
    while True:
        for event in display.events(WAIT_S):
            press = input_event(event)
            if event.type == KEY_PRESS and press.detail == escape:
                raise StylizerError("no window was picked: canceled with Escape")
            if event.type == BUTTON_PRESS and clicked is None:
                if press.detail != LEFT:
                    raise StylizerError("no window was picked: canceled with the mouse")
                clicked = press.subwindow
            if event.type == BUTTON_RELEASE and clicked is not None:
                return clicked
