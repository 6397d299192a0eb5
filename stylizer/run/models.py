"""The style models of one run: which is in use, which are warm, which is loading."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from stylizer.errors import BadInput, StylizerError, one_sentence
from stylizer.frame import Frame, StyledFrame
from stylizer.stages import StyleBackend
from stylizer.system.priority import give_way

LEAVE_S = 0.5  # that the end of a run waits for a load: nothing can interrupt a runtime's
_left: list[threading.Thread] = []  # of runs that have ended


def still_loading() -> bool:
    """Whether a run has ended without a model that it was loading: the process can then only be
    left at once (`os._exit`), as a runtime that is torn down meanwhile crashes."""
    return any(thread.is_alive() for thread in _left)


def leave(thread: threading.Thread) -> None:
    """Wait for a thread that loads a model, not for long; then it is left alone."""
    thread.join(LEAVE_S)
    if thread.is_alive():
        _left.append(thread)


def on_gpu(backend: StyleBackend) -> bool:
    """Whether it runs on a GPU, which a game may want for itself and a driver may lose."""
    if backend.provider in ("none", "cpu"):
        return False
    from stylizer.style.providers import PROVIDERS

    row = PROVIDERS.get(backend.provider)
    return row is not None and row.gpu


class ModelBank:
    """Loads models one after another on a thread of its own, so that no presented frame waits.

    `style` is the style thread's; everything else is the main thread's. Of models on a GPU only the
    one in use is kept: its memory is the game's as well.
    """

    def __init__(
        self,
        load: Callable[[str], StyleBackend],
        ready: StyleBackend | None = None,
        gives_way: bool = False,
        load_on_cpu: Callable[[str], StyleBackend] | None = None,
        waits: bool = True,
    ) -> None:
        """`load` opens a model by name; `ready` is one already open, which is not closed here.
        gives_way: loading, and the models' own threads, run after the display. load_on_cpu: `load`
        for what a GPU has failed with; None: such a failure is raised at once. waits: the end waits
        for a load under way."""
        self._waits = waits
        self._load_on_cpu = load_on_cpu
        self._rebuilt: set[str] = set()  # after a failure, once
        self._retired: list[StyleBackend] = []  # no longer in use, not closed yet
        self._notices: list[str] = []
        self._gives_way = gives_way
        self._load = load
        self._borrowed = ready
        self._loaded: dict[str, StyleBackend] = {}
        self._wanted: list[str] = []
        self._changed: set[str] = set()  # whose files have, since they were read
        self._target = ""
        self._active: StyleBackend | None = ready
        self._error: BaseException | None = None
        self._failed: list[str] = []
        self._closing = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)
        self._thread.start()

    def use(self, name: str) -> None:
        """Make this model the active one: at once when warm, else once it has loaded."""
        with self._condition:
            self._target = name
            if name in self._loaded:
                self._activate(self._loaded[name])
            else:
                self._wanted = [name, *(n for n in self._wanted if n != name)]
            self._condition.notify_all()

    def load_also(self, names: list[str]) -> None:
        """Load these as well, after whatever is wanted now."""
        with self._condition:
            known = {*self._loaded, *self._wanted}
            self._wanted += [n for n in names if n not in known]
            self._condition.notify_all()

    def renew(self, name: str) -> None:
        """The model's files have changed: where it is loaded it is loaded anew, and takes the place
        of the old one, in use or not."""
        with self._condition:
            if name in self._loaded or name in self._wanted:
                self._changed.add(name)
                self._wanted += [name] if name not in self._wanted else []
                self._condition.notify_all()

    def active(self) -> StyleBackend:
        """The model in use; waits for the first one. Raises what loading the first one raised."""
        with self._condition:
            self._condition.wait_for(lambda: self._active or self._error or self._closing)
            if self._active is None:
                raise self._error or StylizerError("the run ended before its model had loaded")
            return self._active

    def style(self, frame: Frame) -> StyledFrame:
        """The picture by the model in use, which is waited for. On the style thread.

        Where a GPU fails, the model is built anew there once, then on the CPU, and `take_notices`
        says so; what fails on the CPU is raised.
        """
        while True:
            with self._condition:
                retired, self._retired = self._retired, []
            for backend in retired:
                backend.close()
            backend = self.active()
            try:
                return backend.style(frame)
            except StylizerError as error:
                self._replace(backend, error)

    def _replace(self, lost: StyleBackend, error: StylizerError) -> None:
        name = next((n for n, b in self._loaded.items() if b is lost), "")
        mine = name and lost is not self._borrowed and self._load_on_cpu is not None
        if not mine or isinstance(error, BadInput) or not on_gpu(lost):
            raise error
        with suppress(Exception):  # of a device that is gone
            lost.close()
        fresh = self._built_anew(name, error)
        why = one_sentence(error).partition("; ")[0]
        fresh.provider_reason += f", after {why}"
        with self._condition:
            self._loaded = {n: fresh if b is lost else b for n, b in self._loaded.items()}
            if self._active is lost:
                self._active = fresh
            self._notices.append(f"{why}; {fresh.model} goes on on {fresh.provider}")

    def _built_anew(self, name: str, error: StylizerError) -> StyleBackend:
        """On its provider the first time, else on the CPU; raises `error` where neither works."""
        assert self._load_on_cpu is not None
        ways = [self._load_on_cpu] if name in self._rebuilt else [self._load, self._load_on_cpu]
        self._rebuilt.add(name)
        for load in ways:
            with suppress(StylizerError):
                return load(name)
        raise error

    @property
    def current(self) -> StyleBackend | None:
        """The model in use, or None while the first one loads."""
        return self._active

    @property
    def error(self) -> BaseException | None:
        """Why the first model could not be loaded, where that is so."""
        with self._condition:
            return self._error if self._active is None else None

    @property
    def loading(self) -> str:
        """Name of the model that will be used once it has loaded, else ""."""
        with self._condition:
            return "" if self._target in self._loaded else self._target

    @property
    def busy(self) -> bool:
        """Whether any model is being loaded, wanted now or kept warm."""
        with self._condition:
            return bool(self._wanted)

    def take_failures(self) -> list[str]:
        """One sentence for each model asked for that could not be loaded since the last call."""
        with self._condition:
            failed, self._failed = self._failed, []
            return failed

    def take_notices(self) -> list[str]:
        """One sentence for each model that was replaced since the last call."""
        with self._condition:
            notices, self._notices = self._notices, []
            return notices

    def give_up(self) -> None:
        """Nobody needs what has not loaded yet: who waits for it, waits no longer."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()

    def close(self) -> None:
        """Close every model; a load under way is waited for where it draws with a GL context of
        ours, else left alone (`still_loading`)."""
        self.give_up()
        if self._waits:
            self._thread.join()
        leave(self._thread)
        for backend in (*self._loaded.values(), *self._retired):
            if backend is not self._borrowed:
                backend.close()

    def _run(self) -> None:
        if self._gives_way:
            give_way()
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._wanted or self._closing)
                if self._closing:
                    return
                name = self._wanted[0]
                self._changed.discard(name)
            try:
                backend: StyleBackend | None = self._load(name)
                error = None
            except Exception as caught:
                backend, error = None, caught
            self._finish(name, backend, error)

    def _finish(self, name: str, backend: StyleBackend | None, error: Exception | None) -> None:
        with self._condition:
            self._wanted = [n for n in self._wanted if n != name or n in self._changed]
            if backend is not None:
                self._replace_old(self._loaded.get(name), backend)
                self._loaded[name] = backend
                self._loaded.setdefault(backend.model, backend)  # "auto" is known by its name too
                if self._target == name:
                    self._activate(backend)
            elif self._active is None:
                self._error = error
            elif self._target == name:  # the run goes on with the model it has; the user is told
                self._failed.append(f"{name}: {error}")
                self._target = next((n for n, b in self._loaded.items() if b is self._active), "")
            self._condition.notify_all()

    def _replace_old(self, old: StyleBackend | None, new: StyleBackend) -> None:
        """By what was loaded anew. The style thread closes the old one: it may use it now."""
        if old is None or old is self._borrowed:
            return
        self._loaded = {n: new if b is old else b for n, b in self._loaded.items()}
        if self._active is old:
            self._active = new
        self._retired.append(old)

    def _activate(self, backend: StyleBackend) -> None:
        """The one in use from now on, which sees what the last one saw. The style thread closes
        what it leaves behind on a GPU."""
        old = self._active
        if old is not None and old.resizable is not None and backend.resizable is not None:
            backend.set_inference_size(old.asked_size)
        self._active = backend
        if old is None or old in (backend, self._borrowed) or not on_gpu(old):
            return
        self._loaded = {n: b for n, b in self._loaded.items() if b is not old}
        self._retired.append(old)
