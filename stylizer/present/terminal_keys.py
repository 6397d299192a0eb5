"""Two presses of Escape in the terminal that an overlay was started from end it."""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import ExitStack

from stylizer.system import ending

if sys.platform != "win32":
    import termios

ESCAPE = b"\x1b"
TWICE_S = 1.0  # the second press comes within


class TerminalKeys:
    """Listens to the terminal on standard input, where there is one and it is ours. One thread.

    Its line editing and echo are off meanwhile, Ctrl+C works as ever; `close` gives them back.
    """

    def __init__(self) -> None:
        self._before: list | None = None
        self._pressed_at = -TWICE_S
        self._closing = ExitStack()
        if sys.platform == "win32" or not _is_ours():
            return
        self._before = termios.tcgetattr(0)
        changed = termios.tcgetattr(0)
        changed[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(0, termios.TCSANOW, changed)
        # A process that is given up ends without any `close`.
        self._closing.enter_context(ending.saving(lambda _: self._give_back()))

    @property
    def listens(self) -> bool:
        return self._before is not None

    def ended(self) -> bool:
        """Whether Escape was pressed twice by now; other keys count for nothing."""
        while self.listens and select.select([0], [], [], 0)[0]:
            data = os.read(0, 64)
            if not data:  # the terminal is gone
                self._before = None
                return False
            if data.strip(ESCAPE):  # another key; arrows and the like begin with Escape too
                self._pressed_at = -TWICE_S
                continue
            now = time.monotonic()
            if len(data) > 1 or now - self._pressed_at <= TWICE_S:
                return True
            self._pressed_at = now
        return False

    def close(self) -> None:
        """Give the terminal back; may be called twice."""
        self._give_back()
        self._closing.close()

    def _give_back(self) -> None:
        if self._before is not None:
            termios.tcsetattr(0, termios.TCSANOW, self._before)
            self._before = None


def _is_ours() -> bool:
    """Whether standard input is a terminal and we stand in its foreground: changing it from the
    background would stop the program."""
    try:
        return os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
