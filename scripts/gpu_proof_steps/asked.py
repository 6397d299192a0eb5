"""What every step is handed, what it may raise, and how times are taken."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
Size = tuple[int, int]
Result = dict[str, Any]
FAST = "mosaic-fast"


class Missing(Exception):
    """What the step needs is not here: nothing was tried."""


class Partly(Exception):
    """Some of it failed; `result` is what was found all the same."""

    def __init__(self, why: str, result: Result) -> None:
        super().__init__(why)
        self.result = result


@dataclass(frozen=True)
class Scale:
    """How much is asked of the machine."""

    small: bool
    rehearse: bool
    vgg: Path | None = None
    slow: bool = False

    @property
    def sizes(self) -> list[Size]:
        if self.slow:
            return [(96, 64)]
        return [(160, 96), (320, 184)] if self.small else [(1280, 720), (1920, 1080), (3840, 2160)]

    @property
    def governed(self) -> list[Size]:
        """Seven sizes that a governor could choose."""
        width, height = self.sizes[0]
        return [(round(width * k / 64) * 8, round(height * k / 64) * 8) for k in range(8, 1, -1)]

    @property
    def frames(self) -> int:
        return 5 if self.small else 100

    @property
    def run_frames(self) -> int:
        return 3 if self.slow else 10 if self.small else 300

    @property
    def run_size(self) -> str:
        return "{}x{}".format(*self.sizes[-1 if self.small else 0])

    @property
    def slower(self) -> Scale:
        """For a provider that takes seconds a frame on a software device."""
        return replace(self, slow=self.small)


def frame_of(size: Size, seed: int = 0) -> Any:
    """A frame with flat places, edges and noise."""
    from stylizer.frame import Frame

    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size[1] // 16 + 1, size[0] // 16 + 1, 4))
    whole = coarse.repeat(16, 0).repeat(16, 1)[: size[1], : size[0]]
    noisy = np.clip(whole + rng.integers(-20, 21, whole.shape), 0, 255).astype(np.uint8)
    noisy[..., 3] = 255
    return Frame(noisy, "RGBA", time.perf_counter(), 0)


def timed(work: Callable[[], Any], count: int) -> Result:
    """Two runs to warm up, then `count`."""
    times = []
    for _ in range(count + 2):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return spread(times[2:])


def spread(times_ms: list[float]) -> Result:
    p50, p99 = np.percentile(times_ms, (50, 99))
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "count": len(times_ms)}


def nvidia(what: str) -> str:
    """An answer of nvidia-smi; "" without it."""
    if not shutil.which("nvidia-smi"):
        return ""
    words = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader"]
    return subprocess.run(words, capture_output=True, text=True, timeout=30).stdout.strip()


def style_times(scale: Scale, provider: str, size: Size, thread: Any = None) -> Result:
    """Milliseconds of a frame through a style backend, packing and copies included."""
    from stylizer.settings import Settings
    from stylizer.style.opening import open_style

    started = time.perf_counter()
    style = open_style(Settings(provider=provider), FAST, size, lambda: thread)
    opened_s = time.perf_counter() - started
    try:
        frame = frame_of(size)
        styled = [style.style(frame) for _ in range(scale.frames + 2)][2:]
        times = spread([s.preprocess_ms + s.infer_ms for s in styled])
        gpu = [s.gpu_ms for s in styled if s.gpu_ms is not None]
        reason = style.provider_reason
    finally:
        style.close()
    opened = {"opened_s": round(opened_s, 2), "model": style.model, "reason": reason}
    return {"ms": times, "gpu_ms": spread(gpu) if gpu else None, **opened}
