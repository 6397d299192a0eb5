"""The canvas: the fixed texture that a network sees beside the frame, in the network's layout."""

from __future__ import annotations

import numpy as np

from stylizer.frame import Frame
from stylizer.style.contract import Packer, Size, StyleModel


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
        self._tile = model.canvas.tile
        self._packer = Packer(model, size, None)
        self.picture = self._repeated()
        self._pack()

    def _repeated(self) -> np.ndarray:
        """The tile from the top left corner on, as often as it takes."""
        width, height = self.size
        side = self._tile.shape[0]
        rgbx = np.dstack([self._tile, np.full((side, side), 255, np.uint8)])
        wide = np.tile(rgbx, (-(-height // side), -(-width // side), 1))
        return np.ascontiguousarray(wide[:height, :width])

    def _pack(self) -> None:
        self.tensor = self._packer.pack(Frame(self.picture, "RGBA", 0.0, 0))
        self.stamp = object()
