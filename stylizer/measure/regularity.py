"""How regular a texture is: a net of equal tiles or corduroy is told from free strokes."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

PATCH_PX = 64
LEAST_LAG, MOST_LAG = 5, 32  # pixels: spacings that a texture may repeat at
AROUND = 2  # a lobe is the largest of a square this far each way
FLAT = 0.012  # deviation of luma under which a patch holds no texture
STEPS = np.linspace(0, 1, 17)[1:-1]  # places on the way to a lobe
REACH = MOST_LAG + AROUND


def regularity(high: np.ndarray) -> float:
    """Mean over patches of 64 pixels, half over one another, of the highest second lobe of the
    autocorrelation above the valley before it: 0 irregular, 1 and more a regular net.

    high: (H, W) luma in 0..1 less its blur. 0 for a picture smaller than a patch.
    """
    if min(high.shape) < PATCH_PX:
        return 0.0
    patches = sliding_window_view(high.astype(np.float32), (PATCH_PX, PATCH_PX))
    step = PATCH_PX // 2
    peaks = [peak for row in patches[::step, ::step] for peak in _peaks(row)]
    return float(np.mean(peaks))


def _peaks(patches: np.ndarray) -> list[float]:
    """The lobe of each of (N, 64, 64)."""
    patches = patches - patches.mean((1, 2), keepdims=True)
    textured = patches.std((1, 2)) >= FLAT
    correlations = _autocorrelations(patches[textured])
    return [0.0] * int((~textured).sum()) + [_highest_lobe(c) for c in correlations]


def _autocorrelations(patches: np.ndarray) -> np.ndarray:
    """(N, 2 REACH + 1, 2 REACH + 1): of each patch under a Hann window, over the window's own, lag
    0 in the middle."""
    taper = np.hanning(PATCH_PX).astype(np.float32)
    window = taper[:, None] * taper
    own, found = _products(window[None]), _products(patches * window)
    middle = found[:, REACH : REACH + 1, REACH : REACH + 1]
    return found / middle * (own[:, REACH : REACH + 1, REACH : REACH + 1] / own)


def _products(patches: np.ndarray) -> np.ndarray:
    side = (2 * PATCH_PX, 2 * PATCH_PX)
    power = np.abs(np.fft.rfft2(patches, side)) ** 2
    correlations = np.roll(np.fft.irfft2(power, side), (REACH, REACH), (1, 2))
    return correlations[:, : 2 * REACH + 1, : 2 * REACH + 1]


def _highest_lobe(a: np.ndarray) -> float:
    """Height above the valley on the straight way to it; a: lag 0 in the middle, where it is 1.
    Lags point both ways alike, so one half is looked at."""
    span = 2 * AROUND + 1
    largest = sliding_window_view(a, (span, span)).max((2, 3))
    y, x = np.mgrid[-MOST_LAG : MOST_LAG + 1, -MOST_LAG : MOST_LAG + 1]
    far = np.hypot(x, y)
    inner = a[AROUND:-AROUND, AROUND:-AROUND]
    tops = (inner == largest) & (far >= LEAST_LAG) & (far <= MOST_LAG) & (inner > 0) & (y >= 0)
    lags = np.stack([y[tops], x[tops]], -1)
    if not len(lags):
        return 0.0
    valleys = _on_the_way(a, lags).min(axis=1)
    return float(max(0.0, (inner[tops] - np.maximum(valleys, -1)).max()))


def _on_the_way(a: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """(N, steps): a between lag 0 and each of the lags (N, 2), bilinear."""
    way = REACH + lags[:, None, :] * STEPS[:, None]
    corner = np.floor(way).astype(int)
    (top, left), (s, t) = corner.transpose(2, 0, 1), (way - corner).transpose(2, 0, 1)
    upper = a[top, left] * (1 - t) + a[top, left + 1] * t
    lower = a[top + 1, left] * (1 - t) + a[top + 1, left + 1] * t
    return upper * (1 - s) + lower * s
