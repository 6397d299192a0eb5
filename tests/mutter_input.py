"""A mouse and a keyboard on mutter, by org.gnome.Mutter.RemoteDesktop, as GNOME's remote desktop
has them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, prep_socket

NAME, PATH = "org.gnome.Mutter.RemoteDesktop", "/org/gnome/Mutter/RemoteDesktop"
LEFT = 0x110  # linux/input-event-codes.h
KEYS = {"x": 45, "escape": 1, "ctrl": 29, "alt": 56, "shift": 42}


class MutterHands:
    """Moves, clicks and presses until `close`."""

    def __init__(self, bus: Path) -> None:
        self._bus = DBusConnection(prep_socket(str(bus)))
        (self._session,) = self._call(PATH, NAME, "CreateSession")
        self._tell("Start")

    def move(self, x: int, y: int) -> None:
        self._tell("NotifyPointerMotionRelative", "dd", -5000.0, -5000.0)
        self._tell("NotifyPointerMotionRelative", "dd", float(x), float(y))

    def click(self) -> None:
        for down in (True, False):
            self._tell("NotifyPointerButton", "ib", LEFT, down)
            time.sleep(0.05)

    def press(self, keys: str) -> None:
        """ "ctrl+shift+escape", as a hand would."""
        names = keys.split("+")
        for down in (True, False):
            for name in names if down else reversed(names):
                self._tell("NotifyKeyboardKeycode", "ub", KEYS[name], down)
                time.sleep(0.03)

    def close(self) -> None:
        self._tell("Stop")
        self._bus.close()

    def _tell(self, method: str, signature: str = "", *body: Any) -> None:
        self._call(self._session, f"{NAME}.Session", method, signature, body)

    def _call(self, path: str, kind: str, method: str, signature: str = "", body: Any = ()) -> Any:
        message = new_method_call(DBusAddress(path, NAME, kind), method, signature, body)
        reply = self._bus.send_and_get_reply(message, timeout=20)
        assert reply.header.message_type is not MessageType.error, reply.body
        return reply.body


@contextmanager
def hands(bus: Path) -> Iterator[MutterHands]:
    made = MutterHands(bus)
    try:
        yield made
    finally:
        made.close()
