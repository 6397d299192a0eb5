"""Keys over a native Wayland game, as far as the desktop gives any: by its GlobalShortcuts portal,
or by bindings of sway's that call `stylizer key NAME`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from stylizer.errors import StylizerError
from stylizer.hotkeys import DEFAULT_KEYS, Action, key_command
from stylizer.present.portal_keys import PortalKeys, most_needed
from stylizer.system import sway
from stylizer.system.xkb import pygame_name

SOON_S = 1.0  # a portal that shows no dialog has answered by then
ASKED_S = 60.0  # how long the desktop's dialog may stay before the picture covers it
ANY_KEY = {action: key_command(action) for action in DEFAULT_KEYS}
CALL = re.compile(r"\b(?:stylizer|main\.py)['\"]? key (\w+)$")


class WaylandKeys:
    """Hears what the desktop's keys ask for; waits for nobody. One thread.

    overrides: as in settings.global_keys. Raises BadInput for combinations that cannot be.
    """

    def __init__(self, overrides: dict[str, str]) -> None:
        self._notices: list[str] = []
        self._names: Mapping[str, str] = {}
        self._ask(overrides)

    def _ask(self, overrides: dict[str, str]) -> None:
        self._portal = PortalKeys(overrides)
        self._began_s = time.monotonic()
        self._asks = self._told = False

    @property
    def asks(self) -> bool:
        """Whether the desktop may just show its dialog, which must not be covered."""
        return self._portal.waits and self._since_s() < ASKED_S

    @property
    def names(self) -> Mapping[str, str]:
        """action -> the key that works; where the desktop has none, what to type or to bind."""
        return ANY_KEY | dict(self._names) | self._portal.names

    def actions(self) -> list[Action]:
        """What was pressed since the last call, and the release of held actions."""
        found = self._portal.actions()
        if self._portal.waits and not self._asks and self._since_s() > SOON_S:
            self._asks = True
            self._notices.append("the desktop asks which keys are to be ours: answer its dialog")
        if self._portal.why and not self._told:
            self._told = True
            self._names = _bound_in_sway()
            self._notices.append(self._other_way())
        return found

    def take_notices(self) -> list[str]:
        """What the user should know of the keys, since the last call."""
        notices, self._notices = self._notices + self._portal.take_notices(), []
        return notices

    def rebind(self, overrides: dict[str, str]) -> None:
        """Ask for other combinations."""
        self._portal.close()
        self._ask(overrides)

    def close(self) -> None:
        """Give the keys back; may be called twice."""
        self._portal.close()

    def _since_s(self) -> float:
        return time.monotonic() - self._began_s

    def _other_way(self) -> str:
        """How it is controlled without the portal: no more than is true here."""
        if self._names:
            return f"keys by sway's bindings: {most_needed(self._names)}"
        if sway.runs():
            return (
                "no key reaches the picture over a native game: `stylizer key --sway` prints "
                "bindings for sway's configuration; `stylizer key quit` ends it"
            )
        return (
            f"no key reaches the picture over a native game ({self._portal.why}): the desktop's "
            "own shortcuts may call `stylizer key NAME`; `stylizer key quit` ends it"
        )


def _bound_in_sway() -> dict[str, str]:
    """action -> the combination that sway's configuration binds to it; none without sway."""
    try:
        bindings = sway.bindings()
    except StylizerError:
        return {}
    found = ((CALL.search(command), keys) for keys, command in bindings)
    return {call[1]: _ours(keys) for call, keys in found if call and call[1] in DEFAULT_KEYS}


def _ours(keys: str) -> str:
    """ "Ctrl+Alt+bracketleft" -> "ctrl+alt+[", as our own combinations are written."""
    *modifiers, key = keys.split("+")
    return "+".join([*(m.lower() for m in modifiers), pygame_name(key)])
