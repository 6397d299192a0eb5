"""One picture that a compositor gave, however it came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylizer.frame import ChannelOrder, Rect


@dataclass(frozen=True, eq=False)
class Picture:
    """uint8 (height, width, 4) of its own memory, when the compositor made it, and which part of
    the monitor was asked for; None: all."""

    pixels: np.ndarray
    order: ChannelOrder
    at_s: float  # time.perf_counter()
    part: Rect | None = None
