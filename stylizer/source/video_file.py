"""Opens a video file with PyAV, decodes it frame by frame and notices where it is damaged."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from stylizer.errors import StylizerError
from stylizer.source.video_open import checked, open_video, remarks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container.input import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    Pictures = Generator[tuple[VideoFrame, float], None, None]

UNKNOWN_RATE = Fraction(30)  # paces frames without time stamps in a file that names no rate
UNSPECIFIED = 2  # AVCOL_SPC_UNSPECIFIED in libavutil/pixfmt.h
# swscale's short cut for these formats takes 0.3 ms at 1280x720 and is within 2 of 255; its exact
# conversion takes 12 ms. Other formats have no short cut, and 10 bit is 3 off without exactness.
# The short cut leaves the last columns black at widths of 16 n + 1 to 16 n + 4 (seen in 9.5).
SHORT_CUT = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p"}
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
ROUNDING_S = 0.005  # Matroska rounds times to 1 ms
JOINT_PACKETS = (
    64  # packets around the joint of two streams within which marks of damage are its own
)
JUMP_S = 10.0  # a clock that leaps further belongs to another recording


class VideoFile:
    """The first video stream of a file (cover pictures do not count), decoded on all cores.

    frame_rate: average frames a second, None where the file does not say.
    Raises BadInput when the file is missing, no file, or holds no video.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = checked(path)
        self._container, self._stream = open_video(self.path)
        self._stream.thread_type = "AUTO"
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.frame_rate = float(rate) if rate else None
        self._frame_s = float(1 / (rate or UNKNOWN_RATE))
        self._reformatter = VideoReformatter()
        self._start_s: float | None = None  # the first frame's own time stamp
        self._delivered = 0
        self._end_s = 0.0  # time at which the last delivered frame ends
        self._use_dts: bool | None = None  # measure packets by decoding time stamps
        self._span_s: tuple[float, float] | None = None  # begin of the first, end of the last one
        # Transport streams are made to be joined and cut: their clock may start anew anywhere.
        self._joinable = self._container.format.name == "mpegts"
        self._forgiven: set[int | None] = set()  # stamps of pictures whose mark came from a joint

    def pictures(self) -> Pictures:
        """Decoded frames and their time in seconds after the first one.

        Raises StylizerError where the file is damaged, after all frames before that place.
        One damaged picture of a stream with B-frames can go unnoticed: with frame threads, H.264
        copies a picture's mark when it is reordered, perhaps before the damage is found (one run
        in five of a test file). It is shown as the decoder mends it, like in other players.
        """
        damage: Exception | None = None
        try:
            for packet in self._packets():
                yield from self._decode(packet)
        except (av.error.FFmpegError, _Damaged) as error:
            damage = error
        if damage:
            yield from self._decoded_before_damage()
        elif not self._ends_early():
            return
        raise StylizerError(
            f"{self.path} is damaged or cut off after frame {self._delivered - 1} "
            f"({self._end_s:.2f} s): repair it or convert it again"
        ) from damage

    def rgba(self, picture: VideoFrame) -> np.ndarray:
        """uint8 (height, width, 4) RGBA, upright, with square pixels."""
        source = {}
        if picture.colorspace == UNSPECIFIED and not picture.format.is_rgb:
            # The rule of mpv and other players for untagged video: high definition is BT.709.
            hd = picture.width >= 1280 or picture.height > 576
            source["src_colorspace"] = Colorspace.ITU709 if hd else Colorspace.ITU601
        try:
            converted = self._reformatter.reformat(
                picture,
                width=self._square_width(picture),
                format="rgba",
                interpolation=Interpolation.BILINEAR if _short_cut(picture) else EXACT,
                dst_color_range=ColorRange.JPEG,
                **source,
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise StylizerError(
                f"{self.path} holds pixels of the format {picture.format.name} that cannot be "
                "converted to RGB: convert the file to H.264 first"
            ) from error
        pixels = converted.to_ndarray()
        turns = round(picture.rotation / 90) % 4  # counterclockwise, as np.rot90 counts
        return np.ascontiguousarray(np.rot90(pixels, turns) if turns else pixels)

    def shown_size(self, picture: VideoFrame) -> tuple[int, int]:
        """(width, height) that `rgba` gives this picture."""
        width, height = self._square_width(picture), picture.height
        return (height, width) if round(picture.rotation / 90) % 2 else (width, height)

    def remarks(self, picture: VideoFrame) -> list[str]:
        """What the user would else take for a fault of the style, in words."""
        return remarks(picture)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._container.close()

    def _packets(self) -> Iterator[Packet]:
        """All packets. Where two transport streams were joined, the demuxer finds their counters
        out of step and marks a packet before the joint, which is whole: that is forgiven."""
        waiting: list[Packet] = []
        for packet in self._container.demux(self._stream):
            if not self._joinable or not (waiting or packet.is_corrupt):
                yield packet
                continue
            waiting.append(packet)
            if _starts_anew(waiting):
                self._forgiven |= {p.pts for p in waiting if p.is_corrupt}
            elif len(waiting) < JOINT_PACKETS and packet.size:
                continue
            yield from waiting
            waiting = []
        yield from waiting

    def _decode(self, packet: Packet) -> Pictures:
        if (
            packet.is_corrupt and packet.pts not in self._forgiven
        ):  # what the demuxer marks when the file ends inside a packet
            raise _Damaged
        self._measure(packet)
        for picture in self._stream.decode(packet):
            if not picture.is_corrupt or picture.pts in self._forgiven:
                yield picture, self._time(picture)
            elif self._delivered:
                raise _Damaged
            # else a cut that starts between key frames: it begins with its first whole frame

    def _measure(self, packet: Packet) -> None:
        """Note the span of the packets. In decoding order, so that a lost last B-frame counts."""
        if packet.time_base is None or packet.pts is None:
            return
        if self._use_dts is None:
            self._use_dts = packet.dts is not None
        stamp = packet.dts if self._use_dts and packet.dts is not None else packet.pts
        begin_s = float(stamp * packet.time_base)
        duration_s = float((packet.duration or 0) * packet.time_base) or self._frame_s
        first, last = self._span_s or (begin_s, begin_s)
        self._span_s = first, max(last, begin_s + duration_s)

    def _decoded_before_damage(self) -> Pictures:
        """What the decoder's threads still hold when the damage is found."""
        try:
            waiting = self._stream.decode(None)
        except av.error.FFmpegError:
            return
        for picture in waiting:
            if picture.is_corrupt:
                return
            yield picture, self._time(picture)

    def _time(self, picture: VideoFrame) -> float:
        # Damage and raw streams leave frames without a stamp: they follow the one before.
        stamped = picture.pts is not None and picture.time_base is not None
        if self._start_s is None:
            self._start_s = float(picture.time) if stamped else 0.0
        time_s = float(picture.time) - self._start_s if stamped else self._end_s
        leap_s = time_s - self._end_s
        if self._joinable and self._delivered and not -2 * self._frame_s < leap_s < JUMP_S:
            self._start_s += leap_s  # another stream was joined on: it goes on where this one ends
            time_s = self._end_s
        self._delivered += 1
        self._end_s = time_s + self._frame_s
        return time_s

    def _ends_early(self) -> bool:
        """Whether the file's header promised a longer video than its packets hold."""
        promised = _promised_s(self._container, self._stream)
        if promised is None or self._span_s is None:
            return False
        first, last = self._span_s
        # Matroska's tag is the time of the end in most files, the length without the begin in some.
        held_s = last if self._container.format.name.startswith("matroska") else last - first
        return held_s < promised - 0.75 * self._frame_s - ROUNDING_S

    def _square_width(self, picture: VideoFrame) -> int:
        aspect = self._stream.sample_aspect_ratio
        if not aspect or aspect == 1 or not Fraction(1, 8) <= aspect <= 8:
            return picture.width
        return max(1, round(picture.width * aspect))


class _Damaged(Exception):
    """A packet or frame that the library marks as damaged."""


def _starts_anew(packets: list[Packet]) -> bool:
    """Whether the clock runs backwards between the last two packets, in decoding order."""
    stamps = [packet.dts for packet in packets[-2:] if packet.dts is not None]
    return len(stamps) == 2 and stamps[1] < stamps[0]


def _short_cut(picture: VideoFrame) -> bool:
    return picture.format.name in SHORT_CUT and picture.width % 8 == 0


def _promised_s(container: InputContainer, stream: VideoStream) -> float | None:
    """How long the header says the video is, None where it does not (or counts sound as well)."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska: "00:00:08.000000000"
    if tag.count(":") == 2:
        try:
            hours, minutes, seconds = (float(part) for part in tag.split(":"))
        except ValueError:
            return None
        return hours * 3600 + minutes * 60 + seconds
    if container.duration and len(container.streams) == 1:
        return container.duration / av.time_base
    return None
