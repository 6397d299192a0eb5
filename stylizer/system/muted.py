"""Keeps what libraries of C and C++ print from the user's terminal."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress

_lock = threading.RLock()


@contextmanager
def muted() -> Iterator[None]:
    """In the block the process's standard output and standard error lead nowhere, on all threads;
    what Python prints still comes to where it came before. One block at a time."""
    with _lock, ExitStack() as stack:
        for number, name, redirect in (
            (1, "stdout", redirect_stdout),
            (2, "stderr", redirect_stderr),
        ):
            with suppress(OSError, ValueError, AttributeError):  # closed, or none there
                stream = getattr(sys, name)
                stream.flush()
                before = os.dup(number)
                stack.callback(_back, before, number)
                if stream.fileno() == number:
                    kept = io.TextIOWrapper(
                        os.fdopen(os.dup(before), "wb", 0), stream.encoding, write_through=True
                    )
                    stack.callback(kept.close)
                    stack.enter_context(redirect(kept))
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)
        yield


def _back(before: int, number: int) -> None:
    os.dup2(before, number)
    os.close(before)
