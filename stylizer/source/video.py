"""A video file as a source: every frame in lock-step, or played at its own rate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.source import animation
from stylizer.source.video_file import VideoFile
from stylizer.stages import Source, SourceEnded
from stylizer.system.terminal import tell

if TYPE_CHECKING:
    Decoded = tuple[int, Any, float]  # number, picture, media time in seconds

WAIT_S = 0.010  # how long a live read waits for the next frame to fall due
CATCH_UP_S = 0.1  # when skipping late frames takes longer than this, the clock slips instead


def open_file(path: Path | None) -> VideoFile | animation.Animation:
    """Whatever decodes the file. Raises BadInput for what is no readable video."""
    if path is not None and path.suffix.lower() in animation.SUFFIXES:
        return animation.Animation(path)
    return VideoFile(path)


@final
class VideoSource(Source):
    """Frames of the video file `settings.input`, RGBA.

    In lock-step (settings.sync) every decoded frame in order, exactly once. Otherwise the file
    plays at its own rate on the wall clock: late frames are decoded but not given, and counted in
    `skipped`. The clock starts with the second read, so that warming up on the first frame skips
    none. A decoder too slow for the file's rate makes the clock slip: the video plays slower.

    `Frame.media_time_s` is the time since the video's first frame, from the file's time stamps
    (variable rates are kept); `Frame.number` counts decoded frames, so skipped ones leave gaps.
    Turned clips (phones) come upright, non-square pixels are made square by widening. High
    dynamic range is not tone-mapped and interlaced pictures stay so, which is said.
    frame_rate is the average.

    Raises BadInput for what is no readable video; `read` raises StylizerError where the file is
    damaged or cut off, after all frames before that place.
    """

    capture_method = "video file (PyAV)"

    def __init__(self, settings: Settings) -> None:
        self._sync = settings.sync
        self._file: Any = open_file(settings.input)
        self.frame_rate = self._file.frame_rate
        self.skipped = 0
        self._pictures = self._file.pictures()
        self._next: Decoded | None = None  # not given yet
        self._stop: SourceEnded | StylizerError = SourceEnded()  # raised when _next is None
        self._decoded = 0
        self._reads = 0
        self._zero = 0.0  # perf_counter time of media time 0
        self._given_s = 0.0  # media time of the frame given last
        self._advance()
        if self._next is None:
            self.close()
            raise BadInput(
                f"no frame of {self._file.path} can be decoded: it is damaged or empty"
            ) from self._stop
        self.size = self._file.shown_size(self._next[1])
        for remark in self._file.remarks(self._next[1]):
            tell(f"{self._file.path.name} is {remark}")
            self.capture_method += f"; {remark.partition(':')[0]}"

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read; a live read waits up to 10 ms for the next frame."""
        self._reads += 1
        if self._sync or self._reads == 1:
            return self._convert(self._take())
        if not self._is_due():
            return None
        return self._convert(self._newest_due(self._take()))

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._next = None
        self._stop = SourceEnded()
        self._pictures.close()
        self._file.close()

    def _is_due(self) -> bool:
        """Whether the next frame (or the end) has fallen due, waiting WAIT_S for it."""
        now = time.perf_counter()
        if self._reads == 2:
            self._zero = now - self._given_s
        frame_s = 1 / self.frame_rate if self.frame_rate else 0.0
        wait_s = self._zero + (self._next[2] if self._next else self._given_s + frame_s) - now
        if wait_s > 0:
            time.sleep(min(wait_s, WAIT_S))
        return wait_s <= WAIT_S

    def _newest_due(self, due: Decoded) -> Decoded:
        """The last frame that is due by now; the ones before it are skipped."""
        started = now = time.perf_counter()
        while self._next and self._zero + self._next[2] <= now:
            due = self._take()
            self.skipped += 1
            now = time.perf_counter()
            if now - started > CATCH_UP_S:
                self._zero = now - due[2]
                break
        return due

    def _take(self) -> Decoded:
        taken = self._next
        if taken is None:
            raise self._stop
        self._advance()
        return taken

    def _convert(self, decoded: Decoded) -> Frame:
        number, picture, self._given_s = decoded
        captured_at = time.perf_counter()
        pixels = self._file.rgba(picture)
        frame = Frame(pixels, "RGBA", captured_at, number, media_time_s=self._given_s)
        self.size = frame.size
        return frame

    def _advance(self) -> None:
        """Decode one frame into _next, or set why there is none."""
        try:
            picture, media_time_s = next(self._pictures)
        except StopIteration:
            self._next = None
        except StylizerError as error:
            self._next, self._stop = None, error
        else:
            self._next = (self._decoded, picture, media_time_s)
            self._decoded += 1
