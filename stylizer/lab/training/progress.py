"""The training loop as its user sees it: a progress bar, or a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from stylizer.errors import StylizerError
from stylizer.lab.nets.registry import Recipe
from stylizer.lab.training import loop
from stylizer.lab.training.checkpoint import TrainState, save_checkpoint
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.losses import Goal
from stylizer.lab.training.motion import SIZE, MovingScenes
from stylizer.system.console import say

# Part of the content that is the frames of which stillness is asked. Without any, what holds still
# there was bought with paint: starry-night's demo was one blue after 2,850 steps.
SCENES_SHARE = 0.2
LOG_EVERY = 20  # steps between lines when the output is no terminal


def train_with_progress(
    recipe: Recipe,
    state: TrainState,
    goal: Goal,
    content: ContentSet,
    run_dir: Path,
    preview_every: int,
    after_step: Callable[[loop.Progress], None] = lambda _: None,
) -> loop.Progress:
    """The training loop under a progress bar, or with a line now and then where none fits.

    after_step: called after each step.
    """
    leads = goal.processes.leads
    scenes = moving_scenes(recipe)
    if scenes is not None:
        content.add(scenes.pictures(), SCENES_SHARE)
        goal = replace(goal, scenes=scenes)
    try:
        with _Bar(recipe.steps, state.step, leads) as bar:

            def on_step(progress: loop.Progress) -> None:
                bar.show(progress)
                after_step(progress)

            return loop.train(recipe, state, goal, content, run_dir, on_step, preview_every)
    except KeyboardInterrupt:
        if leads and state.step:
            save_checkpoint(run_dir / "checkpoint.pt", state, recipe)
            say(f"stopped after step {state.step}; the same command with --resume goes on")
        raise


class EverySoOften:
    """Calls `work` after a step when `every_s` seconds have passed since the last time; not after
    the last step, whose result is written anyway. None: never. first_step: after which it is called
    for the first time, where that many seconds have not passed yet."""

    def __init__(
        self, every_s: float | None, work: Callable[[], object], first_step: int = 0
    ) -> None:
        self._every_s, self._work, self._first_step = every_s, work, first_step
        self._begun = time.monotonic()

    def after(self, progress: loop.Progress) -> None:
        """After each step."""
        if self._every_s is None or progress.step == progress.steps:
            return
        early = 0 < self._first_step <= progress.step
        if early or time.monotonic() - self._begun >= self._every_s:
            self._work()
            self._begun, self._first_step = time.monotonic(), 0


class _Bar:
    """The bar, or the lines, of the process that leads; the others show nothing."""

    def __init__(self, steps: int, step: int, leads: bool) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal or not leads,
        )
        self._task = self._bar.add_task("starting", total=steps, completed=step)
        self._writes_lines = leads and not console.is_terminal

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, p: loop.Progress) -> None:
        """After a step."""
        text = f"content {p.content:.3f}  style {p.style:.3f}  tv {p.tv:.5f}"
        text += f"  skipped {p.skipped}" if p.skipped else ""
        self._bar.update(self._task, completed=p.step, description=text)
        if self._writes_lines and (p.step % LOG_EVERY == 0 or p.step == p.steps):
            left = f"{p.seconds_left / 60:.0f} min left"
            print(f"step {p.step}/{p.steps}  {text}  {left}", file=sys.stderr, flush=True)


def moving_scenes(recipe: Recipe) -> MovingScenes | None:
    """The demo's moving frames for a recipe that trains stillness by VGG, if there is OpenGL."""
    if not recipe.still_weight or recipe.paint is not None:
        return None
    width, height = (max(sides) for sides in zip(SIZE, recipe.crop, strict=True))
    try:
        return MovingScenes.rendered(recipe.seed, size=(width, height))
    except StylizerError as error:
        print(f"training without the demo scene's motion: {error}", file=sys.stderr)
        return None
