"""Which threads run first when the cores do not suffice for all."""

from __future__ import annotations

import os
import sys
import threading

GIVE_WAY = 5  # niceness; Linux counts it by thread, others by process


def give_way() -> None:
    """Let this thread, and those that it starts from now on, run after the display's.

    ONNX Runtime's threads are started by whoever builds the session: built on a thread that gives
    way, a network of two seconds a frame leaves the display its share. Linux only; elsewhere
    niceness belongs to the whole process.
    """
    if sys.platform.startswith("linux"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), GIVE_WAY)
