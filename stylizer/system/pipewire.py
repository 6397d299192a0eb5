"""PipeWire's streams by libpipewire through ctypes: no package beside the desktop's own.

See https://docs.pipewire.org/group__pw__stream.html; structures as in pipewire/stream.h 0.3.
"""

from __future__ import annotations

import contextlib
import ctypes as c
import errno
import os
import threading
from collections.abc import Sequence
from typing import Any

from stylizer.errors import StylizerError
from stylizer.system.libpipewire import library
from stylizer.system.pods import FORMAT

INPUT, OUTPUT = 0, 1  # pw_direction
ANY = 0xFFFFFFFF  # PW_ID_ANY
# pw_stream_flags
AUTOCONNECT, MAP_BUFFERS, DRIVER, DONT_RECONNECT = 1, 4, 8, 128
ERROR, UNCONNECTED, PAUSED, STREAMING = -1, 0, 2, 3  # pw_stream_state
CORE = 0  # PW_ID_CORE


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


_DONE = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_int)
_FAILED = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_int, c.c_int, c.c_char_p)


class CoreEvents(c.Structure):
    """pw_core_events, version 0."""

    _fields_ = [("version", c.c_uint32), ("info", c.c_void_p), ("done", _DONE),
                ("ping", c.c_void_p), ("error", _FAILED), ("others", c.c_void_p * 4)]  # fmt: skip


class Hook(c.Structure):
    """spa_hook: a list's two links, two callbacks, two of its own."""

    _fields_ = [("words", c.c_void_p * 6)]


class Connection:
    """A connection of its own, whose callbacks come on PipeWire's thread; the rest is one thread's.

    fd: a connection, which is closed here; None: the user's own PipeWire. Raises StylizerError
    without libpipewire, or when it cannot be connected.
    """

    def __init__(self, fd: int | None) -> None:
        self._lock = threading.Condition()
        self._lost = False
        self._loop = self._context = self._core = None
        try:
            self._pw = library()
            self._reach(fd)
        except BaseException:
            self.close()
            raise

    @property
    def lost_pipewire(self) -> bool:
        """Whether it was PipeWire itself that went away, not only what was asked of it."""
        return self._lost

    def close(self) -> None:
        """Disconnect; may be called twice."""
        if self._loop is None:
            return
        self._pw.pw_thread_loop_stop(self._loop)
        self._free()
        if self._core is not None:
            self._pw.pw_core_disconnect(self._core)
        if self._context is not None:
            self._pw.pw_context_destroy(self._context)
        self._pw.pw_thread_loop_destroy(self._loop)
        self._loop = self._context = self._core = None

    def _free(self) -> None:
        """Free what lives on the connection; the thread has stopped."""

    def _reach(self, fd: int | None) -> None:
        pw = self._pw
        self._loop = _made(pw.pw_thread_loop_new(b"stylizer", None), "no loop")
        inner = pw.pw_thread_loop_get_loop(self._loop)
        self._context = _made(pw.pw_context_new(inner, None, 0), "no context")
        if fd is None:
            core = pw.pw_context_connect(self._context, None, 0)
        else:
            core = pw.pw_context_connect_fd(self._context, fd, None, 0)
        self._core = _made(core, "no connection")

    def _listen(self) -> None:
        """Hear of the connection's end, and start the thread."""
        # Kept: PipeWire calls what they hold.
        self._core_events = CoreEvents(
            error=_FAILED(self._on_core_error), done=_DONE(self._on_core_done)
        )
        self._core_hook = Hook()
        hook, events = c.byref(self._core_hook), c.byref(self._core_events)
        self._pw.pw_proxy_add_object_listener(self._core, hook, events, None)
        if self._pw.pw_thread_loop_start(self._loop) < 0:
            raise StylizerError("PipeWire's thread could not be started")

    def _on_core_error(self, _: int, who: int, __: int, result: int, message: bytes) -> None:
        if who == CORE and result == -errno.EPIPE:
            with self._lock:
                self._lost = True
                self._lock.notify_all()

    def _on_core_done(self, _: int, who: int, sequence: int) -> None:
        """All that was asked for before has been answered."""


class Stream(Connection):
    """One stream of a connection of its own; a subclass says what a format and a turn of the graph
    mean. Raises as Connection does."""

    def __init__(self, fd: int | None) -> None:
        self._state, self._why = UNCONNECTED, ""
        self._streamed = False
        self._stream = None
        super().__init__(fd)

    @property
    def broken(self) -> str:
        """Why no more pictures go through, in words; "" while they may."""
        if self._state == ERROR:
            return self._why or "PipeWire reports an error"
        return "PipeWire ended the stream" if self._streamed and not self._state else ""

    def _free(self) -> None:
        if self._stream is not None:
            self._pw.pw_stream_destroy(self._stream)
        self._stream = None

    def _open(
        self, properties: str, direction: int, node_id: int, flags: int, formats: list[bytes]
    ) -> None:
        """Make the stream and start the thread; formats: EnumFormat pods, the best first."""
        pw = self._pw
        wanted = pw.pw_properties_new_string(properties.encode())
        self._stream = _made(pw.pw_stream_new(self._core, b"stylizer", wanted), "no stream")
        # Kept: PipeWire calls what they hold.
        self._events = Events(
            version=2, state_changed=_STATE(self._on_state), param_changed=_PARAM(self._on_param),
            process=_PLAIN(self._on_process),
        )  # fmt: skip
        self._hook = Hook()
        hook, events = c.byref(self._hook), c.byref(self._events)
        pw.pw_stream_add_listener(self._stream, hook, events, None)
        with pointers(formats) as (pods, count):
            done = pw.pw_stream_connect(self._stream, direction, node_id, flags, pods, count)
        if done < 0:
            raise StylizerError(f"PipeWire refused the stream: {os.strerror(-done)}")
        self._listen()

    # --- on PipeWire's thread ---------------------------------------------------------------

    def _on_format(self, param: bytes) -> list[bytes]:
        """Take the Format pod agreed on; the answer's parameters, none for the usual. Raises
        ValueError or KeyError for one that is unknown to us."""
        raise NotImplementedError

    def _on_process(self, _: int) -> None:
        """A turn of the graph."""
        raise NotImplementedError

    def _on_state(self, _: int, before: int, state: int, error: bytes | None) -> None:
        with self._lock:
            self._state = ERROR if self._lost else state
            self._streamed |= state == STREAMING
            self._why = (error or b"").decode(errors="replace") or self._why
            self._lock.notify_all()

    def _on_core_error(self, _: int, who: int, __: int, result: int, message: bytes) -> None:
        super()._on_core_error(_, who, __, result, message)
        if self._lost:
            self._fail("PipeWire ended the connection")

    def _on_param(self, _: int, what: int, param: int | None) -> None:
        if what != FORMAT or not param:
            return
        size = c.c_uint32.from_address(param).value + 8
        try:
            answer = self._on_format(c.string_at(param, size))
        except (ValueError, KeyError) as error:
            self._fail(f"its pictures have a format unknown to us ({error})")
            return
        if not answer:
            return
        with pointers(answer) as (params, count):
            self._pw.pw_stream_update_params(self._stream, params, count)

    def _fail(self, why: str) -> None:
        with self._lock:
            self._state, self._why = ERROR, why
            self._lock.notify_all()


def meta_of(buffer: SpaBuffer, kind: int, size: int) -> int:
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
def pointers(params: Sequence[bytes]) -> Any:
    """(array of pointers to the pods, their count); the memory lives in the block."""
    buffers = [c.create_string_buffer(param, len(param)) for param in params]
    yield (c.c_void_p * len(params))(*map(c.addressof, buffers)), len(params)
