"""What a run tells its user while it goes on. Main thread only."""

from __future__ import annotations

from stylizer.run.opened import Opened
from stylizer.system.terminal import tell


class Telling:
    """On the screen for a moment, and on the terminal what came unasked."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def say(self, *messages: str) -> None:
        """On the screen; "" is nothing to say."""
        for message in filter(None, messages):
            self._opened.hud.say(message)

    def notices(self) -> bool:
        """What happened beside the loop, on screen and terminal; whether anything did."""
        opened = self._opened
        notices = (
            *opened.presenter.take_notices(),
            *opened.bank.take_notices(),
            *opened.outputs.take_notices(),
            *opened.blending.take_messages(),
        )
        for notice in notices:
            tell(notice)
        failures = opened.bank.take_failures()
        self.say(*notices, *failures)
        return bool(notices or failures)
