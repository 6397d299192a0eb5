"""Frames and styled pictures of noise, for the compositor's tests."""

from __future__ import annotations

import numpy as np

from stylizer.frame import Frame, StyledImage


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def frame_of(pixels: np.ndarray, order: str = "RGB") -> Frame:
    return Frame(pixels, order, 0.0, 0)  # type: ignore[arg-type]


def pair(size: tuple[int, int]) -> tuple[Frame, StyledImage]:
    width, height = size
    return frame_of(noise(height, width, 3)), StyledImage(noise(3, height, width, seed=1), "chw")


def bottom_up(image: StyledImage) -> StyledImage:
    """The same picture with its last row first and an alpha that means nothing."""
    alpha = np.full((image.size[1], image.size[0], 1), 9, np.uint8)
    pixels = np.concatenate([image.rgb(), alpha], 2)[::-1]
    return StyledImage(np.ascontiguousarray(pixels), "hwc", image.model_input, bottom_up=True)
