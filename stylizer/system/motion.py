"""The picture's motion: dense optical flow between two frames, on cells of 8 x 8 pixels.

Method: luma averaged over each cell, DIS flow between the two small pictures (Kroeger et al. 2016,
OpenCV's), and a weight for each cell by how well the last picture explains this one there and by
how much there is to see. What has no weight takes its neighbors' motion: a flat sky shows nothing
of its own, and a canvas is most visible there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from stylizer.frame import Frame, Size

CELL_PX = 8
ROW_STEP = 2  # rows looked at
NOISE_LEVELS = 2  # of 255: a cell's mean that changes by no more has seen noise
STILL_PX = 0.05  # less motion than this is none
CUT_LEVELS = 24.0  # of 255: mean residual above which the last picture explains nothing
SURE_LEVELS = 10.0  # residual at which a cell's own motion has lost most of its weight
TEXTURE = 3.0  # squared levels a cell: a gradient that counts half, in its weaker direction
UNSEEN = 0.02  # weight of a wide neighborhood beside a near one
OWN = 0.2  # weight at which a cell's own motion counts as much as its neighborhood's
SMALLEST_CELLS = 12  # DIS refuses smaller pictures
NEAR_CELLS, FAR_CELLS = (7, 7), (41, 41)
UNSET: Any = None  # OpenCV takes None for an array that is not there, its stubs do not know
TO_GRAY = {"RGB": cv2.COLOR_RGB2GRAY, "RGBA": cv2.COLOR_RGBA2GRAY, "BGRA": cv2.COLOR_BGRA2GRAY}


@dataclass(frozen=True, eq=False)
class Motion:
    """Motion between two frames of `size` (width, height).

    flow: float32 (rows, columns, 2), x and y in pixels of the frame, from this frame back to the
    last: what is at p now was at p + flow(p). confidence: float32 (rows, columns), 0..1, of what
    was measured in the cell itself. still: nothing moved, all of flow is 0.
    """

    size: tuple[int, int]
    flow: np.ndarray
    confidence: np.ndarray
    still: bool


class MotionMeter:
    """Measures each frame against the one before it. One thread at a time."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._found: Any = UNSET  # in cells, the last one that was not still
        self._size = (0, 0)
        self._places = np.empty((0, 0, 2), np.float32)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        # Pictures are small already. At half of them the error was three times as large (0.29 px
        # for 0.07 at the median of a platform game, 1.7 for 0.8 of a race, against DIS medium at
        # full size), a stride of 4 took half as long again as 5 for 0.02 px.
        self._flow.setFinestScale(0)
        self._flow.setPatchStride(5)
        self._flow.setUseMeanNormalization(False)

    def forget(self) -> None:
        """The next frame is a first one."""
        self._last, self._found = None, UNSET

    def measure(self, frame: Frame) -> Motion | None:
        """Motion from the frame before this one; None where nothing leads there: the first frame,
        another size, a cut."""
        now, last = cell_luma(frame), self._last
        if frame.size != self._size:
            self.forget()
            last, self._size = None, frame.size
            self._places = cell_places(now.shape)
        if last is None:
            self._last = now
            return None
        if cv2.absdiff(now, last).max() <= NOISE_LEVELS or min(now.shape) < SMALLEST_CELLS:
            # The last picture stays: what creeps is followed once it has come far enough.
            still = np.zeros((*now.shape, 2), np.float32)
            return Motion(frame.size, still, np.ones(now.shape, np.float32), True)
        self._last = now
        return self._measure(now, last)

    def _measure(self, now: np.ndarray, last: np.ndarray) -> Motion | None:
        # Motion goes on: begun from the last flow, the mean error was 1.6 px for 3.4 in a platform
        # game and 2.9 for 3.8 in a race, where the road comes at 27 px a frame.
        found = self._found = self._flow.calc(now, last, self._found)
        explained = sampled(last, self._places + found)
        residual = cv2.absdiff(now, explained).astype(np.float32)
        if residual.mean() > CUT_LEVELS:
            self._found = UNSET
            return None
        residual = cv2.blur(residual, (3, 3))
        confidence = np.exp(-((residual / SURE_LEVELS) ** 2))
        flow = spread(found, confidence * _texture(now))
        width, height = self._size
        rows, columns = now.shape
        flow *= np.array([width / columns, height / rows], np.float32)
        x, y = np.abs(flow[..., 0]), np.abs(flow[..., 1])
        flow[np.maximum(x, y) < STILL_PX] = 0
        return Motion(self._size, flow, confidence, not flow.any())


def cell_luma(frame: Frame) -> np.ndarray:
    """uint8 (rows, columns): mean luma of each cell, over every other row: 0.4 ms at 1280x720, 1.6
    over all rows in color."""
    if frame.drawn is not None:
        return frame.drawn.luma
    gray = cv2.cvtColor(frame.pixels[::ROW_STEP], TO_GRAY[frame.channel_order])
    return cell_means(gray, frame.size)


def cell_means(gray: np.ndarray, size: Size) -> np.ndarray:
    """uint8 (rows, columns): the mean of each cell of a picture of `size`, from every other row."""
    cells = (max(1, size[0] // CELL_PX), max(1, size[1] // CELL_PX))
    return cv2.resize(gray, cells, interpolation=cv2.INTER_AREA)


def cell_places(shape: tuple[int, ...]) -> np.ndarray:
    """float32 (rows, columns, 2): each cell's own column and row."""
    columns, rows = (np.arange(n, dtype=np.float32) for n in (shape[1], shape[0]))
    return np.dstack(np.meshgrid(columns, rows))


def sampled(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """`values` at float32 places (rows, columns, 2) in cells, bilinear; the edge goes on."""
    return cv2.remap(values, places, UNSET, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def spread(flow: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Flow (rows, columns, 2) where each cell counts by its weight (rows, columns): the mean of its
    neighborhood, and what little there is to see there the mean of a wider one."""
    weighted = cv2.merge([flow[..., 0] * weight, flow[..., 1] * weight, weight])
    far_x, far_y, far = cv2.split(cv2.blur(weighted, FAR_CELLS) + 1e-6)
    near_x, near_y, near = cv2.split(cv2.blur(weighted, NEAR_CELLS))
    own = weight / (weight + OWN)
    spread_out = []
    for found, near_sum, far_sum in ((flow[..., 0], near_x, far_x), (flow[..., 1], near_y, far_y)):
        mean = (near_sum + UNSEEN * far_sum / far) / (near + UNSEEN)
        spread_out.append(mean + own * (found - mean))
    return cv2.merge(spread_out)


def _texture(luma: np.ndarray) -> np.ndarray:
    """float32 (rows, columns), 0..1: how much there is to hold on to around a cell, by the smaller
    eigenvalue of its gradients' covariance (Shi and Tomasi 1994). A sky that only pales toward the
    ground has none: along its lines nothing tells how it moves."""
    across = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=1 / 8)
    xx, xy, yy = (cv2.blur(v, (3, 3)) for v in (across * across, across * down, down * down))
    held = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    return held / (held + TEXTURE)
