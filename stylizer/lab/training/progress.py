"""The training loop as its user sees it: a progress bar, or a line now and then."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from stylizer.errors import StylizerError
from stylizer.lab.nets.registry import Network, Recipe
from stylizer.lab.training import loop
from stylizer.lab.training.checkpoint import TrainState, save_checkpoint
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.distributed import ProcessGroup
from stylizer.lab.training.motion import SIZE, MovingScenes
from stylizer.lab.training.perceptual import Vgg16
from stylizer.system.console import say

# Part of the content that is the frames of which stillness is asked. Without any, what holds still
# there was bought with paint: starry-night's demo was one blue after 2,850 steps.
SCENES_SHARE = 0.2
LOG_EVERY = 20  # steps between lines when the output is no terminal


def train_with_progress(
    args: argparse.Namespace,
    recipe: Recipe,
    state: TrainState,
    vgg: Vgg16 | None,
    style: torch.Tensor | None,
    content: ContentSet,
    run_dir: Path,
    teacher: Network | None,
    processes: ProcessGroup,
) -> loop.Progress:
    """The training loop under a progress bar, or with a line now and then where none fits."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal or not processes.leads,
    )
    task = bar.add_task("starting", total=recipe.steps, completed=state.step)

    def on_step(p: loop.Progress) -> None:
        text = f"content {p.content:.3f}  style {p.style:.3f}  tv {p.tv:.5f}"
        text += f"  skipped {p.skipped}" if p.skipped else ""
        bar.update(task, completed=p.step, description=text)
        if (
            processes.leads
            and not console.is_terminal
            and (p.step % LOG_EVERY == 0 or p.step == p.steps)
        ):
            left = f"{p.seconds_left / 60:.0f} min left"
            print(f"step {p.step}/{p.steps}  {text}  {left}", file=sys.stderr, flush=True)

    scenes = moving_scenes(recipe)
    if scenes is not None:
        content.add(scenes.pictures(), SCENES_SHARE)
    try:
        with bar:
            return loop.train(
                recipe, state, vgg, style, content, run_dir, on_step, args.preview_every,
                teacher=teacher, processes=processes, scenes=scenes,
            )  # fmt: skip
    except KeyboardInterrupt:
        if processes.leads and state.step:
            save_checkpoint(run_dir / "checkpoint.pt", state, recipe)
            say(f"stopped after step {state.step}; the same command with --resume goes on")
        raise


def moving_scenes(recipe: Recipe) -> MovingScenes | None:
    """The demo's moving frames for a recipe that trains stillness, if there is OpenGL."""
    if not recipe.still_weight:
        return None
    width, height = (max(sides) for sides in zip(SIZE, recipe.crop, strict=True))
    try:
        return MovingScenes.rendered(recipe.seed, size=(width, height))
    except StylizerError as error:
        print(f"training without the demo scene's motion: {error}", file=sys.stderr)
        return None
