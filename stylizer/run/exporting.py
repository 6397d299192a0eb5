"""A video, a picture or a folder of pictures, painted as the game is now, in a process of its own
that runs after all else. Main thread only, but for what that process does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from stylizer.errors import BadInput, StylizerError
from stylizer.run.helper_process import HelperProcess, Tell
from stylizer.settings import Settings
from stylizer.system.terminal import tell
from stylizer.timing import FrameStats

Work = Callable[..., object]

TELL_S = 0.2  # between two counts that are told
END_S = 5.0  # that a stopped one has to finish its file
LIVE_ONLY: dict[str, Any] = {
    "window": None, "region": None, "monitor": None, "target_fps": None, "game_share": None,
    "replay": None, "camera": False, "report": None, "screenshot": None, "frames": None,
    "seconds": None, "wipe": None, "fullscreen": False, "grab_keys": False, "hud": "off",
    "present": "offscreen", "sync": True, "warmup": 1, "overwrite": False,
}  # fmt: skip


class Exporting:
    """One at a time. share: of the frames that are done, 0..1; text: what is done of what, "" while
    nothing is exported."""

    def __init__(self, settings: Settings, work: Work) -> None:
        """work: run() itself, which the process that paints calls."""
        self._settings, self._work = settings, work
        self._process: HelperProcess | None = None
        self._name, self._out = "", Path()
        self._done, self._total = 0, 0
        self._stopped_at: float | None = None

    @property
    def text(self) -> str:
        if self._process is None:
            return ""
        if self._stopped_at is not None:
            return f"{self._name}: being stopped"
        if not self._done:
            return f"{self._name}: being started"
        of = f" of {self._total}" if self._total else ""
        return f"{self._name}: {self._done}{of} frames"

    @property
    def share(self) -> float:
        return round(min(1.0, self._done / self._total), 2) if self._total else 0.0

    def start(self, given: Path, look: Mapping[str, Any]) -> str:
        """Begin; look: the settings that the panel has changed. The message to show. Raises
        BadInput for what cannot be painted."""
        if self._process is not None:
            return "one export still runs: stop it, or wait for its end"
        settings = export_settings(self._settings, given.absolute(), look)
        out = settings.record or settings.output
        assert out is not None
        self._process = HelperProcess(paint, self._work, settings)
        self._name, self._out, self._done, self._total = given.name, out, 0, 0
        self._stopped_at = None
        return _told(f"painting {given.name}: {out}")

    def turn(self) -> str:
        """Once a turn of the loop: the message to show, "" for none."""
        if self._process is None:
            return ""
        try:
            for kind, value in self._process.heard():
                if kind == "failed":
                    return self._end(f"{self._name} could not be painted: {value}")
                if kind == "done":
                    return self._end(self._kept or f"painted {self._out}")
                self._done, self._total = value
            if self._stopped_at is not None and time.monotonic() - self._stopped_at > END_S:
                return self._end(self._kept)
        except (EOFError, OSError):
            middle = f"{self._name}: painting it ended in its middle, {self._out}"
            return self._end(self._kept or middle)
        return ""

    def stop(self) -> None:
        """Ask it to end; what was painted until then stays. A later turn says what that is."""
        if self._process is not None and self._stopped_at is None:
            self._stopped_at = time.monotonic()
            self._process.interrupt()

    def close(self) -> None:
        """Stop what runs, and wait for it; may be called twice."""
        self.stop()
        if self._process is not None:
            self._process.end(END_S)
            self._end(self._kept)

    @property
    def _kept(self) -> str:
        """What is said of one that was asked to end; "" of another."""
        if self._stopped_at is None:
            return ""
        left = f"what was painted is {self._out}" if self._out.exists() else "nothing was painted"
        return f"{self._name}: stopped, {left}"

    def _end(self, message: str) -> str:
        """It is over; the message, which is told on the terminal, too."""
        if self._process is not None:
            self._process.end(0.0)
        self._process = None
        return _told(message)


def _told(message: str) -> str:
    tell(message)
    return message


def export_settings(settings: Settings, given: Path, look: Mapping[str, Any]) -> Settings:
    """Of a run that paints a file as the game is painted. Raises BadInput or StylizerError."""
    from stylizer.system.pictures import SUFFIXES

    if not given.exists():
        raise BadInput(f"there is no {given}: name a video, a picture or a folder of pictures")
    pictures = given.is_dir() or given.suffix.lower() in SUFFIXES
    look = {k: v for k, v in look.items() if k in Settings.__dataclass_fields__}
    plain = replace(settings, **(look | LIVE_ONLY), input=given)
    if pictures:
        folder = settings.screenshots or platformdirs.user_pictures_path()
        return replace(plain, source="images", record=None, output=free(folder, given.stem, ""))
    folder = settings.recordings or platformdirs.user_videos_path()
    return replace(plain, source="video", record=free(folder, given.stem, ".mp4"), output=None)


def free(folder: Path, stem: str, suffix: str) -> Path:
    """FOLDER/STEM-painted.SUFFIX, or with a number where that is taken. Raises StylizerError."""
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StylizerError(f"the folder {folder} cannot be made: {error.strerror}") from error
    names = (f"{stem}-painted{'' if n == 1 else f'-{n}'}{suffix}" for n in range(1, 100_000))
    return next(folder / name for name in names if not (folder / name).exists())


# --- in the process that paints ------------------------------------------------------------


def paint(work: Work, settings: Settings, tell: Tell) -> None:
    """Run, telling ("frames", (done, total)) now and then; interrupted, it leaves a file that can
    be played."""
    shown_at, total = 0.0, frames_of(settings)

    def count(stats: FrameStats) -> None:
        nonlocal shown_at
        if time.perf_counter() - shown_at >= TELL_S:
            shown_at = time.perf_counter()
            tell("frames", (stats.presented, total))

    tell("frames", (0, total))
    work(settings, on_present=count)


def frames_of(settings: Settings) -> int:
    """How many frames it will be, as far as can be told before; 0: nobody knows."""
    if settings.source == "images":
        from stylizer.source.images import picture_paths

        with suppress(StylizerError):
            return len(picture_paths(settings.input))
        return 0
    import av

    from stylizer.source.video_open import checked, open_video

    with suppress(StylizerError):
        container, stream = open_video(checked(settings.input))
        with container:
            if stream.frames:
                return stream.frames
            if container.duration and stream.average_rate:
                return round(container.duration / av.time_base * stream.average_rate)
    return 0
