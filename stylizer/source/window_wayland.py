"""A window on Wayland, by the desktop's portal and PipeWire (package pipewire-capture).

Type-checked against the package's interface (typings/), never run: it needs a Wayland desktop and a
user. The desktop itself asks which window; programs cannot name one there.
"""

from __future__ import annotations

import time
from typing import final

import numpy as np
import pipewire_capture

from stylizer.errors import StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.stages import Source, SourceEnded

PERIOD_S = 1 / 60  # the package keeps the newest picture and tells nobody: it is looked at so often
WAIT_S = 0.015
FIRST_S = 5.0


@final
class PortalSource(Source):
    """Newest frames of the window that the user picks in the desktop's own dialog, BGRA.

    Raises StylizerError without a portal, when the user cancels, or when no picture comes; `read`
    raises SourceEnded when the window is closed, StylizerError when the stream breaks.
    """

    def __init__(self, settings: Settings) -> None:
        self._stream: pipewire_capture.CaptureStream | None = None
        self._session = pick_in_portal()
        s = self._session
        self._number = 0
        self._last = np.empty((0, 0, 4), np.uint8)
        self._due = time.perf_counter()
        self.capture_method = "Wayland portal (PipeWire): the window picked"
        try:
            # 0: every picture; the package's own default is four a second.
            self._stream = pipewire_capture.CaptureStream(s.fd, s.node_id, s.width, s.height, 0.0)
            self._stream.start()
            self._first = self._wait_for_first()
        except RuntimeError as error:
            self.close()
            raise StylizerError(f"the window cannot be captured: {error}") from error
        except BaseException:
            self.close()
            raise
        self.size = (self._first.shape[1], self._first.shape[0])

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read: None while the picture is the last one."""
        now = time.perf_counter()
        if now < self._due:
            time.sleep(min(self._due - now, WAIT_S))
        self._due = max(self._due + PERIOD_S, now)
        captured_at = time.perf_counter()
        pixels = self._picture()
        if pixels is None or np.array_equal(pixels, self._last):
            return None
        self._last = pixels  # an array of its own for each call
        self.size = (pixels.shape[1], pixels.shape[0])
        self._number += 1
        return Frame(pixels, "BGRA", captured_at, self._number - 1)

    def close(self) -> None:
        """End the capture and the portal's session; may be called twice."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stop()
        self._session.close()

    def _picture(self) -> np.ndarray | None:
        stream = self._stream
        if stream is None:
            raise SourceEnded("the window was let go")
        if stream.window_invalid:
            if stream.error:
                raise StylizerError(f"the capture of the window broke: {stream.error}")
            raise SourceEnded("the window was closed")
        return stream.get_frame()

    def _wait_for_first(self) -> np.ndarray:
        deadline = time.perf_counter() + FIRST_S
        while time.perf_counter() < deadline:
            pixels = self._picture()
            if pixels is not None:
                return pixels
            time.sleep(PERIOD_S)
        raise StylizerError(f"the window gave no picture within {FIRST_S:.0f} s")


def pick_in_portal() -> pipewire_capture.PortalSession:
    """Let the desktop ask for a window; blocks until the user has answered."""
    if not pipewire_capture.is_available():
        raise StylizerError(
            "the desktop has no ScreenCast portal: install xdg-desktop-portal and its part for "
            "your desktop"
        )
    try:
        session = pipewire_capture.PortalCapture().select_window()
    except RuntimeError as error:
        raise StylizerError(f"the desktop's portal gave no window: {error}") from error
    if session is None:
        raise StylizerError("no window was picked: canceled in the desktop's dialog")
    return session
