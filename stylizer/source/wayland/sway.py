"""Where sway's windows are, by its IPC socket (man 7 sway-ipc)."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Rect

MAGIC, GET_TREE = b"i3-ipc", 4
LARGEST = 64 << 20  # bytes of an answer
WAIT_S = 2.0


@dataclass(frozen=True)
class Place:
    """A window on an output. inside: its pixels' place on the output, in the output's logical
    units; visible: its workspace is shown."""

    id: int
    title: str
    app: str
    pid: int
    output: str
    inside: Rect
    visible: bool

    def __str__(self) -> str:
        return repr(self.title or self.app or "untitled")


def places() -> list[Place]:
    """All windows, the one with the focus first. Raises StylizerError without sway."""
    tree = _ask(GET_TREE)
    found = [(node, output) for output in tree["nodes"] for node in _windows(output)]
    found.sort(key=lambda pair: not pair[0]["focused"])
    return [_place(node, output) for node, output in found if output["name"] != "__i3"]


def find(wanted: str) -> Place:
    """The window that `--window` names: part of its title, class:APP_ID or pid:N.

    Raises BadInput, listing what there is, when none matches.
    """
    windows = places()
    kind, _, rest = wanted.partition(":")
    if kind == "pid":
        found = [w for w in windows if str(w.pid) == rest.strip()]
    elif kind == "class":
        found = [w for w in windows if w.app.lower() == rest.strip().lower()]
    else:
        found = [w for w in windows if wanted.lower() in w.title.lower() and w.pid != os.getpid()]
    if not found:
        there = "; ".join(map(str, windows)) or "none"
        raise BadInput(f"sway has no window that matches {wanted!r}; there are: {there}")
    return found[0]


def again(window_id: int) -> Place | None:
    """Where a window is now; None: it is gone."""
    return next((place for place in places() if place.id == window_id), None)


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
    return Place(node["id"], name, app or "", node["pid"], output["name"], inside, visible)


def _ask(kind: int) -> Any:
    path = os.environ.get("SWAYSOCK")
    if not path:
        raise StylizerError(
            "sway does not run here (SWAYSOCK is not set), so no window can be found by its name: "
            "leave out --window, or use --source portal"
        )
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(WAIT_S)
            connection.connect(path)
            connection.sendall(MAGIC + struct.pack("=II", 0, kind))
            head = _receive(connection, len(MAGIC) + 8)
            (size,) = struct.unpack_from("=I", head, len(MAGIC))
            if size > LARGEST:
                raise OSError(f"an answer of {size} bytes")
            return json.loads(_receive(connection, size))
    except (OSError, ValueError) as error:
        raise StylizerError(f"sway does not answer at {path}: {error}") from error


def _receive(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise OSError("it hung up")
        data += part
    return bytes(data)
