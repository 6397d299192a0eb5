"""The governor: holds a frame rate by the size that the network sees. Pure, no I/O.

As dynamic resolution scaling in games: the cost of a frame goes with its pixels, so the size for
the time wanted can be told from the time measured; going up takes longer and more room than going
down, so that a load near the limit does not make the size swing. A smaller size has to prove
itself: where the source or the composite sets the pace, it would only blur the picture.
"""

from __future__ import annotations

from collections import deque

from stylizer.frame import Size
from stylizer.timing import percentile

SCALES = (1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25)  # of both sides of the frame
HEADROOM = 0.95  # of the frame time asked for: the rest is for what else a frame costs
DOWN_FRAMES = 6  # frames that must be seen at a size before it is given up
UP_FRAMES = 45  # and before a larger one is tried
UP_ROOM = 0.8  # of the time allowed, that the larger size is expected to need at most
PROOF_FRAMES = 30  # after which a smaller size must have
PROOF = 0.95  # of the time from frame to frame that there was before, or less
PATIENCE = 600  # frames until a smaller size is tried again; twice as many each time in vain


class Governor:
    """Chooses a scale for `target_fps` styled frames a second."""

    def __init__(self, target_fps: float) -> None:
        self.level = 0
        self.aim(target_fps)
        self._recent_ms: deque[float] = deque(maxlen=UP_FRAMES)
        self._recent_intervals_ms: deque[float] = deque(maxlen=UP_FRAMES)
        self._trial: tuple[int, float] | None = None  # level and interval before going down
        self._patience = PATIENCE
        self._rest = 0  # frames until going down is allowed again

    @property
    def scale(self) -> float:
        """What both sides of the frame are multiplied with."""
        return SCALES[self.level]

    @property
    def at_the_bottom(self) -> bool:
        """The smallest size is still too slow."""
        enough = len(self._recent_ms) >= DOWN_FRAMES
        return enough and self.level == len(SCALES) - 1 and self._median() > self.allowed_ms

    @property
    def in_vain(self) -> bool:
        """A smaller size was tried and was no faster: the network does not set the pace."""
        return self._rest > 0

    def observe(self, style_ms: float, interval_ms: float) -> bool:
        """Take note of one frame: its time in the network and around it, and the time since the
        frame before was ready. True: the scale changed."""
        self._recent_ms.append(style_ms)
        self._recent_intervals_ms.append(interval_ms)
        self._rest = max(0, self._rest - 1)
        before = self.level
        if self._trial is not None and len(self._recent_ms) >= PROOF_FRAMES:
            self._judge(*self._trial)
        elif self._may_fall():
            self._trial = self._trial or (self.level, self._interval())
            self.level = self._fitting_level()
        elif self._may_rise():
            self.level -= 1
        if self.level != before:
            self._clear()
        return self.level != before

    def aim(self, fps: float) -> None:
        """Another rate from now on; what was learned of sizes stays."""
        self.allowed_ms = 1000 / fps * HEADROOM

    def restart(self) -> None:
        """Another model: its times are not the last one's."""
        self._clear()
        self._trial, self._patience, self._rest = None, PATIENCE, 0

    def size(self, frame_size: Size, multiple: int) -> Size | None:
        """The inference size for a frame, in steps that the model allows; None: the frame's."""
        if self.level == 0:
            return None
        steps = (round(side * self.scale / multiple) for side in frame_size)
        width, height = (max(1, count) * multiple for count in steps)
        return (width, height)

    def _clear(self) -> None:
        self._recent_ms.clear()
        self._recent_intervals_ms.clear()

    def _judge(self, level: int, interval_ms: float) -> None:
        """Go back to the level before where the smaller size did not bring frames any sooner."""
        self._trial = None
        if self._interval() <= PROOF * interval_ms:
            self._patience = PATIENCE
            return
        self.level, self._rest = level, self._patience
        self._patience *= 2

    def _may_fall(self) -> bool:
        enough = len(self._recent_ms) >= DOWN_FRAMES
        lower = self.level < len(SCALES) - 1
        return enough and lower and not self._rest and self._median() > self.allowed_ms

    def _may_rise(self) -> bool:
        if self.level == 0 or len(self._recent_ms) < UP_FRAMES:
            return False
        usual = percentile(list(self._recent_ms), 75)
        larger = usual * (SCALES[self.level - 1] / self.scale) ** 2
        return larger <= UP_ROOM * self.allowed_ms

    def _median(self) -> float:
        return percentile(list(self._recent_ms)[-DOWN_FRAMES:], 50)

    def _interval(self) -> float:
        return percentile(list(self._recent_intervals_ms), 50)

    def _expected_ms(self, level: int) -> float:
        return self._median() * (SCALES[level] / self.scale) ** 2

    def _fitting_level(self) -> int:
        """The largest smaller size that is expected to keep the time, else the smallest."""
        for level in range(self.level + 1, len(SCALES)):
            if self._expected_ms(level) <= self.allowed_ms:
                return level
        return len(SCALES) - 1
