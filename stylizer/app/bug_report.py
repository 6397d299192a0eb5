"""doctor --report: one file with all that a bug report needs, and nothing personal in it."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import re
import socket
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import stylizer
from stylizer.app.doctor import Finding
from stylizer.system.machine import cpu_name

# Words of a desktop that tell nothing of its user.
SESSION = ("XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "SDL_VIDEODRIVER", "LANG")
PRESENT = ("DISPLAY", "WAYLAND_DISPLAY", "SWAYSOCK", "DBUS_SESSION_BUS_ADDRESS", "SSH_CONNECTION")
TOO_SHORT = 3  # a name of so few letters would be found in every other word


def make(findings: list[Finding]) -> dict[str, Any]:
    """The report: versions, the machine, the session and what doctor found."""
    return {
        "stylizer": stylizer.__version__,
        "system": platform.platform(),
        "distribution": _distribution(),
        "python": platform.python_version(),
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count(), "kind": platform.machine()},
        "session": {name: os.environ[name] for name in SESSION if name in os.environ}
        | {f"{name} is set": name in os.environ for name in PRESENT},
        "packages": _packages(),
        "findings": [impersonal(finding.as_dict()) for finding in findings],
    }


def impersonal(value: Any) -> Any:
    """The value without the names of user, machine, home folder and the places where the stylizer
    and its Python lie in its texts."""
    if isinstance(value, dict):
        return {key: impersonal(one) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    for name, instead in _names():
        value = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, value)
    return value


def _names() -> list[tuple[str, str]]:
    """What to take out, and what stands there instead; longer ones first."""
    names = {str(Path.home()): "~", socket.gethostname(): "HOST"}
    names |= {sys.prefix: "PYTHON", str(Path(stylizer.__file__).parents[1]): "STYLIZER"}
    with contextlib.suppress(KeyError, OSError):  # a number without a name
        names[getpass.getuser()] = "USER"
    found = [(name, instead) for name, instead in names.items() if len(name) > TOO_SHORT]
    return sorted(found, key=lambda pair: -len(pair[0]))


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _packages() -> dict[str, str]:
    """Versions of what the stylizer depends on, as far as installed."""
    found = {}
    for line in metadata.requires("stylizer") or []:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
