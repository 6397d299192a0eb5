"""A monitor of a wlroots compositor (sway, Hyprland, labwc ...), or the place of a window on it, by
wlr-screencopy: no dialog. It sees whatever the monitor shows there, other windows and ours too.
"""

from __future__ import annotations

import time
from typing import final

import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.source.wayland.screencopy import Copy, Screencopy
from stylizer.stages import Source, SourceEnded
from stylizer.system import sway

WAIT_S = 0.015
FIRST_S = 5.0  # for the first picture of a monitor
LOOK_S = 0.1  # how often sway is asked where the window is
FAILURES = 50  # copies in a row that the compositor refused


@final
class WlrootsSource(Source):
    """Newest pictures of settings.monitor, or of the place of settings.window where sway runs.

    Raises BadInput when there is no such monitor or window, StylizerError without wlr-screencopy;
    `read` raises SourceEnded when the window is closed, StylizerError when the compositor ends.
    """

    sees_all = True

    def __init__(self, settings: Settings) -> None:
        self._place = sway.find(settings.window) if settings.window else None
        wanted = self._place.output if self._place else settings.monitor
        self._settings = settings
        self._copies = Screencopy(wanted, settings.cursor)
        self._looked_at, self._number = time.perf_counter(), 0
        self._last = np.empty((0, 0, 4), np.uint8)
        self.state = ""
        what = f"the place of {self._place} on" if self._place else ""
        name = self._copies.output_name
        self.capture_method = " ".join(f"wlr-screencopy: {what} monitor {name}".split())
        self._first: Copy | None = None
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
        part = self._place.inside if self._place else None
        copy, self._first = self._first, None
        copy = copy or self._copies.take(part, WAIT_S)
        if copy is None:
            if self._copies.failures > FAILURES:
                raise StylizerError(
                    "the compositor refuses pictures of its monitor: is it still there?"
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

    def _first_size(self) -> tuple[int, int]:
        if self._place:
            return self._place.inside.width, self._place.inside.height
        deadline = time.perf_counter() + FIRST_S
        while time.perf_counter() < deadline:
            self._first = self._copies.take(None, WAIT_S)
            if self._first is not None:
                return self._first.pixels.shape[1], self._first.pixels.shape[0]
        raise StylizerError(
            f"the compositor gave no picture of its monitor within {FIRST_S:.0f} s: is it on?"
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
        self.state = "" if place.visible else "on a workspace that is not shown"
