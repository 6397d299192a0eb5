"""Live pictures of the windows that are open, for the start window: a thread of its own looks."""

from __future__ import annotations

import threading
import time

import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import IDLE, Frame, Size
from stylizer.settings import Settings
from stylizer.source.x11.window import WindowSource
from stylizer.source.x11.window_list import WindowInfo, list_windows
from stylizer.stages import SourceEnded
from stylizer.style.scaling import resize
from stylizer.system.priority import give_way
from stylizer.system.x11 import Display

LARGEST: Size = (480, 270)
LIST_S, LOOK_S = 1.0, 0.2  # between looks for new windows, and at those that are known
READS = 3  # of a window at each look, 20 ms at most each
MOST = 24  # windows that are looked at; more are named alone


class Previews:
    """`windows`: what is open, the last active first; replaced, never changed, by the thread."""

    def __init__(self) -> None:
        self.windows: tuple[WindowInfo, ...] = ()
        self._ready: dict[int, np.ndarray] = {}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="previews", daemon=True)
        self._thread.start()

    def take(self) -> dict[int, np.ndarray]:
        """New pictures since the last call: window's id -> uint8 (height, width, 3) RGB. Raises
        what ended the thread."""
        if self._error is not None:
            raise self._error
        with self._lock:
            ready, self._ready = self._ready, {}
        return ready

    def close(self) -> None:
        """Let every window go; waits for it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        give_way()
        sources: dict[int, WindowSource | None] = {}  # None: it cannot be captured
        display = None
        try:
            display = Display()
            listed_at = float("-inf")
            while not self._stop.is_set():
                if time.monotonic() - listed_at >= LIST_S:
                    self.windows, listed_at = tuple(list_windows(display)), time.monotonic()
                self._look(sources)
                self._stop.wait(LOOK_S)
        except BaseException as error:
            self._error = error
        finally:
            for source in sources.values():
                if source is not None:
                    source.close()
            if display is not None:
                display.close()

    def _look(self, sources: dict[int, WindowSource | None]) -> None:
        there = {window.id for window in self.windows}
        for gone in [i for i in sources if i not in there]:
            source = sources.pop(gone)
            if source is not None:
                source.close()
        for window in self.windows[:MOST]:
            if self._stop.is_set():
                return
            try:
                if window.id not in sources:
                    sources[window.id] = None
                    sources[window.id] = WindowSource(Settings(window=f"0x{window.id:x}"))
                frame = _read(sources[window.id])
            except (StylizerError, SourceEnded):
                continue  # closed in this moment, or not to be captured: its name alone stays
            if frame is not None:
                picture = smaller(frame.rgb())
                with self._lock:
                    self._ready[window.id] = picture


def _read(source: WindowSource | None) -> Frame | None:
    """The newest frame, if there is a new one; a covered window is asked to draw itself first."""
    for _ in range(READS if source is not None else 0):
        assert source is not None
        frame = source.read(IDLE)
        if frame is not None:
            return frame
    return None


def smaller(pixels: np.ndarray) -> np.ndarray:
    """A picture within LARGEST, in its own shape."""
    height, width = pixels.shape[:2]
    factor = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return resize(np.ascontiguousarray(pixels), size)
