"""Sound that is heard while it is recorded, placed beside the pictures by its own time."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np

from stylizer.system.pipewire_sound import CHANNELS, RATE, Heard

if TYPE_CHECKING:
    from av.container.output import OutputContainer

LAG_S = 0.25  # written so long after the picture: PipeWire's thread may be late
APART_S = 0.03  # further from where it is expected: a pause, or clocks that went apart


class Takes(Protocol):
    """A GameSound, or what was kept of one."""

    def take(self) -> list[list[Heard]]:
        """What each stream heard since the last call; the same stream has the same place."""
        ...


class LiveSound:
    """An AAC track of a recording, fed by a `GameSound`: what nobody played is silence. Owned by
    the thread that encodes."""

    def __init__(self, container: OutputContainer, sound: Takes) -> None:
        self._container, self._sound = container, sound
        self._to = container.add_stream("aac", rate=RATE)
        self._to.layout = "stereo"
        self._begin_s: float | None = None  # of the picture, by time.perf_counter()
        self._ends: list[int | None] = []  # where each stream's last sample was placed, in samples
        self._written = 0  # samples
        self._mix = np.zeros((0, CHANNELS), np.int32)  # those from `_written` on

    def begin(self, time_s: float) -> None:
        """The first picture was captured then."""
        self._begin_s = time_s

    def write_until(self, time_s: float) -> None:
        """Write what was heard some time before `time_s`, counted from the first picture."""
        self._take()
        self._encode(round((time_s - LAG_S) * RATE))

    def finish(self, time_s: float) -> None:
        """Write all before `time_s`, and end the track."""
        self._take()
        self._encode(round(time_s * RATE))
        for packet in self._to.encode(None):
            self._write(packet)

    def close(self) -> None:
        """Nothing: whoever opened the sound closes it."""

    def _take(self) -> None:
        for number, heard in enumerate(self._sound.take()):
            if number == len(self._ends):
                self._ends.append(None)
            for one in heard:
                self._place(number, one)

    def _place(self, number: int, heard: Heard) -> None:
        """Add samples to the mix: behind the last ones of their stream, or at their own time where
        that is somewhere else."""
        assert self._begin_s is not None, "a picture came first"
        own, end = round((heard.at_s - self._begin_s) * RATE), self._ends[number]
        start = own if end is None or abs(own - end) > APART_S * RATE else end
        self._ends[number] = start + len(heard.samples)
        late = max(0, self._written - start)  # from before the first picture, or written already
        samples = heard.samples[late:]
        if not len(samples):
            return
        at = start + late - self._written
        missing = at + len(samples) - len(self._mix)
        if missing > 0:
            self._mix = np.concatenate([self._mix, np.zeros((missing, CHANNELS), np.int32)])
        self._mix[at : at + len(samples)] += samples

    def _encode(self, end: int) -> None:
        """Whole blocks of the encoder before this sample."""
        block = self._to.codec_context.frame_size or 1024
        while self._written + block <= end:
            samples = np.zeros((block, CHANNELS), np.int32)
            there = self._mix[:block]
            samples[: len(there)] = there
            self._mix = self._mix[block:]
            limited = np.clip(samples, -32768, 32767).astype(np.float32) / 32768
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(limited.T), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, self._written, Fraction(1, RATE)
            self._written += block
            for packet in self._to.encode(frame):
                self._write(packet)

    def _write(self, packet: av.Packet) -> None:
        # The encoder's run-in before 0: the muxer would delay the picture to make room.
        if packet.pts is not None and packet.pts >= 0:
            self._container.mux(packet)
