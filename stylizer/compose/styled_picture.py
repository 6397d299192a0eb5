"""What a style model gave, as a texture: pixels of either layout, or what is on the GPU already."""

from __future__ import annotations

import moderngl
import numpy as np

from stylizer.frame import Styled, StyledTexture
from stylizer.system.texture import Picture, pack_planes


class StyledPicture(Picture):
    """Takes styled images of whatever kind comes.

    planar_on_gpu: upload a planar one as it is (three layers of one channel), which the shaders
    fetch three times; else it is packed to RGBA on the CPU first.
    """

    def __init__(self, context: moderngl.Context, planar_on_gpu: bool) -> None:
        super().__init__(context)
        self._planar_on_gpu = planar_on_gpu
        self._packed = np.empty((0, 0), np.uint32)

    def take(self, image: Styled) -> int:
        """Hold this image; returns the bytes sent."""
        if isinstance(image, StyledTexture):
            self.borrow(image.picture)
            return 0
        if image.layout == "hwc":
            return self.put(image.pixels, "RGB1")
        if self._planar_on_gpu:
            return self.put_planes(image.pixels)
        if self._packed.shape != image.pixels.shape[1:]:
            self._packed = np.empty(image.pixels.shape[1:], np.uint32)
        return self.put(pack_planes(image.pixels, self._packed), "RGB1")
