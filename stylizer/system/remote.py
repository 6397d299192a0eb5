"""Keys from outside: `stylizer key NAME` reaches every window of ours by a socket in the user's
runtime folder. For desktops that let no program have keys of its own, as Wayland's: the desktop's
own bindings call it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path

import platformdirs

from stylizer.errors import StylizerError
from stylizer.hotkeys import DEFAULT_KEYS, HELD_ACTIONS, Action

SUFFIX = ".sock"
LONGEST = 64  # bytes of a message: an action's name, a blank, a number
AT_ONCE = 32  # messages of one turn: whoever floods it must not stop the picture


def folder() -> Path:
    """Where the sockets are; only the user's own programs reach it."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "stylizer"
    return platformdirs.user_cache_path("stylizer", appauthor=False) / "run"


class RemoteKeys:
    """Listens for actions. why: why it cannot, for the user to read; "" if it does. One thread."""

    def __init__(self) -> None:
        self.why = ""
        self._socket: socket.socket | None = None
        self._path = folder() / f"{os.getpid()}{SUFFIX}"
        if sys.platform == "win32":
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)  # of an earlier program with this number
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.bind(str(self._path))
        except OSError as error:
            self.close()
            self.why = f"`stylizer key` does not reach this window: {self._path}: {error.strerror}"

    def actions(self) -> list[Action]:
        """What was asked for since the last call; what is no action of ours is passed over."""
        found: list[Action] = []
        if self._socket is None:
            return found
        with contextlib.suppress(BlockingIOError):
            for _ in range(AT_ONCE):
                words = self._socket.recv(LONGEST).decode(errors="replace").split()
                if words and words[0] in DEFAULT_KEYS:
                    held = words[0] in HELD_ACTIONS and words[1:] != ["release"]
                    found.append(Action(words[0], 1.0 if held else 0.0))
        return found

    def close(self) -> None:
        """Stop listening; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._path.unlink(missing_ok=True)


def send(action: str, release: bool = False) -> int:
    """Ask every running window for an action; how many were reached.

    Raises StylizerError when there is none.
    """
    message = f"{action}{' release' if release else ''}".encode()
    reached = 0
    for path in sorted(folder().glob(f"*{SUFFIX}")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.connect(str(path))
                sender.send(message)
                reached += 1
            except ConnectionRefusedError:  # its program was killed
                path.unlink(missing_ok=True)
            except OSError:  # it does not listen just now
                continue
    if not reached:
        raise StylizerError("no window of the stylizer is open here: start one with `stylizer run`")
    return reached
