"""How what is missing gets here: the system's libraries by Debian's names, and Python packages by
the tool that installed this program."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

# What desktops know us by: the name of the entry that `stylizer install-desktop` writes.
DESKTOP_ID = "io.github.stylizer.Stylizer"
GL_LIBRARIES = "apt-get install libegl1 libgl1 libgl1-mesa-dri"
X11_LIBRARIES = "apt-get install libx11-6 libxext6 libxcomposite1 libxdamage1"
SCREEN_LIBRARIES = "apt-get install libxcb1 libxcb-randr0 libxcb-render0 libxcb-shm0 libxcb-xfixes0"
OURS = re.compile(r"""(["']?)stylizer\[(\w+)\]\1""")
# In an AppImage, which holds all it has: nothing can be added to it.
ADDED = re.compile(r"""(?<![\w-])pip install (?:"[^"]*"|'[^']*'|\S+)""")
INSTEAD = "install the wheel by pip, pipx or uv instead of the AppImage"
PIP = re.compile(r"(?<![\w-])pip (install|uninstall -y)")


def fitting(text: str) -> str:
    """The text with its pip lines as they must be typed here.

    No registry has this program, so "stylizer[cuda]" is written as where it was installed from (PEP
    610); and what pipx or uv made has to be reached through them.
    """
    if appimage():
        return ADDED.sub(INSTEAD, text)
    option, origin = _origin()
    if origin:
        text = OURS.sub(lambda found: option + shlex.quote(f"{origin}[{found[2]}]"), text)
    return PIP.sub(lambda found: _pip(found[1]), text)


def appimage() -> str:
    """The AppImage's file that this program runs from; empty where it does not."""
    folder, image = os.environ.get("APPDIR"), os.environ.get("APPIMAGE")
    return image if folder and image and Path(sys.prefix).is_relative_to(folder) else ""


def _origin() -> tuple[str, str]:
    """("-e " for a checkout in use, the wheel, checkout or address this was installed from); an
    empty address where nobody wrote it down."""
    try:
        text = metadata.distribution("stylizer").read_text("direct_url.json")
    except metadata.PackageNotFoundError:  # run from a checkout by another program's interpreter
        text = None
    facts: dict[str, Any] = json.loads(text) if text else {"url": ""}
    url = facts["url"]
    address = url2pathname(urlparse(url).path) if url.startswith("file:") else url
    return "-e " if facts.get("dir_info", {}).get("editable") else "", address


def _pip(verb: str) -> str:
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        return f"pipx runpip {shlex.quote(prefix.name)} {verb}"
    pip = prefix / ("Scripts" if sys.platform == "win32" else "bin") / "pip"
    at_hand = sys.prefix == sys.base_prefix or os.environ.get("VIRTUAL_ENV") == sys.prefix
    if at_hand or pip.exists() or pip.with_suffix(".exe").exists():
        return f"{'pip' if at_hand else shlex.quote(str(pip))} {verb}"
    # It never asks, so that it knows no -y.
    return f"uv pip {verb.removesuffix(' -y')} --python {shlex.quote(sys.prefix)}"
