"""From source to styled frame: the capture and style threads, and the newest-frame slot between.

Two stylists with one face: `SyncStylist` captures and styles one by one when asked (lock-step),
`LiveStylist` lets capture, style and present overlap and always gives the newest result.

Threads and what they own: "capture" owns the source (and its GL context); "style" owns the running
session in a live stylist; the main thread owns everything else. Slots are the only shared state.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from stylizer.frame import IDLE, Frame, InputState, StyledFrame
from stylizer.stages import Source
from stylizer.system.slot import Slot

POLL_S = 0.1  # how often a waiting thread looks whether it should stop
# A rendered frame that waits for the network is made anew this often: rendering as fast as it can
# took a third of the two cores from a network that styles one frame a second.
STALE_S = 0.1


@dataclass(frozen=True, eq=False)
class Captured:
    """A frame and how long its `read` took."""

    frame: Frame
    capture_ms: float


@dataclass(frozen=True, eq=False)
class Shown:
    """A pair to present; `warmup` ones are shown but not counted."""

    styled: StyledFrame
    capture_ms: float
    warmup: bool = False


class CaptureThread:
    """Opens, reads and closes the source on a thread of its own.

    on_demand: read once per `request()` (lock-step) instead of as fast as the source gives.
    """

    def __init__(self, open_source: Callable[[], Source], on_demand: bool) -> None:
        self.slot: Slot[Captured] = Slot()
        self.newest: Captured | None = None
        self.inputs = IDLE
        self.paused = False  # nobody looks: nothing is read
        self.eager = False  # read at full rate even when frames wait (the source key is held)
        self.interval_s = 0.0  # at least so long from one frame to the next
        self._read_at = 0.0
        self.source: Source | None = None
        self._open_source = open_source
        self._on_demand = on_demand
        self._go = threading.Event()
        self._stop = threading.Event()
        self._opened = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def wait_open(self) -> Source:
        """The opened source; raises what opening it raised."""
        self._opened.wait()
        if self.source is None:
            assert self._error is not None
            raise self._error
        return self.source

    def request(self) -> None:
        """Ask for one frame (on demand), or let frames flow (otherwise)."""
        self._go.set()

    def stop(self) -> None:
        self._stop.set()
        self._go.set()
        self._thread.join()

    @property
    def dropped(self) -> int:
        """Frames captured or due, but never styled."""
        return self.slot.overwritten + (self.source.skipped if self.source else 0)

    def _run(self) -> None:
        try:
            self.source = self._open_source()
        except BaseException as error:
            self._error = error
            return
        finally:
            self._opened.set()
        try:
            self._read_all(self.source)
        except BaseException as error:
            self.slot.end(error)
        finally:
            self.source.close()

    def _read_all(self, source: Source) -> None:
        # The first frame is read at once; the next ones when the run has warmed up.
        while not self._read(source) and not self._stop.is_set():
            pass
        while not self._stop.is_set():
            if not self._go.wait(POLL_S):
                continue
            if self._stop.is_set():
                break
            if self.paused:
                self._stop.wait(POLL_S)
                continue
            wait_s = self._read_at + self.interval_s - time.perf_counter()
            if wait_s > 0 and not self.eager:
                self._stop.wait(min(wait_s, POLL_S))
                continue
            if self._on_demand:
                self._go.clear()
            elif source.renders and not self.eager:
                self.slot.wait_taken(STALE_S)
            while not self._read(source) and self._on_demand and not self._stop.is_set():
                pass  # lock-step on a live source: its next frame, whenever it comes

    def _read(self, source: Source) -> bool:
        inputs, self.inputs = self.inputs, IDLE
        started = time.perf_counter()
        frame = source.read(inputs)
        if frame is not None:
            self._read_at = started
            captured = Captured(frame, (time.perf_counter() - started) * 1000)
            self.newest = captured
            self.slot.put(captured)
        return frame is not None


class SyncStylist:
    """Lock-step: every frame captured, styled and handed over, one by one, on the main thread."""

    def __init__(self, capture: CaptureThread, style: Callable[[Frame], StyledFrame], warmup: int):
        self._capture = capture
        self._style = style
        self._warmup_left = warmup
        self._first: Captured | None = None
        self._asked = True  # the capture thread reads the first frame unasked
        self.newest: Captured | None = None

    def next(self, timeout_s: float) -> Shown | None:
        """The next pair. Raises SourceEnded at the end, and any error of source or session."""
        captured = self._first or self._capture_one(timeout_s)
        if captured is None:
            return None
        self.newest = captured
        styled = self._style(captured.frame)
        if not self._warmup_left:
            self._first = None
            return Shown(styled, captured.capture_ms)
        self._warmup_left -= 1
        # Warming up repeats the first frame; the counted one is stamped as if captured just now.
        now = time.perf_counter()
        self._first = replace(captured, frame=replace(captured.frame, captured_at=now))
        return Shown(styled, captured.capture_ms, warmup=True)

    def _capture_one(self, timeout_s: float) -> Captured | None:
        if not self._asked:
            self._capture.request()
            self._asked = True
        captured = self._capture.slot.take(max(timeout_s, POLL_S))
        self._asked = captured is None
        return captured

    def steer(self, inputs: InputState, eager: bool) -> None:
        """Hand camera input to the source; eager does not matter here."""
        self._capture.inputs = inputs

    def pause(self, on: bool) -> None:
        """Nothing: in lock-step every frame counts, seen or not."""

    def pace(self, interval_s: float) -> None:
        """Nothing, for the same reason."""

    @property
    def dropped(self) -> int:
        return 0

    def close(self) -> None:
        self._capture.stop()


class LiveStylist:
    """Capture and style on threads of their own; the newest styled frame wins."""

    def __init__(self, capture: CaptureThread, style: Callable[[Frame], StyledFrame], warmup: int):
        self._capture = capture
        self._style = style
        self._warmup = max(1, warmup)
        self._styled: Slot[Shown] = Slot()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="style", daemon=True)
        self._thread.start()

    @property
    def newest(self) -> Captured | None:
        """The newest captured frame, for showing the source."""
        return self._capture.newest

    def next(self, timeout_s: float) -> Shown | None:
        """The newest pair not given yet, or None. Raises SourceEnded and the threads' errors."""
        return self._styled.take(timeout_s)

    def steer(self, inputs: InputState, eager: bool) -> None:
        """Hand camera input to the source; eager: the source itself is looked at, at full rate."""
        self._capture.eager = eager
        if not inputs.idle:
            self._capture.inputs = inputs

    def pause(self, on: bool) -> None:
        """Read and style nothing while nobody sees it; the newest frame counts afterwards."""
        self._capture.paused = on

    def pace(self, interval_s: float) -> None:
        """Read frames no sooner than so long one after another; 0: as they come."""
        self._capture.interval_s = interval_s

    @property
    def dropped(self) -> int:
        return self._capture.dropped

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._capture.stop()

    def _run(self) -> None:
        try:
            self._style_all()
        except BaseException as error:
            self._styled.end(error)

    def _style_all(self) -> None:
        left = self._warmup
        while not self._stop.is_set():
            captured = self._capture.slot.take(POLL_S)
            if captured is None:
                continue
            while left and not self._stop.is_set():
                styled = self._style(captured.frame)
                self._styled.put(Shown(styled, captured.capture_ms, warmup=True))
                left -= 1
                now = time.perf_counter()
                captured = replace(captured, frame=replace(captured.frame, captured_at=now))
            self._capture.request()  # from here on frames flow
            styled = self._style(captured.frame)
            self._styled.put(Shown(styled, captured.capture_ms))


Stylist = SyncStylist | LiveStylist


def open_stylist(
    open_source: Callable[[], Source],
    style: Callable[[Frame], StyledFrame],
    sync: bool,
    warmup: int,
) -> tuple[Stylist, Source]:
    """Start the threads and wait for the source; raises what opening the source raised."""
    capture = CaptureThread(open_source, on_demand=sync)
    try:
        source = capture.wait_open()
    except BaseException:
        capture.stop()
        raise
    return (SyncStylist if sync else LiveStylist)(capture, style, warmup), source
