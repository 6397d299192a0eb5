"""Frames of `wayland_window.py`, or of another that shows the synthetic source, as captured."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import numpy as np

from stylizer.frame import IDLE, Frame, Size
from stylizer.settings import Settings
from stylizer.source.synthetic import BAND, SyntheticSource, read_frame_number
from stylizer.stages import Source


def next_frame(
    source: Source, good: Callable[[Frame], bool] = lambda _: True, wait_s: float = 20.0
) -> Frame:
    """The next frame that is good."""
    deadline, seen = time.monotonic() + wait_s, 0
    while time.monotonic() < deadline:
        frame = source.read(IDLE)
        seen += frame is not None
        if frame is not None and good(frame):
            return frame
    raise AssertionError(f"no such frame within {wait_s} s, but {seen} others")


@cache
def drawing(size: Size) -> SyntheticSource:
    return SyntheticSource(Settings(size=size))


def shows_what_was_drawn(rgb: np.ndarray) -> bool:
    """uint8 (height, width, 3): every pixel, but the row of the time."""
    number = read_frame_number(rgb)
    height, width, _ = rgb.shape
    above = height - height // BAND
    if number is None:
        return False
    return np.array_equal(rgb[:above], drawing((width, height)).draw(number)[:above, :, :3])


def is_what_was_drawn(frame: Frame) -> bool:
    return shows_what_was_drawn(frame.rgb())
