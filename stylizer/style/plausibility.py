"""How much a styled picture looks like a painting of the picture it was made from."""

from __future__ import annotations

import numpy as np

from stylizer.frame import LUMA
from stylizer.style.contract import RANGES, Size


def textured_picture(size: Size) -> np.ndarray:
    """float (height, width, 3) in 0.05..0.95: seeded blocks of color, a slope and fine noise."""
    width, height = size
    rng = np.random.default_rng(7)
    blocks = rng.uniform(0.05, 0.95, (-(-height // 24), -(-width // 24), 3))
    picture = np.kron(blocks, np.ones((24, 24, 1)))[:height, :width]
    slope = np.linspace(-0.15, 0.15, width)[None, :, None]
    return np.clip(picture + slope + rng.normal(0, 0.03, picture.shape), 0.05, 0.95)


def range_of(values: np.ndarray) -> str:
    """The range that raw output values speak of: by their 1st and 99th percentile."""
    low, high = np.percentile(values, [1, 99])
    if high > 3 or low < -3:
        return "0..255"
    return "-1..1" if low < -0.2 else "0..1"


def plausibility(styled: np.ndarray, name: str, picture: np.ndarray) -> float:
    """0..1: how much `styled` (raw values in range `name`) looks like a painting of `picture`."""
    scale, shift = RANGES[name]
    values = (styled - shift) / (255 * scale)
    if values.shape != picture.shape:
        return 0.0
    clipped = np.clip(values, 0, 1)
    luma, wanted = (p @ LUMA for p in (clipped, picture))
    contrast = float(luma.std())
    if contrast < 1e-3:
        return 0.0
    correlation = float(np.corrcoef(luma.ravel(), wanted.ravel())[0, 1])
    outside = float(np.mean(np.abs(values - clipped) > 0.1))
    saturated = float(np.mean((clipped < 0.004) | (clipped > 0.996)))
    return max(0.0, correlation) * min(1.0, contrast / 0.08) * (1 - outside) * (1 - saturated / 2)
