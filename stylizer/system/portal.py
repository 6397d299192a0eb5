"""The desktop's portals over D-Bus: what all of them share. Linux only.

Requests and sessions: https://flatpak.github.io/xdg-desktop-portal, "Common Conventions".
"""

from __future__ import annotations

import itertools
import os

from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse

from stylizer.errors import StylizerError

BUS_NAME, PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
SESSION, REQUEST = "org.freedesktop.portal.Session", "org.freedesktop.portal.Request"
CANCELED = 1  # the first number of a request's answer; 2: ended in some other way
ABSENT = ("ServiceUnknown", "UnknownInterface", "InvalidArgs", "UnknownMethod")
_numbers = itertools.count()


def open_bus(what_for: str, enable_fds: bool = False) -> DBusConnection:
    """A connection to the session bus. Raises StylizerError without one."""
    try:
        return open_dbus_connection("SESSION", enable_fds=enable_fds)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        why = "DBUS_SESSION_BUS_ADDRESS is not set" if isinstance(error, KeyError) else error
        raise StylizerError(
            f"there is no D-Bus session ({why}), so the desktop cannot be asked for {what_for}"
        ) from error


def token() -> str:
    """A name for a request or a session that no other one of ours has."""
    return f"stylizer{os.getpid()}_{next(_numbers)}"


def path_of(kind: str, bus: DBusConnection, name: str) -> str:
    """Where a "request" or a "session" of this token will be."""
    sender = str(bus.unique_name).lstrip(":").replace(".", "_")
    return f"{PATH}/{kind}/{sender}/{name}"


def absence(portal: str) -> str:
    return f"the desktop has no {portal} portal"


def refusal(error: DBusErrorResponse, portal: str) -> str:
    """One sentence for a D-Bus error; `absence` where the desktop has no such portal."""
    if error.name.rpartition(".")[2] in ABSENT:
        return absence(portal)
    words = " ".join(str(part) for part in error.data)
    return f"the desktop's portal refused: {words or error.name}"
