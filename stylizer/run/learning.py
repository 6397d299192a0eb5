"""A style is trained on while it is painted with: in a process of its own that runs after all
else, on the frames just seen; what it has learned takes over in the running picture. Main thread
only, but for what that process does.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

from stylizer.run.helper_process import HelperProcess, Tell
from stylizer.run.opened import Opened
from stylizer.run.recent_frames import RecentFrames
from stylizer.run.switching import Switching
from stylizer.system.files import atomic_write
from stylizer.system.resources import own_styles_folder
from stylizer.system.terminal import tell
from stylizer.timing import minutes

ENDINGS = ("", "-fp16", "-int8")  # of a fast style's files
PREFIX = "training-"  # of its folder, before the number of our process


@dataclass(frozen=True)
class Lesson:
    """What is trained: a style of the user's own, so many steps; its files are written anew every
    so many seconds.

    work: trains, in a process of its own: (style, folder of frames, steps, export_every_s, tell);
    it tells ("step", (step, steps, seconds left)) and ("exported", step). missing: the sentence
    that says what has to be installed first; "" where it is there.
    """

    style: str
    steps: int
    export_every_s: float
    work: Callable[[str, Path, int, float, Tell], object]
    missing: str = ""


class Learning:
    """The training of one run.

    text: how far it is, "" while there is none; share: of its steps, 0..1; over: it has ended, and
    may be kept or discarded.
    """

    def __init__(self, lesson: Lesson | None, opened: Opened, switching: Switching) -> None:
        self._lesson, self._opened, self._switching = lesson, opened, switching
        self._process: HelperProcess | None = None
        self._recent: RecentFrames | None = None
        self._before: dict[Path, bytes | None] = {}  # the style's files as they were
        self._folder = Path()
        self._step, self._steps, self._left_s = 0, 0, 0.0
        self._exported = 0  # the step whose result is written
        self._told_full = False
        self.over = False
        opened.closes(self.close)

    @property
    def text(self) -> str:
        if self._lesson is None or not self._before:
            return ""
        if self.over:
            if not self._exported:
                return "ended before anything was learned"
            return f"ended; {self._exported} steps are in the picture"
        if not self._step:
            return "being started"
        return f"step {self._step} of {self._steps}, {minutes(self._left_s)} left"

    @property
    def share(self) -> float:
        return round(self._step / self._steps, 2) if self._steps else 0.0

    def turn(self, at_s: float) -> list[str]:
        """Once a turn of the loop: messages to show."""
        newest = self._opened.stylist.newest
        if self._lesson is None or self.over or newest is None:
            return []
        if not self._before:
            bank = self._opened.bank
            return [self._start(self._lesson)] if bank.current and not bank.loading else []
        messages = self._hear(self._lesson, at_s)
        if self.over:
            tell(messages[-1])
        if self._recent is not None:
            self._recent.look(newest.frame, at_s)
            if self._recent.failed and not self._told_full:
                self._told_full = True
                failed = self._recent.failed
                messages.append(f"{failed}; the training goes on with what it has seen")
        return messages

    def stop(self) -> str:
        """End the training; the last that was written stays. The message to show."""
        if self._lesson is None or self._process is None:
            return ""
        self._end()
        return f"{self._lesson.style}: stopped, {self._kept}"

    def keep(self) -> str:
        """What was learned is the style from now on. The message to show."""
        self._end()
        assert self._lesson is not None
        style, self._lesson = self._lesson.style, None
        return f"{style}: kept as it was trained, in {own_styles_folder()}"

    def discard(self, at_s: float) -> str:
        """End the training; the style's files are again what they were. The message to show.
        Raises StylizerError where they cannot be written: then they stay as they are."""
        self._end()
        assert self._lesson is not None
        for path, content in self._before.items():
            if content is None:
                path.unlink(missing_ok=True)
                continue
            with atomic_write(path) as file:
                file.write(content)
        lesson, self._lesson = self._lesson, None
        self._renew(lesson, at_s)
        return f"{lesson.style}: as it was before the training"

    def close(self) -> None:
        """Stop what runs, and say what is left where; may be called twice."""
        if self._lesson is None or self._process is None:
            return
        self._end()
        tell(f"{self._lesson.style}: {self._kept}")

    def abandon(self) -> None:
        """From any thread, when the main one does not come back: no process is left."""
        process = self._process
        if process is not None:
            process.kill()
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _kept(self) -> str:
        if not self._exported:
            return "the training had written nothing yet"
        return f"what it learned until step {self._exported} is kept in {own_styles_folder()}"

    # --- beginning, listening, ending ------------------------------------------------------

    def _start(self, lesson: Lesson) -> str:
        if lesson.missing:
            self._lesson = None
            return lesson.missing
        names = [own_styles_folder() / f"{lesson.style}-fast{e}.onnx" for e in ENDINGS]
        try:
            self._before = {p: p.read_bytes() if p.exists() else None for p in names}
            self._folder = new_folder()
        except OSError as error:
            self._lesson = None
            why = (error.strerror or str(error)).lower()
            return f"{lesson.style} cannot be trained: {error.filename}: {why}"
        self._recent = RecentFrames(self._folder)
        self._process = HelperProcess(learn, lesson, self._folder)
        return f"{lesson.style}: a training begins beside the picture"

    def _hear(self, lesson: Lesson, at_s: float) -> list[str]:
        messages: list[str] = []
        try:
            for kind, value in self._process.heard() if self._process is not None else ():
                if kind == "step":
                    self._step, self._steps, self._left_s = value
                elif kind == "exported":
                    self._exported = value
                    self._renew(lesson, at_s)
                    messages.append(f"{lesson.style}: what it learned until step {value} is shown")
                else:
                    self._end()
                    messages.append(self._last_words(lesson, kind, value))
        except (EOFError, OSError):
            self._end()
            messages.append(f"{lesson.style}: the training was ended from outside, {self._kept}")
        return messages

    def _renew(self, lesson: Lesson, at_s: float) -> None:
        """The style's files were written anew: they take over wherever they are in use."""
        self._switching.renew(f"{lesson.style}-fast", at_s)
        self._opened.blending.renew(f"{lesson.style}-fast")

    def _last_words(self, lesson: Lesson, kind: str, why: str) -> str:
        if kind == "failed":
            return f"{lesson.style}: the training ended, {self._kept}: {why}"
        return f"{lesson.style}: trained, {self._kept}; the panel keeps or discards it"

    def _end(self) -> None:
        """No process, no folder, no half file is left; may be called twice."""
        if self._process is None or self._recent is None:
            return
        self.over = True
        pid = self._process.pid
        self._process.end(0.0)  # at once: there is nothing that it could still save
        self._process = None
        self._recent.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            for half in own_styles_folder().glob(f".*.{pid}-*.part"):
                half.unlink(missing_ok=True)


def new_folder() -> Path:
    """An empty folder of this process in the user's cache; those of processes that are gone are
    removed. Raises OSError."""
    cache = platformdirs.user_cache_path("stylizer", appauthor=False)
    for old in cache.glob(f"{PREFIX}*"):
        pid = old.name.removeprefix(PREFIX)
        if pid.isdigit() and (int(pid) == os.getpid() or not psutil.pid_exists(int(pid))):
            shutil.rmtree(old, ignore_errors=True)
    folder = cache / f"{PREFIX}{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


# --- in the process that trains ------------------------------------------------------------


def learn(lesson: Lesson, folder: Path, tell: Tell) -> None:
    """Train, telling what `Lesson.work` tells. Ends by itself, and cleans up, when the window's
    process is gone."""
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"
    lesson.work(lesson.style, folder, lesson.steps, lesson.export_every_s, tell)


def _end_with_parent(folder: Path) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
