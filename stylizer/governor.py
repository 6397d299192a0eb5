"""The governor: holds a frame rate by the size that the network sees. Pure, no I/O.

As dynamic resolution scaling in games: the cost of a frame goes with its pixels, so the size for
the time wanted can be told from the time measured; going up takes longer and more room than going
down, so that a load near the limit does not make the size swing.
"""

from __future__ import annotations

from collections import deque

from stylizer.timing import percentile

SCALES = (1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25)  # of both sides of the frame
HEADROOM = 0.95  # of the frame time asked for: the rest is for what else a frame costs
DOWN_FRAMES = 6  # frames that must be seen at a size before it is given up
UP_FRAMES = 45  # and before a larger one is tried
UP_ROOM = 0.8  # of the time allowed, that the larger size is expected to need at most
Size = tuple[int, int]


class Governor:
    """Chooses a scale for `target_fps` styled frames a second."""

    def __init__(self, target_fps: float) -> None:
        self.allowed_ms = 1000 / target_fps * HEADROOM
        self.level = 0
        self._recent_ms: deque[float] = deque(maxlen=UP_FRAMES)

    @property
    def scale(self) -> float:
        """What both sides of the frame are multiplied with."""
        return SCALES[self.level]

    @property
    def at_the_bottom(self) -> bool:
        """The smallest size is still too slow."""
        enough = len(self._recent_ms) >= DOWN_FRAMES
        return enough and self.level == len(SCALES) - 1 and self._median() > self.allowed_ms

    def observe(self, style_ms: float) -> bool:
        """Take note of one frame's time in the network and around it; True: the scale changed."""
        self._recent_ms.append(style_ms)
        before = self.level
        if len(self._recent_ms) >= DOWN_FRAMES and self._median() > self.allowed_ms:
            self.level = self._fitting_level()
        elif self._may_rise():
            self.level -= 1
        if self.level != before:
            self._recent_ms.clear()
        return self.level != before

    def restart(self) -> None:
        """Another model: its times are not the last one's."""
        self._recent_ms.clear()

    def size(self, frame_size: Size, multiple: int) -> Size | None:
        """The inference size for a frame, in steps that the model allows; None: the frame's."""
        if self.level == 0:
            return None
        steps = (round(side * self.scale / multiple) for side in frame_size)
        width, height = (max(1, count) * multiple for count in steps)
        return (width, height)

    def _may_rise(self) -> bool:
        if self.level == 0 or len(self._recent_ms) < UP_FRAMES:
            return False
        usual = percentile(list(self._recent_ms), 75)
        larger = usual * (SCALES[self.level - 1] / self.scale) ** 2
        return larger <= UP_ROOM * self.allowed_ms

    def _median(self) -> float:
        return percentile(list(self._recent_ms)[-DOWN_FRAMES:], 50)

    def _expected_ms(self, level: int) -> float:
        return self._median() * (SCALES[level] / self.scale) ** 2

    def _fitting_level(self) -> int:
        """The largest smaller size that is expected to keep the time, else the smallest."""
        for level in range(self.level + 1, len(SCALES)):
            if self._expected_ms(level) <= self.allowed_ms:
                return level
        return len(SCALES) - 1
