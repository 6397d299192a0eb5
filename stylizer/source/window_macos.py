"""A window of another program on macOS 12.3 or newer, by ScreenCaptureKit (pyobjc).

Type-checked as far as pyobjc's runtime-made names allow (typings/), never run: we have no Mac. The
selectors are those of the package's own metadata. The system gives the window's own pixels, covered
or not, and a picture only when it was drawn anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, final

import CoreMedia
import numpy as np
import objc
import Quartz
import ScreenCaptureKit as Kit
from dispatch import DISPATCH_QUEUE_SERIAL, dispatch_queue_create
from Foundation import NSObject

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.stages import Source, SourceEnded
from stylizer.system.slot import Slot

WAIT_S = 0.010
ANSWER_S = 5.0
LOOK_S = 0.5  # how often the window's size and state are asked for


class Output(NSObject):
    """What the stream calls: SCStreamOutput and SCStreamDelegate."""

    slot: Slot[tuple[np.ndarray, float]]

    def stream_didOutputSampleBuffer_ofType_(self, _: Any, sample: Any, kind: int) -> None:
        if kind == Kit.SCStreamOutputTypeScreen:
            pixels = pixels_of(CoreMedia.CMSampleBufferGetImageBuffer(sample))
            if pixels is not None:
                self.slot.put((pixels, time.perf_counter()))

    def stream_didStopWithError_(self, _: Any, error: Any) -> None:
        self.slot.end()  # so the system says that the window was closed


@final
class WindowSource(Source):
    """Newest frames of the window `settings.window` (part of its title, 0xID, pid:N), BGRA.

    Raises BadInput when none matches, StylizerError without the right to record the screen; `read`
    raises SourceEnded when it was closed, or waits for it to come back with settings.wait.
    """

    def __init__(self, settings: Settings) -> None:
        if not Quartz.CGPreflightScreenCaptureAccess():
            Quartz.CGRequestScreenCaptureAccess()
            raise StylizerError(
                "macOS does not let this program record the screen: allow it in System Settings, "
                "Privacy & Security, Screen Recording, and start again"
            )
        self._wanted, self._wait = settings.window or "", settings.wait
        self._slot = Slot[tuple[np.ndarray, float]]()
        self._stream: Any = None
        self._number, self._look_at = 0, 0.0
        self.state = ""
        self._start()

    def read(self, inputs: InputState) -> Frame | None:
        """See stages.Source.read."""
        if self._stream is None:
            self._look_for_it()
            return None
        picture = self._slot.take(WAIT_S)
        self.skipped = self._slot.overwritten
        if time.perf_counter() > self._look_at:
            self._follow()
        if picture is None:
            if self._slot.ended:
                self._closed()
            return None
        pixels, captured_at = picture
        self._number += 1
        return Frame(pixels, "BGRA", captured_at, self._number - 1)

    def close(self) -> None:
        """Let the window go; may be called twice."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stopCaptureWithCompletionHandler_(lambda error: None)

    def _start(self) -> None:
        window = find_window(shareable_windows(), self._wanted)
        self._id, self._slot = int(window.windowID()), Slot[tuple[np.ndarray, float]]()
        self.capture_method = f"macOS ScreenCaptureKit: {window.title()!r}"
        content = Kit.SCContentFilter.alloc().initWithDesktopIndependentWindow_(window)
        self.size = size_of(window, content)
        self._output = Output.alloc().init()
        self._output.slot = self._slot
        stream = Kit.SCStream.alloc().initWithFilter_configuration_delegate_(
            content, configuration(self.size), self._output
        )
        queue = dispatch_queue_create(b"stylizer.capture", DISPATCH_QUEUE_SERIAL)
        added, error = stream.addStreamOutput_type_sampleHandlerQueue_error_(
            self._output, Kit.SCStreamOutputTypeScreen, queue, None
        )
        if not added:
            raise StylizerError(f"the window cannot be captured: {error}")
        (error,) = answer(stream.startCaptureWithCompletionHandler_)
        if error is not None:
            raise StylizerError(f"the window cannot be captured: {error.localizedDescription()}")
        self._stream, self._look_at = stream, time.perf_counter() + LOOK_S

    def _follow(self) -> None:
        """Notice a resize and whether the window is on the screen."""
        self._look_at = time.perf_counter() + LOOK_S
        same = [w for w in shareable_windows() if int(w.windowID()) == self._id]
        if not same:
            return  # the stream itself says when the window was closed
        self.state = "" if same[0].isOnScreen() else "minimized"
        content = Kit.SCContentFilter.alloc().initWithDesktopIndependentWindow_(same[0])
        size = size_of(same[0], content)
        if size != self.size:
            self.size = size
            self._stream.updateConfiguration_completionHandler_(
                configuration(size), lambda error: None
            )

    def _closed(self) -> None:
        self.close()
        if not self._wait:
            raise SourceEnded("the window was closed")
        self.state = "closed"

    def _look_for_it(self) -> None:
        time.sleep(WAIT_S)
        if time.perf_counter() > self._look_at:
            self._look_at = time.perf_counter() + LOOK_S
            try:
                self._start()
                self.state = ""
            except BadInput:
                pass  # not back yet


def pixels_of(image: Any) -> np.ndarray | None:
    """uint8 (height, width, 4), a copy; None for an idle frame, which has no image."""
    if image is None:
        return None
    Quartz.CVPixelBufferLockBaseAddress(image, Quartz.kCVPixelBufferLock_ReadOnly)
    try:
        width, height = Quartz.CVPixelBufferGetWidth(image), Quartz.CVPixelBufferGetHeight(image)
        row = Quartz.CVPixelBufferGetBytesPerRow(image)
        memory = Quartz.CVPixelBufferGetBaseAddress(image).as_buffer(row * height)
        rows = np.frombuffer(memory, np.uint8).reshape(height, row)
        return rows[:, : 4 * width].reshape(height, width, 4).copy()
    finally:
        Quartz.CVPixelBufferUnlockBaseAddress(image, Quartz.kCVPixelBufferLock_ReadOnly)


def configuration(size: tuple[int, int]) -> Any:
    """BGRA at this size, at most 60 pictures a second, without the mouse pointer."""
    made = Kit.SCStreamConfiguration.alloc().init()
    made.setWidth_(size[0])
    made.setHeight_(size[1])
    made.setPixelFormat_(Quartz.kCVPixelFormatType_32BGRA)
    made.setMinimumFrameInterval_(CoreMedia.CMTimeMake(1, 60))
    made.setShowsCursor_(False)
    return made


def size_of(window: Any, content: Any) -> tuple[int, int]:
    """(width, height) in pixels; the system counts in points (pointPixelScale is of macOS 14)."""
    scale = content.pointPixelScale() if content.respondsToSelector_("pointPixelScale") else 1.0
    size = window.frame().size
    return max(1, round(size.width * scale)), max(1, round(size.height * scale))


def shareable_windows() -> list[Any]:
    """All windows with a title. Raises StylizerError when the system does not tell."""
    content, error = answer(Kit.SCShareableContent.getShareableContentWithCompletionHandler_)
    if content is None:
        raise StylizerError(f"macOS does not list the windows: {error}")
    return [w for w in content.windows() if w.title()]


def find_window(windows: list[Any], wanted: str) -> Any:
    """The window meant by --window. Raises BadInput, listing what there is."""
    kind, _, rest = wanted.partition(":")
    if wanted.lower().startswith("0x"):
        found = [w for w in windows if f"0x{int(w.windowID()):x}" == wanted.lower()]
    elif kind == "pid":
        owned = [w for w in windows if w.owningApplication() is not None]
        found = [w for w in owned if str(w.owningApplication().processID()) == rest]
    else:
        found = [w for w in windows if wanted.lower() in w.title().lower()]
    if not found:
        there = "; ".join(f"0x{int(w.windowID()):x} {w.title()!r}" for w in windows)
        raise BadInput(f"no window matches {wanted!r}; there are: {there or 'none'}")
    return found[0]


def answer(ask: Callable[[Callable[..., None]], Any]) -> tuple[Any, ...]:
    """Wait for what a completion handler is given. Raises StylizerError when it is never called."""
    got: list[tuple[Any, ...]] = []
    there = threading.Event()

    def handler(*values: Any) -> None:
        got.append(values)
        there.set()

    with objc.autorelease_pool():
        ask(handler)
        if not there.wait(ANSWER_S):
            raise StylizerError(f"macOS gave no answer within {ANSWER_S:.0f} s")
    return got[0]
