"""Frame-time statistics: pure functions and counters, no I/O.

Percentiles are numpy's linear ones over the raw series. Average fps = frames / seconds, never a
mean of per-frame fps. 1% low = 1000 / p99 frame time.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

MIN_FRAMES = {"p95": 20, "p99": 100, "p99_9": 1000}
STAGES = ("capture", "preprocess", "infer", "upload", "compose", "present")  # of a frame
LOW_MIN_FRAMES_HUD = 100
LOW_MIN_FRAMES_REPORT = 1000


def percentile(series_ms: Sequence[float], q: float) -> float:
    """Linear-interpolated percentile of a non-empty series, q in 0..100."""
    return float(np.percentile(np.asarray(series_ms, np.float64), q))


def frame_time_summary(series_ms: Sequence[float]) -> dict[str, float | None]:
    """mean, p50, p95, p99, p99_9, max, stdev in ms; None where there are too few frames."""
    names = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p99_9": 99.9}
    count = len(series_ms)
    if count == 0:
        return dict.fromkeys(("mean", *names, "max", "stdev"), None)
    values = np.asarray(series_ms, np.float64)
    summary: dict[str, float | None] = {"mean": float(values.mean())}
    for name, q in names.items():
        enough = count >= MIN_FRAMES.get(name, 1)
        summary[name] = float(np.percentile(values, q)) if enough else None
    summary["max"] = float(values.max())
    summary["stdev"] = float(values.std())
    return summary


def p50_p99(series_ms: Sequence[float]) -> dict[str, float | None]:
    """{"p50", "p99"} of a stage; None without samples, p99 None under 100."""
    if not series_ms:
        return {"p50": None, "p99": None}
    enough = len(series_ms) >= MIN_FRAMES["p99"]
    return {"p50": percentile(series_ms, 50), "p99": percentile(series_ms, 99) if enough else None}


def minutes(seconds: float) -> str:
    """ "1:05"."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def fps(frames: int, seconds: float) -> float | None:
    """frames / seconds; None before any time has passed."""
    return frames / seconds if seconds > 0 else None


def one_percent_low_fps(series_ms: Sequence[float], min_frames: int) -> float | None:
    """1000 / p99 frame time; None under `min_frames` frames (100 in the HUD, 1,000 in a report)."""
    if len(series_ms) < min_frames:
        return None
    p99 = percentile(series_ms, 99)
    return 1000.0 / p99 if p99 > 0 else None


class RollingWindow:
    """Events of the last `span_s` seconds, for a live fps: events / time."""

    def __init__(self, span_s: float = 1.0) -> None:
        self.span_s = span_s
        self._times: deque[float] = deque()

    def add(self, now: float) -> None:
        self._times.append(now)
        self._drop_old(now)

    def fps(self, now: float) -> float | None:
        """Events per second over the span; None before two events."""
        self._drop_old(now)
        if len(self._times) < 2:
            return None
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def _drop_old(self, now: float) -> None:
        # Two events always stay, so that a model of one frame every 3 s still shows its rate.
        while len(self._times) > 2 and now - self._times[0] > self.span_s:
            self._times.popleft()


def new_series() -> array[float]:
    """Milliseconds in 4 bytes each: a long run keeps eight a frame, and lists of Python's numbers
    take 32 bytes."""
    return array("f")


@dataclass
class FrameStats:
    """Counts and series of one run after warm-up; owned by the presenting thread."""

    started_at: float
    last_at: float = 0.0
    warmup: int = 0  # frames presented before `started_at`
    presented: int = 0
    styled: int = 0
    dropped: int = 0
    duplicates: int = 0
    frame_time_ms: array[float] = field(default_factory=new_series)
    latency_ms: array[float] = field(default_factory=new_series)
    stage_ms: dict[str, array[float]] = field(default_factory=dict)
    gpu_ms: dict[str, array[float]] = field(default_factory=dict)  # of the GPU alone

    def __post_init__(self) -> None:
        self.last_at = self.started_at

    def present(self, now: float, captured_at: float | None, new_styled: bool, new: bool) -> None:
        """One presented frame at `now`: new_styled, a styled frame not shown before; new, not a
        duplicate; captured_at, the capture time of what is shown (latency of new frames only)."""
        self.frame_time_ms.append((now - self.last_at) * 1000)
        self.last_at = now
        self.presented += 1
        self.styled += new_styled
        self.duplicates += not new
        if new and captured_at is not None:
            self.latency_ms.append((now - captured_at) * 1000)

    def skip_to(self, now: float) -> None:
        """Nothing was to be presented since the last frame: that time does not count."""
        self.started_at += now - self.last_at
        self.last_at = now

    def stage(self, name: str, ms: float) -> None:
        self.stage_ms.setdefault(name, new_series()).append(ms)

    def recent(self, name: str, count: int = 10) -> float | None:
        """Mean of a stage's last times: a single one flickers too much to be read."""
        times = self.stage_ms.get(name)
        return float(np.mean(times[-count:])) if times else None

    def gpu(self, name: str, ms: float) -> None:
        self.gpu_ms.setdefault(name, new_series()).append(ms)

    @property
    def seconds(self) -> float:
        return self.last_at - self.started_at
