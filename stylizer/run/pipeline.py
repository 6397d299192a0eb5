"""run(): the only loop, for the window, headless runs and the bench alike.

while presenter.is_open:
    presenter.poll()          hotkeys -> controls, camera input
    feed.next()               a styled frame with the frame it was made from
    compositor.draw()         blends, then the HUD
    presenter.present()
    stats.present()
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from stylizer.errors import StylizerError, one_sentence
from stylizer.frame import Frame, StyledImage, letterbox
from stylizer.hotkeys import Action
from stylizer.run.controls import Controls
from stylizer.run.holding import Holding
from stylizer.run.hud_data import HudFeed
from stylizer.run.models import ModelBank
from stylizer.run.outputs import Outputs
from stylizer.run.redraw import Idling
from stylizer.run.switching import ModelSwitch, Switching
from stylizer.run.threads import Shown, open_feed
from stylizer.settings import Settings
from stylizer.stages import (
    PRESENTERS,
    SOURCES,
    SourceEnded,
    StyleBackend,
    is_software_gl,
    open_backend,
)
from stylizer.system import ending
from stylizer.timing import FrameStats

if TYPE_CHECKING:
    from stylizer.compose.compositor import Look

SIZED_SOURCES = ("demo", "synthetic")  # their frames have the size that was asked for


@dataclass
class RunResult:
    """What a run measured; `report.py` makes the JSON of it."""

    settings: Settings
    stats: FrameStats
    facts: dict[str, Any]
    switches: list[ModelSwitch] = field(default_factory=list)
    first_styled_s: float | None = None  # from the call of run() to the first styled frame shown


def run(
    settings: Settings,
    style: StyleBackend | None = None,
    on_present: Callable[[FrameStats], None] = lambda _: None,
    on_end: Callable[[RunResult], None] = lambda _: None,
) -> RunResult:
    """Run until the source ends, the frames or seconds asked for are over, or the user quits.

    `style`: an open backend to use instead of loading `settings.model` (the bench keeps its own).
    `on_present` is told the counts after each turn of the loop, `on_end` the result however the
    run ends, an error included; from another thread when the process has to be given up.
    Raises BadInput or StylizerError; whatever was recorded until then stays playable.
    """
    with Run(settings, style) as active, ending.saving(partial(active.save, on_end)):
        failure = active.loop(on_present)
        with ending.undisturbed():
            failure = active.finish(failure)
            result = active.result(failure)
            try:
                on_end(result)
            except StylizerError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return result


class Run:
    """Everything that is open during one run. Main thread only."""

    def __init__(self, settings: Settings, style: StyleBackend | None) -> None:
        self.settings = settings
        self.controls = Controls.from_settings(settings)
        self.interrupted = False
        self.shown: Shown | None = None
        self._started = time.perf_counter()
        self._first_styled_s: float | None = None
        self._drawn: tuple[Frame, StyledImage | None] | None = None
        self._model_shown = ""
        self._counting = False  # something was presented
        self.stats = FrameStats(self._started)
        self._dropped_before = 0
        self._closers: list[Any] = []
        try:
            self._open(style)
        except BaseException:
            self.close()
            raise

    def _open(self, style: StyleBackend | None) -> None:
        settings = self.settings
        self.outputs = Outputs(settings)
        self._closers.append(self.outputs)
        self.bank = ModelBank(self._load_model, style, gives_way=settings.on_screen)
        self._closers.append(self.bank)
        self.switching = Switching(self.bank)
        self.holding = Holding(settings.target_fps)
        self._first_size: Future[tuple[int, int]] = Future()
        self._closers.append(Canceller(self._first_size))  # a load that waits for it ends
        if settings.source in SIZED_SOURCES:
            self._first_size.set_result(settings.size)
        if style is None:
            self.bank.use(settings.model)  # loads while source and window open
        self.feed, self.source = open_feed(
            lambda: open_backend(SOURCES, "source", settings.source, settings),
            self.bank.active,
            settings.sync,
            settings.warmup,
        )
        self._closers.append(self.feed)
        if not self._first_size.done():
            self._first_size.set_result(self.source.size)
        sized = settings.present == "window" and settings.source != "window"
        size = settings.size if sized else self.source.size
        self.presenter = open_backend(PRESENTERS, "presenter", settings.present, settings, size)
        self._closers.append(self.presenter)
        if settings.sync:
            self.bank.active()  # a model that cannot be loaded ends the run here
        from stylizer.compose.compositor import Compositor

        hold = 0.0 if settings.source == "images" else settings.stabilise
        self.compositor = Compositor(self.presenter.context, hold=hold)
        self.hud = HudFeed(self)
        self._closers.append(self.hud)
        renderer = str(self.presenter.context.info["GL_RENDERER"])
        self._idling = Idling("software" if is_software_gl(renderer) else "gpu")
        self._renderer = renderer

    def _load_model(self, name: str) -> StyleBackend:
        from stylizer.style.opening import open_style

        size = self._first_size.result()
        return open_style(self.settings, name, self._drawn[0].size if self._drawn else size)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.close()
        except Exception:
            if error is None:  # else what ended the run is told, not what came of it
                raise

    # --- one turn of the loop -------------------------------------------------------------

    def step(self) -> bool:
        """Poll, take what is new, draw, present, count. False when the run is over."""
        self._poll()
        if not self.presenter.is_open or self.controls.quit or self._is_over():
            return False
        new = self._take_new()
        picture = self._choose_picture()
        if picture is None or (new is None and not self._presents_again(picture)):
            return True
        self._present(new)
        self._idling.presented()
        return True

    def loop(self, on_present: Callable[[FrameStats], None]) -> Exception | None:
        """Step until the end; what broke the run, if anything did."""
        try:
            while self.step():
                on_present(self.stats)
        except KeyboardInterrupt:
            self.interrupted = True
        except SourceEnded:
            pass
        except Exception as error:  # a lost GL context is a bare one of moderngl's
            return error
        return None

    def _poll(self) -> None:
        picture = self._picture_rect()
        if hasattr(self.presenter, "follow"):
            self.presenter.follow(getattr(self.source, "window_id", 0))
        size, actions = self.presenter.size, self.presenter.poll()
        exposed = getattr(self.presenter, "exposed", False)
        touched = bool(actions) or exposed or self.presenter.size != size
        for action in actions:
            message = self.controls.apply(action, picture)
            self._say(self._carry_out(action) if message is None else message)
        for notice in getattr(self.presenter, "take_notices", list)():
            print(f"stylizer: {notice}", file=sys.stderr)
            self._say(notice)
            touched = True
        for failure in self.bank.take_failures():
            self.hud.say(failure)
            touched = True
        minimized = getattr(self.presenter, "minimized", False)
        self.feed.pause(minimized and not self.outputs.wants_pictures)
        self._idling.see(self.feed.newest, bool(self.bank.loading), touched)
        self.feed.steer(self.presenter.inputs(), self.controls.show_source)

    def _say(self, message: str) -> None:
        if message:
            self.hud.say(message)

    def _take_new(self) -> Shown | None:
        shown = self.feed.next(self._wait_s())
        if shown is not None:
            self.shown = shown
            if self.holding.note(shown, self.bank.current) and self.settings.faster_tiers:
                self._say(self.switching.faster(time.perf_counter() - self.stats.started_at))
        return shown

    def _wait_s(self) -> float:
        if self.settings.on_screen:
            return 1 / 60 if self.controls.show_source else self._idling.wait_s
        return 0.0 if self.settings.fps and self.shown else 0.25

    def _presents_again(self, picture: tuple[Frame, StyledImage | None]) -> bool:
        """Without a new styled frame: a newer source alone, or a duplicate that is due."""
        if not self.settings.on_screen:
            return self.settings.fps is not None
        if getattr(self.presenter, "hidden", False) or getattr(self.presenter, "minimized", False):
            return False
        return picture != self._drawn or self._idling.due

    def _choose_picture(self) -> tuple[Frame, StyledImage | None] | None:
        """A styled pair; the newest frame alone while the source key is held or nothing is styled
        yet. Never a newer source under an older style: that gives double images."""
        newest = self.feed.newest
        if newest is not None and (self.shown is None or self.controls.show_source):
            return newest.frame, None
        return None if self.shown is None else (self.shown.styled.frame, self.shown.styled.image)

    def _present(self, new: Shown | None) -> None:
        picture = self._choose_picture()
        assert picture is not None
        frame, image = picture
        is_new = self._drawn is None or self._drawn[0] is not frame or self._drawn[1] is not image
        self._drawn = picture
        if not self.settings.on_screen and self.presenter.size != frame.size:
            self.presenter.resize(frame.size)
        times = {"upload": 0.0, "compose": 0.0, "present": 0.0}
        look = self._look()
        if new is not None and new.styled.model != self._model_shown:
            self._model_shown = new.styled.model
            self.compositor.forget()
        with Stopwatch(times, "upload"):
            self.compositor.upload(frame, image)
        with Stopwatch(times, "compose"):
            rect = letterbox(frame.size, self.presenter.size)
            self.compositor.draw(self.presenter.framebuffer, rect, look)
            self.hud.draw()
        counted = self._counting or self.settings.sync  # see _count: N frames asked, N recorded
        if new is not None and not new.warm and counted and self.outputs.wants_pictures:
            self._record(frame, look)
        with Stopwatch(times, "present"):
            self.presenter.present()
        self._count(new, frame, is_new, times)

    def _look(self) -> Look:
        from stylizer.compose.compositor import Look

        c = self.controls
        return Look(c.strength, c.keep_colors, c.wipe, c.show_source, self.settings.detail)

    # --- counting -------------------------------------------------------------------------

    def _count(
        self, new: Shown | None, frame: Frame, is_new: bool, times: dict[str, float]
    ) -> None:
        now = time.perf_counter()
        if new is not None and self._first_styled_s is None:
            self._first_styled_s = now - self._started
            if self.settings.on_screen:
                self.switching.keep_others_warm()
                self._say(self.settings.preset)
        # Statistics start after the last warm-up frame, and live after the first frame shown: a
        # fast network has warmed up before there is anything to show it on.
        first, self._counting = not self._counting, True
        if self.shown is None or self.shown.warm or (first and not self.settings.sync):
            self.stats = FrameStats(now, warmup=self.stats.warmup + (new is not None))
            self._dropped_before = self.feed.dropped
            return
        styled = new is not None and new.styled.image is not None
        self.stats.present(now, frame.captured_at, styled, is_new)
        self.switching.note(new, self.stats.frame_time_ms[-1])
        if new is not None:
            times |= {
                "capture": new.capture_ms,
                "preprocess": new.styled.preprocess_ms,
                "infer": new.styled.infer_ms,
            }
        if is_new:
            for name, ms in times.items():
                self.stats.stage(name, ms)
        self.hud.count(self.stats, now, styled)

    def _is_over(self) -> bool:
        s = self.settings
        if s.frames is not None and self.stats.presented >= s.frames:
            return True
        counting = self.shown is not None and not self.shown.warm
        elapsed = time.perf_counter() - self.stats.started_at
        return s.seconds is not None and counting and elapsed >= s.seconds

    # --- hotkeys that need more than a change of state -------------------------------------

    def _carry_out(self, action: Action) -> str:
        message = self.switching.carry_out(action, time.perf_counter() - self.stats.started_at)
        if message is not None:
            return message
        try:
            if action.name == "screenshot":
                if self._drawn is None:
                    return "there is no picture yet"
                return f"saved {self.outputs.new_screenshot(self._screen())}"
            return self._toggle_recording() if action.name == "record" else ""
        except StylizerError as error:  # a key must not end the game
            return str(error)

    def _toggle_recording(self) -> str:
        if self.outputs.recording:
            return f"saved {self.outputs.stop_recording()}"
        return f"recording {self.outputs.start_recording()}"

    def _record(self, frame: Frame, look: Look) -> None:
        try:
            self.outputs.add(frame, self.compositor.render(look))
        except StylizerError as error:
            if self.settings.record or self.settings.output:  # what the run is for
                raise
            self.outputs.stop_recording()
            self.hud.say(str(error))

    # --- the end --------------------------------------------------------------------------

    def finish(self, failure: Exception | None) -> Exception | None:
        """Close the recording, write the screenshot; the first failure of the run until here."""
        for last in (self.outputs.close, self._last_screenshot):
            try:
                last()
            except Exception as error:
                failure = failure or error
        return failure

    def _last_screenshot(self) -> None:
        if self.settings.screenshot is not None and self._drawn is not None:
            self.outputs.screenshot(self.settings.screenshot, self._screen())

    def save(self, on_end: Callable[[RunResult], None], why: str) -> None:
        """From any thread, when the main one does not come back: report and recording."""
        on_end(self.result(StylizerError(why)))
        self.outputs.close()

    def result(self, failure: Exception | None) -> RunResult:
        """Gather the facts for the report."""
        self.stats.dropped = self.feed.dropped - self._dropped_before
        current = self.bank.current
        facts = {
            "model": current.model if current else "none",
            "model_bytes": current.model_bytes if current else 0,
            "provider": current.provider if current else "none",
            "provider_reason": current.provider_reason if current else "",
            "capture_method": self.source.capture_method,
            "present": self.presenter.present_name,
            "present_reason": self.presenter.reason,
            "size": list(self.frame_size),
            "gl_renderer": self._renderer,
            "interrupted": self.interrupted,
            "error": None if failure is None else one_sentence(failure),
        }
        inference_size = getattr(current, "inference_size", None)
        facts["inference_size"] = list(inference_size or facts["size"])
        switches = self.switching.switches
        return RunResult(self.settings, self.stats, facts, switches, self._first_styled_s)

    def _screen(self) -> Any:
        """The last picture with the HUD, drawn again: a back buffer is undefined once shown."""
        assert self._drawn is not None
        rect = self._picture_rect()
        self.compositor.draw(self.presenter.framebuffer, rect, self._look())
        self.hud.draw()
        return self.presenter.read_back()

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) of the frame shown, or of the one to come."""
        return self._drawn[0].size if self._drawn else self.source.size

    def _picture_rect(self) -> Any:
        return letterbox(self.frame_size, self.presenter.size)

    def close(self) -> None:
        """Close in the reverse order of opening; the first error is raised after all are closed."""
        first: Exception | None = None
        while self._closers:
            try:
                self._closers.pop().close()
            except Exception as error:
                first = first or error
        if first is not None:
            raise first


class Canceller:
    """Closing it cancels a future that nobody has answered."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def close(self) -> None:
        self._future.cancel()


class Stopwatch:
    """Adds the milliseconds of a block to `times[name]`."""

    def __init__(self, times: dict[str, float], name: str) -> None:
        self._times, self._name = times, name

    def __enter__(self) -> None:
        self._from = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._times[self._name] += (time.perf_counter() - self._from) * 1000
