"""The part of a desktop that gives programs global shortcuts, below the real xdg-desktop-portal.

It speaks org.freedesktop.impl.portal.GlobalShortcuts on a real bus, says which keys it gave, and
"presses" them when a test says so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import DBusConnection, Proxy, prep_socket
from sway_desktop import SwayDesktop

NAME, PATH = "org.freedesktop.impl.portal.desktop.test", "/org/freedesktop/portal/desktop"
INTERFACE = "org.freedesktop.impl.portal.GlobalShortcuts"
SESSION = "org.freedesktop.impl.portal.Session"
PORTAL_FILE = f"[portal]\nDBusName={NAME}\nInterfaces={INTERFACE};\nUseIn=sway\n"


class Shortcuts:
    """keys: action -> what it tells the program; None: as the program asked. answer: 0, or 1 for
    a user who cancels. answers: cleared, the user is still looking at the dialog."""

    def __init__(self, bus: Path, keys: dict[str, str] | None, answer: int) -> None:
        self._keys, self._answer = keys, answer
        self.asked: dict[str, dict[str, Any]] = {}  # action -> what the program said of it
        self.session = ""
        self.answers = threading.Event()
        self.answers.set()
        self.ended = False  # the program gave its keys back
        self._bus = DBusConnection(prep_socket(str(bus)))
        assert Proxy(message_bus, self._bus).RequestName(NAME)[0] == 1
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def press(self, action: str, member: str = "Activated") -> None:
        self._signal(member, "osta{sv}", (self.session, action, 0, {}))

    def change(self, keys: dict[str, str]) -> None:
        """As when the user chooses others in the desktop's settings."""
        self._signal("ShortcutsChanged", "oa(sa{sv})", (self.session, self._told(keys)))

    def take_back(self) -> None:
        emitter = DBusAddress(self.session, interface=SESSION)
        self._bus.send(new_signal(emitter, "Closed"))

    def close(self) -> None:
        self._bus.close()

    def _signal(self, member: str, signature: str, body: tuple[Any, ...]) -> None:
        emitter = DBusAddress(PATH, interface=INTERFACE)
        self._bus.send(new_signal(emitter, member, signature, body))

    def _told(self, keys: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
        return [
            (action, {k: ("s", v) for k, v in {
                "description": "an action", "trigger_description": key}.items() if v})
            for action, key in keys.items()
        ]  # fmt: skip

    def _listen(self) -> None:
        while True:
            try:
                message = self._bus.receive()
            except (OSError, ValueError, KeyError, RuntimeError):
                return  # closed
            if message.header.message_type is MessageType.method_call:
                self._bus.send(self._reply(message))

    def _reply(self, message: Message) -> Message:
        member, body = message.header.fields[HeaderFields.member], message.body
        if member == "GetAll":
            return new_method_return(message, "a{sv}", ({"version": ("u", 1)},))
        if member == "CreateSession":
            self.session = body[1]
            return new_method_return(message, "ua{sv}", (0, {}))
        if member == "BindShortcuts":
            self.answers.wait(30)
            self.asked = dict(body[2])
            asked = {a: facts["preferred_trigger"][1] for a, facts in self.asked.items()}
            told = self._told(asked if self._keys is None else self._keys)
            found = {"shortcuts": ("a(sa{sv})", told)} if not self._answer else {}
            return new_method_return(message, "ua{sv}", (self._answer, found))
        if member == "Close":
            self.ended = True
            return new_method_return(message)
        return new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")


@contextmanager
def shortcuts(
    desktop: SwayDesktop, keys: dict[str, str] | None = None, answer: int = 0
) -> Iterator[Shortcuts]:
    """The desktop gives shortcuts in the block, through a portal that is started anew."""
    folder = desktop.home / "portals"
    folder.mkdir(exist_ok=True)
    (folder / "test.portal").write_text(PORTAL_FILE)
    given = Shortcuts(desktop.runtime / "bus", keys, answer)
    try:
        with desktop.other_portal(XDG_DESKTOP_PORTAL_DIR=str(folder)):
            yield given
    finally:
        given.close()
