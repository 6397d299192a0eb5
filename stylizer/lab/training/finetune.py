"""Fine-tuning what compression made, with the trainer of `train` and the parent as teacher."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from stylizer.errors import BadInput
from stylizer.lab.nets.johnson import StyleNetwork
from stylizer.lab.nets.registry import Recipe, default_recipe
from stylizer.lab.training import loop
from stylizer.lab.training.checkpoint import TrainState
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.losses import Goal
from stylizer.lab.training.perceptual import load_vgg
from stylizer.lab.training.progress import train_with_progress
from stylizer.lab.training.sampling import demo_frames, sample_frames

DEMO_PICTURES, DEMO_SIZE = 16, (640, 360)
VIDEO_PICTURES = 64
RATES = {"quantize": 2e-4, "prune": 1e-3}  # learning rates: nudging weights, regrowing a picture
KEPT_WEIGHTS = (
    "style_weight", "style_share", "content_limit", "tone_weight", "tv_weight", "local_share",
)  # fmt: skip


def content_of(folder: Path | None) -> ContentSet:
    """The user's pictures, or without any some of the demo scene."""
    if folder is None:
        return ContentSet.of(demo_frames(DEMO_PICTURES, DEMO_SIZE))
    if folder.is_dir():
        return ContentSet(folder)
    return ContentSet.of(sample_frames(folder, VIDEO_PICTURES, (1280, 720)))


def imitation(args: argparse.Namespace, recipe: dict, parent: Path, kind: str) -> Recipe:
    """Steps that imitate the parent; with --style the second half is trained as `train` does,
    with the parent's own weights of the losses."""
    style = getattr(args, "style", None)
    folder = getattr(args, "content", None) or getattr(args, "frames", None)
    made = default_recipe(
        recipe.get("arch", "small"),
        style.name if style else str(recipe.get("style", "")),
        folder.name if folder else "the demo scene",
        perceptual=True,
    )
    weights = {k: recipe[k] for k in KEPT_WEIGHTS if k in recipe}
    steps = args.finetune
    return replace(
        made,
        **weights,
        steps=steps,
        imitate_steps=steps // 2 if style else steps,
        teacher=parent.stem,
        batch=args.batch or 2,
        crop=args.crop or made.crop,
        learning_rate=args.lr or RATES[kind],
        seed=args.seed,
    )


def tune(
    args: argparse.Namespace,
    recipe: Recipe,
    student: StyleNetwork,
    teacher: StyleNetwork,
    content: ContentSet,
    out: Path,
) -> loop.Progress:
    """Train the student in place. Raises BadInput, StylizerError as `train` does."""
    if any(side % 4 or side < 32 for side in recipe.crop):
        raise BadInput("--crop: sides are multiples of 4, at least 32")
    loop.keep_memory()
    style_file = getattr(args, "style", None)
    goal = Goal(teacher=teacher)
    if style_file is not None:
        style = loop.load_style(style_file, recipe.style_size)
        goal = Goal(load_vgg(args.vgg), style, teacher)
    rate = torch.optim.Adam(student.parameters(), lr=recipe.learning_rate)
    state = TrainState(student, rate)
    run_dir = Path("runs") / out.stem
    return train_with_progress(recipe, state, goal, content, run_dir, args.preview_every)
