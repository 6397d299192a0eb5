"""A window or a monitor of a wlroots compositor (sway, Hyprland, labwc ...), without a dialog.

A window's own pixels come by ext-image-copy-capture where the compositor copies windows (sway 1.12
and newer). Else sway tells the window's place on the monitor, and wlr-screencopy brings what is
seen there, other windows and ours too. A whole monitor comes by the one that is there.
"""

from __future__ import annotations

import time
from typing import final

import numpy as np

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.source.wayland.image_copy import OUTPUTS, WINDOWS, ImageCopy, offers
from stylizer.source.wayland.picture import Picture
from stylizer.source.wayland.screencopy import SCREENCOPY, Screencopy
from stylizer.stages import Source, SourceEnded
from stylizer.system import sway

WAIT_S = 0.015
FIRST_S = 5.0  # for the first picture of a monitor
LOOK_S = 0.1  # how often sway is asked where the window is
FAILURES = 50  # copies in a row that the compositor refused


@final
class WlrootsSource(Source):
    """Newest pictures of settings.monitor, or of settings.window.

    Raises BadInput when there is no such monitor or window, StylizerError where the compositor
    copies none; `read` raises SourceEnded when the window is closed, StylizerError when the
    compositor ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._place: sway.Place | None = None
        self._copies = self._open()
        self._looked_at, self._number = time.perf_counter(), 0
        self._last = np.empty((0, 0, 4), np.uint8)
        self.state = ""
        self._first: Picture | None = None
        try:
            self.size = self._first_size()
        except BaseException:
            self.close()
            raise

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read: None while the picture is the last one."""
        self._follow()
        if self.state:
            time.sleep(WAIT_S)
            return None
        copy, self._first = self._first, None
        copy = copy or self._copies.take(self._place, WAIT_S)
        if copy is None:
            if self._copies.ended:
                raise SourceEnded(f"what was captured is gone: {self._copies.what}")
            if self._copies.failures > FAILURES:
                raise StylizerError(
                    f"the compositor refuses pictures of {self._copies.what}: is it still there?"
                )
            return None
        if np.array_equal(copy.pixels, self._last):
            return None
        self._last = copy.pixels
        self.size = (copy.pixels.shape[1], copy.pixels.shape[0])
        self._number += 1
        return Frame(copy.pixels, copy.order, copy.at_s, self._number - 1)

    def close(self) -> None:
        """Disconnect; may be called twice."""
        self._copies.close()

    def _open(self) -> Screencopy | ImageCopy:
        """The best that the compositor offers."""
        settings = self._settings
        if settings.window and offers(WINDOWS):
            copies = ImageCopy(None, settings.window, settings.cursor)
            self.sees_all = False
            self.capture_method = f"ext-image-copy-capture: the window {copies.what}"
            return copies
        self.sees_all = True
        self._place = sway.find(settings.window) if settings.window else None
        if self._place and self._place.is_minimized:
            raise BadInput(f"{self._place} is in sway's scratchpad, on no monitor: show it first")
        wanted = self._place.output if self._place else settings.monitor
        what = f"the place of {self._place} on " if self._place else ""
        if self._place is None and not offers(SCREENCOPY) and offers(OUTPUTS):
            copies, way = ImageCopy(wanted, None, settings.cursor), "ext-image-copy-capture"
        else:
            copies, way = Screencopy(wanted, settings.cursor), "wlr-screencopy"
        self.capture_method = f"{way}: {what}{copies.what}"
        return copies

    def _first_size(self) -> tuple[int, int]:
        if self._place:
            return self._place.inside.width, self._place.inside.height
        deadline = time.perf_counter() + FIRST_S
        while time.perf_counter() < deadline:
            self._first = self._copies.take(None, WAIT_S)
            if self._first is not None:
                return self._first.pixels.shape[1], self._first.pixels.shape[0]
        raise StylizerError(
            f"the compositor gave no picture of {self._copies.what} within {FIRST_S:.0f} s: is it "
            "shown?"
        )

    def _follow(self) -> None:
        """Ask where the window is now; another monitor is another stream of pictures."""
        now = time.perf_counter()
        if self._place is None or now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        place = sway.again(self._place.id)
        if place is None:
            raise SourceEnded("the window was closed")
        if place.output != self._place.output and place.visible:
            self._copies.close()
            self._copies = Screencopy(place.output, self._settings.cursor)
        self._place = place
        where = "in sway's scratchpad," if place.is_minimized else "on a workspace that is"
        self.state = "" if place.visible else f"{where} not shown"
