"""Our own window in what is captured shows itself in itself: said, as nothing leaves it out."""

from __future__ import annotations

import time

from stylizer.run.opened import Opened
from stylizer.settings import Settings

LOOK_S = 1.0
LIES_IN = (
    "this window lies in what is captured and is painted again and again: move it off there, or "
    "capture the game alone (--window NAME)"
)
MAY_LIE_IN = (
    "where this window lies on the captured monitor, it is painted again and again: move it to "
    "another monitor, or capture a window alone"
)


class Mirror:
    """Looks once a second whether that is so. Main thread only."""

    def __init__(self, settings: Settings, opened: Opened) -> None:
        self._opened = opened
        self._possible = settings.present == "window" and opened.source.sees_all
        self._look_at, self._was = 0.0, False

    def turn(self) -> str:
        """The message to show, when it has begun to be so; "" for none."""
        if not self._possible or time.perf_counter() < self._look_at:
            return ""
        self._look_at = time.perf_counter() + LOOK_S
        seen, ours = self._opened.source.area, self._opened.presenter.window_place()
        if seen is None or ours is None:  # Wayland tells no program where its window is
            self._possible = False
            return MAY_LIE_IN
        was, self._was = self._was, seen.meets(ours)
        return LIES_IN if self._was and not was else ""
