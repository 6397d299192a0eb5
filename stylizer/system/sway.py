"""Where sway's windows are, by its IPC socket (man 7 sway-ipc)."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Rect, Size
from stylizer.system import own_windows

SCRATCHPAD = "__i3"  # the output of what is minimized, as sway calls it
MAGIC, SUBSCRIBE, GET_TREE, GET_VERSION, GET_CONFIG = b"i3-ipc", 2, 4, 7, 9
BINDING = re.compile(
    r"^[ \t]*bindsym[ \t]+((?:--\S+[ \t]+)*)(\S+)[ \t]+exec[ \t]+(.+)$", re.MULTILINE
)
INCLUDE = re.compile(r"^[ \t]*include[ \t]+(\S.*)$", re.MULTILINE)
LARGEST = 64 << 20  # bytes of an answer
WAIT_S = 2.0


@dataclass(frozen=True)
class Place:
    """A window on an output. inside: its pixels' place on the output, monitor: (width, height) of
    the output, both in its logical units; visible: its workspace is shown; x_window: its id on
    XWayland, 0 for a native one. In the scratchpad it is on no output."""

    id: int
    title: str
    app: str
    pid: int
    output: str
    inside: Rect
    monitor: Size
    visible: bool
    x_window: int = 0
    toplevel: str = ""  # its name in ext-foreign-toplevel-list, where sway tells

    @property
    def is_minimized(self) -> bool:
        """Whether it is in the scratchpad."""
        return self.output == SCRATCHPAD

    @property
    def is_ours(self) -> bool:
        """Whether it is a stylizer's own: its title names its game, too."""
        return own_windows.is_titled_ours(self.title)

    def __str__(self) -> str:
        return repr(self.title or self.app or "untitled")


def places() -> list[Place]:
    """All windows, the one with the focus first. Raises StylizerError without sway."""
    tree = _ask(GET_TREE)
    found = [(node, output) for output in tree["nodes"] for node in _windows(output)]
    found.sort(key=lambda pair: not pair[0]["focused"])
    return [_place(node, output) for node, output in found]


def find(wanted: str) -> Place:
    """The window that `--window` names: part of its title, class:APP_ID or pid:N.

    By a title neither a stylizer's window is meant nor the terminal that shows our command line.
    Raises BadInput, listing what there is, when none matches.
    """
    windows = places()
    kind, _, rest = wanted.partition(":")
    if kind == "pid":
        found = [w for w in windows if str(w.pid) == rest.strip()]
    elif kind == "class":
        found = [w for w in windows if w.app.lower() == rest.strip().lower()]
    else:
        not_meant = {os.getpid(), *own_windows.started_us()}
        others = [w for w in windows if w.pid not in not_meant and not w.is_ours]
        found = [w for w in others if wanted.lower() in w.title.lower()]
    if not found:
        there = "; ".join(map(str, windows)) or "none"
        raise BadInput(f"sway has no window that matches {wanted!r}; there are: {there}")
    return found[0]


def natives() -> list[Place]:
    """Windows that are no X11 programs', ours left out; none where sway does not run."""
    try:
        return [place for place in places() if not place.x_window and place.pid != os.getpid()]
    except StylizerError:
        return []


def again(window_id: int) -> Place | None:
    """Where a window is now; None: it is gone."""
    return next((place for place in places() if place.id == window_id), None)


def bindings() -> list[tuple[str, str]]:
    """(combination, command) of the keys that run a program, as sway's configuration has them, the
    files that it includes too, those of a key's release left out. Raises StylizerError without
    sway."""
    text, main = _ask(GET_CONFIG)["config"], Path(_ask(GET_VERSION)["loaded_config_file_name"])
    return [
        (keys, command.strip())
        for part in (text, *_included(text, main.parent, {main}))
        for options, keys, command in BINDING.findall(part)
        if "--release" not in options
    ]


def _included(text: str, folder: Path, seen: set[Path]) -> Iterator[str]:
    """The files that a configuration in `folder` includes, and those that they do (man 5 sway);
    home, variables of the environment and patterns are put in, commands of a shell are not."""
    for line in INCLUDE.findall(text):
        named = os.path.expandvars(os.path.expanduser(line.strip().strip("\"'")))
        for path in map(Path, sorted(glob.glob(os.path.join(folder, named)))):
            if path in seen:
                continue
            seen.add(path)
            with contextlib.suppress(OSError):  # sway passes over it as well
                part = path.read_text(errors="replace")
                yield part
                yield from _included(part, path.parent, seen)


def runs() -> bool:
    """Whether this is a session of sway's."""
    return bool(os.environ.get("SWAYSOCK"))


class Watch:
    """Whether XWayland's windows are seen: sway leaves those of a hidden workspace mapped.

    One thread. Raises StylizerError without sway; one that ends later has no more to tell.
    """

    def __init__(self) -> None:
        events = _connect()
        with _said():
            _send(events, SUBSCRIBE, b'["workspace", "window"]')
            _answer(events)
        events.setblocking(False)
        self._events: socket.socket | None = events

    def changed(self) -> bool:
        """Whether something has happened to a window or a workspace since the last call."""
        found = False
        try:
            while self._events is not None:
                came = self._events.recv(1 << 16)
                found = True
                if not came:
                    self.close()
        except BlockingIOError:
            pass  # all was read
        except OSError:
            self.close()
        return found

    def shows(self, x_window: int) -> bool:
        """Whether a window is on the screen; True for one that sway does not know."""
        with contextlib.suppress(StylizerError):
            return all(place.visible for place in places() if place.x_window == x_window)
        return True

    def close(self) -> None:
        """Hear no more; may be called twice."""
        if self._events is not None:
            self._events.close()
            self._events = None


def watch() -> Watch | None:
    """None where sway does not run: a terminal may still name one that has ended."""
    try:
        return Watch()
    except StylizerError:
        return None


def _windows(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node.get("pid") and node["type"] in ("con", "floating_con"):
        yield node
    for child in node["nodes"] + node["floating_nodes"]:
        yield from _windows(child)


def _place(node: dict[str, Any], output: dict[str, Any]) -> Place:
    rect, window, origin = node["rect"], node["window_rect"], output["rect"]
    inside = Rect(
        rect["x"] + window["x"] - origin["x"],
        rect["y"] + window["y"] - origin["y"],
        window["width"],
        window["height"],
    )
    app = node.get("app_id") or node.get("window_properties", {}).get("class", "")
    name, visible = node["name"] or "", bool(node.get("visible"))
    x_window, toplevel = node.get("window") or 0, node.get("foreign_toplevel_identifier") or ""
    return Place(
        node["id"],
        name,
        app or "",
        node["pid"],
        output["name"],
        inside,
        (origin["width"], origin["height"]),
        visible,
        x_window,
        toplevel,
    )


def _ask(kind: int) -> Any:
    with _connect() as connection, _said():
        _send(connection, kind)
        return _answer(connection)


def _connect() -> socket.socket:
    path = os.environ.get("SWAYSOCK")
    if not path:
        raise StylizerError(
            "sway does not run here (SWAYSOCK is not set), so no window can be found by its name: "
            "leave out --window, or use --source portal"
        )
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(WAIT_S)
    with _said():
        connection.connect(path)
    return connection


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """What goes wrong on the way to sway and back, in words."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise StylizerError(
            f"sway does not answer at {os.environ.get('SWAYSOCK')}: {error}"
        ) from error


def _send(connection: socket.socket, kind: int, payload: bytes = b"") -> None:
    connection.sendall(MAGIC + struct.pack("=II", len(payload), kind) + payload)


def _answer(connection: socket.socket) -> Any:
    head = _receive(connection, len(MAGIC) + 8)
    (size,) = struct.unpack_from("=I", head, len(MAGIC))
    if size > LARGEST:
        raise OSError(f"an answer of {size} bytes")
    return json.loads(_receive(connection, size))


def _receive(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise OSError("it hung up")
        data += part
    return bytes(data)
