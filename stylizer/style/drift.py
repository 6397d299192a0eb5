"""Where each place of the picture reads in the canvas: a smooth field that follows the motion."""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.system.motion import CELL_PX, Motion, cell_places, sampled

Size = tuple[int, int]

MOST_STRETCH = 0.25  # pixels a pixel: beyond it strokes are seen to grow or shrink
MOST_TREND = 0.18  # the same over the whole picture
PULL_CELLS = (13, 13)


class Drift:
    """float32 d (rows, columns, 2), pixels, one value a cell of 8 x 8: place p shows the canvas's
    p + d(p).

    What is at p now was at p + m(p), and there it showed p + m(p) + d(p + m(p)): so d becomes
    m(p) + d(p + m(p)). Walking forward, d grows into a stretch without end; beyond a limit the
    strokes slide instead.
    """

    def __init__(self, size: Size) -> None:
        """size: (width, height) of the canvas in pixels."""
        self._size = size
        shape = (max(1, -(-size[1] // CELL_PX)), max(1, -(-size[0] // CELL_PX)))
        self._places = cell_places(shape)
        self._middles = cell_places((shape[0] + 2, shape[1] + 2)) * CELL_PX - (CELL_PX + 1) / 2
        self.field = np.zeros((*shape, 2), np.float32)

    def follow(self, motion: Motion) -> None:
        """Take in the motion of one frame, of any size."""
        rows, columns = self.field.shape[:2]
        flow = motion.flow
        if flow.shape != self.field.shape:
            flow = cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_LINEAR)
        if motion.size != self._size:
            ratio = np.array(self._size, np.float32) / np.array(motion.size, np.float32)
            flow = flow * ratio
        self.field = flow + sampled(self.field, self._places + flow / CELL_PX)
        self._slacken()

    def _slacken(self) -> None:
        """Bound the stretch: the picture's whole trend first, then, where it is steep, toward the
        neighborhood's mean; and a little everywhere, against the noise of measuring."""
        d = cv2.GaussianBlur(self.field, (3, 3), 0.4)
        if stretch(d).max() > MOST_TREND:
            d = without_trend(d, self._places)
            excess = (stretch(d) - MOST_STRETCH) / MOST_STRETCH
            if excess.max() > 0:
                pull = cv2.blur(np.clip(excess, 0, 1), (3, 3))[..., None]
                d = d + pull * (cv2.blur(d, PULL_CELLS) - d)
        self.field = d

    def places(self, side: int) -> np.ndarray:
        """float32 (rows + 2, columns + 2, 2): what the cells' middles read, with a cell more at
        each edge; in pixels from the corner of the tile (`side` pixels) that lies before them
        all."""
        d = cv2.copyMakeBorder(self.field, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        read = self._middles + d
        first = [float(read[..., k].min()) for k in (0, 1)]
        return read - np.floor(np.array(first, np.float32) / side) * side


def stretch(d: np.ndarray) -> np.ndarray:
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
    return found / CELL_PX


def without_trend(d: np.ndarray, places: np.ndarray) -> np.ndarray:
    """d without what its linear part (least squares) has beyond MOST_TREND: that part alone is the
    same after any blurring."""
    for axis in (0, 1):
        along = places[..., axis] * CELL_PX
        along = along - along.mean()
        norm = max(1.0, float(np.vdot(along, along)))
        slope = np.array([float(np.vdot(along, d[..., k])) / norm for k in (0, 1)], np.float32)
        excess = slope - np.clip(slope, -MOST_TREND, MOST_TREND)
        if excess.any():
            d = d - along[..., None] * excess
    return d
