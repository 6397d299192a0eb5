"""The canvas: the texture that a network sees beside the frame, moved with the picture."""

from __future__ import annotations

import cv2
import numpy as np

from stylizer.frame import Frame
from stylizer.style.contract import Packer, Size, StyleModel
from stylizer.style.drift import Drift
from stylizer.system.motion import CELL_PX, UNSET, Motion

STRIP_CELLS = 30  # a strip's coordinates stay in the cache: 4.5 ms for 7.9 on two busy cores


class Canvas:
    """A model's tile repeated over the size that the network sees. One thread at a time.

    picture: uint8 (height, width, 4) RGBX. tensor: the same as the wrapped graph takes it; kept,
    so that a canvas at rest costs nothing a frame. stamp: another object whenever the tensor's
    bytes have changed, so that a copy on a device is renewed only then.
    """

    def __init__(self, model: StyleModel, size: Size) -> None:
        """size: (width, height) of the network's pictures, padding included."""
        assert model.canvas is not None
        self.size = size
        rgb = model.canvas.tile
        self._side = rgb.shape[0]
        self._tile = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        self._wall = self._repeated(size)
        self._packer = Packer(model, size, None)
        self.picture = np.empty((size[1], size[0], 4), np.uint8)
        self._columns = -(-size[0] // CELL_PX)
        strip = ((STRIP_CELLS + 2) * CELL_PX, (self._columns + 2) * CELL_PX, 2)
        self._coordinates = np.empty(strip, np.float32)
        self.start_anew()

    def start_anew(self) -> None:
        """The tile from the top left corner on."""
        width, height = self.size
        self._drift: Drift | None = None
        np.copyto(self.picture, self._wall[:height, :width])
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
        self._drift = self._drift or Drift(self.size)
        self._drift.follow(motion)
        self._draw(self._drift.places(self._side))
        self._pack()

    def _draw(self, places: np.ndarray) -> None:
        """The picture as `Drift.places` says, bilinear, strip by strip."""
        width, height = self.size
        right, bottom = (int(places[..., k].max()) + 2 for k in (0, 1))
        if right > self._wall.shape[1] or bottom > self._wall.shape[0]:
            self._wall = self._repeated((right, bottom))
        c = CELL_PX
        for top in range(0, places.shape[0] - 2, STRIP_CELLS):
            low = places[top : top + STRIP_CELLS + 2]
            strip = self._coordinates[: low.shape[0] * c]
            cv2.resize(low, strip.shape[1::-1], dst=strip, interpolation=cv2.INTER_LINEAR)
            out = self.picture[top * c : min(height, (top + STRIP_CELLS) * c)]
            read = strip[c : c + out.shape[0], c : c + width]
            cv2.remap(self._wall, read, UNSET, cv2.INTER_LINEAR, dst=out)

    def _repeated(self, size: Size) -> np.ndarray:
        """Whole tiles that cover `size` and, for what moves, one more each way."""
        times = (size[1] // self._side + 2, size[0] // self._side + 2, 1)
        return np.tile(self._tile, times)

    def _pack(self) -> None:
        self.tensor = self._packer.pack(Frame(self.picture, "RGBA", 0.0, 0))
        self.stamp = object()
