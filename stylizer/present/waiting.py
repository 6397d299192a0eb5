"""What waits for the thread that encodes it; nobody waits for a thread that has ended."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import Generic, TypeVar

T = TypeVar("T")

LIMIT = 3  # pictures that may wait: 8 MB of 720p RGB; more only adds delay
POLL_S = 0.1


class Waiting(Generic[T]):
    """A short queue from one thread to another.

    ended: to be set by the thread that takes, whatever happened to it.
    """

    def __init__(self) -> None:
        self._queue: queue.Queue[T] = queue.Queue(LIMIT)
        self.ended = threading.Event()

    def give(self, item: T) -> bool:
        """Hand it over, waiting only while the other is behind; False: the other has ended."""
        while not self.ended.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=POLL_S)
                return True
        return False

    def take(self) -> T:
        """The next one, waited for."""
        return self._queue.get()

    def left(self) -> list[T]:
        """All that nobody has taken."""
        found: list[T] = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._queue.get_nowait())
        return found
