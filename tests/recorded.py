"""Pictures to record, and what a recording holds."""

from __future__ import annotations

from pathlib import Path

import av
import av.error
import numpy as np

from stylizer.present.record import Recorder

SUFFIXES = [".mp4", ".mkv"]
SIZE = (160, 96)


def record(path: Path, pictures: list[np.ndarray], times: list[float] | None = None, **options):
    """Record pictures; the first one's size is the recording's."""
    height, width = pictures[0].shape[:2]
    with Recorder(path, (width, height), **options) as recorder:
        for number, picture in enumerate(pictures):
            recorder.add(picture, times[number] if times else 0.0)
    assert recorder.frames == len(pictures)


def pictures_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]


def frames_of(path: Path) -> int:
    """Of a video that may still be written; 0 where there is none that can be played."""
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    except (OSError, av.error.FFmpegError):
        return 0


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.time) for f in container.decode(video=0)]


def off(picture: np.ndarray, color: tuple[int, int, int]) -> int:
    return int(np.abs(picture.astype(int) - color).max())


def noise(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    shape = (count, size[1], size[0], 3)
    return list(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
