"""The ScreenCast portal over D-Bus: the desktop asks what may be captured, and remembers it.

See org.freedesktop.portal.ScreenCast at https://flatpak.github.io/xdg-desktop-portal.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from jeepney import DBusAddress, MatchRule, MessageType, Properties, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, Proxy
from jeepney.wrappers import DBusErrorResponse

from stylizer.errors import StylizerError
from stylizer.system import portal
from stylizer.system.portal import BUS_NAME, CANCELED, PATH, REQUEST, SESSION

SCREEN_CAST = DBusAddress(PATH, BUS_NAME, "org.freedesktop.portal.ScreenCast")
MONITOR, WINDOW = 1, 2  # AvailableSourceTypes
HIDDEN, EMBEDDED = 1, 2  # AvailableCursorModes
UNTIL_REVOKED = 2  # persist_mode
PERSIST_VERSION = 4
CALL_S = 20.0  # a portal that is started by the call takes a moment
DIALOG_S = 600.0  # for the user to choose


@dataclass(frozen=True)
class Chosen:
    """What the user let us capture. token: asks nothing the next time; "" where none is given."""

    node_id: int
    size: tuple[int, int] | None
    kind: str  # "window", "monitor" or "" where the portal does not say
    token: str


class ScreenCast:
    """One session of the portal, on a connection of its own. One thread.

    Raises StylizerError without a session bus or a ScreenCast portal.
    """

    def __init__(self) -> None:
        self._bus: DBusConnection | None = portal.open_bus("a window", enable_fds=True)
        self._session = ""
        self._closed: deque[Any] = deque()
        try:
            self.version, kinds, cursors = map(int, map(self._property, PROPERTIES))
        except BaseException:
            self.close()
            raise
        self.kinds, self.cursors = kinds, cursors

    def choose(self, token: str, cursor: bool, wait_s: float = DIALOG_S) -> Chosen:
        """Let the desktop ask for a window or a monitor; blocks until the user has answered.

        token: of an earlier choice, "" to be asked. Raises StylizerError when the user cancels, or
        gives no answer for so long.
        """
        name = portal.token()
        self._session = portal.path_of("session", self._connection, name)
        self._listen(MatchRule(type="signal", interface=SESSION, path=self._session), self._closed)
        self._ask("CreateSession", "", (), {"session_handle_token": ("s", name)}, CALL_S)
        options: dict[str, Any] = {
            "types": ("u", self.kinds & (MONITOR | WINDOW)),
            "multiple": ("b", False),
        }
        if self.cursors:
            wanted = EMBEDDED if cursor else HIDDEN
            if not self.cursors & wanted:
                raise StylizerError(
                    "the desktop cannot capture with"
                    + (" the mouse pointer: leave out --cursor" if cursor else "out the pointer: "
                       "add --cursor")
                )  # fmt: skip
            options["cursor_mode"] = ("u", wanted)
        if self.version >= PERSIST_VERSION:
            options["persist_mode"] = ("u", UNTIL_REVOKED)
            if token:
                options["restore_token"] = ("s", token)
        self._ask("SelectSources", "o", (self._session,), options, min(wait_s, CALL_S))
        found = self._ask("Start", "os", (self._session, ""), {}, wait_s)
        streams = found.get("streams", ("", []))[1]
        if not streams:
            raise StylizerError("the desktop's portal gave nothing to capture: choose something")
        node_id, facts = streams[0]
        # xdg-desktop-portal-wlr 0.7 calls a monitor a window, though it offers monitors only.
        source_type = facts.get("source_type", ("u", 0))[1] & self.kinds or self.kinds
        kind = {MONITOR: "monitor", WINDOW: "window"}.get(source_type, "")
        size = facts.get("size", ("", None))[1]
        return Chosen(node_id, size, kind, found.get("restore_token", ("s", ""))[1])

    def open_pipewire(self) -> int:
        """A descriptor of a PipeWire connection that sees the chosen stream; the caller's own."""
        (remote,) = self._call("OpenPipeWireRemote", "oa{sv}", (self._session, {}))
        return remote.to_raw_fd()

    def is_closed(self) -> bool:
        """Whether the desktop has ended the session: revoked, or the window is gone."""
        if self._bus is None:
            return True
        try:
            while not self._closed:
                self._bus.recv_messages(timeout=0)
        except TimeoutError:
            return False
        except OSError:
            return True  # the bus or the portal went away
        return True

    def close(self) -> None:
        """End the session; may be called twice."""
        bus, self._bus = self._bus, None
        if bus is None:
            return
        if self._session:
            address = DBusAddress(self._session, BUS_NAME, SESSION)
            with contextlib.suppress(OSError):
                bus.send(new_method_call(address, "Close"))
        bus.close()

    @property
    def _connection(self) -> DBusConnection:
        assert self._bus is not None
        return self._bus

    def _property(self, name: str) -> Any:
        reply = self._reply(Properties(SCREEN_CAST).get(name), CALL_S)
        return reply[0][1]

    def _listen(self, rule: MatchRule, queue: deque[Any]) -> None:
        Proxy(message_bus, self._connection).AddMatch(rule)
        self._connection.filter(rule, queue=queue)

    def _call(self, method: str, signature: str, body: tuple[Any, ...]) -> Any:
        return self._reply(new_method_call(SCREEN_CAST, method, signature, body), CALL_S)

    def _reply(self, message: Any, timeout_s: float) -> Any:
        try:
            reply = self._connection.send_and_get_reply(message, timeout=timeout_s)
        except TimeoutError as error:
            raise StylizerError(
                f"the desktop's portal did not answer within {timeout_s:.0f} s: {ANEW}"
            ) from error
        except OSError as error:
            raise StylizerError(f"the D-Bus session ended ({error})") from error
        if reply.header.message_type is MessageType.error:
            why = portal.refusal(DBusErrorResponse(reply), "ScreenCast")
            absent = why == portal.absence("ScreenCast")
            raise StylizerError(f"{why}: {INSTALL}" if absent else why)
        return reply.body

    def _ask(
        self, method: str, signature: str, body: tuple[Any, ...], options: dict, timeout_s: float
    ) -> dict[str, Any]:
        """Call a method that answers by a signal of a request object, and wait for that."""
        token = portal.token()
        answers: deque[Any] = deque()
        path = portal.path_of("request", self._connection, token)
        self._listen(MatchRule(type="signal", interface=REQUEST, path=path), answers)
        options = options | {"handle_token": ("s", token)}
        self._call(method, signature + "a{sv}", (*body, options))
        try:
            answer = self._connection.recv_until_filtered(answers, timeout=timeout_s)
        except TimeoutError as error:
            raise StylizerError(
                f"the portal's {method} was not answered in time: answer the desktop's dialog, or, "
                f"where none comes, {ANEW}"
            ) from error
        except OSError as error:
            raise StylizerError(f"the D-Bus session ended ({error})") from error
        code, found = answer.body
        if code == CANCELED:
            raise StylizerError("nothing was chosen: canceled in the desktop's dialog")
        if code:
            raise StylizerError(
                f"the desktop's portal refused ({method}): is its part for your desktop installed "
                "and running (xdg-desktop-portal-gnome, -kde, -wlr or -hyprland)?"
            )
        return found


PROPERTIES = ("version", "AvailableSourceTypes", "AvailableCursorModes")
# The part for wlroots does not connect again to a PipeWire that was restarted.
ANEW = (
    "start the portal and its part for your desktop anew (systemctl --user restart "
    "'xdg-desktop-portal*')"
)
INSTALL = (
    "install xdg-desktop-portal and its part for your desktop (-gnome, -kde, -wlr or -hyprland)"
)
