"""The game's share: paints fewer of a game's frames rather than slow the game itself. Pure, no I/O.

The rate that the game draws at alone is taken while nothing is painted, first for FIRST_S, then
every minute for AGAIN_S, as scenes differ. What painting costs the game goes with the frames
painted, so that which part of them keeps the share can be told from what the game lost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

LEVELS = (1, 2, 3, 4, 6, 8, 12, 16)  # every how manieth frame is painted
FIRST_S, AGAIN_S, EVERY_S = 3.0, 1.0, 60.0
FRESH_S = 20.0  # how old the game's own rate may be when painting is to be cut down
WINDOW_S, LONGEST_WINDOW_S, WINDOW_FRAMES = 2.0, 6.0, 20  # that a rate beside us is taken from
LEAST_FPS = 5.0  # painted a second: with fewer there is nothing to play by
LEAST_FRAMES = 5  # fewer are no rate: the game stands still
TOLERANCE = 0.02  # below the share, that may be chance: forgiven once
ROOM = 0.8  # of what the game may lose, that painting more is expected to cost at most
PATIENCE, MOST_PATIENCE = 3, 48  # windows until more is painted; twice as many each time in vain
PAUSE = 4.0  # an interval of so many usual ones is no frame: the game loaded something, or stood


class GameShare:
    """What part of the game's frames to paint, so that it keeps `share` (0..1) of its own rate."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.own_fps: float | None = None  # None: not known yet, or the game stands still
        self.beside_fps: float | None = None  # at the last look, while we paint
        self.taken = 0  # times that its own rate was taken
        self.quiet = False  # nothing is to be painted now
        self._level = 0
        self._drawn: list[float] = []
        self._began = self._taken_at = 0.0
        self._painted = 0
        self.at_the_least = False  # the share is not kept, and fewer frames are no picture
        self._slow = self._easy = 0  # windows in a row
        self._patience = PATIENCE
        self._raised = False  # the level was taken down last, to paint more

    @property
    def every(self) -> int:
        """Every how manieth frame of the game is painted."""
        return LEVELS[self._level]

    @property
    def interval_s(self) -> float:
        """Between two frames that are captured: half a frame of the game less than `every`."""
        if self._level == 0 or not self.beside_fps:
            return 0.0
        return (self.every - 0.5) / self.beside_fps

    @property
    def kept(self) -> float | None:
        """The share of its own rate that the game has beside us; None: not known."""
        if self.own_fps is None or self.beside_fps is None:
            return None
        return self.beside_fps / self.own_fps

    def turn(self, now: float, drawn: Sequence[float], painted: int, may_be_quiet: bool) -> bool:
        """One turn of the loop: the times at which the game drew, frames painted since the last
        turn. True: another part of the frames is painted from now on."""
        self._drawn += drawn
        self._painted += painted
        if self.quiet:
            if now - self._began >= (FIRST_S if not self.taken else AGAIN_S):
                self._take_own(now)
        elif may_be_quiet and self._is_due(now):
            self._begin(now, quiet=True)
        elif self._is_full(now):
            return self._judge(now, may_be_quiet)
        return False

    def restart(self, now: float) -> None:
        """What was drawn so far does not count: something else took the processor."""
        self._begin(now, quiet=False)

    def _begin(self, now: float, quiet: bool) -> None:
        self.quiet, self._began = quiet, now
        self._drawn, self._painted = [], 0

    def _take_own(self, now: float) -> None:
        self.own_fps = rate(self._drawn)
        self.taken, self._taken_at = self.taken + 1, now
        self._begin(now, quiet=False)

    def _is_due(self, now: float) -> bool:
        """Whether its own rate is to be taken anew; soon where a game stood still and goes on."""
        if not self.taken:
            return True
        age = now - self._taken_at
        moves = self.own_fps is None and len(self._drawn) >= LEAST_FRAMES
        return age >= EVERY_S or (moves and age >= FRESH_S)

    def _is_full(self, now: float) -> bool:
        long = now - self._began
        enough = len(self._drawn) > WINDOW_FRAMES and long >= WINDOW_S
        return enough or long >= LONGEST_WINDOW_S

    def _judge(self, now: float, may_be_quiet: bool) -> bool:
        self.beside_fps, painted = rate(self._drawn), self._painted
        kept = self.kept
        if kept is None or not painted:
            self._begin(now, quiet=False)
            return False
        lost, may_lose = 1 - kept, 1 - self.share
        part = max(self.every, len(self._drawn) / painted)  # of the frames, as it is now
        before = self._level
        if kept < self.share:
            self._slow, self._easy = self._slow + 1, 0
            if kept < self.share - TOLERANCE or self._slow > 1:
                if may_be_quiet and now - self._taken_at > FRESH_S and not self.at_the_least:
                    self._begin(now, quiet=True)  # another scene, perhaps
                    return False
                self._fall(part * lost / may_lose)
        else:
            self._slow, self.at_the_least = 0, False
            self._rise(lost, may_lose)
        self._begin(now, quiet=False)
        return self._level != before

    def _fall(self, needed: float) -> None:
        """Paint so much less that the share is expected to be kept."""
        if self._raised:
            self._patience = min(MOST_PATIENCE, 2 * self._patience)
        fitting = next((n for n, every in enumerate(LEVELS) if every >= needed), len(LEVELS) - 1)
        least = max(n for n, every in enumerate(LEVELS) if self._keeps_a_picture(every))
        wanted = min(max(self._level + 1, fitting), self._level + 3)
        before, self._level = self._level, max(self._level, min(wanted, least))
        self.at_the_least = self._level == before
        self._slow = self._easy = 0
        self._raised = False

    def _keeps_a_picture(self, every: int) -> bool:
        return every == 1 or (self.beside_fps or 0.0) / every >= LEAST_FPS

    def _rise(self, lost: float, may_lose: float) -> None:
        """Paint more, once it has been easy for long enough."""
        if self._level == 0:
            return
        more = lost * self.every / LEVELS[self._level - 1]
        self._easy = self._easy + 1 if more <= ROOM * may_lose else 0
        if self._easy >= self._patience:
            self._level -= 1
            self._easy, self._raised = 0, True

    @property
    def words(self) -> tuple[str, str]:
        """What is painted, and what the game does: "every 2nd frame", "keeps 87% of its 44 fps";
        both "" before its own rate was taken."""
        if not self.taken:
            return "", ""
        if self.own_fps is None:
            return self.part, "stands still"
        if self.kept is None:
            return self.part, f"alone has {self.own_fps:.0f} fps"
        only = "only " if self.at_the_least else ""
        return self.part, f"keeps {only}{self.kept:.0%} of its {self.own_fps:.0f} fps"

    @property
    def text(self) -> str:
        """The same as one sentence."""
        part, game = self.words
        return part and f"painting {part}: the game {game}"

    @property
    def part(self) -> str:
        """Which frames are painted, in words."""
        return "every frame" if self.every == 1 else f"every {ordinal(self.every)} frame"


def rate(times: Sequence[float]) -> float | None:
    """Frames a second from the times at which they began (seconds), pauses left out; None: too few.

    A pause is an interval of PAUSE medians and more.
    """
    if len(times) < LEAST_FRAMES:
        return None
    intervals = sorted(b - a for a, b in pairwise(times))
    usual = max(intervals[len(intervals) // 2], 0.001)  # by the server's clock of milliseconds
    counted = [interval for interval in intervals if interval < PAUSE * usual]
    total = math.fsum(counted)
    return len(counted) / total if total > 0 else None


def ordinal(number: int) -> str:
    """2 -> "2nd"."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 10 < number % 100 < 14 else endings.get(number % 10, 'th')}"
