"""Keys that act wherever the keyboard is, on Wayland: the GlobalShortcuts portal gives them.

org.freedesktop.portal.GlobalShortcuts, see https://flatpak.github.io/xdg-desktop-portal.
Untried on a real desktop; the tests run xdg-desktop-portal itself and play the desktop below it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageType,
    Properties,
    new_method_call,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection
from jeepney.wrappers import DBusErrorResponse

from stylizer.errors import StylizerError
from stylizer.hotkeys import DEFAULT_KEYS, HELD_ACTIONS, Action, key_label
from stylizer.present.reserved import free_combinations
from stylizer.system import portal
from stylizer.system.installed import DESKTOP_ID
from stylizer.system.portal import BUS_NAME, PATH, REQUEST, SESSION
from stylizer.system.xkb import trigger

INTERFACE = "org.freedesktop.portal.GlobalShortcuts"
SHORTCUTS = DBusAddress(PATH, BUS_NAME, INTERFACE)
REGISTRY = DBusAddress(PATH, BUS_NAME, "org.freedesktop.host.portal.Registry")
MODIFIER_NAMES = {"ctrl": "CTRL", "alt": "ALT", "shift": "SHIFT", "super": "LOGO"}
AT_ONCE = 64  # messages of one turn


class PortalKeys:
    """Asks for the actions' combinations and hears of them; waits for nobody. One thread.

    overrides: action -> combination, as in settings.global_keys. names: action -> what the desktop
    says is to be pressed. why: why there are none, "" while there may be. Raises BadInput for
    combinations that cannot be.
    """

    def __init__(self, overrides: dict[str, str]) -> None:
        self._wanted = {
            action: trigger(keys, MODIFIER_NAMES)
            for action, keys in free_combinations(overrides).items()
        }
        self.names: dict[str, str] = {}
        self.why, self.waits = "", True  # waits: the desktop has not answered yet
        self._notices: list[str] = []
        self._pending: set[int] = set()  # serials of calls whose errors count
        self._session = self._request = ""
        self._asked = False  # for the keys, not only for a session
        self._bus: DBusConnection | None = None
        try:
            self._bus = portal.open_bus("keys")
            self._start(self._bus)
        except (StylizerError, OSError) as error:
            self._give_up(str(error))

    def actions(self) -> list[Action]:
        """What was pressed since the last call, and the release of held actions."""
        found: list[Action] = []
        try:
            for _ in range(AT_ONCE):
                if self._bus is None:
                    break
                found += self._hear(self._bus, self._bus.receive(timeout=0))
        except TimeoutError:
            pass  # all was read
        except OSError as error:
            self._give_up(f"the D-Bus session ended ({error})")
        return found

    def take_notices(self) -> list[str]:
        """What the user should know of the keys, since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def close(self) -> None:
        """Give the keys back; may be called twice."""
        bus, self._bus = self._bus, None
        if bus is not None:
            with contextlib.suppress(OSError):
                bus.send(new_method_call(DBusAddress(self._session, BUS_NAME, SESSION), "Close"))
            bus.close()

    def _start(self, bus: DBusConnection) -> None:
        # Newer portals want to know which desktop entry we are; older ones have no such thing.
        bus.send(new_method_call(REGISTRY, "Register", "sa{sv}", (DESKTOP_ID, {})))
        name = portal.token()
        self._session = portal.path_of("session", bus, name)
        requests = portal.path_of("request", bus, "x").rpartition("/")[0]
        for rule in (
            MatchRule(type="signal", interface=REQUEST, path_namespace=requests),
            MatchRule(type="signal", interface=SESSION, path=self._session),
            MatchRule(type="signal", interface=INTERFACE, path=PATH),
        ):
            bus.send(message_bus.AddMatch(rule))
        self._ask(bus, "CreateSession", "", (), {"session_handle_token": ("s", name)})

    def _ask(
        self, bus: DBusConnection, method: str, signature: str, body: tuple, options: dict
    ) -> None:
        """Call a method that answers by the signal of a request."""
        name = portal.token()
        self._request = portal.path_of("request", bus, name)
        message = new_method_call(
            SHORTCUTS, method, f"{signature}a{{sv}}",
            (*body, options | {"handle_token": ("s", name)}),
        )  # fmt: skip
        serial = next(bus.outgoing_serial)
        self._pending.add(serial)
        bus.send(message, serial=serial)

    def _hear(self, bus: DBusConnection, message: Message) -> list[Action]:
        fields = message.header.fields
        kind, member = message.header.message_type, fields.get(HeaderFields.member)
        path = fields.get(HeaderFields.path)
        if kind is MessageType.error and fields.get(HeaderFields.reply_serial) in self._pending:
            error = DBusErrorResponse(message)
            advice = ": `stylizer install-desktop` gives us one" if "app id" in str(error) else ""
            self._give_up(portal.refusal(error, "GlobalShortcuts") + advice)
        elif kind is not MessageType.signal:
            pass
        elif path == self._request and member == "Response":
            self._answered(bus, *message.body)
        elif path == self._session and member == "Closed":
            self._give_up("the desktop has taken the keys back")
        elif path == PATH and message.body[0] == self._session:
            if member == "ShortcutsChanged":
                self._bound(message.body[1])
                return []
            return _pressed(message.body[1], member)
        return []

    def _answered(self, bus: DBusConnection, code: int, found: dict[str, Any]) -> None:
        if code:
            canceled = code == portal.CANCELED
            self._give_up("the desktop gave us no keys" + (": canceled" if canceled else ""))
        elif self._asked:
            self._bound(found.get("shortcuts", ("", []))[1])
        else:
            self._asked = True
            wanted = [
                (
                    action,
                    {"description": ("s", DEFAULT_KEYS[action][1]), "preferred_trigger": ("s", t)},
                )
                for action, t in self._wanted.items()
            ]
            self._ask(bus, "BindShortcuts", "oa(sa{sv})s", (self._session, wanted, ""), {})

    def _bound(self, shortcuts: list[tuple[str, dict[str, Any]]]) -> None:
        """The desktop has said, for the first time or anew, what is to be pressed."""
        self.waits = False
        triggers = {
            name: facts.get("trigger_description", ("s", ""))[1] for name, facts in shortcuts
        }
        names = {action: triggers[action] for action in self._wanted if triggers.get(action)}
        if names == self.names and names:
            return
        self.names = names
        self._notices.append(f"keys from the desktop: {most_needed(names)}")
        bare = [DEFAULT_KEYS[action][1] for action in self._wanted if action not in names]
        if bare:
            self._notices.append(
                f"the desktop gave no keys for: {', '.join(bare)}; give them in its settings of "
                "shortcuts"
            )

    def _give_up(self, why: str) -> None:
        self.why, self.waits, self.names = why, False, {}
        self.close()


def offered_version() -> int:
    """The version of the desktop's GlobalShortcuts portal, for doctor. Raises StylizerError where
    there is none."""
    with portal.open_bus("keys") as bus:
        try:
            reply = bus.send_and_get_reply(Properties(SHORTCUTS).get("version"), timeout=20)
        except (TimeoutError, OSError) as error:
            raise StylizerError(f"the desktop's portal does not answer ({error})") from error
    if reply.header.message_type is MessageType.error:
        raise StylizerError(portal.refusal(DBusErrorResponse(reply), "GlobalShortcuts"))
    return reply.body[0][1]


def most_needed(names: Mapping[str, str]) -> str:
    """Short, for it is shown in the picture."""
    shown = {"quit": "quit", "help": "all keys"}
    ways = [
        f"{key_label(names[action])}: {what}" for action, what in shown.items() if action in names
    ]
    if "quit" not in names:
        ways.append("`stylizer key quit` ends it")
    return "; ".join(ways)


def _pressed(action: str, member: str | None) -> list[Action]:
    if action not in DEFAULT_KEYS or member not in ("Activated", "Deactivated"):
        return []
    if action in HELD_ACTIONS:
        return [Action(action, 1.0 if member == "Activated" else 0.0)]
    return [Action(action)] if member == "Activated" else []
