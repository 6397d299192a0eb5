"""The canvas: the texture that a network sees beside the frame, moved with the picture."""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.frame import CANVAS_MIDDLE_BYTE
from stylizer.style.contract import FOUR_WORDS, LAYOUTS, Size, StyleModel
from stylizer.style.drift import Drift
from stylizer.system.motion import CELL_PX, UNSET, Motion

PIXELS_AT_ONCE = {1: np.uint32, 2: np.uint64}  # by block; of numbers that numpy copies whole
SAMPLED = 8  # pixels between those that contrast is measured at
MOST_GAIN = 1.4
SHARPER = 0.08  # of the tile's Laplacian: what reading between its pixels takes away
STRIP_CELLS = 30  # a strip's coordinates stay in the cache: 4.5 ms for 7.9 on two busy cores


class Canvas:
    """A model's tile repeated over the size that the network sees. One thread at a time.

    picture: uint8 (height, width, 4) RGBX, smaller than the frame by the canvas's step. tensor: the
    same as the wrapped graph takes it; kept, so that a canvas at rest costs nothing a frame. stamp:
    another object whenever the tensor's bytes have changed, so that a copy on a device is renewed
    only then.
    """

    def __init__(self, model: StyleModel, frame_size: Size) -> None:
        """frame_size: (width, height) of the network's pictures, padding included."""
        assert model.canvas is not None
        step = model.canvas.step
        self.size = size = (frame_size[0] // step, frame_size[1] // step)
        rgb = model.canvas.tile[..., :: -1 if model.order == "BGR" else 1]
        self._side = rgb.shape[0]
        tile = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        across, down = -(-size[0] // self._side), -(-size[1] // self._side)
        self._resting = np.tile(tile, (down, across, 1))[: size[1], : size[0]]
        self._moving_tile = sharper(tile)
        self._wall = self._repeated(size)
        self._block = LAYOUTS[model.layout].block // step
        self._cell = CELL_PX // step
        self.picture = np.empty((size[1], size[0], 4), np.uint8)
        self._fresh = np.empty_like(self.picture)
        self._columns = -(-size[0] // self._cell)
        strip = ((STRIP_CELLS + 2) * self._cell, (self._columns + 2) * self._cell, 2)
        self._coordinates = np.empty(strip, np.float32)
        self.start_anew()

    def start_anew(self) -> None:
        """The tile from the top left corner on."""
        self._drift: Drift | None = None
        np.copyto(self.picture, self._resting)
        self._pack()

    def move(self, motion: Motion | None) -> None:
        """Go with the picture; None: start anew, as after a cut. What stands still is not touched:
        equal frames on an equal canvas give equal pictures."""
        if motion is None:
            if self._drift is not None:
                self.start_anew()
            return
        if motion.still:
            return
        self._drift = self._drift or Drift(self.size, self._cell)
        self._drift.follow(motion)
        old, fresh, share = self._drift.layers()
        self._draw(old, self.picture)
        if share > 0:
            self._draw(fresh, self._fresh)
            mixed(self.picture, self._fresh, share)
        self._pack()

    def _draw(self, field: np.ndarray, picture: np.ndarray) -> None:
        """The tile as a drift's field says, bilinear, strip by strip."""
        assert self._drift is not None
        places = self._drift.places(field, self._side)
        width, height = self.size
        right, bottom = (int(places[..., k].max()) + 2 for k in (0, 1))
        if right > self._wall.shape[1] or bottom > self._wall.shape[0]:
            self._wall = self._repeated((right, bottom))
        c = self._cell
        for top in range(0, places.shape[0] - 2, STRIP_CELLS):
            low = places[top : top + STRIP_CELLS + 2]
            strip = self._coordinates[: low.shape[0] * c]
            cv2.resize(low, strip.shape[1::-1], dst=strip, interpolation=cv2.INTER_LINEAR)
            out = picture[top * c : min(height, (top + STRIP_CELLS) * c)]
            read = strip[c : c + out.shape[0], c : c + width]
            cv2.remap(self._wall, read, UNSET, cv2.INTER_LINEAR, dst=out)

    def _repeated(self, size: Size) -> np.ndarray:
        """Whole tiles, as they are for what moves, that cover `size`, and one more each way."""
        times = (size[1] // self._side + 2, size[0] // self._side + 2, 1)
        return np.tile(self._moving_tile, times)

    def _pack(self) -> None:
        b = self._block
        if b:
            width, height = self.size
            many = PIXELS_AT_ONCE.get(b, FOUR_WORDS)
            rows = self.picture.view(np.uint32)[..., 0].view(many)
            rows = rows.reshape(height // b, b, width // b, -1).transpose(0, 2, 1, 3)
            blocks = np.ascontiguousarray(rows).view(np.uint8)
            self.tensor = blocks.reshape(1, height // b, width // b, 4 * b * b)
        else:
            planes = np.moveaxis(self.picture[..., :3], -1, 0)
            self.tensor = np.ascontiguousarray(planes)[None]
        self.stamp = object()


def sharper(tile: np.ndarray) -> np.ndarray:
    """uint8 (side, side, 4) of a toroidal tile alike, sharper by SHARPER."""
    around = cv2.copyMakeBorder(tile, 1, 1, 1, 1, cv2.BORDER_WRAP)
    edges = cv2.Laplacian(around, cv2.CV_16S)[1:-1, 1:-1]
    return cv2.addWeighted(tile, 1.0, edges, -SHARPER, 0, dtype=cv2.CV_8U)


def mixed(old: np.ndarray, fresh: np.ndarray, share: float) -> None:
    """Fade `fresh` into `old`, both uint8 (H, W, 4) RGBX, at its share, with the contrast that the
    mean of two different textures would lose given back."""
    a, b = (picture[::SAMPLED, ::SAMPLED, 1].astype(np.float32) for picture in (old, fresh))
    before = (1 - share) * a.std() + share * b.std()
    gain = min(MOST_GAIN, before / max(1.0, float(((1 - share) * a + share * b).std())))
    rest = CANVAS_MIDDLE_BYTE * (1 - gain)
    cv2.addWeighted(old, (1 - share) * gain, fresh, share * gain, rest, dst=old)
