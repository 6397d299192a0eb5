"""The canvas of ink-fast: strokes of a dry brush, dark and light, and washes between them.

    python scripts/ink_canvas.py ink.png
    stylizer train --arch fast --style PICTURE --canvas ink.png --content FOLDER

Noise is smeared along a field of turning directions (line integral convolution, Cabral and Leedom
1993): wide and narrow bristles, at no distance of their own, so that the strokes look like no net.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from stylizer.errors import StylizerError, one_sentence
from stylizer.system.files import atomic_write, check_writable

SIDE = 640  # pixels of the tile, which repeats without a seam
SEED = 11
FIELD, TURN = 60.0, 1.35  # pixels over which directions change, and radians
BRISTLES = ((1.1, 1.0), (5.0, 1.0))  # width in pixels (sigma), weight
LENGTH = 38  # pixels to both sides
PATCH, PATCH_STEEPNESS = 13.0, 3.5  # pixels of a group of strokes (sigma), how sharply it ends
WASH, WASH_SHARE = 16.0, 0.5
CONTRAST = 0.2  # standard deviation of its light, 0..1


def main() -> int:
    """Write the tile as PNG where the argument says."""
    if len(sys.argv) != 2 or not sys.argv[1].lower().endswith(".png"):
        print("usage: python scripts/ink_canvas.py FILE.png", file=sys.stderr)
        return 2
    target = Path(sys.argv[1])
    try:
        check_writable(target)
        light = np.round(255 * brushed(np.random.default_rng(SEED))).astype(np.uint8)
        with atomic_write(target) as file:
            Image.fromarray(light).convert("RGB").save(file, "PNG")
    except StylizerError as error:
        print(f"ink_canvas: {one_sentence(error)}", file=sys.stderr)
        return error.exit_code
    return 0


def brushed(rng: np.random.Generator) -> np.ndarray:
    """(SIDE, SIDE) in 0..1, around 0.5."""
    angle = TURN * noise(rng, FIELD)
    bristles = sum(weight * noise(rng, width) for width, weight in BRISTLES)
    strokes = even(smeared(np.asarray(bristles), angle))
    patches = 1 / (1 + np.exp(-PATCH_STEEPNESS * noise(rng, PATCH)))
    washes = np.tanh(1.6 * noise(rng, WASH))
    light = even(even(strokes * patches) + WASH_SHARE * washes)
    return np.clip(0.5 + CONTRAST * light, 0.06, 0.94)


def noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Of features that large, mean 0 and deviation 1."""
    return even(ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), sigma, mode="wrap"))


def even(values: np.ndarray) -> np.ndarray:
    """The values with mean 0 and deviation 1."""
    return (values - values.mean()) / values.std()


def smeared(values: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Each pixel's weighted mean along its path to both sides, weights falling with distance."""
    start = np.mgrid[:SIDE, :SIDE].astype(float)
    direction = np.stack([np.sin(angle), np.cos(angle)])
    total = np.zeros_like(values)
    for sign in (1, -1):
        place = start.copy()
        for step in range(LENGTH):
            total += (1 - step / LENGTH) * at(values, place)
            place += sign * np.stack([at(part, place) for part in direction])
    return total


def at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Values between pixels; the tile repeats."""
    return ndimage.map_coordinates(values, list(place), order=1, mode="grid-wrap")


if __name__ == "__main__":
    sys.exit(main())
