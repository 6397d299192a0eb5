"""Pictures that a network gives in another size or with one channel, made to fit the frame.

- larger by a whole factor (super-resolution): each pixel the mean of what it covers;
- smaller by a border that is the same for every picture (convolutions without padding): the edge
  is repeated, half of the border on each side;
- one channel: gray.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylizer.style.contract import LAYOUTS, Size

MOST_SCALE = 8
MOST_LOST = 32  # pixels in all: beyond it too little of a picture is left


@dataclass(frozen=True)
class Fit:
    """How a network's output lies to the frame: its layout and channels, how many times larger it
    is, and the (width, height) that it lacks."""

    layout: str
    channels: int
    scale: int = 1
    lost: Size = (0, 0)

    @property
    def rank(self) -> int:
        """The lower, the better: a color picture of the frame's size is 0."""
        return (self.channels == 1) * 4 + (self.lost != (0, 0)) * 2 + (self.scale > 1)

    def __str__(self) -> str:
        parts = []
        if self.scale > 1:
            parts.append(f"{self.scale} times as large: scaled back")
        if self.lost != (0, 0):
            parts.append(f"{self.lost[0]}x{self.lost[1]} pixels smaller: its edge is repeated")
        if self.channels == 1:
            parts.append("one channel: shown in gray")
        return ", ".join(parts)


def fit_of(shape: tuple[int, ...], layout: str, size: Size) -> Fit | None:
    """How a tensor of this shape, made from a picture of `size`, is a picture; the input's layout
    is tried first."""
    found: list[Fit] = []
    for name in dict.fromkeys((layout, "NCHW", "NHWC")):
        for channels in (3, 4, 1):
            if LAYOUTS[name].shape(size, channels) == shape:
                found.append(Fit(name, channels))
        if len(shape) == 4 and not LAYOUTS[name].block:
            channels, height, width = (
                shape[1:] if name == "NCHW" else (shape[3], shape[1], shape[2])
            )
            if channels in (1, 3, 4) and shape[0] == 1:
                found += _other_sizes(name, channels, (width, height), size)
    return min(found, key=lambda fit: fit.rank, default=None)


def _other_sizes(layout: str, channels: int, got: Size, size: Size) -> list[Fit]:
    for scale in range(2, MOST_SCALE + 1):
        if got == (size[0] * scale, size[1] * scale):
            return [Fit(layout, channels, scale)]
    lost = size[0] - got[0], size[1] - got[1]
    if min(lost) >= 0 and 0 < max(lost) <= MOST_LOST and 2 * max(lost) < min(size):
        return [Fit(layout, channels, lost=lost)]
    return []


def fitted(picture: np.ndarray, fit: Fit) -> np.ndarray:
    """(H, W, channels) as the network gives it -> (height, width, 3 or 4) of the frame's size; what
    `wrapping.wrap` builds into the session."""
    k = fit.scale
    if k > 1:
        height, width, channels = picture.shape
        blocks = picture.reshape(height // k, k, width // k, k, channels)
        picture = blocks.astype(np.float32).mean(axis=(1, 3))
    (left, right), (top, bottom) = sides(fit.lost[0]), sides(fit.lost[1])
    if fit.lost != (0, 0):
        picture = np.pad(picture, ((top, bottom), (left, right), (0, 0)), mode="edge")
    return picture.repeat(3, axis=2) if fit.channels == 1 else picture


def sides(lost: int) -> tuple[int, int]:
    """What is added on the left or top, and on the right or bottom."""
    return lost // 2, lost - lost // 2
