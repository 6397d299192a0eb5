"""The ends that a program does not choose: signals, a closed terminal, an X server that is gone.

A signal first interrupts the main thread, as Ctrl+C does in Python. A main thread that does not
come back (it waits in a library, or for a thread that waits) is given up after a grace: what
`saving` named is saved from another thread, and the process ends.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from stylizer.system.terminal import tell

INTERRUPTED = 130
GRACE_S = 1.2  # with SAVE_S below the 2 s in which Ctrl+C ends any state
SAVE_S = 0.6
SAVE_ALONE_S = 10.0  # where nobody waits at the keyboard
SAVE_AT_ONCE_S = 0.3  # where somebody presses Ctrl+C again: a report takes a few ms
WORDS_S = 0.2  # to say why: a terminal may have been stopped (Ctrl+S) or closed
AGAIN_S = 0.02  # until a signal that came while a module was loaded is tried anew
SIGNALS = [signal.SIGINT, signal.SIGTERM]
SIGNALS += [signal.SIGHUP] if sys.platform != "win32" else []
CUT_OFF = (
    "interrupted; what was still being waited for (a file, a model, another program) was cut off"
)
_OVER = 0  # what the watcher is sent when the command is over; no signal has this number

Save = Callable[[str], object]
_saves: list[Save] = []
_giving_up = threading.Lock()


@contextmanager
def saving(save: Save) -> Iterator[None]:
    """While the block runs, `save` is called, on any thread and at most once, before the process
    is given up; it is told why in one sentence."""
    _saves.append(save)
    try:
        yield
    finally:
        _saves.remove(save)


def give_up(why: str, code: int, save_s: float = SAVE_ALONE_S) -> NoReturn:
    """Save what is to be saved, say why and end the process, from any thread."""
    if not _giving_up.acquire(blocking=False):
        stay_if_given_up()

    def save_all() -> None:
        for save in reversed(_saves):
            with contextlib.suppress(BaseException):
                save(why)

    def say() -> None:
        with contextlib.suppress(Exception):  # the terminal may be what has gone
            tell(why)

    for step, within_s in ((save_all, save_s), (say, WORDS_S)):
        thread = threading.Thread(target=step, daemon=True)
        thread.start()
        thread.join(within_s)
    os._exit(code)


def stay_if_given_up() -> None:
    """Go no further where another thread saves and ends the process: what this one has to say of
    the run's end would be of that."""
    if _giving_up.locked():
        threading.Event().wait()


class _Interrupts:
    """What the handlers know. Main thread, as Python runs handlers there."""

    def __init__(self) -> None:
        self.undisturbed = 0
        self.came = False

    def handle(self, _: int, frame: FrameType | None) -> None:
        """Interrupt once: a closing terminal sends several signals, and the second would stop the
        writing of what the first one left to write."""
        if not self.came and not self.undisturbed and _imports(frame):
            again = threading.Timer(AGAIN_S, _thread.interrupt_main, [signal.SIGTERM])
            again.daemon = True
            again.start()
            return
        first, self.came = not self.came, True
        if first and not self.undisturbed:
            raise KeyboardInterrupt


def _imports(frame: FrameType | None) -> bool:
    """Whether a module is being loaded. An exception in the middle of an extension's start aborts
    the process (onnxruntime's, by pybind11)."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


_interrupts = _Interrupts()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals wait until the block is over; KeyboardInterrupt is then raised for a new one."""
    before = _interrupts.came
    _interrupts.undisturbed += 1
    try:
        yield
    finally:
        _interrupts.undisturbed -= 1
    if _interrupts.came and not before and not _interrupts.undisturbed:
        raise KeyboardInterrupt


@contextmanager
def on_signals(grace_s: float = GRACE_S) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the block, and end the process when it
    does not end within `grace_s`; a second SIGINT ends it at once, with what can be saved within
    SAVE_AT_ONCE_S. Main thread only.

    A signal that was ignored at the start stays ignored (nohup).
    """
    global _interrupts
    _interrupts = _Interrupts()
    taken = [s for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, _interrupts.handle) for s in taken}
    heard, sent = socket.socketpair()
    sent.setblocking(False)
    # The byte is written when the signal comes, also while the main thread runs no Python.
    before_fd = signal.set_wakeup_fd(sent.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(heard, grace_s), name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before_fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        sent.send(bytes([_OVER]))
        watcher.join()
        heard.close()
        sent.close()


def _watch(signals: socket.socket, grace_s: float) -> None:
    """The watcher's thread: counts signals, and ends the process when its time is over."""
    deadline, pressed = float("inf"), 0
    while True:
        left = deadline - time.monotonic()
        signals.settimeout(None if left == float("inf") else max(0.001, left))
        try:
            numbers = signals.recv(64)
        except TimeoutError:
            give_up(CUT_OFF, INTERRUPTED, SAVE_S)
        for number in numbers:
            if number == _OVER:
                return
            if number not in SIGNALS:
                continue
            pressed += number == signal.SIGINT
            if pressed > 1:
                give_up("interrupted twice, ended at once", INTERRUPTED, SAVE_AT_ONCE_S)
            deadline = min(deadline, time.monotonic() + grace_s)
