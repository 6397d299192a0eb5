"""The last seconds of what is heard, as it came, for a replay: 0.2 MB a second."""

from __future__ import annotations

from collections import deque

from stylizer.present.game_sound import GameSound
from stylizer.system.pipewire_sound import RATE, Heard


class KeptSound:
    """Takes from a GameSound, which is closed with it. One thread, but for `close`."""

    def __init__(self, sound: GameSound) -> None:
        self._sound = sound
        self._streams: list[deque[Heard]] = []

    def keep(self, from_s: float) -> None:
        """Take what is new, and forget what ended before that second of time.perf_counter()."""
        for number, heard in enumerate(self._sound.take()):
            if number == len(self._streams):
                self._streams.append(deque())
            self._streams[number] += heard
        for kept in self._streams:
            while kept and kept[0].at_s + len(kept[0].samples) / RATE < from_s:
                kept.popleft()

    @property
    def streams(self) -> list[list[Heard]]:
        """What each stream has given; the same stream has the same place. Empty: nothing can be
        heard."""
        return [list(kept) for kept in self._streams]

    def close(self) -> None:
        """Hear no more; may be called twice."""
        self._sound.close()


class Copied:
    """What was kept, to be taken once by a `LiveSound`."""

    def __init__(self, streams: list[list[Heard]]) -> None:
        self._streams = streams

    def take(self) -> list[list[Heard]]:
        """As GameSound's."""
        taken, self._streams = self._streams, [[] for _ in self._streams]
        return taken
