"""What is open during one run: all of it is opened here, and closed in the reverse order."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stylizer.errors import BadInput
from stylizer.run.blending import Blending
from stylizer.run.hud_data import HudWriter
from stylizer.run.masking import Masking
from stylizer.run.models import ModelBank
from stylizer.run.outputs import Outputs
from stylizer.run.threads import open_stylist
from stylizer.settings import Settings
from stylizer.stages import (
    PRESENTERS,
    SOURCES,
    Presenter,
    StyleBackend,
    open_backend,
    software_gl,
)

if TYPE_CHECKING:
    from stylizer.style.gl.thread import GlThread
    from stylizer.system.gl_share import Beside

SEES_ITSELF = (
    "--present layer would be painted again and again: what is captured holds whatever lies over "
    "the game; capture its window: --window NAME, or --source portal and a window in the dialog "
    "(sway's portal offers none: there let the game be an X11 program)"
)
SIZED_SOURCES = ("demo", "synthetic")  # their frames have the size that was asked for
DRAWN_SOURCES = ("demo",)  # OpenGL draws them: into textures that the presenter and a style share
OpenedAhead = Callable[[Settings, str], StyleBackend | None]


def opens_nothing(settings: Settings, name: str) -> None:
    """No model of that name was opened ahead of a run of these settings."""


def as_it_is_seen(settings: Settings, shown: StyleBackend | None) -> Settings:
    """For a model that is to take over: it sees what the one in use sees from its first frame on.
    At the frame's own size that would come late, and the size after it be planned meanwhile."""
    if shown is None or shown.resizable is None:
        return settings
    return replace(settings, inference_size=shown.asked_size)


class Opened:
    """Outputs (they come open), mask, models, source, presenter, compositor and HUD of one run.

    Main thread only.

    Raises BadInput or StylizerError when one of them cannot be opened; the others are closed then.
    """

    def __init__(
        self,
        settings: Settings,
        style: StyleBackend | None,
        outputs: Outputs,
        opened_ahead: OpenedAhead = opens_nothing,
    ) -> None:
        self._settings, self._opened_ahead = settings, opened_ahead
        self.outputs = outputs
        self._closers: list[Callable[[], object]] = [outputs.close]
        self.shown_size: tuple[int, int] | None = None  # of the frame shown, for a model that loads
        try:
            self._open(style)
        except BaseException:
            self.close()
            raise

    def _open(self, style: StyleBackend | None) -> None:
        settings = self._settings
        self.masking = Masking(settings)
        self._over = threading.Event()  # no model is needed any more
        self._first_size: Future[tuple[int, int]] = Future()
        self._gl: Future[GlThread | str] = Future()
        self._beside: Future[Beside | None] = Future()
        if settings.source in SIZED_SOURCES:
            self._first_size.set_result(settings.size)
        self.bank = self._new_bank(style)
        self._closers.append(self.bank.close)
        self.blending = Blending(settings, self.bank, self._new_bank)
        self._closers.append(self.blending.close)
        self._closers.append(self._first_size.cancel)  # a load that waits for it ends
        self._closers.append(self._over.set)  # and one that looks at a foreign model
        if style is None:
            self.bank.use(settings.model)  # loads while source and window open
        self.stylist, self.source = open_stylist(
            lambda: open_backend(SOURCES, "source", settings.source, settings, *self._drawing),
            self.blending.style,
            settings.sync,
            settings.warmup,
        )
        self.outputs.process_id = self._process_id
        self._closers.append(self.stylist.close)
        self._closers.append(self.bank.give_up)  # else the stylist would wait for the first model
        self._closers.append(self._gl.cancel)  # else the stylist would wait for that load
        self._closers.append(self._beside.cancel)  # and a source that draws for this
        if not self._first_size.done():
            self._first_size.set_result(self.source.size)
        self._open_display()

    def _open_display(self) -> None:
        settings = self._settings
        if settings.present == "layer" and self.source.sees_all:
            raise BadInput(SEES_ITSELF)
        sized = settings.present == "window" and settings.source != "window"
        size = settings.size if sized else self.source.size
        self.presenter: Presenter = open_backend(
            PRESENTERS, "presenter", settings.present, settings, size
        )
        self._closers.append(self.presenter.close)
        self._open_gl()
        if settings.sync:
            self.bank.active()  # a model that cannot be loaded ends the run here
        from stylizer.compose.compositor import Compositor

        keep = 0.0 if settings.source == "images" else settings.stabilize
        self.compositor = Compositor(self.presenter.context, keep=keep)
        self._closers.append(self.compositor.release)
        self.hud = HudWriter(self.presenter.context, self.presenter.scale, settings)
        self._closers.append(self.hud.close)
        self.gl_renderer = str(self.presenter.context.info["GL_RENDERER"])

    def _open_gl(self) -> None:
        """The thread that shaders draw on, sharing textures with the presenter: where they are
        asked for, or `auto` may take them."""
        asked = self._settings.provider
        renderer = str(self.presenter.context.info["GL_RENDERER"])
        thread: GlThread | str = software_gl(renderer)
        if asked == "gl" or (asked == "auto" and not thread):
            from stylizer.style.gl.thread import GlThread

            thread = GlThread.beside_current()
            # Before the presenter goes: no picture is made any more, then no model is open.
            self._closers += [thread.close, self.bank.close, self.blending.close]
            self._closers.append(self.stylist.close)
        self._gl.set_result(thread)
        self._beside.set_result(self._beside_for_source(thread))

    @property
    def _drawing(self) -> tuple[Callable[[], Beside | None], ...]:
        """What a source that draws is given where shaders may style: it asks at its first frame."""
        draws = self._settings.source in DRAWN_SOURCES
        shaders = self._settings.provider in ("gl", "auto")
        return (self._beside.result,) if draws and shaders else ()

    def _beside_for_source(self, thread: GlThread | str) -> Beside | None:
        if isinstance(thread, str) or thread.shared is None or not self._drawing:
            return None
        from stylizer.system.gl_share import Beside, SharedContext

        try:
            return Beside(SharedContext(), thread.read)
        except OSError:
            return None  # the frames are uploaded, then

    def _new_bank(self, ready: StyleBackend | None = None) -> ModelBank:
        gives_way, on_cpu = self._settings.on_screen, self._load_on_cpu
        waits = self._settings.provider == "gl" or not self._settings.on_screen
        return ModelBank(self._load_model, ready, gives_way, on_cpu, waits)

    def _load_model(self, name: str) -> StyleBackend:
        """On the thread that loads models."""
        ready = self._opened_ahead(self._settings, name)
        return ready or self._opened(self._settings, name, self._gl.result)

    def _load_on_cpu(self, name: str) -> StyleBackend:
        """In place of one that a GPU has lost."""
        return self._opened(replace(self._settings, provider="cpu"), name)

    def _opened(self, settings: Settings, name: str, *thread: Callable[[], Any]) -> StyleBackend:
        from stylizer.style.opening import open_style
        from stylizer.style.vetting import needed_until

        size = self.shown_size or self._first_size.result()
        settings = as_it_is_seen(settings, self.bank.current)
        with needed_until(self._over):
            return open_style(settings, name, size, *thread)

    def _process_id(self) -> int:
        """Of the captured window's program; 0: not known."""
        if self._settings.source != "window" or not sys.platform.startswith("linux"):
            return 0
        from stylizer.source.x11.window_list import describe
        from stylizer.system.x11 import Display

        display = Display()
        try:
            found = describe(display, self.source.window_id) if self.source.window_id else None
            return found.pid or 0 if found else 0
        finally:
            display.close()

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) of the frame shown, or of the one to come."""
        return self.shown_size or self.source.size

    def closes(self, closer: Callable[[], object]) -> None:
        """Something more to be closed, before what is open now."""
        self._closers.append(closer)

    def close(self) -> None:
        """Close in the reverse order of opening; the first error is raised after all are closed."""
        first: Exception | None = None
        while self._closers:
            try:
                self._closers.pop()()
            except Exception as error:
                first = first or error
        if first is not None:
            raise first
