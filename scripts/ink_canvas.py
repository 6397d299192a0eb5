"""The canvas of ink-fast: van Gogh's strokes as a dry brush would leave them.

    python scripts/ink_canvas.py ink.png
    stylizer train --arch fast --style PICTURE --canvas ink.png --content FOLDER

What is dark in the canvas of starry-night-fast is ink, what is light is paper. Noise says where
much ink is and where little, so that the strokes look like no net.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from stylizer.errors import StylizerError, one_sentence
from stylizer.painting.network import tile_of
from stylizer.painting.quilt import blurred
from stylizer.style import graph
from stylizer.system.files import atomic_write, check_writable

STROKES = Path(__file__).parents[1] / "models" / "starry-night-fast.onnx"
SEED = 3
FINE, COARSE = 1.0, 40.0  # pixels (sigmas): a stroke's grain is coarser, a whole area finer
STEEPNESS = 1.8  # from paper to ink
PAPER, UNEVEN = 1.1, 1.3  # share of paper, and how it changes from place to place
PLACES = (30.0, 12.0)  # pixels (sigma) of such a place
CONTRAST = 0.2  # standard deviation of its light, 0..1


def main() -> int:
    """Write the tile as PNG where the argument says."""
    if len(sys.argv) != 2 or not sys.argv[1].lower().endswith(".png"):
        print("usage: python scripts/ink_canvas.py FILE.png", file=sys.stderr)
        return 2
    target = Path(sys.argv[1])
    try:
        check_writable(target)
        light = np.round(255 * brushed(strokes(), np.random.default_rng(SEED))).astype(np.uint8)
        with atomic_write(target) as file:
            Image.fromarray(light).convert("RGB").save(file, "PNG")
    except StylizerError as error:
        print(f"ink_canvas: {one_sentence(error)}", file=sys.stderr)
        return error.exit_code
    return 0


def strokes() -> np.ndarray:
    """(side, side) in 0..1: the light of the painting's canvas, at the frame's size."""
    tile = Image.fromarray(tile_of(graph.read(STROKES))).convert("L")
    twice = tile.resize((2 * tile.width, 2 * tile.height), Image.Resampling.BICUBIC)
    return np.asarray(twice) / 255


def brushed(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same in ink: around 0.5, darker strokes on lighter paper."""
    band = even(blurred(light, FINE, mode="wrap") - blurred(light, COARSE, mode="wrap"))
    places = sum(noise(rng, light.shape, sigma) for sigma in PLACES)
    ink = np.tanh(STEEPNESS * (band + PAPER + UNEVEN * even(np.asarray(places))))
    return np.clip(0.5 + CONTRAST * even(ink), 0.03, 0.97)


def noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """Of features that large, mean 0 and deviation 1."""
    return even(blurred(rng.standard_normal(shape), sigma, mode="wrap"))


def even(values: np.ndarray) -> np.ndarray:
    """The values with mean 0 and deviation 1."""
    return (values - values.mean()) / values.std()


if __name__ == "__main__":
    sys.exit(main())
