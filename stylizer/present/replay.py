"""Keeps the last seconds of what is shown, encoded, so that a key can save them afterwards.

Short recordings follow one another in a temporary folder; what is saved is joined of them without
encoding anew.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import av.error
import numpy as np
import psutil

from stylizer.errors import StylizerError
from stylizer.present.encode import Encoder
from stylizer.present.kept_sound import Copied, KeptSound
from stylizer.present.live_sound import LiveSound
from stylizer.present.record import DISK_FULL
from stylizer.present.waiting import Waiting
from stylizer.system.outputs import REMARK
from stylizer.system.pipewire_sound import Heard

PART_S = 2.0  # a part begins with a whole picture; a replay begins with a part
PREFIX = "stylizer-replay-"


class Part(NamedTuple):
    """A finished short recording; from when on, on the clock of the pictures."""

    path: Path
    from_s: float


class Replay:
    """The last `seconds`, and up to PART_S more, of the pictures given. Made and used by one
    thread; it encodes on a thread of its own.

    size: (width, height); a picture of another size is letterboxed into it. sound: what is heard
    meanwhile, by the clock of the pictures' times; closed with the replay. A failure (full disk)
    ends it: `failure` says why, in one sentence, and whatever is given later is dropped.
    """

    def __init__(
        self, seconds: float, size: tuple[int, int], sound: KeptSound | None = None
    ) -> None:
        self._seconds, self._size, self._sound = seconds, size, sound
        self.failure = ""
        self.saved: list[str] = []  # messages of saves that have ended, for the caller to take
        remove_left_behind()
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        except OSError as error:
            raise StylizerError(
                f"no replay can be kept: {error.strerror or error}; name a folder in TMPDIR"
            ) from error
        self._parts: deque[Part] = deque()
        self._encoder: Encoder | None = None
        self._from_s, self._number = 0.0, 0
        self._waiting: Waiting[tuple[np.ndarray, float] | Path | None] = Waiting()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)
        self._thread.start()

    def add(self, pixels: np.ndarray, time_s: float) -> None:
        """Take uint8 (height, width, 3 RGB or 4 RGBA), of that second of any clock."""
        self._waiting.give((np.array(pixels, order="C"), time_s))

    def save(self, path: Path) -> None:
        """Write what is kept to `path`, an .mp4; `saved` has a message when that has ended."""
        if not self._waiting.give(path):
            self._refuse(path)

    def close(self) -> None:
        """End the thread and remove the temporary folder; may be called twice."""
        self._waiting.give(None)
        self._thread.join()
        if self._sound is not None:
            self._sound.close()
        self._refuse_waiting()
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- on the thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while (item := self._waiting.take()) is not None:
                if isinstance(item, Path):
                    self._save(item)
                else:
                    self._take(*item)
        except BaseException as error:  # no thread may die unseen
            self.failure = f"the replay ended: {_reason(error, self._folder.parent)}"
        finally:
            with contextlib.suppress(BaseException):
                self._finish_part()
            self._waiting.ended.set()
            if self.failure:
                self._refuse_waiting()
                shutil.rmtree(self._folder, ignore_errors=True)  # it may be what fills the disk

    def _refuse_waiting(self) -> None:
        for item in self._waiting.left():
            if isinstance(item, Path):
                self._refuse(item)

    def _refuse(self, path: Path) -> None:
        """What is asked for too late leaves no empty file."""
        path.unlink(missing_ok=True)
        self.saved.append(f"the replay could not be saved: {self.failure}")

    def _take(self, pixels: np.ndarray, time_s: float) -> None:
        if self._encoder is not None and time_s - self._from_s >= PART_S:
            self._finish_part()
        if self._encoder is None:
            path = self._folder / f"{self._number}.mkv"
            self._number += 1
            self._from_s = time_s
            self._encoder = Encoder(path, self._size, None, None)
        self._encoder.add(pixels, time_s)
        while len(self._parts) > 1 and self._parts[1].from_s <= time_s - self._seconds:
            self._parts.popleft().path.unlink(missing_ok=True)
        if self._sound is not None:
            self._sound.keep(self._parts[0].from_s if self._parts else self._from_s)

    def _finish_part(self) -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.close()
            self._parts.append(Part(encoder.path, self._from_s))

    def _save(self, path: Path) -> None:
        self._finish_part()
        try:
            if not self._parts:
                raise StylizerError("nothing was shown yet")
            heard = [] if self._sound is None else self._sound.streams
            seconds = joined(list(self._parts), path, heard)
            self.saved.append(f"saved the last {seconds:.0f} s: {path}")
        except (StylizerError, av.error.FFmpegError, OSError) as error:
            path.unlink(missing_ok=True)
            self.saved.append(f"the replay could not be saved: {_reason(error, path.parent)}")


def _reason(error: BaseException, folder: Path) -> str:
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return f"the disk that holds {folder} is full"
    return str(error)


def joined(parts: list[Part], path: Path, heard: list[list[Heard]]) -> float:
    """Copy the parts' pictures one after another into an .mp4, beside what was heard; its length in
    seconds. heard: of each stream; without one the replay has no sound."""
    first_s, end = parts[0].from_s, Fraction(0)
    with av.open(str(path), "w", format="mp4") as out, av.open(str(parts[0].path)) as first:
        out.metadata["comment"] = REMARK
        stream = out.add_stream_from_template(first.streams.video[0])
        sound = LiveSound(out, Copied(heard)) if heard else None
        if sound is not None:
            sound.begin(first_s)
        for packet in packets_of(parts):
            assert packet.time_base is not None
            assert packet.pts is not None
            packet.stream = stream
            end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if sound is not None:
                sound.write_until(float(end))
            out.mux(packet)
        if sound is not None:
            sound.finish(float(end))
    return float(end)


def packets_of(parts: list[Part]) -> Iterator[av.Packet]:
    """The encoded pictures of all parts, their times counted from the first one's."""
    for part in parts:
        with av.open(str(part.path)) as source:
            given = source.streams.video[0]
            assert given.time_base is not None
            later = round(Fraction(part.from_s - parts[0].from_s) / given.time_base)
            for packet in source.demux(given):
                if packet.pts is not None:
                    packet.pts += later
                    packet.dts = packet.pts  # encoded without pictures that look ahead
                    yield packet


def remove_left_behind() -> None:
    """Folders of programs that were killed before they could remove them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        number = folder.name.removeprefix(PREFIX).partition("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            shutil.rmtree(folder, ignore_errors=True)
