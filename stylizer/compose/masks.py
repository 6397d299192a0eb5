"""Masks: where a picture stays as the game draws it. Shapes and a grayscale picture become one
texture of the frame's size, drawn by numpy and only when they or the size change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import moderngl
import numpy as np
from PIL import Image

from stylizer.frame import Shape, Size

TINT, TINT_SHARE = (1.0, 0.76, 0.36), 0.3  # how a mask is seen, as in compose.frag
Grid = tuple[np.ndarray, np.ndarray]  # x and y of pixel centers in pixels, (1, W) and (H, 1)


@dataclass(frozen=True, eq=False)
class MaskPicture:
    """A mask from a file: uint8 (height, width), 255 inside. One is equal only to itself."""

    pixels: np.ndarray


@dataclass(frozen=True)
class Mask:
    """All that is masked; the shapes and the picture add up.

    feather: width of the soft edge around the shapes, as a share of the frame's height.
    """

    shapes: tuple[Shape, ...] = ()
    feather: float = 0.0
    picture: MaskPicture | None = None

    def __bool__(self) -> bool:
        return bool(self.shapes) or self.picture is not None


def rasterize(mask: Mask, size: Size) -> np.ndarray:
    """uint8 (height, width): 255 inside, 0 outside, a ramp over the soft edge.

    A shape is whole inside itself, and the edge lies around it; without feather it is a pixel wide
    and in the middle of it, so that a box on pixels' edges is sharp.
    """
    width, height = size
    if mask.picture is None:
        result = np.zeros((height, width), np.uint8)
    else:
        result = np.array(fitted(mask.picture.pixels, size))
    feather = mask.feather * height
    for shape in mask.shapes:
        window = _window(shape, size, feather)
        part = result[window]
        np.maximum(part, _drawn(shape, size, feather, window), out=part)
    return result


def fitted(pixels: np.ndarray, size: Size) -> np.ndarray:
    """A mask's uint8 (height, width) at another size."""
    image = Image.fromarray(pixels)
    same = image.size == size
    return pixels if same else np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _window(shape: Shape, size: Size, feather: float) -> tuple[slice, slice]:
    """The rows and columns that a shape with its edge can reach."""
    left, top, right, bottom = shape.box
    reach = int(feather) + 2
    rows = slice(max(0, int(top * size[1]) - reach), int(bottom * size[1]) + 1 + reach)
    return rows, slice(max(0, int(left * size[0]) - reach), int(right * size[0]) + 1 + reach)


def _drawn(shape: Shape, size: Size, feather: float, window: tuple[slice, slice]) -> np.ndarray:
    rows, columns = window
    x = np.arange(columns.start, min(columns.stop, size[0]), dtype=np.float32)[None] + 0.5
    y = np.arange(rows.start, min(rows.stop, size[1]), dtype=np.float32)[:, None] + 0.5
    points = [(px * size[0], py * size[1]) for px, py in shape.points]
    distance = _DISTANCES[shape.kind](points, (x, y))
    inside = np.clip(1 - (distance + 0.5) / (feather + 1), 0, 1)
    return np.rint(255 * inside).astype(np.uint8)


def _rectangle(points: Sequence[tuple[float, float]], grid: Grid) -> np.ndarray:
    """Distance in pixels from a box, below 0 inside."""
    (x0, y0), (x1, y1) = points
    dx = np.abs(grid[0] - (x0 + x1) / 2) - abs(x1 - x0) / 2
    dy = np.abs(grid[1] - (y0 + y1) / 2) - abs(y1 - y0) / 2
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0)


def _ellipse(points: Sequence[tuple[float, float]], grid: Grid) -> np.ndarray:
    """The same from an ellipse, to first order: its implicit function by that one's gradient, as
    I. Quilez gives it (iquilezles.org/articles/ellipsoids)."""
    (x0, y0), (x1, y1) = points
    half_x, half_y = abs(x1 - x0) / 2, abs(y1 - y0) / 2
    dx = (grid[0] - (x0 + x1) / 2) / half_x
    dy = (grid[1] - (y0 + y1) / 2) / half_y
    radius, slope = np.hypot(dx, dy), np.hypot(dx / half_x, dy / half_y)
    return radius * (radius - 1) / np.maximum(slope, 1e-6)


def _polygon(points: Sequence[tuple[float, float]], grid: Grid) -> np.ndarray:
    """The same from a polygon: the nearest side, and by the even-odd rule which side of it."""
    x, y = grid
    nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
    inside = np.zeros(nearest.shape, bool)
    for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
        along_x, along_y = bx - ax, by - ay
        length = along_x * along_x + along_y * along_y
        if not length:
            continue
        share = np.clip(((x - ax) * along_x + (y - ay) * along_y) / length, 0, 1)
        off_x, off_y = x - ax - share * along_x, y - ay - share * along_y
        np.minimum(nearest, off_x * off_x + off_y * off_y, out=nearest)
        if along_y:
            inside ^= ((y < ay) != (y < by)) & (x < ax + (y - ay) * (along_x / along_y))
    return np.where(inside, -1, 1) * np.sqrt(nearest)


_DISTANCES = {"rectangle": _rectangle, "ellipse": _ellipse, "polygon": _polygon}


class MaskTexture:
    """The mask on the GPU. One GL context, one thread; nothing exists until a mask is put."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._texture: moderngl.Texture | None = None
        self._drawn: tuple[Mask, Size] | None = None

    def put(self, mask: Mask, size: Size) -> int:
        """Hold this mask for frames of this size; returns the bytes sent, 0 where it does."""
        if self._drawn == (mask, size):
            return 0
        pixels = rasterize(mask, size)
        if self._texture is None or self._texture.size != size:
            self.release()
            self._texture = self._context.texture(size, 1, alignment=1)
            self._texture.repeat_x = self._texture.repeat_y = False
        self._texture.write(pixels, alignment=1)
        self._drawn = mask, size
        return pixels.nbytes

    def use(self, unit: int) -> None:
        assert self._texture is not None
        self._texture.use(unit)

    def release(self) -> None:
        """Free it; may be called twice."""
        if self._texture is not None:
            self._texture.release()
        self._texture, self._drawn = None, None
