"""Frames just seen, one a second as JPEG in a folder, bounded in number and size."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from PIL import Image

from stylizer.errors import StylizerError
from stylizer.frame import Frame, Size
from stylizer.system.files import atomic_write
from stylizer.system.priority import give_way

EVERY_S = 1.0
MOST = 60  # frames that are kept: the last minute, some 10 MB
LARGEST: Size = (960, 540)
QUALITY = 90
CLOSE_S = 0.2
NAME = "seen-{:02d}.jpg"


class RecentFrames:
    """Keeps what `look` is shown; a thread that gives way writes. Closed by `close`.

    failed: why the last one could not be written, "" where it could.
    """

    def __init__(self, folder: Path) -> None:
        self.failed = ""
        self._folder, self._next_s = folder, 0.0
        self._frame: Frame | None = None
        self._there, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="seen", daemon=True)
        self._thread.start()

    def look(self, frame: Frame, at_s: float) -> None:
        """A frame that is shown at this time; one a second of them is kept."""
        if at_s >= self._next_s:
            self._next_s = at_s + EVERY_S
            self._frame = frame
            self._there.set()

    def close(self) -> None:
        """Write no more; waits for the frame that is being written, not for long: the thread gives
        way, the one that waits draws."""
        self._stop.set()
        self._there.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        give_way()
        number = 0
        while self._there.wait() and not self._stop.is_set():
            self._there.clear()
            assert self._frame is not None
            try:
                write(self._folder / NAME.format(number % MOST), self._frame)
                number, self.failed = number + 1, ""
            except StylizerError as error:  # a full disk: the training goes on without
                self.failed = str(error)


def write(path: Path, frame: Frame) -> None:
    """One frame, within LARGEST. Raises StylizerError when it cannot be written."""
    from stylizer.style.scaling import resize

    pixels = np.ascontiguousarray(frame.rgb())
    height, width = pixels.shape[:2]
    factor = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    with atomic_write(path) as file:
        Image.fromarray(resize(pixels, size)).save(file, "JPEG", quality=QUALITY)
