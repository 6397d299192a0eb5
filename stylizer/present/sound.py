"""The sound of a source video, carried over into a recording."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
from av.stream import Disposition

from stylizer.system.files import av_name

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container.input import InputContainer
    from av.container.output import OutputContainer
    from av.packet import Packet

    Packets = Generator[Packet, None, None]

# What players expect inside MP4; everything else becomes AAC there (AC-3 could be held, but not
# behind a header written before its first packet). Matroska takes what it can.
BACKWARDS_S, JUMP_S = 0.5, 10.0  # a clock that leaps further belongs to another recording
MP4_CODECS = {"aac", "mp3", "mp3float", "alac", "opus", "libopus", "flac"}


class Sound:
    """Copies the default sound track of a video, or its first, or encodes it as AAC where that
    cannot be copied.

    Sound ends where the source's does, or where the source is damaged (the picture's own reader
    reports that). Owned by the thread that encodes.
    """

    def __init__(self, container: OutputContainer, source: Path) -> None:
        """Raises LookupError when `source` has no sound, FFmpegError when it cannot be read."""
        self._container = container
        self._input = av.open(av_name(source), metadata_errors="replace")
        if not _readable(self._input):
            self._input.close()
            raise LookupError(f"{source} has no sound that can be read")
        self._from: AudioStream = _chosen(self._input)
        self._joined = 0  # ticks that put a stream joined on behind the one before
        self._end: int | None = None  # where the last packet ended, in the source's ticks
        self._joinable = self._input.format.name == "mpegts"
        self._begin_s = _picture_begin_s(self._input)
        if self._copyable():
            self._to = container.add_stream_from_template(self._from)
            self._packets = self._copied()
        else:
            self._to = container.add_stream("aac", rate=self._from.rate)
            self._to.layout = "stereo" if self._from.channels > 1 else "mono"
            self._packets = self._encoded()
        self._later: Packet | None = None  # read, but later than the picture so far

    def write_until(self, time_s: float) -> None:
        """Write what sounds before `time_s`, counted from the picture's first frame."""
        while True:
            packet = self._later or next(self._packets, None)
            self._later = packet
            if packet is None or packet.pts is None or packet.time_base is None:
                return
            if float(packet.pts * packet.time_base) >= time_s:
                return
            self._later = None
            packet.stream = self._to
            self._container.mux(packet)

    def begin(self, time_s: float) -> None:
        """Nothing: the source has its own time."""

    def finish(self, time_s: float) -> None:
        """Write what sounds before the end."""
        self.write_until(time_s)

    def close(self) -> None:
        """Close the source; may be called twice."""
        self._packets.close()
        self._later = None
        self._input.close()

    def _copyable(self) -> bool:
        codec = self._from.codec_context.name
        if self._container.format.name == "mp4" and codec not in MP4_CODECS:
            return False
        if codec == "aac" and not self._from.codec_context.extradata:
            return (
                False  # AAC from a broadcast stream: its header is missing until the first packet
            )
        return codec in self._container.supported_codecs

    def _copied(self) -> Packets:
        try:
            for packet in self._input.demux(self._from):
                unit = packet.time_base
                if packet.pts is None or packet.dts is None or unit is None or packet.is_corrupt:
                    continue
                self._follow_clock(packet)
                shift = round(self._begin_s / unit) - self._joined
                packet.pts -= shift
                packet.dts -= shift
                # An encoder's run-in before 0: the muxer would delay the picture to make room.
                if packet.pts >= 0:
                    yield packet
        except av.error.FFmpegError:
            return

    def _follow_clock(self, packet: Packet) -> None:
        """Joined transport streams begin their clock anew: what follows goes on behind the end."""
        if packet.pts is None or packet.time_base is None:
            return
        begin = packet.pts + self._joined
        leap_s = 0.0 if self._end is None else float((begin - self._end) * packet.time_base)
        if self._end is not None and not -BACKWARDS_S < leap_s < JUMP_S and self._joinable:
            self._joined += self._end - begin
            begin = self._end
        self._end = begin + (packet.duration or 0)

    def _encoded(self) -> Packets:
        context = self._to.codec_context
        resampler = av.AudioResampler(
            "fltp", self._to.layout, self._from.rate, context.frame_size or 1024
        )
        for frame in self._decoded():
            for ready in resampler.resample(frame):
                yield from (p for p in self._to.encode(ready) if p.pts is not None and p.pts >= 0)
        yield from self._to.encode(None)

    def _decoded(self) -> Generator[AudioFrame | None, None, None]:
        try:
            for packet in self._input.demux(self._from):
                self._follow_clock(packet)
                for frame in packet.decode():
                    if frame.pts is None or frame.time_base is None:
                        continue
                    ticks = self._begin_s / frame.time_base
                    if packet.time_base is not None:
                        ticks -= self._joined * packet.time_base / frame.time_base
                    frame.pts -= round(ticks)
                    if frame.pts >= 0:
                        yield frame
        except av.error.FFmpegError:
            pass
        yield None  # flushes the resampler


def _chosen(container: InputContainer) -> AudioStream:
    """What a player plays: the track that is marked as the default, else the first."""
    tracks = _readable(container)
    return next((t for t in tracks if t.disposition & Disposition.default), tracks[0])


def _picture_begin_s(container: InputContainer) -> float:
    """Time stamp of the picture's first frame, in seconds."""
    for stream in container.streams.video:
        if stream.start_time is not None and stream.time_base:
            return float(stream.start_time * Fraction(stream.time_base))
    return 0.0


def _readable(container: InputContainer) -> list[AudioStream]:
    """The tracks of a codec that FFmpeg knows; others have no context."""
    return [track for track in container.streams.audio if track.codec_context is not None]
