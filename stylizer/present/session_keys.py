"""Global keys for a window of our own in a Wayland session: the desktop's, else those of X11, which
work as long as an X11 program has the keyboard.
"""

from __future__ import annotations

from stylizer.hotkeys import Action
from stylizer.present.global_keys import GlobalKeys
from stylizer.present.portal_keys import PortalKeys


class SessionKeys:
    """As GlobalKeys. x11: whether there is XWayland, which is the second choice. One thread.

    Raises BadInput for combinations that cannot be.
    """

    def __init__(self, overrides: dict[str, str], x11: bool) -> None:
        self._overrides, self._x11 = overrides, x11
        self._portal = PortalKeys(overrides)
        self._second: GlobalKeys | None = None
        self._told = False
        self._notices: list[str] = []

    @property
    def names(self) -> dict[str, str]:
        """action -> the combination that works."""
        return self._portal.names if self._second is None else self._second.names

    def actions(self) -> list[Action]:
        """What was pressed since the last call, and the release of held actions."""
        found = self._portal.actions()
        if self._portal.why and not self._told:
            self._told = True
            self._take_second()
        return found + (self._second.actions() if self._second is not None else [])

    def take_notices(self) -> list[str]:
        """What the user should know of the keys, since the last call."""
        notices, self._notices = self._notices + self._portal.take_notices(), []
        return notices + (self._second.take_notices() if self._second is not None else [])

    def close(self) -> None:
        """Give the keys back; may be called twice."""
        self._portal.close()
        if self._second is not None:
            self._second.close()

    def _take_second(self) -> None:
        if self._x11:
            self._second = GlobalKeys(self._overrides)
            where = "while an X11 program has the keyboard"
        else:
            where = "in our own window only"
        self._notices.append(
            f"keys work {where} ({self._portal.why}); everywhere: the desktop's shortcuts may call "
            "`stylizer key NAME`"
        )
