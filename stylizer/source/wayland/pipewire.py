"""A video stream of PipeWire that brings pictures.

Its thread copies each picture as it comes; `take` gives the newest.
"""

from __future__ import annotations

import ctypes as c
import time

import numpy as np

from stylizer.frame import ChannelOrder
from stylizer.source.wayland.picture import Picture
from stylizer.system import pods
from stylizer.system.pipewire import (
    ANY,
    AUTOCONNECT,
    DONT_RECONNECT,
    INPUT,
    MAP_BUFFERS,
    PAUSED,
    Buffer,
    SpaBuffer,
    Stream,
    meta_of,
)

CORRUPTED = 1  # of a chunk's flags
STALE_NS = 1_000_000_000  # a picture's own time further from now is no time of our clock


class VideoStream(Stream):
    """The newest pictures of one node. Callbacks come on PipeWire's thread, the rest is one thread.

    fd: a connection that sees the node, closed here; None: the user's own PipeWire, where `serial`
    names the node. Raises StylizerError without libpipewire, or when it cannot be connected.
    """

    def __init__(self, fd: int | None, node_id: int = ANY, serial: str = "") -> None:
        self._newest: Picture | None = None
        self._format: tuple[ChannelOrder, tuple[int, int]] | None = None
        self.overwritten = 0  # pictures that nobody took
        super().__init__(fd)
        try:
            self._open(
                "media.type=Video media.category=Capture media.role=Screen"
                + (f" target.object={serial}" if serial else ""),
                INPUT,
                node_id,
                AUTOCONNECT | MAP_BUFFERS | DONT_RECONNECT,
                [pods.wanted_format()],
            )
        except BaseException:
            self.close()
            raise

    @property
    def is_paused(self) -> bool:
        """Whether pictures came, and the source has stopped to send them."""
        return self._streamed and self._state == PAUSED

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) agreed with the source, which the window may fill in part; None: not
        yet."""
        return self._format[1] if self._format else None

    def take(self, timeout_s: float) -> Picture | None:
        """The newest picture not taken yet, waited for; None when none comes."""
        with self._lock:
            if self._newest is None and not self.broken:
                self._lock.wait(timeout_s)
            picture, self._newest = self._newest, None
            return picture

    # --- on PipeWire's thread ---------------------------------------------------------------

    def _on_format(self, param: bytes) -> list[bytes]:
        order, extent = pods.chosen_format(param)
        self._format = pods.ORDERS[order], extent
        return pods.wanted_buffers()

    def _on_process(self, _: int) -> None:
        """Copy the newest buffer, give all back."""
        newest = None
        while address := self._pw.pw_stream_dequeue_buffer(self._stream):
            if newest:
                self._pw.pw_stream_queue_buffer(self._stream, newest)
            newest = address
        if not newest:
            return
        try:
            picture = self._copy(Buffer.from_address(newest).buffer.contents)
        finally:
            self._pw.pw_stream_queue_buffer(self._stream, newest)
        if picture is not None:
            with self._lock:
                self.overwritten += self._newest is not None
                self._newest = picture
                self._lock.notify_all()

    def _copy(self, buffer: SpaBuffer) -> Picture | None:
        if self._format is None or not buffer.n_datas:
            return None
        order, (width, height) = self._format
        data = buffer.datas[0]
        chunk = data.chunk.contents
        row = abs(chunk.stride) or width * 4
        # A compositor's word is checked: what lies outside of the mapping would end the process.
        needed = chunk.offset + row * (height - 1) + width * 4
        if not data.data or chunk.flags & CORRUPTED or not chunk.size or needed > data.maxsize:
            return None
        raw = np.ctypeslib.as_array((c.c_uint8 * data.maxsize).from_address(data.data))
        rows = np.lib.stride_tricks.as_strided(
            raw[chunk.offset :], (height, width, 4), (row, 4, 1), writeable=False
        )
        left, top, right, bottom = self._crop(buffer, (width, height))
        pixels = np.ascontiguousarray(rows[top:bottom, left:right])
        pixels = pixels.copy() if pixels.base is not None else pixels
        return Picture(pixels, order, self._time(buffer))

    def _crop(self, buffer: SpaBuffer, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The part that is the window, where the compositor says (mutter's windows do)."""
        meta = meta_of(buffer, pods.VIDEO_CROP, pods.CROP_BYTES)
        if meta:
            x, y = (c.c_int32 * 2).from_address(meta)
            width, height = (c.c_uint32 * 2).from_address(meta + 8)
            inside = x >= 0 and y >= 0 and x + width <= size[0] and y + height <= size[1]
            if width and height and inside:
                return x, y, x + width, y + height
        return 0, 0, *size

    def _time(self, buffer: SpaBuffer) -> float:
        """When the compositor made it, where it says so by our clock, CLOCK_MONOTONIC; or now."""
        now_ns = time.perf_counter_ns()
        meta = meta_of(buffer, pods.HEADER, pods.HEADER_BYTES)
        if meta:
            pts = c.c_int64.from_address(meta + 8).value
            if 0 <= now_ns - pts < STALE_NS:
                return pts / 1e9
        return now_ns / 1e9
