"""Where each place of the picture reads in the canvas: a smooth field that follows the motion.

Textures that are carried by motion stretch, so that they have to be begun anew while they are seen:
one is faded into the next (Neyret 2003, "Advected textures").
"""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.frame import Size
from stylizer.system.motion import CELL_PX, Motion, cell_places, sampled

MOST_STRETCH = 0.12  # pixels a pixel: a fresh field has little of it
MOST_TREND = 0.03  # the same over the whole picture
PULLS = (13, 25, 41)  # cells around a steep place that it is evened out over, again and again
APART = 0.5  # pixels of the canvas: fields nearer to each other than that are one
FADE_FRAMES = 25  # from one field to the next
CREASED = 1.2  # pixels a pixel: more of it is a fold
IRONED_CELLS = (5, 5)
WILD_STRETCH = 0.75  # strokes more stretched than that are faded sooner


class Drift:
    """float32 fields d (rows, columns, 2), pixels, one value a cell: place p shows the canvas's
    p + d(p).

    What is at p now was at p + m(p), and there it showed p + m(p) + d(p + m(p)): so d becomes
    m(p) + d(p + m(p)). Walking forward, d grows into a stretch without end: a second, fresh field
    has less of it, follows the same motion, and is faded in. Where nothing is stretched both are
    the same, and nothing is seen of that.
    """

    def __init__(self, size: Size, cell: int = CELL_PX) -> None:
        """size: (width, height) of the canvas in pixels; cell: pixels of it a side of a cell."""
        self._size = size
        self._cell = cell
        shape = (max(1, -(-size[1] // cell)), max(1, -(-size[0] // cell)))
        self._places = cell_places(shape)
        self._middles = cell_places((shape[0] + 2, shape[1] + 2)) * cell - (cell + 1) / 2
        self.field = np.zeros((*shape, 2), np.float32)
        self._fresh = self.field
        self._share = 0.0

    def follow(self, motion: Motion) -> None:
        """Take in the motion of one frame, of any size."""
        rows, columns = self.field.shape[:2]
        flow = motion.flow
        if flow.shape != self.field.shape:
            flow = cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_LINEAR)
        if motion.size != self._size:
            ratio = np.array(self._size, np.float32) / np.array(motion.size, np.float32)
            flow = flow * ratio
        read = self._places + flow / self._cell
        apart = self._fresh is not self.field
        self.field = ironed(carried(self.field, flow, read), self._cell)
        self._fresh = ironed(carried(self._fresh, flow, read), self._cell) if apart else self.field
        self._fade(apart)

    def layers(self) -> tuple[np.ndarray, np.ndarray, float]:
        """(field, fresh field, the fresh one's share)."""
        s = self._share
        return self.field, self._fresh, s

    def _fade(self, apart: bool) -> None:
        """One frame on from one field to the next, where they differ."""
        if apart:
            wild = float(np.percentile(stretch(self.field, self._cell), 90)) / WILD_STRETCH
            self._share += min(max(wild, 1.0), 3.0) / FADE_FRAMES
            if self._share < 1:
                return
            self.field, self._share = self._fresh, 0.0
        fresh = relaxed(self.field, self._places, self._cell)
        differ = cv2.norm(fresh, self.field, cv2.NORM_INF) > APART
        self._fresh = fresh if differ else self.field

    def places(self, field: np.ndarray, side: int) -> np.ndarray:
        """float32 (rows + 2, columns + 2, 2): what the cells' middles read, with a cell more at
        each edge; in pixels from the corner of the tile (`side` pixels) that lies before them
        all."""
        d = cv2.copyMakeBorder(field, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        read = self._middles + d
        first = [float(read[..., k].min()) for k in (0, 1)]
        return read - np.floor(np.array(first, np.float32) / side) * side


def carried(d: np.ndarray, flow: np.ndarray, read: np.ndarray) -> np.ndarray:
    """d after the motion `flow` (pixels), read at these cells; smoothed a little, against the noise
    of measuring."""
    return cv2.GaussianBlur(flow + sampled(d, read), (3, 3), 0.3)


def ironed(d: np.ndarray, cell: int) -> np.ndarray:
    """d without its folds: where it is steeper than CREASED, a part of the way to the mean around
    it. Joints of a folded mosaic are rows of dots."""
    excess = (stretch(d, cell) - CREASED) / CREASED
    if excess.max() <= 0:
        return d
    pull = cv2.blur(np.clip(excess, 0, 1), (3, 3))[..., None]
    return d + pull * (cv2.blur(d, IRONED_CELLS) - d)


def relaxed(d: np.ndarray, places: np.ndarray, cell: int) -> np.ndarray:
    """d without most of its stretch: the picture's whole trend first, then, where it is steep,
    evened out over the neighborhood."""
    d = without_trend(d, places, cell)
    for around in PULLS:
        excess = (stretch(d, cell) - MOST_STRETCH) / MOST_STRETCH
        if excess.max() <= 0:
            break
        pull = cv2.blur(np.clip(excess, 0, 1), (5, 5))[..., None]
        d = d + pull * (cv2.blur(d, (around, around)) - d)
    return d


def stretch(d: np.ndarray, cell: int = CELL_PX) -> np.ndarray:
    """float32 (rows, columns): the largest derivative of d (rows, columns, 2) at each cell."""
    x, y = (np.ascontiguousarray(d[..., k]) for k in (0, 1))
    down = np.maximum(cv2.absdiff(x[1:], x[:-1]), cv2.absdiff(y[1:], y[:-1]))
    across = np.maximum(cv2.absdiff(x[:, 1:], x[:, :-1]), cv2.absdiff(y[:, 1:], y[:, :-1]))
    found = np.zeros(x.shape, np.float32)
    for part, steps in (
        (found[1:], down),
        (found[:-1], down),
        (found[:, 1:], across),
        (found[:, :-1], across),
    ):
        np.maximum(part, steps, out=part)
    return found / cell


def without_trend(d: np.ndarray, places: np.ndarray, cell: int) -> np.ndarray:
    """d without what its linear part (least squares) has beyond MOST_TREND: that part alone is the
    same after any blurring."""
    for axis in (0, 1):
        along = places[..., axis] * cell
        along = along - along.mean()
        norm = max(1.0, float(np.vdot(along, along)))
        slope = np.array([float(np.vdot(along, d[..., k])) / norm for k in (0, 1)], np.float32)
        excess = slope - np.clip(slope, -MOST_TREND, MOST_TREND)
        if excess.any():
            d = d - along[..., None] * excess
    return d
