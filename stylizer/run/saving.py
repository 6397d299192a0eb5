"""What leaves a run as a file: recordings, replays, screenshots. Main thread only."""

from __future__ import annotations

from functools import partial

from stylizer.errors import StylizerError
from stylizer.hotkeys import Action
from stylizer.run.opened import Opened
from stylizer.run.screen import Screen
from stylizer.settings import Settings
from stylizer.system.terminal import tell
from stylizer.timing import FrameStats


class Saving:
    """Hands what is on the screen to the outputs, as keys, settings and the end ask for it."""

    def __init__(self, settings: Settings, opened: Opened, screen: Screen) -> None:
        self._settings, self._screen = settings, screen
        self._outputs, self._compositor = opened.outputs, opened.compositor

    def carry_out(self, action: Action, stats: FrameStats) -> str:
        """Do what a key asks for; the message to show, "" where that is nothing of ours."""
        message = self._carried_out(action, stats)
        if message:
            tell(message)
        return message

    def _carried_out(self, action: Action, stats: FrameStats) -> str:
        try:
            if action.name == "screenshot":
                if self._screen.drawn is None:
                    return "there is no picture yet"
                return f"saved {self._outputs.new_screenshot(self._screen.read(stats))}"
            if action.name == "save_replay":
                return self._outputs.save_replay()
            if action.name != "record":
                return ""
            self._record_rest()
            return self._outputs.toggle_recording()
        except StylizerError as error:  # a key must not end the game
            return str(error)

    def record(self) -> str:
        """The pair that is shown, without the HUD, or those before it that have been read by now;
        the message to show where that ended a recording. Raises StylizerError where that is what
        the run is for."""
        try:
            for frame, picture in self._compositor.render_in_turn(self._screen.look):
                self._outputs.add(frame, picture)
        except StylizerError as error:
            if self._settings.record or self._settings.output:
                raise
            self._outputs.stop_recording()
            return str(error)
        return ""

    def finish(self, failure: Exception | None, stats: FrameStats) -> Exception | None:
        """Close the recording, write the screenshot; the first failure of the run until here."""
        recorded = self._outputs.recorded_by_key
        screenshot = partial(self._last_screenshot, stats)
        for last in (self._record_rest, self._outputs.close, screenshot):
            try:
                last()
            except Exception as error:
                failure = failure or error
        if recorded is not None and recorded.exists():
            tell(f"saved {recorded}")
        return failure

    def _record_rest(self) -> None:
        for frame, picture in self._compositor.rest():
            self._outputs.add(frame, picture)

    def _last_screenshot(self, stats: FrameStats) -> None:
        if self._settings.screenshot is not None and self._screen.drawn is not None:
            self._outputs.screenshot(self._settings.screenshot, self._screen.read(stats))
