"""Records what is shown into a video file, on a thread of its own."""

from __future__ import annotations

import contextlib
import errno
import threading
from pathlib import Path

import av.error
import numpy as np

from stylizer.errors import BadInput, StylizerError
from stylizer.present.encode import CONTAINERS, Encoder
from stylizer.present.game_sound import GameSound
from stylizer.present.output_file import check_unlocked
from stylizer.present.waiting import Waiting
from stylizer.system.files import check_writable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class Recorder:
    """Writes an H.264 video, .mp4 (fragmented) or .mkv, playable up to 0.5 s before a kill -9.

    size: (width, height) of the recording, any; odd sides are padded by one edge pixel, pictures
    of another size are letterboxed. rate: frames a second, frame n is then shown at n / rate;
    None takes each frame's own time (variable rate). audio: a video whose sound goes along, counted
    from its first frame and cut at the recording's end; or what is heard meanwhile, by the clock of
    the frames' times, closed with the recording.

    Raises BadInput at construction for what cannot be recorded to; nothing is written before the
    first frame. A failure of the encoder's thread (full disk) is raised as StylizerError by every
    later `add`, else by `close`; whole fragments written before it stay playable.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: float | None = None,
        audio: Path | GameSound | None = None,
    ) -> None:
        path = Path(path)
        _check(path, size, rate, audio if isinstance(audio, Path) else None)
        self.path = path
        self._live_sound = None if isinstance(audio, Path) else audio
        try:
            self._encoder = Encoder(path, size, rate, audio)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be recorded: {error}") from error
        self._waiting: Waiting[tuple[np.ndarray, float] | None] = Waiting()
        self._failure: StylizerError | None = None  # set by the thread, raised by the caller's
        self._told = False
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name="record", daemon=True
        )
        self._thread.start()

    @property
    def frames(self) -> int:
        """Frames encoded so far."""
        return self._encoder.frames

    def add(self, rgb: np.ndarray, time_s: float) -> None:
        """Take uint8 (height, width, 3 RGB or 4 RGBA); waits only while the encoder is behind.

        time_s: seconds on any clock that does not run backwards; used when rate is None.
        """
        if self._failure:
            self._told = True
            raise self._failure
        if self._thread is None:
            raise ValueError("the recording is closed")
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] not in (3, 4) or not rgb.size:
            raise ValueError(f"a recording takes uint8 (h, w, 3 or 4), not {rgb.dtype} {rgb.shape}")
        # A copy, because callers reuse their buffers (0.5 ms at 720p).
        self._waiting.give((np.array(rgb, order="C"), time_s))

    def close(self) -> None:
        """Finish the file and join the thread; may be called twice. Raises a failure not yet seen.

        A recording without frames leaves no file.
        """
        thread = self._thread
        if thread is not None:
            self._waiting.give(None)
            thread.join()  # perhaps of two threads at once, see system/ending.py
            self._thread = None
        if self._live_sound is not None:
            self._live_sound.close()
        if self._failure and not self._told:
            self._told = True
            raise self._failure

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self) -> None:
        """The encoder's thread. However it ends, nobody waits for it any longer."""
        try:
            while item := self._waiting.take():
                self._encoder.add(*item)
            self._encoder.close()
        except BaseException as error:
            self._fail(error)
        finally:
            self._waiting.ended.set()

    def _fail(self, error: BaseException) -> None:
        kept = False
        with contextlib.suppress(BaseException):  # the first failure is told, and always told
            kept = self._encoder.rescue()
        rest = "what was written before can be played" if kept else "nothing of it could be kept"
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            reason = "the disk is full"
        elif isinstance(error, OSError) and error.errno == errno.ENXIO:
            reason = "nobody reads that pipe"
        else:
            reason = str(error)
        message = f"the recording {self.path} stopped after {self.frames} frames, {rest}: {reason}"
        failure = BadInput(reason) if isinstance(error, BadInput) else StylizerError(message)
        failure.__cause__ = error
        self._failure = failure


def check_recordable(path: Path) -> None:
    """Raise BadInput unless a recording can be written at `path`; touches nothing."""
    if Path(path).suffix.lower() not in CONTAINERS:
        raise BadInput(f"cannot record to {path}: name a file that ends in .mp4 or .mkv")
    check_writable(path)
    check_unlocked(path)


def _check(path: Path, size: tuple[int, int], rate: float | None, video: Path | None) -> None:
    check_recordable(path)
    if min(size) < 1:
        raise BadInput(f"cannot record to {path}: the size {size} has no pixels")
    if rate is not None and not 0 < rate <= 1000:
        raise BadInput(f"cannot record to {path}: {rate} frames a second is no frame rate")
    check_apart(path, video)


def check_apart(path: Path, video: Path | None) -> None:
    """Raise BadInput where a recording would be written over the video that is being read."""
    if video is None or not (path.exists() and video.exists()):
        return
    if path.samefile(video):
        raise BadInput(f"cannot record to {path}: it is the video being read; name another file")
