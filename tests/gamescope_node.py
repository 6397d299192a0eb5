"""A video node as gamescope makes it (its src/pipewire.cpp): named "gamescope", BGRx, DMA-BUF liked
best and else shared memory of its own; it drives the graph, and has properties of its own.
"""

from __future__ import annotations

import ctypes as c
import mmap
import os
import struct

import numpy as np

from stylizer.system import pods
from stylizer.system.pipewire import ANY, DRIVER, OUTPUT, STREAMING, Buffer, Stream, pointers

LONG, ALLOC_BUFFERS, BGRX = 5, 256, 8
MODIFIER, REQUESTED_SIZE, FOCUS_APP = 0x20002, 0x70000, 0x70001
MANDATORY, READABLE = 1 << 3, 1
CORRUPTED = 1
_BUFFER = c.CFUNCTYPE(None, c.c_void_p, c.c_void_p)


def formats(size: tuple[int, int]) -> list[bytes]:
    """With a modifier, which must be understood, and without."""
    long_zero = struct.pack("=q", 0)
    sizes = [struct.pack("=II", side, side) for side in (0, 0, 0xFFFFFFFF)]
    plain = {
        pods.MEDIA_TYPE: pods.an_id(pods.VIDEO),
        pods.MEDIA_SUBTYPE: pods.an_id(pods.RAW),
        pods.VIDEO_FORMAT: pods.an_id(BGRX),
        pods.VIDEO_SIZE: pods.pod(pods.RECTANGLE, struct.pack("=II", *size)),
        pods.VIDEO_RATE: pods.pod(pods.FRACTION, struct.pack("=II", 0, 1)),
        REQUESTED_SIZE: pods.choice(pods.RANGE, pods.RECTANGLE, sizes),
        FOCUS_APP: pods.choice(
            pods.RANGE,
            LONG,
            [long_zero, struct.pack("=q", -(1 << 63)), struct.pack("=q", (1 << 63) - 1)],
        ),
    }
    linear = struct.pack("=II", MODIFIER, MANDATORY) + pods.choice(pods.ENUM, LONG, [long_zero] * 2)
    body = struct.pack("=II", pods.FORMAT_OBJECT, pods.ENUM_FORMAT)
    for key, value in plain.items():
        body += struct.pack("=II", key, 0) + value
    return [
        pods.pod(pods.OBJECT, body + linear),
        pods.an_object(pods.FORMAT_OBJECT, pods.ENUM_FORMAT, plain),
    ]


class GamescopeNode(Stream):
    """Shows the synthetic picture, frame by frame, when `show` says so."""

    def __init__(self, size: tuple[int, int], name: str = "gamescope") -> None:
        self.size, self.with_modifier = size, False
        self._agreed: tuple[int, int] | None = None
        self._picture: np.ndarray | None = None
        self._memories: list[mmap.mmap] = []
        super().__init__(None)
        self._open(
            f"media.class=Video/Source node.name={name}", OUTPUT, ANY, DRIVER | ALLOC_BUFFERS,
            formats(size),
        )  # fmt: skip
        self._add = _BUFFER(self._on_add_buffer)  # before anybody looks
        self._events.add_buffer = c.cast(self._add, c.c_void_p).value

    @property
    def is_watched(self) -> bool:
        return self._state == STREAMING

    def show(self, picture: np.ndarray) -> None:
        """uint8 (height, width, 4), BGRx; of another size the format is agreed on anew first."""
        self._pw.pw_thread_loop_lock(self._loop)
        try:
            size = picture.shape[1], picture.shape[0]
            if size != self.size:
                self.size = size
                with pointers(formats(size)) as (params, count):
                    self._pw.pw_stream_update_params(self._stream, params, count)
            self._picture = picture
            self._pw.pw_stream_trigger_process(self._stream)
        finally:
            self._pw.pw_thread_loop_unlock(self._loop)

    # --- on PipeWire's thread ---------------------------------------------------------------

    def _on_format(self, param: bytes) -> list[bytes]:
        _, self._agreed = pods.chosen_format(param)
        self.with_modifier = MODIFIER in dict(pods.properties(param))
        width, height = self._agreed
        kinds = [struct.pack("=i", 1 << pods.MEM_FD)]
        counts = [struct.pack("=i", count) for count in (4, 1, 8)]
        one, size, stride = (
            pods.pod(pods.INT, struct.pack("=i", value))
            for value in (1, width * height * 4, width * 4)
        )
        buffers = {
            1: pods.choice(pods.RANGE, pods.INT, counts), 2: one, 3: size, 4: stride,
            6: pods.choice(pods.FLAGS, pods.INT, kinds),
        }  # fmt: skip
        return [
            pods.an_object(pods.BUFFERS_OBJECT, pods.BUFFERS, buffers),
            pods.wanted_meta(pods.HEADER, pods.HEADER_BYTES),
        ]

    def _on_add_buffer(self, _: int, address: int) -> None:
        assert self._agreed is not None
        size = self._agreed[0] * self._agreed[1] * 4
        data = Buffer.from_address(address).buffer.contents.datas[0]
        fd = os.memfd_create("gamescope")
        os.ftruncate(fd, size)
        memory = mmap.mmap(fd, size)
        self._memories.append(memory)
        data.type, data.flags, data.fd, data.mapoffset = pods.MEM_FD, READABLE, fd, 0
        data.maxsize = size
        data.data = c.addressof(c.c_char.from_buffer(memory))

    def _on_process(self, _: int) -> None:
        picture = self._picture
        address = self._pw.pw_stream_dequeue_buffer(self._stream)
        if not address:
            return
        data = Buffer.from_address(address).buffer.contents.datas[0]
        fits = picture is not None and picture.nbytes == data.maxsize
        if picture is not None and fits:
            c.memmove(data.data, picture.ctypes.data, picture.nbytes)
        chunk = data.chunk.contents
        chunk.offset, chunk.size = 0, data.maxsize
        chunk.stride = (self._agreed or (0, 0))[0] * 4
        chunk.flags = 0 if fits else CORRUPTED
        self._pw.pw_stream_queue_buffer(self._stream, address)
