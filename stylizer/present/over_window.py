"""Keeps one X11 window exactly over another program's: place, size, stacking, on screen or not."""

from __future__ import annotations

import ctypes as c

from stylizer.frame import Rect
from stylizer.system import sway
from stylizer.system.x11 import Display
from stylizer.system.xlib import IS_VIEWABLE, STRUCTURE_NOTIFY, SUBSTRUCTURE_NOTIFY, Window, library

SHAPE_BOUNDING, SHAPE_INPUT, SHAPE_SET, UNSORTED = 0, 2, 0, 0  # shapeconst.h, X.h
ALL = Rect(0, 0, 0x7FFF, 0x7FFF)  # more than any window
CW_PLACE, CW_STACK = 0b1111, 0b1100000  # x, y, width, height; sibling, stack mode
ABOVE = 0
POINTER_ROOT, CURRENT_TIME = 1, 0  # X.h: RevertToPointerRoot has the same number
ASYNCHRONOUS, ALREADY_GRABBED = 1, 1


class XRectangle(c.Structure):
    """As in Xlib.h."""

    _fields_ = [("x", c.c_short), ("y", c.c_short), ("width", c.c_ushort), ("height", c.c_ushort)]


class XWindowChanges(c.Structure):
    """As in Xlib.h."""

    _fields_ = [
        ("x", c.c_int), ("y", c.c_int), ("width", c.c_int), ("height", c.c_int),
        ("border_width", c.c_int), ("sibling", c.c_ulong), ("stack_mode", c.c_int),
    ]  # fmt: skip


class OverWindow:
    """Lays the window `overlay`, not mapped yet, over a target. Own connection, one thread.

    The server is asked only after it has told of a change: to the target itself, or to any child of
    the root, which is how restacking shows (an overlay's own moves included, once each). Sway
    tells of workspaces.
    """

    def __init__(self, overlay: Window) -> None:
        self._display = Display()
        self._overlay, self._target = overlay, 0
        self._place: tuple[int, int, int, int] | None = None
        self._mapped, self._changed = False, False
        self._mouse_areas: tuple[Rect, ...] = ()
        self._parts: tuple[Rect, ...] | None = None  # that are seen; None: all
        self._focus_before: Window | None = None  # who had the keyboard before it was ours
        self.mouse_is_held = False  # by another program, when clicks were asked for
        self.target_visible = False  # the target was on the screen at the last `follow`
        self.target_unseen = False  # it draws, but on a workspace that sway does not show
        display = self._display
        display.x.XSelectInput(display.pointer, display.root, SUBSTRUCTURE_NOTIFY)
        shape(display, overlay, SHAPE_INPUT, ())  # for the pointer it is not there
        self._sway = sway.watch()

    def follow(self, target: Window) -> None:
        """Go where the target is now; 0: there is none, be off the screen. Costs nothing while
        nothing changes."""
        if target != self._target:
            self._listen(self._target, 0)
            self._listen(target, STRUCTURE_NOTIFY)
            self._target, self._changed = target, True
        for _ in self._display.events():
            self._changed = True
        self._changed |= self._sway is not None and self._sway.changed()
        if self._changed:
            self._changed = False
            self._arrange()

    def show(self) -> bool:
        """Map the overlay if it can be seen; False when it cannot. It does not take the focus."""
        if self.target_visible and not self._mapped:
            with self._display.trying():
                self._display.x.XMapWindow(self._display.pointer, self._overlay)
            self._mapped = True
        return self.target_visible

    def take_mouse(self, areas: tuple[Rect, ...]) -> None:
        """Clicks into these parts of the overlay are its own from now on; all others go through."""
        if areas != self._mouse_areas:
            if not (areas and self._mouse_areas):
                self.mouse_is_held = bool(areas) and self._is_held()
            self._mouse_areas = areas
            shape(self._display, self._overlay, SHAPE_INPUT, areas)

    def show_parts(self, parts: tuple[Rect, ...] | None) -> None:
        """Only these parts of the overlay are seen from now on, between them what lies below; None:
        all of it."""
        if parts != self._parts:
            self._parts = parts
            shape(self._display, self._overlay, SHAPE_BOUNDING, (ALL,) if parts is None else parts)

    def take_keyboard(self, on: bool) -> None:
        """Have the keyboard, or give it back to who had it."""
        if on == (self._focus_before is not None):
            return
        x, pointer = self._display.x, self._display.pointer
        before = c.c_ulong()
        if on:
            x.XGetInputFocus(pointer, c.byref(before), c.byref(c.c_int()))
        wanted = self._overlay if on else self._focus_before or POINTER_ROOT
        self._focus_before = before.value if on else None
        with self._display.trying():  # who had it may be gone
            x.XSetInputFocus(pointer, wanted, POINTER_ROOT, CURRENT_TIME)

    def _is_held(self) -> bool:
        """Whether another program keeps the mouse to itself, as games in fullscreen do: no click
        on the overlay reaches us, then."""
        x, pointer = self._display.x, self._display.pointer
        held = x.XGrabPointer(
            pointer, self._display.root, True, 0, ASYNCHRONOUS, ASYNCHRONOUS, 0, 0, CURRENT_TIME
        )
        x.XUngrabPointer(pointer, CURRENT_TIME)
        return bool(held == ALREADY_GRABBED)

    def close(self) -> None:
        """Take the overlay off the screen; may be called twice."""
        if self._display.pointer:
            self.take_keyboard(False)
            self._hide()
            if self._sway is not None:
                self._sway.close()
            self._display.close()

    def _arrange(self) -> None:
        found = self._display.attributes(self._target) if self._target else None
        mapped = found is not None and found.map_state == IS_VIEWABLE
        self.target_visible = mapped and (self._sway is None or self._sway.shows(self._target))
        self.target_unseen = mapped and not self.target_visible
        if found is None or not self.target_visible:
            self._hide()
            return
        place = (*self._display.place(self._target), found.width, found.height)
        if place != self._place:
            self._place = place
            self._configure(CW_PLACE, XWindowChanges(*place))
        frame, stacked = self._display.top(self._target), self._display.children(self._display.root)
        above = stacked.index(frame) + 1 if frame in stacked else 0
        if above and stacked[above : above + 1] != [self._overlay]:
            self._configure(CW_STACK, XWindowChanges(sibling=frame, stack_mode=ABOVE))

    def _configure(self, what: int, values: XWindowChanges) -> None:
        """An error means that the target has just gone; the server tells of that, too."""
        with self._display.trying():
            self._display.x.XConfigureWindow(
                self._display.pointer, self._overlay, what, c.byref(values)
            )

    def _hide(self) -> None:
        if self._mapped:
            with self._display.trying():
                self._display.x.XUnmapWindow(self._display.pointer, self._overlay)
            self._mapped = False

    def _listen(self, window: Window, mask: int) -> None:
        if window:
            with self._display.trying():
                self._display.x.XSelectInput(self._display.pointer, window, mask)


def shape(display: Display, window: Window, kind: int, parts: tuple[Rect, ...]) -> None:
    """What of a window is there, for the eye (SHAPE_BOUNDING) or for the pointer (SHAPE_INPUT)."""
    areas = (XRectangle * len(parts))(*((p.x, p.y, p.width, p.height) for p in parts))
    with display.trying():
        library("Xext").XShapeCombineRectangles(
            display.pointer, window, kind, 0, 0, areas, len(parts), SHAPE_SET, UNSORTED
        )
