"""What takes time is done ahead, while the start window waits for a click: on one thread the
modules that a run loads, and the model that it is likely to paint by; on another the demo's
picture."""

from __future__ import annotations

import importlib
import threading
from concurrent.futures import CancelledError, Future
from contextlib import suppress

import numpy as np

from stylizer.frame import IDLE, Size
from stylizer.run.models import leave
from stylizer.settings import Settings
from stylizer.stages import StyleBackend
from stylizer.system.priority import give_way

MODULES = (
    "stylizer.run.pipeline", "stylizer.run.report", "rich.progress",
    "stylizer.style.opening", "stylizer.style.providers", "stylizer.style.canvas",
    "stylizer.compose.compositor", "stylizer.compose.hud", "stylizer.compose.panel",
    "stylizer.present.overlay", "stylizer.present.record", "stylizer.source.x11.drawing",
)  # fmt: skip


class Ahead:
    """Main thread only, but for `model`."""

    def __init__(self) -> None:
        self._demo: np.ndarray | None = None
        self._over = threading.Event()
        self._expected: Future[tuple[Settings, Size, str]] = Future()
        self._opened: Future[StyleBackend | None] = Future()
        self._threads = [
            threading.Thread(target=work, name="ahead", daemon=True)
            for work in (self._load, self._draw)
        ]
        for thread in self._threads:
            thread.start()

    def take_demo(self) -> np.ndarray | None:
        """The demo scene, uint8 (height, width, 3) RGB, once it has been drawn; then None."""
        demo, self._demo = self._demo, None
        return demo

    @property
    def expects(self) -> bool:
        """Whether it knows the run that is likely."""
        return self._expected.done()

    def expect(self, settings: Settings, size: Size, no_shaders: str) -> None:
        """The run that is likely, and its frames' size: its model is opened, once. no_shaders: why
        `auto` need not try them. Those of a GPU are not for here, as they draw on the run's own
        thread."""
        provider = settings.provider
        if provider != "gl" and (no_shaders or provider != "auto"):
            self._expected.set_result((settings, size, no_shaders))
        else:
            self._expected.cancel()

    def model(self, settings: Settings, name: str) -> StyleBackend | None:
        """The model that was opened, once, where a run of these settings wants the same one: it is
        the caller's. Waits for it. None: the run has to open its own."""
        expected = self._expected
        same = expected.done() and not expected.cancelled() and name == settings.model
        if not same or _input_settings(expected.result()[0]) != _input_settings(settings):
            return None
        opened, self._opened = self._opened.result(), Future()
        self._opened.set_result(None)
        return opened

    def close(self) -> None:
        """Let go of what nobody took; may be called twice."""
        self._over.set()
        self._expected.cancel()
        for thread in self._threads:
            leave(thread)
        opened = self._opened.result() if self._opened.done() else None
        if opened is not None:
            opened.close()

    # --- on the threads --------------------------------------------------------------------

    def _draw(self) -> None:
        give_way()
        with suppress(Exception):  # whatever it is, the demo meets it and says so
            self._demo = demo_picture()

    def _load(self) -> None:
        opened = None
        try:
            for name in MODULES:
                importlib.import_module(name)
            opened = self._open()
        except Exception:
            return  # the run meets it, too
        finally:
            self._opened.set_result(opened)

    def _open(self) -> StyleBackend | None:
        from stylizer.style.opening import open_style
        from stylizer.style.vetting import needed_until

        try:
            settings, size, no_shaders = self._expected.result()
        except CancelledError:
            return None
        give_way()  # as all threads that a model runs on
        with needed_until(self._over):
            return open_style(settings, settings.model, size, lambda: no_shaders)


def _input_settings(settings: Settings) -> list[object]:
    from stylizer.style.opening import INPUT_SETTINGS

    names = ("model", "provider", "canvas_moves", *INPUT_SETTINGS)
    return [getattr(settings, name) for name in names]


def demo_picture() -> np.ndarray:
    """The demo scene for its tile: uint8 (height, width, 3) RGB."""
    from stylizer.source.demo.source import DemoSource

    source = DemoSource(Settings(size=(480, 270), sync=True))
    try:
        frame = source.read(IDLE)
        assert frame is not None  # in lock-step there always is one
        return frame.rgb().copy()
    finally:
        source.close()
