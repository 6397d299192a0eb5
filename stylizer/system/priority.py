"""Which threads run first when the cores do not suffice for all."""

from __future__ import annotations

import os
import sys
import threading

GIVE_WAY = 5  # niceness beside the display's; Linux counts it by thread, others by process
LEAST = 19


def give_way() -> None:
    """Let this thread, and those that it starts from now on, run after the display's.

    ONNX Runtime's threads are started by whoever builds the session: built on a thread that gives
    way, a network of two seconds a frame leaves the display its share. Linux only; elsewhere
    niceness belongs to the whole process.
    """
    if sys.platform.startswith("linux"):
        # From the main thread's on: what was started by `nice` may not go up again.
        least = os.getpriority(os.PRIO_PROCESS, os.getpid()) + GIVE_WAY
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(LEAST, least))
