"""One picture that a compositor gave, however it came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylizer.frame import ChannelOrder


@dataclass(frozen=True, eq=False)
class Picture:
    """uint8 (height, width, 4) of its own memory, and when the compositor made it."""

    pixels: np.ndarray
    order: ChannelOrder
    at_s: float  # time.perf_counter()
