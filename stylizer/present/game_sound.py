"""The sound of a live recording: what the game plays, else all that is heard (Linux, PipeWire)."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import psutil

from stylizer.errors import BadInput, StylizerError
from stylizer.settings import RecordSound
from stylizer.system.pipewire_nodes import sound_streams
from stylizer.system.pipewire_sound import Heard, SoundStream

NEEDED = (
    "--record-sound needs PipeWire and WirePlumber running (apt-get install pipewire wireplumber "
    "pipewire-pulse, then log in again), or choose --record-sound off"
)
ELSEWHERE = "--record-sound is there on Linux with PipeWire only: choose off"


def check_sound() -> None:
    """Raise BadInput, with what to do, where no sound can be recorded."""
    if not sys.platform.startswith("linux"):
        raise BadInput(ELSEWHERE)
    try:
        sound_streams()
    except StylizerError as error:
        raise BadInput(f"{NEEDED}: {error}") from error


def is_there() -> bool:
    """Whether PipeWire has a socket here: asked before a recording, without waiting for anybody."""
    folder = os.environ.get("PIPEWIRE_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR") or ""
    name = os.environ.get("PIPEWIRE_REMOTE") or "pipewire-0"
    return sys.platform.startswith("linux") and (Path(folder) / name).exists()


class GameSound:
    """Records from the moment it is made until it is closed. The picture does not wait for it: it
    is opened on a thread of its own.

    wanted: "auto" takes what the process (and those that it started) plays, else all that is heard;
    "game" and "desktop" one of them. message: what is recorded, in words, once that is known.
    """

    def __init__(self, wanted: RecordSound, process: int, what: str = "recording") -> None:
        """process: the game's; 0: not known. what: is made with it, for the messages."""
        self._wanted, self._process, self._what = wanted, process, f"the {what}"
        self._streams: list[SoundStream] = []
        self._message, self._ended = "", False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._open, name="sound", daemon=True)
        self._thread.start()

    def take(self) -> list[list[Heard]]:
        """What each stream heard since the last call; the same stream has the same place."""
        with self._lock:
            return [stream.take() for stream in self._streams]

    def take_message(self) -> str:
        """What is recorded, or why nothing more is, once; "" when there is nothing new."""
        with self._lock:
            message, self._message = self._message, ""
            broken = next((s.broken for s in self._streams if s.broken), "")
        if broken and not self._ended:
            self._ended = True
            return f"{self._what} goes on without sound: {broken}"
        return message

    def close(self) -> None:
        """Stop; what was heard can still be taken. May be called twice."""
        self._thread.join()
        for stream in self._streams:
            stream.close()

    def _open(self) -> None:
        try:
            streams, message = self._found()
        except Exception as error:  # no thread may die unseen
            streams, message = [], f"{self._what} has no sound: {error}"
        with self._lock:
            self._streams, self._message = streams, message

    def _found(self) -> tuple[list[SoundStream], str]:
        if self._wanted != "desktop":
            family = family_of(self._process) if self._process else frozenset()
            own = [node for node in sound_streams() if node.processes & family]
            if own:
                names = ", ".join(dict.fromkeys(node.name for node in own))
                streams = [SoundStream(node.serial) for node in own]
                return streams, f"{self._what} has the sound of {names}"
            if self._wanted == "game":
                return [], f"{self._what} has no sound: the game plays nothing yet"
        why = "" if self._wanted == "desktop" else ": the game's own was not found"
        return [SoundStream()], f"{self._what} has all sound of this computer{why}"


def family_of(process: int) -> frozenset[int]:
    """The process, what it started, and what started it short of what all programs come from: a
    launcher often has the window, or the sound."""
    found = {process}
    try:
        this = psutil.Process(process)
        found |= {child.pid for child in this.children(recursive=True)}
        parent = this.parent()
        # In a session of its own like the game: a shell or a desktop leads another.
        if parent is not None and parent.pid > 1 and os.getsid(parent.pid) == os.getsid(process):
            found |= {parent.pid} if parent.pid != os.getpid() else set()
    except (psutil.Error, OSError):
        pass
    return frozenset(found)
