"""A picture without its fine texture, contours kept: what a painter leaves out of a game."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from stylizer.frame import LUMA

RADIUS = 3  # of the boxes, pixels at half size
HALF = 2


def smoothed(picture: Tensor, variance: float | Tensor) -> Tensor:
    """(B, 3, H, W), both even: the picture without texture of up to about that variance (above 0;
    one, or (B, 1, H / 2, W / 2)), edges kept: a guided filter with its own luma as guide (He et al.
    2010), at half size (He and Sun 2015)."""
    half = F.avg_pool2d(picture, HALF)
    y = luma(half)
    mean = boxed(y)
    own = (boxed(y * y) - mean * mean).clamp_min(0)
    keep = boxed(own / (own + variance))
    size = picture.shape[2:]
    keep, coarse = (F.interpolate(v, size=size, mode="bilinear") for v in (keep, boxed(half)))
    return coarse + keep * (picture - coarse)


def luma(picture: Tensor) -> Tensor:
    """(B, 3, H, W) RGB -> (B, 1, H, W)."""
    return (picture * picture.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def boxed(x: Tensor) -> Tensor:
    """Mean over squares of 2 RADIUS + 1, of what lies inside the picture."""
    for vertical in (True, False):
        shape = (2 * RADIUS + 1, 1) if vertical else (1, 2 * RADIUS + 1)
        padding = (RADIUS, 0) if vertical else (0, RADIUS)
        x = F.avg_pool2d(x, shape, 1, padding, count_include_pad=False)
    return x
