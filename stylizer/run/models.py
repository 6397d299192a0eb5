"""The style models of one run: which is in use, which are warm, which is loading."""

from __future__ import annotations

import threading
from collections.abc import Callable

from stylizer.errors import StylizerError
from stylizer.stages import StyleBackend
from stylizer.system.priority import give_way


class ModelBank:
    """Loads models one after another on a thread of its own, so that no presented frame waits.

    `active` is read by the style thread before every frame; everything else is the main thread's.
    """

    def __init__(
        self,
        load: Callable[[str], StyleBackend],
        ready: StyleBackend | None = None,
        gives_way: bool = False,
    ) -> None:
        """`load` opens a model by name; `ready` is one already open, which is not closed here.
        gives_way: loading, and the models' own threads, run after the display."""
        self._gives_way = gives_way
        self._load = load
        self._borrowed = ready
        self._loaded: dict[str, StyleBackend] = {}
        self._wanted: list[str] = []
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
                self._active = self._loaded[name]
            else:
                self._wanted = [name, *(n for n in self._wanted if n != name)]
            self._condition.notify_all()

    def keep_warm(self, names: list[str]) -> None:
        """Load these as well, after whatever is wanted now."""
        with self._condition:
            known = {*self._loaded, *self._wanted}
            self._wanted += [n for n in names if n not in known]
            self._condition.notify_all()

    def active(self) -> StyleBackend:
        """The model in use; waits for the first one. Raises what loading the first one raised."""
        with self._condition:
            self._condition.wait_for(lambda: self._active or self._error or self._closing)
            if self._active is None:
                raise self._error or StylizerError("the run ended before its model had loaded")
            return self._active

    @property
    def current(self) -> StyleBackend | None:
        """The model in use, or None while the first one loads."""
        return self._active

    @property
    def loading(self) -> str:
        """Name of the model that will be used once it has loaded, else ""."""
        with self._condition:
            return "" if self._target in self._loaded else self._target

    def take_failures(self) -> list[str]:
        """One sentence for each model asked for that could not be loaded since the last call."""
        with self._condition:
            failed, self._failed = self._failed, []
            return failed

    def close(self) -> None:
        """Wait for a load under way, then close every model."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join()
        for backend in self._loaded.values():
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
            try:
                backend: StyleBackend | None = self._load(name)
                error = None
            except Exception as caught:
                backend, error = None, caught
            self._finish(name, backend, error)

    def _finish(self, name: str, backend: StyleBackend | None, error: Exception | None) -> None:
        with self._condition:
            self._wanted = [n for n in self._wanted if n != name]
            if backend is not None:
                self._loaded[name] = backend
                self._loaded.setdefault(backend.model, backend)  # "auto" is known by its name too
                if self._target == name:
                    self._active = backend
            elif self._active is None:
                self._error = error
            elif self._target == name:  # the run goes on with the model it has; the user is told
                self._failed.append(f"{name}: {error}")
                self._target = next((n for n, b in self._loaded.items() if b is self._active), "")
            self._condition.notify_all()
