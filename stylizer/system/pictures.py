"""What every room knows of pictures: which files are one, and how far two of them differ."""

from __future__ import annotations

import numpy as np

# What counts as a picture in a folder; a single named file may have any suffix Pillow knows.
SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
SUFFIXES |= {".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".avif"}


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two pictures in 0..255 as they would be shown, clipped; 99
    where they are equal."""
    a, b = (np.clip(picture, 0, 255).astype(np.float64) for picture in (first, second))
    error = float(np.mean((a - b) ** 2))
    return min(99.0, 10 * float(np.log10(255**2 / error))) if error else 99.0
