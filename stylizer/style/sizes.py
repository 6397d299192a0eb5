"""Runners of one model by the size that it sees, each made on a thread beside the running one.

On a GPU a convolution is planned anew for every size, some 100 ms: the governor's few sizes are
each planned once, while frames go on at the size before.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from stylizer.frame import Size

MOST = 8  # kept: the governor's seven sizes and the frame's own

Made = TypeVar("Made")


class BySize(Generic[Made]):
    """One thread at a time. make: runs on a thread of its own; what it raises leaves that size to
    `usual`, which takes any."""

    def __init__(self, usual: Made, size: Size, make: Callable[[Size], Made]) -> None:
        self._usual, self._make = usual, make
        self._made: dict[Size, Made] = {size: usual}  # the one used longest ago first
        self._coming: tuple[Size, Future[Made]] | None = None
        self._pool = ThreadPoolExecutor(1, "sizes")

    def ready(self, size: Size) -> bool:
        """Whether a size can be seen at once; it is made from now on where it cannot."""
        self._take_up()
        if size in self._made:
            return True
        if self._coming is None:
            self._coming = size, self._pool.submit(self._make, size)
        return False

    def at(self, size: Size) -> Made:
        """What runs a size."""
        made = self._made.pop(size, self._usual)
        self._made[size] = made
        while len(self._made) > MOST:
            del self._made[next(iter(self._made))]
        return made

    def close(self) -> None:
        """Forget all, when the one being made is there; may be called twice."""
        self._pool.shutdown(cancel_futures=True)
        self._coming = None
        self._made.clear()

    def _take_up(self) -> None:
        if self._coming is None or not self._coming[1].done():
            return
        (size, future), self._coming = self._coming, None
        self._made[size] = self._usual if future.exception() else future.result()
