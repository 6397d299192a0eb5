"""When a picture that is shown already is drawn again: often while things move, seldom in a pause.

Measured on a still game of 1280x720 in software GL: ten duplicates a second cost 6.4 % of a core,
two cost 2.8 % with all the rest. Events are polled at POLL_S all the time, so that keys and mouse
are answered at once.
"""

from __future__ import annotations

import time

POLL_S = 1 / 30
STILL_AFTER_S = 1.0  # nothing new from the source for so long: paused, minimized, hidden
STILL_S = 0.5  # then the HUD's numbers and messages follow at this pace
# A duplicate on software GL takes 10 ms of the two cores that the network needs.
MOVING_S = {"gpu": 1 / 60, "software": 1 / 10}


class Idling:
    """Decides when a duplicate is due. Main thread only."""

    def __init__(self, renderer: str) -> None:
        """renderer: "gpu" or "software"."""
        self._moving_s = MOVING_S[renderer]
        self._changed_at = self._presented_at = time.perf_counter()
        self._newest: object = None
        self._touched = False
        self.sparing = False  # what is not painted anew is drawn as seldom as in a pause

    def note(self, newest: object, busy: bool, touched: bool) -> None:
        """newest: the last frame of the source; busy: a model is loading; touched: the user did
        something that may show."""
        if newest is not self._newest or busy:
            self._newest, self._changed_at = newest, time.perf_counter()
        self._touched |= touched

    @property
    def wait_s(self) -> float:
        """How long to wait for a styled frame before the next look at the user's events."""
        return min(self._moving_s, POLL_S)

    @property
    def due(self) -> bool:
        """Whether the picture shown is to be drawn again."""
        now = time.perf_counter()
        is_still = now - self._changed_at > STILL_AFTER_S
        # A tenth early: a wait of POLL_S rather than one more.
        period = (STILL_S if is_still or self.sparing else self._moving_s) - POLL_S / 10
        return self._touched or now - self._presented_at >= period

    def presented(self) -> None:
        """Something was just presented."""
        self._presented_at, self._touched = time.perf_counter(), False
