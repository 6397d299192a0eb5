"""A window of another program, by XComposite and MIT-SHM: its own pixels, covered or not.

Facts it stands on: a redirected window keeps all its pixels in a pixmap of its own; the pixmap
freezes at a resize and must be named again; grabs of a destroyed window go on giving a stale
picture, so DestroyNotify is trusted, not the grab; the first pixels after redirecting are those
that were on the screen, somebody else's where the window was covered.
"""

from __future__ import annotations

import ctypes as c
import time
from typing import final

import numpy as np

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.source.x11.coverage import Coverage, is_uncovered, screen_instead, send_expose
from stylizer.source.x11.drawing import RAW_RECTANGLES, XDamageNotifyEvent
from stylizer.source.x11.shared_image import SharedImage
from stylizer.source.x11.window_list import describe, find_window
from stylizer.stages import Source, SourceEnded
from stylizer.system.terminal import tell
from stylizer.system.x11 import Display
from stylizer.system.xlib import (
    CONFIGURE,
    DESTROY,
    IS_VIEWABLE,
    MAP,
    STRUCTURE_NOTIFY,
    UNMAP,
    Window,
    XEvent,
    library,
)

WAIT_S = 0.010  # how long a read waits for the window to draw
AUTOMATIC = 0  # CompositeRedirectAutomatic
STILL_AFTER_S = 1.0  # a window that draws the same picture for so long
STILL_PERIOD_S = 1 / 20  # is looked at this often
REDRAW_S = 0.3  # how long a window may leave parts of itself undrawn
UNDRAWN_S = 3.0  # from when on one that draws only parts of itself is taken as it is
PARTLY_DRAWN = (
    "the window draws only parts of itself: the rest may be black, or show what lay over it when "
    "the capture began; if so, bring it to the front once"
)
UNDRAWN = "waiting for the window to draw something; if it does not, bring it to the front once"


@final
class WindowSource(Source):
    """Newest frames of the window `settings.window`, BGRA, no copy of what did not change.

    Minimized or hidden, it keeps the last picture (`state` says so). Raises BadInput when no window
    matches, StylizerError without X or its extensions; `read` raises SourceEnded when the window
    was closed, or waits for it to come back with settings.wait.
    """

    def __init__(self, settings: Settings) -> None:
        self._display = Display()
        self._wanted, self._wait = settings.window or "", settings.wait
        self._composite, self._damages = library("Xcomposite"), library("Xdamage")
        self.window_id: Window = 0  # captured now; 0 while it is closed; read by any thread
        self._number = 0
        self._pixmap, self._damage = 0, 0
        self._border = 0  # of the window, in pixels; its pixmap holds it, too
        self._image: SharedImage | None = None
        self._pending, self._settling, self._reads = False, False, 0
        self._redraw_at: float | None = None
        self._take_at = float("inf")
        self._last = np.empty((0, 0, 4), np.uint8)
        self._changed_at = self._due = 0.0  # when the picture last changed; when to look again
        self.state = ""
        try:
            self._open(is_new=False)
        except BaseException:
            self.close()
            raise

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read: None while the window has drawn nothing new."""
        if not self.window_id:
            self._look_for_it()
            return None
        ready = self._pending and self._coverage.complete and not self.state
        self._pending |= self._take_events(0.0 if ready else WAIT_S)
        if not self.window_id or self.state or not self._pending:
            self._refresh_state()
            return None
        if not self._coverage.complete:
            self._ask_for_a_redraw()
            return None
        now = time.perf_counter()
        if now < self._due:
            time.sleep(min(self._due - now, WAIT_S))
            return None
        return self._grab()

    def close(self) -> None:
        """Let the window go; may be called twice."""
        self._release()
        if self.window_id and self._display.pointer:
            with self._display.trying():
                self._composite.XCompositeUnredirectWindow(
                    self._display.pointer, self.window_id, AUTOMATIC
                )
        self.window_id = 0
        self._display.close()

    def _check_extensions(self) -> None:
        first, error = c.c_int(), c.c_int()
        pointer, numbers = self._display.pointer, (c.byref(first), c.byref(error))
        there = {
            "Composite": self._composite.XCompositeQueryExtension(pointer, *numbers),
            "MIT-SHM": library("Xext").XShmQueryExtension(pointer),
            "Damage": self._damages.XDamageQueryExtension(pointer, *numbers),
        }
        self._damage_event = first.value
        missing = [name for name, found in there.items() if not found]
        if missing:
            instead = screen_instead(self._display, self.window_id)
            raise StylizerError(
                f"the X server has no {missing[0]} extension, so a window cannot be captured by "
                f"itself; its part of the screen can: {instead}"
            )

    def _open(self, is_new: bool) -> None:
        """is_new: the window has just appeared, and the screen shows in it what lay there before,
        until its program draws."""
        info, why = find_window(self._display, self._wanted)
        self.window_id, self.size = info.id, info.size
        self.title = info.title or info.window_class
        if not is_new and why != str(info):
            tell(f"several windows match, taken is {why}")
        self._check_extensions()
        self._coverage = Coverage(self.size)
        self.capture_method = f"X11 window (XComposite, MIT-SHM): {why}"
        display = self._display
        display.x.XSelectInput(display.pointer, self.window_id, STRUCTURE_NOTIFY)
        complete = not is_new and is_uncovered(display, self.window_id)
        with display.trying() as errors:
            self._composite.XCompositeRedirectWindow(display.pointer, self.window_id, AUTOMATIC)
            self._damage = self._damages.XDamageCreate(
                display.pointer, self.window_id, RAW_RECTANGLES
            )
        if errors:
            raise BadInput(
                f"the window {info} cannot be captured by itself (X error {errors[0]}); its part "
                f"of the screen can: {screen_instead(display, self.window_id)}"
            )
        self.state = "" if info.state == "visible" else info.state
        self._renew()
        if complete:
            self._coverage.add(0, 0, *self.size)
        self._pending = True  # a still picture is drawn once all the same

    def _look_for_it(self) -> None:
        """With --wait: the window was closed; take it again when it is back."""
        time.sleep(WAIT_S)
        try:
            self._open(is_new=True)
        except BadInput:
            self.window_id = 0

    def _refresh_state(self) -> None:
        """A window manager says why a window is hidden only a moment after it is."""
        self._reads += 1
        if self.state == "hidden" and self._reads % 10 == 0:
            info = describe(self._display, self.window_id)
            self.state = info.state if info and info.state != "visible" else self.state

    def _ask_for_a_redraw(self) -> None:
        """Once, if a covered window has not drawn all of itself after a while: a still program
        draws when it is told that it was exposed. One that goes on with parts is taken as is."""
        now = time.perf_counter()
        if self._redraw_at is not None and now > self._redraw_at:
            self._redraw_at = None
            send_expose(self._display, self.window_id, self.size)
        elif now > self._take_at:
            begun, self._take_at = self._coverage.begun, float("inf")
            tell(PARTLY_DRAWN if begun else UNDRAWN)
            if begun:
                self._coverage.add(0, 0, *self.size)

    def _take_events(self, wait_s: float) -> bool:
        """Handle what came in; True when the window has drawn."""
        drawn = False
        for event in self._display.events(wait_s):
            if event.type == self._damage_event:
                self._note_damage(event)
                drawn = True
            elif event.any.window == self.window_id:
                self._handle(event.type)
            if not self.window_id:
                break
        if drawn and self.window_id:
            self._damages.XDamageSubtract(self._display.pointer, self._damage, 0, 0)
        return drawn

    def _note_damage(self, event: XEvent) -> None:
        if not self._settling and not self._coverage.complete:
            area = c.cast(c.byref(event), c.POINTER(XDamageNotifyEvent)).contents
            self._coverage.add(area.x, area.y, area.width, area.height)

    def _handle(self, kind: int) -> None:
        if kind == DESTROY:
            self._release()
            self.window_id = 0
            if not self._wait:
                raise SourceEnded("the window was closed")
            self.state = "closed"
        elif kind == UNMAP:
            info = describe(self._display, self.window_id)
            self.state = "minimized" if info and info.state == "minimized" else "hidden"
        elif kind == MAP or (kind == CONFIGURE and not self.state):
            self._renew()

    def _renew(self) -> None:
        """Name the pixmap again: another size, or the window is back on the screen."""
        attributes = self._display.attributes(self.window_id)
        if attributes is None or attributes.map_state != IS_VIEWABLE:
            self._coverage = Coverage(self.size)
            return
        size = (attributes.width, attributes.height)
        was_hidden, self.state = bool(self.state), ""
        border = attributes.border_width
        if self._pixmap and (size, border) == (self.size, self._border) and not was_hidden:
            return  # only moved
        self._border = border
        self._free_pixmap()
        with self._display.trying() as errors:
            self._pixmap = self._composite.XCompositeNameWindowPixmap(
                self._display.pointer, self.window_id
            )
        if errors:
            self._pixmap = 0
            return
        if self._image is None or self._image.size != size:
            if self._image is not None:
                self._image.close()
            self._image = SharedImage(self._display, attributes.visual, attributes.depth, size)
        self.size = size
        self._coverage = Coverage(size)
        self._pending = True
        self._redraw_at = time.perf_counter() + REDRAW_S
        self._take_at = self._redraw_at + UNDRAWN_S
        self._settle()

    def _settle(self) -> None:
        """Pass over the damage so far: a new damage object reports all of the window, and so does
        the server's own painting of the background; neither is the game's drawing."""
        self._settling = True
        self._display.x.XSync(self._display.pointer, 0)
        self._take_events(0.0)
        self._settling = False

    def _grab(self) -> Frame | None:
        # What was drawn since the events came in will be in the picture: without this its damage
        # made one frame in 600 come twice.
        self._display.x.XSync(self._display.pointer, 0)
        self._take_events(0.0)
        if not self.window_id or self.state or not self._coverage.complete:
            return None
        if self._image is None or not self._pixmap:
            return None
        captured_at = time.perf_counter()
        if not self._image.fetch(self._pixmap, self._border):
            return None
        self._pending = False
        if self._image.is_like(self._last):  # drawn again, but the same: many games do in a pause
            is_still = captured_at - self._changed_at > STILL_AFTER_S
            self._due = captured_at + STILL_PERIOD_S if is_still else 0.0
            return None
        pixels = self._last = self._image.copy()
        self._changed_at, self._due = captured_at, 0.0
        self._number += 1
        return Frame(pixels, "BGRA", captured_at, self._number - 1)

    def _free_pixmap(self) -> None:
        if self._pixmap:
            with self._display.trying():
                self._display.x.XFreePixmap(self._display.pointer, self._pixmap)
        self._pixmap = 0

    def _release(self) -> None:
        """Everything that belongs to one window."""
        if not self._display.pointer:
            return
        self._free_pixmap()
        if self._damage:
            with self._display.trying():
                self._damages.XDamageDestroy(self._display.pointer, self._damage)
        if self._image is not None:
            self._image.close()
        self._damage, self._image = 0, None
