"""A window of another program on Windows, by Windows.Graphics.Capture (package windows-capture).

Type-checked against the package's interface (typings/), never run: we have no Windows machine. The
system gives the window's own pixels, covered or not, and a picture only when it was drawn anew.
"""

from __future__ import annotations

import time
from typing import Any, final

import numpy as np
import windows_capture

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.stages import Source, SourceEnded
from stylizer.system.slot import Slot

WAIT_S = 0.010
FIRST_S = 5.0  # a window that draws nothing for so long is minimized
AGAIN_S = 0.5  # with --wait: how often a closed window is looked for


@final
class WindowSource(Source):
    """Newest frames of the window whose title holds `settings.window`, or of 0xHWND, BGRA.

    Raises BadInput when there is none, StylizerError when it gives no picture; `read` raises
    SourceEnded when it was closed, or waits for it to come back with settings.wait.
    """

    def __init__(self, settings: Settings) -> None:
        self._target = target(settings.window or "")
        self._wait = settings.wait
        self._number = self._skipped = 0
        self._control: windows_capture.CaptureControl | None = None
        self._again_at = 0.0
        self.state = ""
        self.capture_method = f"Windows.Graphics.Capture: {settings.window}"
        self._start()
        self._first = self._slot.take(FIRST_S)
        if self._first is None:
            self.close()
            raise StylizerError(
                f"the window {settings.window!r} gave no picture within {FIRST_S:.0f} s: restore "
                "it if it is minimized"
            )
        self.size = (self._first[0].shape[1], self._first[0].shape[0])

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read."""
        if self._control is None:
            self._look_for_it()
            return None
        picture, self._first = self._first or self._slot.take(WAIT_S), None
        self.skipped = self._skipped + self._slot.overwritten
        if picture is None:
            if self._slot.ended:
                self._closed()
            return None
        pixels, captured_at = picture
        self.size = (pixels.shape[1], pixels.shape[0])
        self._number += 1
        return Frame(pixels, "BGRA", captured_at, self._number - 1)

    def close(self) -> None:
        """Let the window go; may be called twice."""
        control, self._control = self._control, None
        if control is not None and not control.is_finished():
            control.stop()

    def _start(self) -> None:
        slot = Slot[tuple[np.ndarray, float]]()
        capture = windows_capture.WindowsCapture(cursor_capture=False, **self._target)

        # The package tells the two handlers apart by these names.
        def on_frame_arrived(
            frame: windows_capture.Frame, _: windows_capture.InternalCaptureControl
        ) -> None:
            pixels = frame.frame_buffer.copy()  # a view of memory that is given back
            slot.put((pixels, time.perf_counter()))

        def on_closed() -> None:
            slot.end()

        capture.event(on_frame_arrived)
        capture.event(on_closed)
        try:
            self._control = capture.start_free_threaded()
        except Exception as error:  # all of the package's errors are plain Exceptions
            raise BadInput(f"no window can be captured for {self._target}: {error}") from error
        self._slot = slot

    def _closed(self) -> None:
        self.close()
        if not self._wait:
            raise SourceEnded("the window was closed")
        self.state = "closed"
        self._skipped += self._slot.overwritten

    def _look_for_it(self) -> None:
        time.sleep(WAIT_S)
        if time.perf_counter() < self._again_at:
            return
        self._again_at = time.perf_counter() + AGAIN_S
        try:
            self._start()
            self.state = ""
        except BadInput:
            pass  # not back yet


def target(wanted: str) -> dict[str, Any]:
    """The package's way of naming the window. Raises BadInput for what it cannot name."""
    kind, colon, _ = wanted.partition(":")
    if colon and kind in ("pid", "class"):
        raise BadInput(f"--window {wanted}: on Windows give a part of the title or 0xHWND")
    if not wanted.lower().startswith("0x"):
        return {"window_name": wanted}
    try:
        return {"window_hwnd": int(wanted, 16)}
    except ValueError as error:
        raise BadInput(f"--window {wanted}: {wanted!r} is no number") from error
