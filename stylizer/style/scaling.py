"""Frames scaled for a network that sees another size: what there is of it is measured."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from stylizer.frame import Size

# Of the fourth channel nothing is asked, and no color is multiplied by it.
MODES: dict[int, Literal["RGB", "RGBX"]] = {3: "RGB", 4: "RGBX"}


def resize(pixels: np.ndarray, size: Size) -> np.ndarray:
    """uint8 (H, W, 3) or (H, W, 4) to `size` (width, height), C-contiguous.

    A pixel becomes the mean of what it covers, so that fine texture does not shimmer. To half and
    less, Pillow averages whole pixels first (1.2 ms from 1280x720 to 640x360; without that step 7).
    """
    height, width, channels = pixels.shape
    data = np.ascontiguousarray(pixels)
    if 2 * size[0] > width or 2 * size[1] > height:
        return _smooth(data, size)
    image = Image.frombuffer(MODES[channels], (width, height), data, "raw", MODES[channels], 0, 1)
    small = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
    return np.ascontiguousarray(small)


def _smooth(pixels: np.ndarray, size: Size) -> np.ndarray:
    """By SDL: 1.0 ms from 1280x720 to 1120x632, Pillow's bilinear filter 13. For that it rounds
    down, to 1 % too dark; the composite with the frame's detail takes that off again, for it adds
    what the network changed in the picture that it saw.
    """
    import pygame  # 0.2 s that most runs need not wait for

    height, width, channels = pixels.shape
    result = np.empty((size[1], size[0], channels), np.uint8)
    source = pygame.image.frombuffer(pixels.data, (width, height), MODES[channels])
    target = pygame.image.frombuffer(result.data, size, MODES[channels])
    pygame.transform.smoothscale(source, size, target)
    return result
