"""Frames of a stream of PipeWire's, whoever opened it."""

from __future__ import annotations

import time
from abc import abstractmethod

import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import Frame, InputState
from stylizer.source.wayland.picture import Picture
from stylizer.source.wayland.pipewire import VideoStream
from stylizer.stages import Source, SourceEnded

WAIT_S = 0.015  # longest wait of one read
FIRST_S = 3.0  # for the first picture; a still screen may send none


class StreamSource(Source):
    """Newest frames of `_stream`, BGRA or RGBA, by shared memory; a picture equal to the last one
    is no frame. A subclass opens it, and says what its end means."""

    def __init__(self) -> None:
        self._number = 0
        self._last = np.empty((0, 0, 4), np.uint8)
        self._stream: VideoStream | None = None
        self._first: Picture | None = None
        self.state = ""

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read: None while the picture is the last one."""
        if self._stream is None:
            raise SourceEnded("the capture was ended")
        picture, self._first = self._first, None
        picture = picture or self._stream.take(WAIT_S)
        if picture is None:
            self._look_after_it(self._stream)
            return None
        self.state = ""
        pixels = picture.pixels
        if np.array_equal(pixels, self._last):
            return None
        self._last = pixels  # an array of its own each time
        self.size = (pixels.shape[1], pixels.shape[0])
        self._number += 1
        return Frame(pixels, picture.order, picture.at_s, self._number - 1)

    def close(self) -> None:
        """End the capture; may be called twice."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    @abstractmethod
    def _look_after_it(self, stream: VideoStream) -> None:
        """No picture came: all is still, or somebody has ended it."""

    def _wait_for_first(self) -> Picture | None:
        """The first picture; None where all is still: some send none then."""
        assert self._stream is not None
        deadline = time.perf_counter() + FIRST_S
        while time.perf_counter() < deadline:
            if picture := self._stream.take(WAIT_S):
                self.size = (picture.pixels.shape[1], picture.pixels.shape[0])
                return picture
            if self._stream.broken:
                raise StylizerError(f"nothing can be captured: {self._stream.broken}")
        if self._stream.size is None:
            raise StylizerError(
                f"what was chosen gave no picture within {FIRST_S:.0f} s: start again and choose "
                "what can be seen"
            )
        self.size, self.state = self._stream.size, "waiting for its first picture"
        return None
