"""What a run leaves on disk: recording, pictures, screenshot; checked before all else starts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from stylizer.errors import StylizerError
from stylizer.frame import Frame
from stylizer.settings import Settings

if TYPE_CHECKING:
    import numpy as np

    from stylizer.present.record import Recorder

SCENE_RATE = 30.0  # lock-step scene time is 1/30 s a frame


class Outputs:
    """Writes finished pictures; never holds the HUD. Main thread only."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadInput when something named cannot be written."""
        from stylizer.present import record
        from stylizer.system import files

        self._settings = settings
        self._record = record
        self._files = files
        self._recorder: Recorder | None = None
        self._path = settings.record
        self._started_at = 0.0
        for path in (settings.screenshot, settings.report):
            if path is not None:
                files.check_writable(path)
        if settings.record is not None:
            record.check_recordable(settings.record)
        self._folder = None if settings.output is None else files.OutputFolder(settings.output)

    @property
    def wants_pictures(self) -> bool:
        """True when every new picture must be read back."""
        return self._path is not None or self._folder is not None

    @property
    def recording(self) -> bool:
        return self._path is not None

    @property
    def recorded_s(self) -> float:
        return time.perf_counter() - self._started_at if self._recorder else 0.0

    def start_recording(self, path: Path) -> None:
        """Begin a recording with the next picture (the R key)."""
        self._record.check_recordable(path)
        self._path = path

    def toggle_recording(self) -> str:
        """What the R key does; the message to show. Raises StylizerError (disk full)."""
        if self.recording:
            return f"saved {self.stop_recording()}"
        path = free_path("recording", ".mp4")
        self.start_recording(path)
        return f"recording {path}"

    def stop_recording(self) -> Path | None:
        """Finish the recording, if one runs; returns its file. Raises StylizerError (disk full)."""
        path, self._path = self._path, None
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()
        return path

    def add(self, frame: Frame, picture: np.ndarray) -> None:
        """One finished picture, uint8 (height, width, 4)."""
        if self._folder is not None:
            self._folder.write(picture, frame.name)
        if self._path is None:
            return
        if self._recorder is None:
            video = self._settings.source == "video" and self._settings.sync
            sound = self._settings.input if video else None
            size = (picture.shape[1], picture.shape[0])
            self._recorder = self._record.Recorder(
                self._path, size, recording_rate(self._settings), sound
            )
            self._started_at = time.perf_counter()
        clock_s = time.perf_counter() - self._started_at
        self._recorder.add(picture, clock_s if frame.media_time_s is None else frame.media_time_s)

    def screenshot(self, path: Path, picture: np.ndarray) -> None:
        """Write a PNG, whole or not at all. Raises StylizerError when the disk is full."""
        self._files.write_png(path, picture)

    def close(self) -> None:
        """Finish what is open; the recording stays playable."""
        self.stop_recording()


def recording_rate(settings: Settings) -> float | None:
    """Frames a second of a lock-step recording; None: each frame's own time (a video's time
    stamps, so that sound and variable rates stay right) or, live, the clock."""
    if not settings.sync or settings.source == "video":
        return None
    return settings.fps or SCENE_RATE


def free_path(stem: str, suffix: str) -> Path:
    """stylizer-STEM-001.SUFFIX in the working folder, the first number that is not taken."""
    for number in range(1, 100_000):
        path = Path(f"stylizer-{stem}-{number:03d}{suffix}")
        if not path.exists():
            return path
    raise StylizerError(f"the folder {Path.cwd()} is full of stylizer-{stem} files; move some away")
