"""Keeps one X11 window exactly over another program's: place, size, stacking, on screen or not."""

from __future__ import annotations

import ctypes as c

from stylizer.system.x11 import Display
from stylizer.system.xlib import IS_VIEWABLE, STRUCTURE_NOTIFY, SUBSTRUCTURE_NOTIFY, Window, library

SHAPE_INPUT, SHAPE_SET, UNSORTED = 2, 0, 0  # shapeconst.h, X.h
CW_PLACE, CW_STACK = 0b1111, 0b1100000  # x, y, width, height; sibling, stack mode
ABOVE = 0


class XWindowChanges(c.Structure):
    """As in Xlib.h."""

    _fields_ = [
        ("x", c.c_int), ("y", c.c_int), ("width", c.c_int), ("height", c.c_int),
        ("border_width", c.c_int), ("sibling", c.c_ulong), ("stack_mode", c.c_int),
    ]  # fmt: skip


class OverWindow:
    """Lays the window `overlay`, not mapped yet, over a target. Own connection, one thread.

    The server is asked only after it has told of a change: to the target itself, or to any child of
    the root, which is how restacking shows (an overlay's own moves included, once each).
    """

    def __init__(self, overlay: Window) -> None:
        self._display = Display()
        self._overlay, self._target = overlay, 0
        self._place: tuple[int, int, int, int] | None = None
        self._mapped, self._changed = False, False
        self.target_visible = False  # the target was on the screen at the last `follow`
        display = self._display
        display.x.XSelectInput(display.pointer, display.root, SUBSTRUCTURE_NOTIFY)
        let_clicks_through(display, overlay)

    def follow(self, target: Window) -> None:
        """Go where the target is now; 0: there is none, be off the screen. Costs nothing while
        nothing changes."""
        if target != self._target:
            self._listen(self._target, 0)
            self._listen(target, STRUCTURE_NOTIFY)
            self._target, self._changed = target, True
        for _ in self._display.events():
            self._changed = True
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

    def close(self) -> None:
        """Take the overlay off the screen; may be called twice."""
        if self._display.pointer:
            self._hide()
            self._display.close()

    def _arrange(self) -> None:
        found = self._display.attributes(self._target) if self._target else None
        self.target_visible = found is not None and found.map_state == IS_VIEWABLE
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


def let_clicks_through(display: Display, window: Window) -> None:
    """An empty input region: for the pointer, the window is not there."""
    with display.trying():
        library("Xext").XShapeCombineRectangles(
            display.pointer, window, SHAPE_INPUT, 0, 0, None, 0, SHAPE_SET, UNSORTED
        )
