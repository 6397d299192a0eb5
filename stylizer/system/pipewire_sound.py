"""Sound that a program plays, or all that is heard, as a stream of PipeWire that we record from."""

from __future__ import annotations

import ctypes as c
import time
from collections import deque
from typing import NamedTuple

import numpy as np

from stylizer.system import pods
from stylizer.system.pipewire import ANY, AUTOCONNECT, INPUT, MAP_BUFFERS, Buffer, SpaBuffer, Stream

RATE, CHANNELS = 48_000, 2
MOST_S = 60.0  # kept while nobody takes it
STALE_S = 1.0  # a turn's own time further from now is no time of our clock


class Heard(NamedTuple):
    """int16 (samples, 2), and when the first of them was played, in time.perf_counter() seconds."""

    at_s: float
    samples: np.ndarray


class _Time(c.Structure):
    """pw_time, as far as it is the same in all versions."""

    _fields_ = [("now", c.c_int64), ("rate", c.c_uint32 * 2), ("ticks", c.c_uint64),
                ("delay", c.c_int64), ("queued", c.c_uint64), ("buffered", c.c_uint64),
                ("buffers", c.c_uint32 * 2)]  # fmt: skip


class SoundStream(Stream):
    """What one node plays, by its serial, or where that is "", what the default output plays. One
    thread; PipeWire's own fills it. It never goes over to another node: that could be a microphone.

    Raises StylizerError without libpipewire, or when it cannot be connected.
    """

    def __init__(self, serial: str = "") -> None:
        self._heard: deque[Heard] = deque()
        self._kept = 0  # samples
        super().__init__(None)
        what = f"target.object={serial}" if serial else "stream.capture.sink=true"
        try:
            self._open(
                "media.type=Audio media.category=Capture media.role=Production "
                f"node.name=stylizer.recording node.dont-reconnect=true {what}",
                INPUT,
                ANY,
                AUTOCONNECT | MAP_BUFFERS,
                [pods.wanted_sound(RATE)],
            )
        except BaseException:
            self.close()
            raise

    def take(self) -> list[Heard]:
        """What was heard since the last call."""
        with self._lock:
            heard = list(self._heard)
            self._heard.clear()
            self._kept = 0
            return heard

    # --- on PipeWire's thread ---------------------------------------------------------------

    def _on_format(self, param: bytes) -> list[bytes]:
        return []

    def _on_process(self, _: int) -> None:
        at_s = self._turn_began()
        while address := self._pw.pw_stream_dequeue_buffer(self._stream):
            try:
                samples = _copied(Buffer.from_address(address).buffer.contents)
            finally:
                self._pw.pw_stream_queue_buffer(self._stream, address)
            if len(samples):
                self._keep(Heard(at_s, samples))
                at_s += len(samples) / RATE

    def _turn_began(self) -> float:
        """When this turn of the graph began, by our clock (CLOCK_MONOTONIC): this thread may have
        been woken late."""
        now, times = time.perf_counter(), _Time()
        if self._pw.pw_stream_get_time_n(self._stream, c.byref(times), c.sizeof(times)) < 0:
            return now
        began = times.now / 1e9
        return began if 0 <= now - began < STALE_S else now

    def _keep(self, heard: Heard) -> None:
        with self._lock:
            self._heard.append(heard)
            self._kept += len(heard.samples)
            while self._kept > MOST_S * RATE:
                self._kept -= len(self._heard.popleft().samples)


def _copied(buffer: SpaBuffer) -> np.ndarray:
    """int16 (samples, 2) of a buffer; none of one that says what cannot be."""
    nothing = np.empty((0, CHANNELS), np.int16)
    if not buffer.n_datas or not buffer.datas[0].data:
        return nothing
    data = buffer.datas[0]
    chunk, frame = data.chunk.contents, 2 * CHANNELS
    size = chunk.size - chunk.size % frame
    if chunk.offset + size > data.maxsize or not size:
        return nothing
    return np.frombuffer(c.string_at(data.data + chunk.offset, size), np.int16).reshape(-1, 2)
