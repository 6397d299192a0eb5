"""Encodes RGB pictures into an H.264 file that stays playable when the program is killed."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import Colorspace

from stylizer.present.fitting import Fitting
from stylizer.present.game_sound import GameSound
from stylizer.present.live_sound import LiveSound
from stylizer.present.output_file import OutputFile
from stylizer.present.sound import Sound
from stylizer.system.files import av_name, is_stream
from stylizer.system.outputs import REMARK

TICKS = {"mp4": 90_000, "matroska": 1000}  # time stamps a second, frames at their own times
KEY_FRAME_S = 1.0
FRAGMENT_S = 0.5  # at most this much is lost when the program is killed
# ultrafast takes 6 ms of processor time for a 720p frame of a real game (superfast 11, veryfast 17)
# at the same picture quality (34.6 dB, limited by 4:2:0 color) in 1.9 times veryfast's bytes; the
# style network needs the time more. zerolatency costs nothing there and holds no frame back.
X264 = {"preset": "ultrafast", "tune": "zerolatency", "crf": "20", "forced-idr": "1"}
BT709, LIMITED = 1, 1  # libavutil/pixfmt.h: AVCOL_*_BT709, AVCOL_RANGE_MPEG
CONTAINERS = {".mp4": "mp4", ".mkv": "matroska"}


class Encoder:
    """One recording, BT.709 limited range, 4:2:0. Made anywhere, then owned by one thread.

    The file is made by the first frame. Odd sizes are padded by one edge pixel (4:2:0 needs
    even ones); a picture of another size is letterboxed into the first one's.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: float | None,
        audio: Path | GameSound | None,
    ) -> None:
        """audio: the video whose sound goes along, or what is heard meanwhile."""
        self.path = path
        self.size = size
        self.frames = 0
        self._fitting = Fitting(size)
        self._rate = Fraction(rate).limit_denominator(1001) if rate else None
        self._ticks = TICKS[CONTAINERS[path.suffix.lower()]]
        self._unit = 1 / self._rate if self._rate else Fraction(1, self._ticks)
        self._first_s: float | None = None
        self._last_pts = -1
        self._duration = 1 if self._rate else self._ticks // 30
        self._file = OutputFile(path)
        self._container = av.open(
            self._file, "w", format=CONTAINERS[path.suffix.lower()], container_options=_muxing()
        )
        self._container.metadata["comment"] = REMARK
        self._stream = self._add_stream()
        self._sound = self._add_sound(audio)

    def add(self, pixels: np.ndarray, time_s: float) -> None:
        """Encode uint8 (height, width, 3 or 4); time_s counts only without a constant rate."""
        frame = self._fitting.yuv(self._fitting.fit(pixels), Colorspace.ITU709)
        frame.color_primaries = frame.color_trc = BT709
        frame.pts = self._next_pts(time_s)
        frame.time_base = self._unit
        if self.frames == 1:  # begins a fragment, so the first is written: it plays from now on
            frame.pict_type = PictureType.I
        self._mux(frame)
        self.frames += 1

    def close(self) -> None:
        """Write what is left and finish the file; one without frames is never made.

        Raises OSError when writing fails, also where libavformat ignores it.
        """
        try:
            if self.frames:
                self._mux(None)
            self._container.close()
            if self._file.error:
                raise self._file.error
            self._file.check_there()
        finally:
            self._file.close()
            if self._sound:
                self._sound.close()

    def rescue(self) -> bool:
        """After a failure: close the file, cut it back to what is whole; False if nothing is.

        Never raises: the first failure is the one to report, and the file may be gone by now, or
        another stand in its place, which is nobody's to touch.
        """
        try:
            with contextlib.suppress(OSError):
                self._file.check_there()
            with contextlib.suppress(av.error.FFmpegError, OSError):
                self.close()
            if not self._file.written or self._file.gone or is_stream(self.path):
                return False
            if self.path.suffix.lower() == ".mp4":
                cut_to_complete_fragments(self.path)
            if playable(self.path):
                return True
            self.path.unlink()
        except Exception:
            return False
        return False

    def _mux(self, frame: av.VideoFrame | None) -> None:
        if self._sound:
            write = self._sound.finish if frame is None else self._sound.write_until
            write(float((self._last_pts + self._duration) * self._unit))
        for packet in self._stream.encode(frame):
            packet.duration = self._duration  # libx264 does not pass it on
            self._container.mux(packet)

    def _next_pts(self, time_s: float) -> int:
        if self._rate:
            self._last_pts += 1
            return self._last_pts
        if self._first_s is None:
            self._first_s = time_s
            if self._sound:
                self._sound.begin(time_s)
        pts = max(self._last_pts + 1, round((time_s - self._first_s) * self._ticks))
        if self._last_pts >= 0:
            self._duration = pts - self._last_pts  # the last frame lasts as long as the one before
        self._last_pts = pts
        return pts

    def _add_stream(self) -> av.VideoStream:
        rate = self._rate or Fraction(30)
        gop = str(max(1, round(KEY_FRAME_S * rate)))
        stream = self._container.add_stream("libx264", rate=rate, options={**X264, "g": gop})
        stream.width, stream.height = self._fitting.padded
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        stream.time_base = context.time_base = self._unit
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        return stream

    def _add_sound(self, audio: Path | GameSound | None) -> Sound | LiveSound | None:
        if audio is None:
            return None
        if not isinstance(audio, Path):
            return LiveSound(self._container, audio)
        try:
            return Sound(self._container, audio)
        except LookupError:
            return None  # a silent video makes a silent recording


def _muxing() -> dict[str, str]:
    fragment_us = str(round(FRAGMENT_S * 1e6))
    return {
        "movflags": "frag_keyframe+empty_moov+default_base_moof",
        "frag_duration": fragment_us,
        "cluster_time_limit": str(round(FRAGMENT_S * 1e3)),
        "flush_packets": "1",
        # Sound that ends before the picture would hold the picture back for 10 s.
        "max_interleave_delta": fragment_us,
    }


def cut_to_complete_fragments(path: Path) -> None:
    """Cut a fragmented MP4 behind its last whole fragment.

    A box is a 4-byte big-endian size and a 4-byte name (ISO/IEC 14496-12); a fragment is a moof
    box followed by its mdat.
    """
    length, at, complete = path.stat().st_size, 0, 0
    with open(path, "r+b") as file:
        while at + 8 <= length:
            file.seek(at)
            size, name = int.from_bytes(file.read(4), "big"), file.read(4)
            if size < 8 or at + size > length:
                break
            at += size
            if name != b"moof":
                complete = at
        file.truncate(complete)


def playable(path: Path) -> bool:
    """Whether at least the first picture of a video file can be decoded."""
    try:
        with av.open(av_name(path)) as container:
            return next(container.decode(video=0), None) is not None
    except (av.error.FFmpegError, OSError, IndexError):
        return False
