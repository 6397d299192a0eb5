"""What a run counts, from when on, and when it has counted enough. Main thread only."""

from __future__ import annotations

import time

from stylizer.frame import Frame
from stylizer.run.threads import Shown
from stylizer.settings import Settings
from stylizer.timing import FrameStats


class Counts:
    """The statistics of one run. They start after the last warm-up frame, and live after the first
    frame shown: a fast network has warmed up before there is anything to show it on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = time.perf_counter()
        self._begun = False  # something was presented
        self._dropped_before = 0
        self.stats = FrameStats(self._started)
        self.first_styled_s: float | None = None  # from the start to the first styled frame shown

    @property
    def elapsed_s(self) -> float:
        """Since counting began."""
        return time.perf_counter() - self.stats.started_at

    @property
    def records(self) -> bool:
        """Whether a picture presented now belongs into the recording: N frames asked, N there."""
        return self._begun or self._settings.sync

    def is_first_styled(self, new: Shown | None, now: float) -> bool:
        """Take note of the first styled frame; True for that one only."""
        if new is None or self.first_styled_s is not None:
            return False
        self.first_styled_s = now - self._started
        return True

    def note(self, now: float, shown: Shown | None, new: Shown | None, dropped: int) -> bool:
        """Take note that something was presented; False when it does not count (yet).

        shown: the styled pair of this moment; new: the same if it was not presented before.
        """
        first, self._begun = not self._begun, True
        if shown is None or shown.warmup or (first and not self._settings.sync):
            self.stats = FrameStats(now, warmup=self.stats.warmup + (new is not None))
            self._dropped_before = dropped
            return False
        return True

    def count(
        self,
        now: float,
        new: Shown | None,
        frame: Frame,
        is_new: bool,
        times: dict[str, float],
        gpu_ms: dict[str, float],
    ) -> bool:
        """Count a presented frame; True when it was a new result of the network.

        is_new: no duplicate. times: stage -> ms of this turn; gpu_ms: of the GPU
        alone, where it is known.
        """
        styled = new is not None and new.styled.image is not None
        self.stats.present(now, frame.captured_at, styled, is_new)
        if new is not None:
            times |= {
                "capture": new.capture_ms,
                "preprocess": new.styled.preprocess_ms,
                "infer": new.styled.infer_ms,
            }
            if new.styled.second is not None:
                times["preprocess"] += new.styled.second.preprocess_ms
                times["infer"] += new.styled.second.infer_ms
                times["infer_second"] = new.styled.second.infer_ms
        if is_new:
            for name, ms in times.items():
                self.stats.stage(name, ms)
            for name, ms in gpu_ms.items():
                self.stats.gpu(name, ms)
        return styled

    def enough(self, shown: Shown | None) -> bool:
        """Whether the frames or seconds asked for are over."""
        s = self._settings
        if s.frames is not None and self.stats.presented >= s.frames:
            return True
        counting = shown is not None and not shown.warmup
        return s.seconds is not None and counting and self.elapsed_s >= s.seconds

    def finish(self, dropped: int) -> FrameStats:
        """The statistics, with the frames dropped since counting began."""
        self.stats.dropped = dropped - self._dropped_before
        return self.stats


class Stopwatch:
    """Adds the milliseconds of a block to `times[name]`."""

    def __init__(self, times: dict[str, float], name: str) -> None:
        self._times, self._name = times, name

    def __enter__(self) -> None:
        self._from = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._times[self._name] += (time.perf_counter() - self._from) * 1000
