"""Frames whose picture moves, so that a canvas goes with it."""

from __future__ import annotations

import numpy as np

from stylizer.frame import ChannelOrder, Frame, Size


def moving_frames(
    size: Size, by: tuple[int, int], order: ChannelOrder = "RGBA", count: int = 4
) -> list[Frame]:
    """Squares of 4 pixels that move by (x, y) pixels a frame."""
    (width, height), (x, y) = size, by
    shape = ((height + count * y) // 4 + 1, (width + count * x) // 4 + 1, 4)
    squares = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    whole = squares.repeat(4, 0).repeat(4, 1)
    cut = [whole[y * n : y * n + height, x * n : x * n + width] for n in range(count)]
    return [Frame(np.ascontiguousarray(p), order, 0.0, n) for n, p in enumerate(cut)]
