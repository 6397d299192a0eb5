"""A hand-over between two threads: the newest value wins."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Newest value wins; an error or the end reaches whoever takes.

    overwritten: values that nobody took before the next came. ended: there will be no more.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._error: BaseException | None = None
        self.ended = False
        self.overwritten = 0

    def put(self, value: T) -> None:
        """Hand a value over; it is the caller's no longer."""
        with self._condition:
            self.overwritten += self._value is not None
            self._value = value
            self._condition.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """There will be no more values; the error (the first one told), if there is one, is raised
        by `take` once the last value is taken."""
        with self._condition:
            self._error, self.ended = self._error or error, True
            self._condition.notify_all()

    def wait_taken(self, timeout_s: float) -> None:
        """Wait until the value is taken, for up to `timeout_s`."""
        with self._condition:
            self._condition.wait_for(lambda: self._value is None, timeout_s)

    def take(self, timeout_s: float) -> T | None:
        """The newest value, waited for up to `timeout_s`; None when there is none."""
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self.ended, timeout_s)
            value, self._value = self._value, None
            self._condition.notify_all()
            if value is None and self._error is not None:
                raise self._error
            return value
