"""Leaving the game its share during a run: counts what it draws, and says when to paint. Main
thread only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from stylizer.run.game_share import FIRST_S, GameShare
from stylizer.run.opened import Opened
from stylizer.run.threads import Shown
from stylizer.settings import Settings
from stylizer.system.terminal import tell

if TYPE_CHECKING:
    from stylizer.source.x11.drawing import Drawing

TELLS = f"looking for {FIRST_S:g} s at how fast the game draws by itself"
NEW_WITHIN_S = 0.5  # after a pause, a game that moves gives a new frame


class Sharing:
    """Watches the captured game, and holds painting back; does nothing where no share is asked for
    or the picture lies over no game."""

    def __init__(self, settings: Settings, opened: Opened) -> None:
        self._opened = opened
        self._possible = settings.present == "overlay" and not settings.sync
        self._drawing: Drawing | None = None
        self._window = 0  # that is counted
        self._share: GameShare | None = None
        self._quiet_until = 0.0  # when it last ended
        self._shown = False  # something painted
        self._painted = 0  # since the last turn
        self._counted_quiet = True  # the pause has been left out of the statistics
        self.choose(settings.game_share)

    def choose(self, share: float | None) -> None:
        """Another share from now on; None: the game has what is left."""
        self.wanted = share
        if self._share is not None and share is not None:
            self._share.share = share
            return
        self._share = GameShare(share) if share is not None and self._possible else None
        self._opened.stylist.pace(0.0)

    @property
    def game_fps(self) -> float | None:
        """What the game draws by itself; None where nobody looked, or it stood still."""
        return self._share.own_fps if self._share is not None else None

    @property
    def on(self) -> bool:
        """Whether the game is left a share."""
        return self._share is not None

    @property
    def quiet(self) -> bool:
        """Nothing is to be painted now, and nothing shown: the game's own rate is being taken."""
        return self._share is not None and self._share.quiet

    @property
    def looks_first(self) -> bool:
        """Whether that is so before anything painted was shown."""
        return self.quiet and not self._shown

    @property
    def skips_frames(self) -> bool:
        """Whether frames are left out."""
        return self._share is not None and self._share.every > 1

    def turn(self, shown: Shown | None, missed: bool) -> str:
        """Once a turn of the loop; the message to show, "" for none.

        missed: somebody would miss the picture for a second, as in a recording.
        """
        now, share = time.perf_counter(), self._share
        drawn = self._drawn() if share is not None else []
        if share is None or shown is None:
            return ""
        if self._opened.bank.busy:
            share.restart(now)
            return ""
        painted, self._painted = self._painted, 0
        was_quiet = share.quiet
        changed = share.turn(now, drawn, painted, may_be_quiet=not (missed and self._shown))
        if share.quiet and not was_quiet and not self._shown:
            tell(TELLS)
            return TELLS
        if was_quiet and not share.quiet:
            self._quiet_until = now
        self._opened.stylist.pace(share.interval_s)
        return share.text if changed else ""

    def keeps_off(self, new: Shown | None) -> bool:
        """Whether nothing is to be presented this turn; after a pause not before a new frame comes,
        or the one before it would be seen again."""
        self._painted += new is not None
        if self.quiet or (new is not None and self._begins):
            self._counted_quiet = False
            return True
        if self._counted_quiet:
            return False
        fresh = new is not None and new.styled.frame.captured_at > self._quiet_until
        return not fresh and time.perf_counter() < self._quiet_until + NEW_WITHIN_S

    @property
    def _begins(self) -> bool:
        """Whether nothing painted was shown, nor the game's own rate taken: that comes first."""
        fresh = self._share is not None and not self._share.taken and not self._shown
        return fresh and not self._opened.bank.busy

    def note_shown(self, new: bool) -> bool:
        """Something is shown, new: newly painted; True after a pause: no frame took that long."""
        self._shown |= new
        was, self._counted_quiet = self._counted_quiet, True
        return not was

    @property
    def words(self) -> tuple[str, str]:
        """For the HUD: what is painted, what the game does; both "" where no share is asked for."""
        return ("", "") if self._share is None else self._share.words

    @property
    def text(self) -> str:
        """For the panel, the same as one sentence."""
        return "" if self._share is None else self._share.text

    @property
    def figures(self) -> dict[str, Any] | None:
        """For the report; None where no share is asked for."""
        s = self._share
        if s is None:
            return None
        return {
            "wanted": s.share,
            "own_fps": s.own_fps,
            "beside_fps": s.beside_fps,
            "kept": s.kept,
            "painted_every": s.every,
            "own_taken": s.taken,
        }

    def close(self) -> None:
        """Stop counting; may be called twice."""
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None

    def _drawn(self) -> list[float]:
        window = self._opened.source.window_id
        if window != self._window:
            self.close()
            self._window = window
            if window:
                from stylizer.source.x11.drawing import Drawing

                self._drawing = Drawing(window)
        return [] if self._drawing is None else self._drawing.take()
