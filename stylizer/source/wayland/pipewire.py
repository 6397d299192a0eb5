"""A video stream of PipeWire, by libpipewire through ctypes: no package beside the desktop's own.

Its thread copies each picture as it comes; `take` gives the newest. See
https://docs.pipewire.org/group__pw__stream.html; structures as in pipewire/stream.h 0.3.
"""

from __future__ import annotations

import contextlib
import ctypes as c
import errno
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import ChannelOrder
from stylizer.source.wayland import pods

INPUT = 0  # PW_DIRECTION_INPUT
AUTOCONNECT, MAP_BUFFERS, DONT_RECONNECT = 1, 4, 128  # pw_stream_flags
ERROR, UNCONNECTED, PAUSED, STREAMING = -1, 0, 2, 3  # pw_stream_state
CORE = 0  # PW_ID_CORE
CORRUPTED = 1  # of a chunk's flags
STALE_NS = 1_000_000_000  # a picture's own time further from now is no time of our clock
_POINTERS = c.POINTER(c.c_void_p)


class Chunk(c.Structure):
    """spa_chunk"""

    _fields_ = [("offset", c.c_uint32), ("size", c.c_uint32), ("stride", c.c_int32),
                ("flags", c.c_int32)]  # fmt: skip


class Data(c.Structure):
    """spa_data"""

    _fields_ = [("type", c.c_uint32), ("flags", c.c_uint32), ("fd", c.c_int64),
                ("mapoffset", c.c_uint32), ("maxsize", c.c_uint32), ("data", c.c_void_p),
                ("chunk", c.POINTER(Chunk))]  # fmt: skip


class Meta(c.Structure):
    """spa_meta"""

    _fields_ = [("type", c.c_uint32), ("size", c.c_uint32), ("data", c.c_void_p)]


class SpaBuffer(c.Structure):
    """spa_buffer"""

    _fields_ = [("n_metas", c.c_uint32), ("n_datas", c.c_uint32), ("metas", c.POINTER(Meta)),
                ("datas", c.POINTER(Data))]  # fmt: skip


class Buffer(c.Structure):
    """pw_buffer, as far as it is the same in all versions."""

    _fields_ = [("buffer", c.POINTER(SpaBuffer))]


_STATE = c.CFUNCTYPE(None, c.c_void_p, c.c_int, c.c_int, c.c_char_p)
_PARAM = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_void_p)
_PLAIN = c.CFUNCTYPE(None, c.c_void_p)


class Events(c.Structure):
    """pw_stream_events, version 2."""

    _fields_ = [("version", c.c_uint32), ("destroy", c.c_void_p), ("state_changed", _STATE),
                ("control_info", c.c_void_p), ("io_changed", c.c_void_p),
                ("param_changed", _PARAM), ("add_buffer", c.c_void_p),
                ("remove_buffer", c.c_void_p), ("process", _PLAIN), ("drained", c.c_void_p),
                ("command", c.c_void_p), ("trigger_done", c.c_void_p)]  # fmt: skip


_FAILED = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_int, c.c_int, c.c_char_p)


class CoreEvents(c.Structure):
    """pw_core_events, version 0."""

    _fields_ = [("version", c.c_uint32), ("info", c.c_void_p), ("done", c.c_void_p),
                ("ping", c.c_void_p), ("error", _FAILED), ("others", c.c_void_p * 4)]  # fmt: skip


class Hook(c.Structure):
    """spa_hook: a list's two links, two callbacks, two of its own."""

    _fields_ = [("words", c.c_void_p * 6)]


@dataclass(frozen=True, eq=False)
class Picture:
    """uint8 (height, width, 4) of its own memory, and when the compositor made it."""

    pixels: np.ndarray
    order: ChannelOrder
    at_s: float  # time.perf_counter()


class VideoStream:
    """The newest pictures of one node. Callbacks come on PipeWire's thread, the rest is one thread.

    fd: a connection that sees the node; closed here. Raises StylizerError without libpipewire, or
    when it cannot be connected.
    """

    def __init__(self, fd: int, node_id: int) -> None:
        self._lock = threading.Condition()
        self._newest: Picture | None = None
        self._format: tuple[ChannelOrder, tuple[int, int]] | None = None
        self._state, self._why = UNCONNECTED, ""
        self._streamed = self._lost = False
        self.overwritten = 0  # pictures that nobody took
        self._loop = self._context = self._core = self._stream = None
        try:
            self._pw = library()
            self._connect(fd, node_id)
        except BaseException:
            self.close()
            raise

    @property
    def broken(self) -> str:
        """Why no more pictures come, in words; "" while they may."""
        if self._state == ERROR:
            return self._why or "PipeWire reports an error"
        return "PipeWire ended the stream" if self._streamed and not self._state else ""

    @property
    def lost_pipewire(self) -> bool:
        """Whether it was PipeWire itself that went away, not only this stream's source."""
        return self._lost

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

    def close(self) -> None:
        """Disconnect; may be called twice."""
        if self._loop is None:
            return
        self._pw.pw_thread_loop_stop(self._loop)
        if self._stream is not None:
            self._pw.pw_stream_destroy(self._stream)
        if self._core is not None:
            self._pw.pw_core_disconnect(self._core)
        if self._context is not None:
            self._pw.pw_context_destroy(self._context)
        self._pw.pw_thread_loop_destroy(self._loop)
        self._loop = self._context = self._core = self._stream = None

    def _connect(self, fd: int, node_id: int) -> None:
        pw = self._pw
        self._loop = _made(pw.pw_thread_loop_new(b"stylizer", None), "no loop")
        inner = pw.pw_thread_loop_get_loop(self._loop)
        self._context = _made(pw.pw_context_new(inner, None, 0), "no context")
        self._core = _made(pw.pw_context_connect_fd(self._context, fd, None, 0), "no connection")
        told = pw.pw_properties_new_string(
            b"media.type=Video media.category=Capture media.role=Screen"
        )
        self._stream = _made(pw.pw_stream_new(self._core, b"stylizer", told), "no stream")
        # Kept: PipeWire calls what they hold.
        self._events = Events(
            version=2, state_changed=_STATE(self._on_state), param_changed=_PARAM(self._on_param),
            process=_PLAIN(self._on_process),
        )  # fmt: skip
        self._core_events = CoreEvents(error=_FAILED(self._on_core_error))
        self._hooks = Hook(), Hook()
        hook, core_hook = map(c.byref, self._hooks)
        pw.pw_stream_add_listener(self._stream, hook, c.byref(self._events), None)
        pw.pw_proxy_add_object_listener(self._core, core_hook, c.byref(self._core_events), None)
        with _pointers([pods.wanted_format()]) as (formats, count):
            done = pw.pw_stream_connect(
                self._stream,
                INPUT,
                node_id,
                AUTOCONNECT | MAP_BUFFERS | DONT_RECONNECT,
                formats,
                count,
            )
        if done < 0:
            raise StylizerError(f"PipeWire refused the stream: {os.strerror(-done)}")
        if pw.pw_thread_loop_start(self._loop) < 0:
            raise StylizerError("PipeWire's thread could not be started")

    # --- on PipeWire's thread ---------------------------------------------------------------

    def _on_state(self, _: int, before: int, state: int, error: bytes | None) -> None:
        with self._lock:
            self._state = ERROR if self._lost else state
            self._streamed |= state == STREAMING
            self._why = (error or b"").decode(errors="replace") or self._why
            self._lock.notify_all()

    def _on_core_error(self, _: int, who: int, __: int, result: int, message: bytes) -> None:
        if who == CORE and result == -errno.EPIPE:
            with self._lock:
                self._lost = True
                self._state, self._why = ERROR, "PipeWire ended the connection"
                self._lock.notify_all()

    def _on_param(self, _: int, what: int, param: int | None) -> None:
        if what != pods.FORMAT or not param:
            return
        size = c.c_uint32.from_address(param).value + 8
        try:
            order, extent = pods.chosen_format(c.string_at(param, size))
            self._format = pods.ORDERS[order], extent
        except (ValueError, KeyError) as error:
            self._fail(f"its pictures have a format unknown to us ({error})")
            return
        with _pointers(pods.wanted_buffers()) as (params, count):
            self._pw.pw_stream_update_params(self._stream, params, count)

    def _fail(self, why: str) -> None:
        with self._lock:
            self._state, self._why = ERROR, why
            self._lock.notify_all()

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
        meta = _meta(buffer, pods.VIDEO_CROP, pods.CROP_BYTES)
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
        meta = _meta(buffer, pods.HEADER, pods.HEADER_BYTES)
        if meta:
            pts = c.c_int64.from_address(meta + 8).value
            if 0 <= now_ns - pts < STALE_NS:
                return pts / 1e9
        return now_ns / 1e9


def _meta(buffer: SpaBuffer, kind: int, size: int) -> int:
    """Address of a buffer's metadata of this kind; 0: none."""
    for index in range(buffer.n_metas):
        meta = buffer.metas[index]
        if meta.type == kind and meta.size >= size and meta.data:
            return meta.data
    return 0


def _made(pointer: int | None, without: str) -> int:
    if not pointer:
        raise StylizerError(f"PipeWire gives {without}: is it running?")
    return pointer


@contextlib.contextmanager
def _pointers(params: Sequence[bytes]) -> Any:
    """(array of pointers to the pods, their count); the memory lives in the block."""
    buffers = [c.create_string_buffer(param, len(param)) for param in params]
    yield (c.c_void_p * len(params))(*map(c.addressof, buffers)), len(params)


def library() -> Any:
    """libpipewire-0.3 with the types of what is called. Raises StylizerError without it."""
    try:
        pw = c.CDLL("libpipewire-0.3.so.0")
    except OSError as error:
        raise StylizerError(
            "libpipewire is not installed, which brings a desktop's pictures: "
            "apt-get install libpipewire-0.3-0 (pipewire-libs on Fedora, libpipewire on Arch)"
        ) from error
    pointer, number = c.c_void_p, c.c_uint32
    for name, result, arguments in (
        ("pw_thread_loop_new", pointer, [c.c_char_p, pointer]),
        ("pw_thread_loop_get_loop", pointer, [pointer]),
        ("pw_thread_loop_start", c.c_int, [pointer]),
        ("pw_thread_loop_stop", None, [pointer]),
        ("pw_thread_loop_destroy", None, [pointer]),
        ("pw_context_new", pointer, [pointer, pointer, c.c_size_t]),
        ("pw_context_destroy", None, [pointer]),
        ("pw_context_connect_fd", pointer, [pointer, c.c_int, pointer, c.c_size_t]),
        ("pw_core_disconnect", c.c_int, [pointer]),
        ("pw_proxy_add_object_listener", None, [pointer, pointer, pointer, pointer]),
        ("pw_properties_new_string", pointer, [c.c_char_p]),
        ("pw_stream_new", pointer, [pointer, c.c_char_p, pointer]),
        ("pw_stream_destroy", None, [pointer]),
        ("pw_stream_add_listener", None, [pointer, pointer, pointer, pointer]),
        ("pw_stream_connect", c.c_int, [pointer, c.c_int, number, c.c_int, pointer, number]),
        ("pw_stream_update_params", c.c_int, [pointer, pointer, number]),
        ("pw_stream_dequeue_buffer", pointer, [pointer]),
        ("pw_stream_queue_buffer", c.c_int, [pointer, pointer]),
    ):
        function = getattr(pw, name)
        function.restype, function.argtypes = result, arguments
    pw.pw_init(None, None)
    return pw
