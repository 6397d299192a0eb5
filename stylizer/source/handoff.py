"""The newest picture that a capture library's own thread gave, for the thread that reads."""

from __future__ import annotations

import threading
import time

import numpy as np


class Handoff:
    """Newest picture wins; the end is told once the last picture is taken.

    skipped: pictures that nobody took before the next came.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._picture: tuple[np.ndarray, float] | None = None
        self._error: BaseException | None = None
        self.ended = False
        self.skipped = 0

    def put(self, pixels: np.ndarray) -> None:
        """pixels: uint8 (height, width, 4), the caller's no longer; stamped as captured now."""
        with self._condition:
            self.skipped += self._picture is not None
            self._picture = pixels, time.perf_counter()
            self._condition.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """There will be no more pictures; `take` raises the error where there is one."""
        with self._condition:
            self._error, self.ended = error, True
            self._condition.notify_all()

    def take(self, wait_s: float) -> tuple[np.ndarray, float] | None:
        """(pixels, captured_at) not given before, waited for up to `wait_s`; else None."""
        with self._condition:
            self._condition.wait_for(lambda: self._picture is not None or self.ended, wait_s)
            picture, self._picture = self._picture, None
            if picture is None and self._error is not None:
                raise self._error
            return picture
