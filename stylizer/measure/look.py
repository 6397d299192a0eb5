"""Does a styled frame look like a painting of the game? Figures that agree with the eye.

Chosen because they tell nine fully trained public style networks from poor ones on game frames of
1280x720; `range`, `edges`, `detail` and the correlation that the judge adds agree best with marks
that an eye gave before any figure was computed. They guard and can be fooled: look at the pictures.

grad4     Pearson correlation of the luma's gradient (Sobel) of source and styled frame, both
          averaged to a quarter: contours kept
ssim4     SSIM (Wang et al. 2004; Gaussian, sigma 1.5) of the luma at a quarter
luma8     Pearson correlation of the luma at an eighth
chroma8   mean of those of Lab a and b at an eighth: different things keep different colors
rms       standard deviation of the styled luma, 0..1: contrast
range     99th less 1st percentile of the styled luma, 0..1: real darks and lights
edges     share of the source's strongest 8 % of gradients within 2 pixels of the styled frame's
detail    mean absolute local correlation of the lumas where the source has most detail (15 %)
calm_hp   deviation of the styled luma less its blur (sigma 6) in the source's calmest 30 %
strokes   the same between blurs of sigma 2 and 8: marks of some 6 to 30 pixels, no fine grain
carpet    calm_hp over the same in the busiest 15 %: near 1 it is a carpet that hides the game
acf_peak  how regular the texture is: see `regularity`
sparsity  mean squared over squared mean gradient: crisp contours in calm surroundings score high
"""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.frame import LUMA
from stylizer.measure.regularity import regularity

XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])  # D65
CALM, BUSY = 0.3, 0.85  # quantiles of the source's activity
STRONG = 0.92  # quantile of gradients that are edges
DETAILED = 0.85  # quantile of local variance that is detail
WINDOW_PX = 17  # activity is the deviation in squares of this side
DIAMOND = np.array([[abs(x) + abs(y) <= 2 for x in range(-2, 3)] for y in range(-2, 3)], np.uint8)
LEAST_VARIANCE = 1e-5  # a styled place with less has nothing that could correlate

# What a picture worth looking at reaches: figure -> (least, most). The mosaic's are of PyTorch's
# own mosaic network, the others' of nine good networks.
ANY = float("inf")
GOALS_MOSAIC = {
    "range": (0.85, ANY), "edges": (0.80, ANY), "detail": (0.70, ANY), "grad4": (0.70, ANY),
    "chroma8": (0.60, ANY), "rms": (0.20, ANY), "carpet": (-ANY, 0.50), "acf_peak": (-ANY, 0.55),
    "strokes": (0.045, ANY), "lowest_grad4": (0.60, ANY), "relu4_3": (0.40, ANY),
    "style_ratio": (-ANY, 0.25), "cells_mean_of_frame": (-ANY, 0.5),
    "cells_worst_of_frame": (-ANY, 1.0),
}  # fmt: skip
GOALS = GOALS_MOSAIC | {
    "range": (0.80, ANY), "edges": (0.76, ANY), "detail": (0.67, ANY), "chroma8": (0.45, ANY),
    "rms": (0.17, ANY), "acf_peak": (-ANY, 0.65), "strokes": (0.035, ANY), "relu4_3": (0.35, ANY),
    "style_ratio": (-ANY, 0.30),
}  # fmt: skip
LEAST_LUMA8 = 0.8  # stands in for chroma8 where the painting has hardly any color
COLORLESS = 8.0  # deviation of Lab a and b below which it has


def goals_of(style: str, painting: np.ndarray) -> dict[str, tuple[float, float]]:
    """The goals of a style by its name and its picture, uint8 (H, W, 3) RGB."""
    goals = dict(GOALS_MOSAIC if style == "mosaic" else GOALS)
    if lab(painting / 255.0)[..., 1:].std(axis=(0, 1)).max() < COLORLESS:
        del goals["chroma8"]
        goals["luma8"] = (LEAST_LUMA8, ANY)
    return goals


def missed(figures: dict[str, float], goals: dict[str, tuple[float, float]]) -> list[str]:
    """Names of the figures that miss their goal; goals without a figure are not asked."""
    asked = ((name, low, high) for name, (low, high) in goals.items() if name in figures)
    return [name for name, low, high in asked if not low <= figures[name] <= high]


def look(source: np.ndarray, styled: np.ndarray) -> dict[str, float]:
    """Figures of one pair, both uint8 (height, width, 3) RGB of one size, 64 pixels a side or more.

    Raises ValueError for two sizes.
    """
    if source.shape != styled.shape:
        raise ValueError(f"a styled frame of {styled.shape} is not its source's {source.shape}")
    x, y = luma(source), luma(styled)
    a, b = (lab(box(picture / 255.0, 8)) for picture in (source, styled))
    quarters, eighths = (box(x, 4), box(y, 4)), (box(x, 8), box(y, 8))
    slope = gradient(y)
    high = y - blurred(y, 6)
    return {
        "grad4": pearson(gradient(quarters[0]), gradient(quarters[1])),
        "ssim4": ssim(*quarters),
        "luma8": pearson(*eighths),
        "chroma8": (pearson(a[..., 1], b[..., 1]) + pearson(a[..., 2], b[..., 2])) / 2,
        "rms": float(y.std()),
        "range": float(np.subtract(*np.quantile(y, (0.99, 0.01)))),
        "edges": edges_kept(x, y),
        "detail": detail_kept(x, y),
        **texture(x, y, high),
        "acf_peak": regularity(high),
        "sparsity": float((slope**2).mean() / (slope.mean() ** 2 + 1e-12)),
    }


def texture(x: np.ndarray, y: np.ndarray, high: np.ndarray) -> dict[str, float]:
    """What is painted where the source x is calm and where it is busy; high: y less its blur."""
    square = (WINDOW_PX, WINDOW_PX)
    mean, power = (cv2.blur(v, square, borderType=cv2.BORDER_REFLECT) for v in (x, x * x))
    activity = np.sqrt(np.maximum(power - mean**2, 0))
    low, top = np.quantile(activity, (CALM, BUSY))
    calm, busy = float(high[activity <= low].std()), float(high[activity >= top].std())
    strokes = float((blurred(y, 2) - blurred(y, 8))[activity <= low].std())
    return {"calm_hp": calm, "strokes": strokes, "carpet": calm / (busy + 1e-9)}


def luma(picture: np.ndarray) -> np.ndarray:
    """float32 (H, W) in 0..1 of uint8 RGB."""
    return (picture.astype(np.float32) @ LUMA.astype(np.float32)) / 255


def box(y: np.ndarray, k: int) -> np.ndarray:
    """Means of squares of k pixels; odd last rows and columns are left out."""
    h, w = y.shape[0] // k * k, y.shape[1] // k * k
    return y[:h, :w].reshape(h // k, k, w // k, k, *y.shape[2:]).mean((1, 3))


def lab(picture: np.ndarray) -> np.ndarray:
    """CIE Lab of sRGB in 0..1, (H, W, 3)."""
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    t = linear @ XYZ.T / WHITE
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    a, b = 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])
    return np.stack([116 * f[..., 1] - 16, a, b], -1)


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation over all values; 0 where one of them is constant."""
    a, b = a.ravel() - a.mean(), b.ravel() - b.mean()
    return float(a @ b / (np.sqrt((a @ a) * (b @ b)) + 1e-9))


def blurred(y: np.ndarray, sigma: float, reach: float = 4.0) -> np.ndarray:
    """Gaussian of `sigma` pixels to `reach` of them; the border is mirrored."""
    side = 2 * int(reach * sigma + 0.5) + 1
    return cv2.GaussianBlur(y, (side, side), sigma, borderType=cv2.BORDER_REFLECT)


def gradient(y: np.ndarray) -> np.ndarray:
    """Sobel, in luma a pixel."""
    y = y.astype(np.float32)
    across, down = (
        cv2.Sobel(y, cv2.CV_32F, *way, scale=1 / 8, borderType=cv2.BORDER_REFLECT)
        for way in ((1, 0), (0, 1))
    )
    return np.hypot(across, down)


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Mean structural similarity, borders left out."""
    mean_a, mean_b, aa, bb, ab = (blurred(v, 1.5, 3.5) for v in (a, b, a * a, b * b, a * b))
    var_a, var_b, both = aa - mean_a**2, bb - mean_b**2, ab - mean_a * mean_b
    means = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    return float((means * (2 * both + 9e-4) / (var_a + var_b + 9e-4))[5:-5, 5:-5].mean())


def edges_kept(x: np.ndarray, y: np.ndarray) -> float:
    """Share of the source's strong gradients (Gaussian derivative) near one of the styled."""
    t = np.arange(-4, 5, dtype=np.float32)
    smooth = np.exp(-t * t / 2)
    smooth /= smooth.sum()
    strong = []
    for v in (x, y):
        ways = ((t * smooth, smooth), (smooth, t * smooth))
        slopes = [cv2.sepFilter2D(v, cv2.CV_32F, *w, borderType=cv2.BORDER_REFLECT) for w in ways]
        slope = np.hypot(*slopes)
        strong.append((slope >= np.quantile(slope, STRONG)).astype(np.uint8))
    near = cv2.dilate(strong[1], DIAMOND)
    return float((strong[0] & near).sum() / strong[0].sum())


def detail_kept(x: np.ndarray, y: np.ndarray) -> float:
    """Local correlation (Gaussian windows, sigma 2) where the source has most variance."""
    mean_x, mean_y, xx, yy, xy = (blurred(v, 2, 3) for v in (x, y, x * x, y * y, x * y))
    var_x, var_y = xx - mean_x**2, yy - mean_y**2
    kept = np.abs(xy - mean_x * mean_y) / np.sqrt(np.maximum(var_x * var_y, 1e-12))
    kept[var_y < LEAST_VARIANCE] = 0
    return float(kept[var_x >= np.quantile(var_x, DETAILED)].mean())
