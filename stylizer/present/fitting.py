"""Pictures as a video takes them: all of one size, with even sides, as 4:2:0 where asked for."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from stylizer.frame import letterbox

PIXELS = {3: "rgb24", 4: "rgba"}


class Fitting:
    """Fits pictures of any size into that of the first. One thread at a time.

    size: (width, height), any; padded: the same with even sides, which 4:2:0 needs.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.padded = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._to_yuv, self._scale = VideoReformatter(), VideoReformatter()

    def fit(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (height, width, 3 or 4) letterboxed into the size, padded by an edge pixel."""
        height, width, channels = pixels.shape
        if (width, height) == self.padded:
            return pixels
        canvas = np.zeros((self.padded[1], self.padded[0], channels), np.uint8)
        place = letterbox((width, height), self.size)
        if (place.width, place.height) != (width, height):
            scaled = self._scale.reformat(
                av.VideoFrame.from_ndarray(pixels, PIXELS[channels]),
                place.width,
                place.height,
                interpolation=Interpolation.BICUBIC,
            )
            pixels = scaled.to_ndarray()
        canvas[place.y : place.y + place.height, place.x : place.x + place.width] = pixels
        width, height = self.size
        if self.padded[0] > width:
            canvas[:, width] = canvas[:, width - 1]
        if self.padded[1] > height:
            canvas[height] = canvas[height - 1]
        return canvas

    def yuv(self, pixels: np.ndarray, matrix: Colorspace) -> av.VideoFrame:
        """A fitted picture as 4:2:0 of limited range, by the matrix of that standard."""
        return self._to_yuv.reformat(
            av.VideoFrame.from_numpy_buffer(pixels, PIXELS[pixels.shape[2]]),
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=matrix,
            dst_color_range=ColorRange.MPEG,
        )
