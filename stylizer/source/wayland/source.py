"""A window or a monitor on Wayland: the desktop's own dialog lets the user choose, PipeWire brings
the pictures.

Tried on sway with xdg-desktop-portal-wlr, which offers monitors only; the dialogs of GNOME and KDE,
which offer windows too, have not been seen.
"""

from __future__ import annotations

import time
from typing import final

from stylizer.errors import StylizerError
from stylizer.settings import Settings
from stylizer.source.wayland.pipewire import VideoStream
from stylizer.source.wayland.portal import DIALOG_S, Chosen, ScreenCast
from stylizer.source.wayland.remembered import remember, token_for
from stylizer.source.wayland.streamed import WAIT_S, StreamSource
from stylizer.stages import SourceEnded
from stylizer.system.terminal import tell

LOOK_S = 0.2  # how often the desktop's word is read
AGAIN_S = 20.0  # how long a broken stream is asked for again
ANSWER_S = 5.0  # for a choice that needs no dialog
LOST_S = 0.5  # from the end of the stream to that of PipeWire
PAUSE_S = 0.5  # between two attempts

ENDED = "the desktop ended the capture: the window was closed, or the permission taken back"


@final
class PortalSource(StreamSource):
    """Newest frames of what the user chose, BGRA or RGBA, by shared memory.

    settings.window names the game, for which the choice is remembered; with settings.ask the
    dialog comes all the same. Raises StylizerError without a portal, when the user cancels, or when
    no picture comes; `read` raises SourceEnded when the window is closed or the desktop takes the
    permission back, StylizerError when PipeWire goes away for good.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._game = settings.window or ""
        self._looked_at = 0.0
        self._portal: ScreenCast | None = None
        self.capture_method = "Wayland portal"
        self._token = ""
        try:
            chosen = self._open("" if settings.ask else token_for(self._game))
            self._first = self._wait_for_first()
        except BaseException:
            self.close()
            raise
        self.sees_all = chosen.kind != "window"
        what = chosen.kind or "what was chosen"
        self.capture_method = f"Wayland portal (PipeWire, shared memory): {what}"

    def close(self) -> None:
        """End the capture and the portal's session; may be called twice."""
        super().close()
        portal, self._portal = self._portal, None
        if portal is not None:
            portal.close()

    def _open(self, token: str, wait_s: float = DIALOG_S) -> Chosen:
        """Ask, connect, and keep the choice."""
        self._portal = ScreenCast()
        chosen = self._portal.choose(token, self._settings.cursor, wait_s)
        if why := remember(self._game, chosen.token):
            tell(why)
        self._token = chosen.token
        self._stream = VideoStream(self._portal.open_pipewire(), chosen.node_id)
        return chosen

    def _look_after_it(self, stream: VideoStream) -> None:
        """No picture came: all is still, or the desktop or PipeWire has ended it."""
        now = time.perf_counter()
        if self._portal is None or (not stream.broken and now - self._looked_at < LOOK_S):
            return
        self._looked_at = now
        if stream.broken or self._portal.is_closed():
            # Where PipeWire itself ends, this stream and the session may end a moment earlier.
            deadline = now + LOST_S
            while not stream.lost_pipewire and time.perf_counter() < deadline:
                time.sleep(WAIT_S)
            if stream.lost_pipewire:
                self._connect_again(stream.broken)
                return
            tell(ENDED)
            raise SourceEnded(ENDED)
        if self._number:
            self.state = "paused by the desktop" if stream.is_paused else ""

    def _connect_again(self, why: str) -> None:
        """PipeWire was restarted, mostly: what was chosen is asked for again, without a dialog."""
        if not self._token:
            raise StylizerError(f"the capture broke ({why}): start again")
        tell(f"the capture broke ({why}); connecting again")
        self.close()
        deadline, failure = time.monotonic() + AGAIN_S, ""
        while time.monotonic() < deadline:
            time.sleep(PAUSE_S)
            try:
                self._open(self._token, ANSWER_S)
                self._first = self._wait_for_first()
                tell("connected again")
                return
            except StylizerError as error:
                failure = str(error)
                self.close()
        raise StylizerError(f"the capture broke ({why}) and did not come back: {failure}")
