"""What the desktop let us capture, game by game, so that it need not ask again.

A token opens nothing by itself: the desktop keeps what it stands for, and forgets it when the user
takes the permission back in the desktop's settings.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import platformdirs

from stylizer.errors import StylizerError
from stylizer.system.files import write_text


def place() -> Path:
    """The file of tokens, in the user's state folder."""
    return platformdirs.user_state_path("stylizer", appauthor=False) / "portal.json"


def token_for(game: str) -> str:
    """The token of what was chosen for this game ("" for none named); "": ask."""
    return _read().get(game, "")


def remember(game: str, token: str) -> str:
    """Keep a token, or forget it where it is ""; returns why that failed, "" if it did not."""
    tokens = _read()
    if tokens.get(game, "") == token:
        return ""
    tokens[game] = token
    path = place()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(path, json.dumps({name: t for name, t in tokens.items() if t}, indent=2) + "\n")
        os.chmod(path, 0o600)
    except (OSError, StylizerError) as error:
        return f"the choice cannot be kept for the next time: {error}"
    return ""


def _read() -> dict[str, str]:
    """What is kept; nothing where the file is missing or broken, which costs one question more."""
    try:
        found = json.loads(place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: token for name, token in found.items() if isinstance(token, str)}
