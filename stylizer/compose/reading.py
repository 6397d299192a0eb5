"""Pictures on their way back from the GPU: at once, or by two pixel buffers in turn.

Reading a framebuffer at once waits until the GPU has drawn it, and a game's own frames lie before
it in the queue. Into a buffer OpenGL copies when it comes to it, and the picture is fetched when
the next one has been drawn.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import moderngl
import numpy as np

from stylizer.frame import Frame, Size

BEHIND = 1  # pictures that are still coming when one is given


@dataclass(frozen=True, eq=False)
class _Coming:
    frame: Frame
    size: Size
    buffer: moderngl.Buffer


class Reading:
    """A framebuffer of the picture's own size and what is read of it. One thread, where `context`
    is current. Pictures are uint8 (height, width, 4) RGBA, row 0 on top."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self.framebuffer: moderngl.Framebuffer | None = None
        self._raw = np.empty((0, 0, 4), np.uint8)
        self._coming: deque[_Coming] = deque()
        self._spare: list[moderngl.Buffer] = []

    def sized(self, size: Size) -> moderngl.Framebuffer:
        """The framebuffer to draw into."""
        if self.framebuffer is None or self.framebuffer.size != size:
            self._release_framebuffer()
            self.framebuffer = self._context.framebuffer([self._context.renderbuffer(size, 4)])
        return self.framebuffer

    def now(self) -> np.ndarray:
        """What is drawn there."""
        assert self.framebuffer is not None
        raw = self._buffer_for(self.framebuffer.size)
        self.framebuffer.read_into(raw, components=4, alignment=1)
        return np.ascontiguousarray(raw[::-1])

    def later(self, frame: Frame) -> list[tuple[Frame, np.ndarray]]:
        """Let what is drawn there come; the pictures that have come, with their frames."""
        assert self.framebuffer is not None
        size = self.framebuffer.size
        buffer = self._taken(size[0] * size[1] * 4)
        self.framebuffer.read_into(buffer, components=4, alignment=1)
        self._coming.append(_Coming(frame, size, buffer))
        return self._come(BEHIND)

    def rest(self) -> list[tuple[Frame, np.ndarray]]:
        """Whatever is still coming."""
        return self._come(0)

    def release(self) -> None:
        """Free everything; may be called twice."""
        self._release_framebuffer()
        for buffer in (*self._spare, *(one.buffer for one in self._coming)):
            buffer.release()
        self._spare.clear()
        self._coming.clear()

    def _come(self, behind: int) -> list[tuple[Frame, np.ndarray]]:
        found = []
        while len(self._coming) > behind:
            one = self._coming.popleft()
            raw = self._buffer_for(one.size)
            one.buffer.read_into(raw)
            self._spare.append(one.buffer)
            found.append((one.frame, np.ascontiguousarray(raw[::-1])))
        return found

    def _taken(self, count: int) -> moderngl.Buffer:
        """A buffer of so many bytes; those of another size are freed."""
        while self._spare:
            buffer = self._spare.pop()
            if buffer.size == count:
                return buffer
            buffer.release()
        return self._context.buffer(reserve=count, dynamic=True)

    def _buffer_for(self, size: Size) -> np.ndarray:
        """Kept: two new buffers of this size a call cost 7 ms of page faults at 1280x720."""
        if self._raw.shape[:2] != size[::-1]:
            self._raw = np.empty((size[1], size[0], 4), np.uint8)
        return self._raw

    def _release_framebuffer(self) -> None:
        if self.framebuffer is not None:
            for attachment in self.framebuffer.color_attachments:
                attachment.release()
            self.framebuffer.release()
            self.framebuffer = None
