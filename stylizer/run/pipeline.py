"""run(): the only loop, for the window, headless runs and the bench alike.

while presenter.is_open:
    presenter.poll()          hotkeys -> controls, camera input
    stylist.next()            a styled frame with the frame it was made from
    compositor.draw()         blends, then the HUD
    presenter.present()
    stats.present()
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stylizer.errors import StylizerError
from stylizer.frame import Frame
from stylizer.hotkeys import Action
from stylizer.run.advice import advice
from stylizer.run.controls import Controls
from stylizer.run.counting import Counts, Stopwatch
from stylizer.run.learning import Learning, Lesson
from stylizer.run.mirror import Mirror
from stylizer.run.opened import Opened, OpenedAhead, opens_nothing
from stylizer.run.outputs import Outputs
from stylizer.run.paintings import Paintings
from stylizer.run.panel import PanelControl
from stylizer.run.presets import Presets
from stylizer.run.redraw import Idling
from stylizer.run.result import RunResult, facts_of, tell_unopened
from stylizer.run.saving import Saving
from stylizer.run.screen import Pair, Screen
from stylizer.run.sharing import Sharing
from stylizer.run.switching import Switching
from stylizer.run.target_rate import TargetRate
from stylizer.run.telling import Telling
from stylizer.run.threads import Shown
from stylizer.settings import Settings
from stylizer.stages import SourceEnded, StyleBackend, is_software_gl
from stylizer.system import ending
from stylizer.timing import FrameStats


@dataclass(frozen=True)
class Given:
    """What a run is handed beside its settings; see `run`."""

    style: StyleBackend | None = None
    presets: Presets | None = None
    lesson: Lesson | None = None
    opened_ahead: OpenedAhead = opens_nothing


def run(
    settings: Settings,
    style: StyleBackend | None = None,
    on_present: Callable[[FrameStats], None] = lambda _: None,
    on_end: Callable[[RunResult], None] = lambda _: None,
    presets: Presets | None = None,
    lesson: Lesson | None = None,
    opened_ahead: OpenedAhead = opens_nothing,
) -> RunResult:
    """Run until the source ends, the frames or seconds asked for are over, or the user quits.

    `style`: an open backend to use instead of loading `settings.model` (the bench keeps its own).
    `on_present` is told the counts after each turn of the loop, `on_end` the result however the
    run ends, an error included; from another thread when the process has to be given up. `presets`
    is where the panel keeps settings; None: nowhere. `lesson` is what is trained meanwhile.
    `opened_ahead` gives models that are open already.
    Raises BadInput or StylizerError; whatever was recorded until then stays playable.
    """
    with (
        opened_run(settings, Given(style, presets, lesson, opened_ahead), on_end) as active,
        ending.saving(partial(active.save, on_end)),
    ):
        failure = active.loop(on_present)
        ending.stay_if_given_up()
        with ending.undisturbed():
            failure = active.saving.finish(failure, active.stats)
            result = active.result(failure)
            try:
                on_end(result)
            except StylizerError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return result


def opened_run(settings: Settings, given: Given, on_end: Callable[[RunResult], None]) -> Run:
    """A run that is open; `on_end` is told of one that could not be opened, or was ended before.

    Nothing is told of outputs that are refused: the report may be the one.
    """
    outputs = Outputs(settings)
    tell = partial(tell_unopened, settings, on_end)
    with ending.saving(lambda why: tell(StylizerError(why))):
        try:
            return Run(settings, given, outputs)
        except BaseException as error:
            ending.stay_if_given_up()
            with ending.undisturbed():
                tell(error)
            raise


class Run:
    """The turns of one run; opening, counting and drawing are rooms of their own. Main thread only.

    Raises BadInput or StylizerError when something that the settings name cannot be opened.
    """

    def __init__(self, settings: Settings, given: Given, outputs: Outputs) -> None:
        self.settings = settings
        self.controls = Controls.from_settings(settings)
        self.interrupted = False
        self.shown: Shown | None = None  # the newest styled pair
        self.counts = Counts(settings)
        self.opened = opened = Opened(settings, given.style, outputs, given.opened_ahead)
        self.switching = Switching(self.opened.bank)
        self.target_rate = TargetRate(settings.target_fps, settings.inference_size)
        self.sharing = Sharing(settings, self.opened)
        self.opened.closes(self.sharing.close)
        self.mirror = Mirror(settings, self.opened)
        self.paintings = Paintings(self.switching, lambda: self.panel.renew_styles())
        self.learning = Learning(given.lesson, self.opened, self.switching)
        self.panel = PanelControl(
            settings, self.opened, self.controls, self.target_rate, self.switching, given.presets,
            self.paintings, self.sharing, self.learning, run,
        )  # fmt: skip
        opened.closes(self.panel.close)
        opened.closes(self.paintings.close)
        own = (self.controls, self.panel, self.target_rate, self.sharing, self.learning)
        self.screen = Screen(settings, opened, *own)
        self.saving = Saving(settings, self.opened, self.screen)
        self.telling = Telling(self.opened)
        self._idling = Idling("software" if is_software_gl(self.opened.gl_renderer) else "gpu")

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.opened.close()
        except Exception:
            if error is None:  # else what ended the run is told, not what came of it
                raise

    @property
    def stats(self) -> FrameStats:
        """What was counted so far."""
        return self.counts.stats

    # --- one turn of the loop -------------------------------------------------------------

    def step(self) -> bool:
        """Poll, take what is new, draw, present, count. False when the run is over."""
        self._poll()
        is_open = self.opened.presenter.is_open
        enough = not self.sharing.quiet and self.counts.enough(self.shown)
        if not is_open or self.controls.quit or enough:
            return False
        new = self._take_new()
        if self.sharing.keeps_off(new):
            newest = self.opened.stylist.newest
            if self.sharing.looks_first and newest is not None:
                self.screen.present_alone(newest.frame, self.stats)
            return True
        pair = self.screen.choose(self.shown)
        if pair is None or (new is None and not self._presents_again(pair)):
            return True
        self._present(new, pair)
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
        opened, presenter = self.opened, self.opened.presenter
        picture = self.screen.picture
        away = self.sharing.quiet and not self.sharing.looks_first
        presenter.follow(0 if away else opened.source.window_id)
        size, actions = presenter.size, presenter.poll()
        dragged = self.screen.drag_hud()
        touched = bool(actions) or dragged or presenter.exposed or presenter.size != size
        for action in actions:
            message = self.controls.apply(action, picture)
            self.telling.say(self._carry_out(action) if message is None else message)
        changed, messages = self.panel.turn(self.stats, at_s := self.counts.elapsed_s)
        messages += [self.paintings.take(Path(p)) for p in presenter.take_dropped()[:1]]
        messages += self.paintings.turn(at_s) + self.learning.turn(at_s)
        missed = self.controls.panel or opened.outputs.wants_pictures
        messages += [self.sharing.turn(self.shown, missed), self.mirror.turn()]
        touched |= changed or any(messages)
        self.telling.say(*messages)
        touched |= self.telling.notices()
        opened.blending.show(self.controls.blend > 0 or self.controls.second_in_masks)
        unseen = presenter.minimized and not opened.outputs.wants_pictures
        opened.stylist.pause(unseen or self.sharing.quiet)
        self._idling.sparing = self.sharing.skips_frames
        self._idling.note(opened.stylist.newest, bool(opened.bank.loading), touched)
        opened.stylist.steer(presenter.inputs(), self.controls.show_source)

    def _carry_out(self, action: Action) -> str:
        """Hotkeys that need more than a change of state; the message to show."""
        message = self.switching.carry_out(action, self.counts.elapsed_s)
        return self.saving.carry_out(action, self.stats) if message is None else message

    def _take_new(self) -> Shown | None:
        shown = self.opened.stylist.next(self._wait_s())
        if shown is not None:
            self.shown = shown
            current, sharing = self.opened.bank.current, self.sharing
            asks = self.target_rate.note(shown, current, sharing.skips_frames, sharing.game_fps)
            if asks and self.settings.faster_tiers:
                self.telling.say(self.switching.faster(self.counts.elapsed_s))
            self.telling.say(advice(self.target_rate, self.opened))
        return shown

    def _wait_s(self) -> float:
        if self.settings.on_screen:
            return 1 / 60 if self.controls.show_source else self._idling.wait_s
        return 0.0 if self.settings.fps and self.shown else 0.25

    def _presents_again(self, pair: Pair) -> bool:
        """Without a new styled frame: a newer source alone, or a duplicate that is due."""
        if not self.settings.on_screen:
            return self.settings.fps is not None
        if self.opened.presenter.hidden or self.opened.presenter.minimized:
            return False
        return pair != self.screen.drawn or self._idling.due

    def _present(self, new: Shown | None, pair: Pair) -> None:
        opened, frame = self.opened, pair[0]
        is_new = self.screen.take(pair)
        times = {"upload": 0.0, "compose": 0.0, "present": 0.0}
        if new is not None:
            self.screen.made_by(new.styled)
        with Stopwatch(times, "upload"):
            self.screen.upload(pair)
        with Stopwatch(times, "compose"):
            self.screen.draw(self.stats)
        records = self.counts.records and opened.outputs.wants_pictures
        if new is not None and not new.warmup and records:
            self.telling.say(self.saving.record())
        painted = new is not None or self.shown is not None or self.controls.show_source
        opened.presenter.show_parts(None if painted else self.screen.laid_over)
        with Stopwatch(times, "present"):
            opened.presenter.present()
        self._count(new, frame, is_new, times)

    def _count(
        self, new: Shown | None, frame: Frame, is_new: bool, times: dict[str, float]
    ) -> None:
        now, counts, opened = time.perf_counter(), self.counts, self.opened
        if self.sharing.note_shown(new is not None):
            counts.stats.skip_to(now)
        if counts.is_first_styled(new, now) and self.settings.on_screen:
            if not self.sharing.on:  # loading takes for seconds what the game is to have
                self.switching.load_other_tiers()
            self.telling.say(self.settings.preset)
        if not counts.note(now, self.shown, new, opened.stylist.dropped):
            return
        styled = counts.count(now, new, frame, is_new, times, self.screen.gpu_ms(new))
        frame_time_ms = counts.stats.frame_time_ms[-1]
        self.switching.note(new, frame_time_ms)
        opened.hud.count(frame_time_ms, now, styled)

    # --- the end --------------------------------------------------------------------------

    def save(self, on_end: Callable[[RunResult], None], why: str) -> None:
        """From any thread, when the main one does not come back: report and recording."""
        self.learning.abandon()
        on_end(self.result(StylizerError(why)))
        self.opened.outputs.close()

    def result(self, failure: Exception | None) -> RunResult:
        """Gather the facts for the report."""
        stats = self.counts.finish(self.opened.stylist.dropped)
        facts = facts_of(self.opened, self.interrupted, failure)
        facts["game_share"] = self.sharing.figures
        if facts["blend"] is not None:
            c = self.controls
            facts["blend"] |= {"share": c.blend, "in_masks": c.second_in_masks}
        switches, first_s = self.switching.switches, self.counts.first_styled_s
        return RunResult(self.settings, stats, facts, switches, first_s)
