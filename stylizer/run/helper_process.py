"""Work in a process of its own, which runs after all else and tells how far it is."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from stylizer.errors import StylizerError, one_sentence
from stylizer.system.priority import GIVE_WAY

Tell = Callable[[str, Any], None]


class HelperProcess:
    """One piece of work. Main thread only, but for `kill`."""

    def __init__(self, work: Callable[..., object], *given: Any) -> None:
        """Begin: work(*given, tell), both as they can be pickled. It tells (kind, value) as often
        as it likes; then comes ("done", "") or ("failed", a sentence)."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_begin, args=(work, given, theirs), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def heard(self) -> Iterator[tuple[str, Any]]:
        """What it has told since. Raises EOFError or OSError where it was ended from outside."""
        while not self._pipe.closed and self._pipe.poll():
            yield self._pipe.recv()

    def interrupt(self) -> None:
        """Ask it to end: a KeyboardInterrupt in its work."""
        self._process.terminate()

    def end(self, within_s: float) -> None:
        """It does nothing more after that; may be called twice. A killed one is not waited for:
        below a game, giving its memory back took it half a minute."""
        self._process.join(within_s)
        if self._process.is_alive():
            self._process.kill()
        self._pipe.close()

    def kill(self) -> None:
        """At once, from any thread."""
        self._process.kill()


# --- in the process itself -----------------------------------------------------------------


def _begin(work: Callable[..., object], given: tuple[Any, ...], pipe: Connection) -> None:
    if hasattr(os, "nice"):
        os.nice(GIVE_WAY)  # at 15 a game and its style left it nothing
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in the terminal ends the run, that us
    signal.signal(signal.SIGTERM, _interrupt)
    with suppress(OSError, KeyboardInterrupt):  # nobody listens any more
        pipe.send(_outcome(work, given, lambda kind, value: pipe.send((kind, value))))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _outcome(work: Callable[..., object], given: tuple[Any, ...], tell: Tell) -> tuple[str, str]:
    try:
        work(*given, tell)
    except ConnectionError:
        raise
    except StylizerError as error:
        return "failed", one_sentence(error)
    except Exception as error:  # told where the user looks, not on a terminal
        return "failed", repr(error)
    return "done", ""
