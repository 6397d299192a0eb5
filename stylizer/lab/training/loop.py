"""Training, resumable and repeatable by seed."""

from __future__ import annotations

import ctypes
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from stylizer.errors import BadInput, StylizerError
from stylizer.lab.nets.fake_quant import bound, normalize, observe, quantize
from stylizer.lab.nets.fast import FastNetwork
from stylizer.lab.nets.registry import Network, Recipe, learning_rate, style_weight
from stylizer.lab.training.checkpoint import Keeper, TrainState
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.losses import (
    Goal,
    Losses,
    batch_losses,
    imitation_losses,
    painted_losses,
    steadied,
    toward,
)
from stylizer.system import ending

MAX_BAD_STEPS = 20
OBSERVED_STEPS = 150  # ranges are followed this long before they count


@dataclass(frozen=True)
class Progress:
    """What the caller is told after each step."""

    step: int
    steps: int
    content: float
    style: float
    tv: float
    skipped: int
    seconds_left: float


def load_style(path: Path, short_side: int) -> Tensor:
    """(1, 3, H, W) RGB in 0..1, scaled with Lanczos so that the shorter side is `short_side`.

    Raises BadInput when the picture cannot be read.
    """
    try:
        with Image.open(path) as image:
            picture = image.convert("RGB")
    except OSError as error:
        raise BadInput(f"{path}: not a readable style picture ({error})") from error
    scale = short_side / min(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS), np.float32) / 255.0
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None]


def train_step(
    state: TrainState, recipe: Recipe, goal: Goal, content: ContentSet, device: torch.device
) -> Losses:
    """One optimizer step; a non-finite loss or gradient is skipped and counted."""
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(recipe, state.step)
    processes = goal.processes
    noise = not recipe.still_weight
    pixels = content.batch(
        recipe.seed, state.step, recipe.batch, recipe.crop, noise, recipe.together
    )
    pixels = pixels[processes.rank :: processes.size]
    source = torch.from_numpy(pixels).to(device)
    set_precision(state, recipe)
    losses = losses_of(state, recipe, goal, source)
    total = losses.total(recipe, style_weight(recipe, state.step), state.balance)
    state.optimizer.zero_grad(set_to_none=True)
    total.backward()
    processes.average_gradients(state.network)
    processes.average_buffers(state.network)
    norm = torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
    if torch.isfinite(norm):  # of the whole group: all take the step, or none
        state.optimizer.step()
    else:
        state.skipped += 1
    if recipe.style_share and state.step >= recipe.imitate_steps and torch.isfinite(norm):
        reached = [float(processes.averaged(x.detach())) for x in (losses.content, losses.style)]
        state.balance.follow(recipe, state.step, reached[0], reached[1], goal.untouched)
    state.step += 1
    return losses


def losses_of(state: TrainState, recipe: Recipe, goal: Goal, source: Tensor) -> Losses:
    """Of one batch; source: (B, 3, H, W) in 0..1."""
    if recipe.paint is not None:
        torch.manual_seed(recipe.seed * 1_000_003 + state.step)  # the same after a resume
        return painted_losses(recipe, state.network, source, goal.processes)
    styled = state.network(source)
    if state.step < recipe.imitate_steps:
        return imitation_losses(state, recipe, goal, source, styled)
    losses = batch_losses(goal, recipe, source, styled)
    return steadied(losses, state, recipe, goal.scenes, source, styled)


def set_precision(state: TrainState, recipe: Recipe) -> None:
    """Batch norm in the first part of the steps; compute as the integer graph does in the last,
    and watch the ranges before."""
    if not isinstance(state.network, FastNetwork):
        return
    bound(state.network, False)  # ranges have to be free to grow
    normalize(state.network, state.step < recipe.norm_share * recipe.steps)
    first = round(recipe.steps * (1 - recipe.quantize_share))
    quantize(state.network, state.step >= first and recipe.quantize_share > 0)
    observe(state.network, state.followed or state.step >= first - OBSERVED_STEPS)


def train(
    recipe: Recipe,
    state: TrainState,
    goal: Goal,
    content: ContentSet,
    run_dir: Path,
    on_step: Callable[[Progress], None],
    preview_every: int = 200,
) -> Progress:
    """Run the recipe from `state.step` to its end; leaves checkpoint.pt and previews in run_dir.

    The goal needs no VGG and no style where every step imitates its teacher.

    Raises StylizerError after 20 non-finite steps in a row; the last good checkpoint stays.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run_dir.mkdir(parents=True, exist_ok=True)
    state.network.to(device).train()
    goal = toward(recipe, goal, content, device)
    keeper = Keeper(run_dir / "checkpoint.pt", recipe)
    figures = _Figures()
    while state.step < recipe.steps:
        started, skipped = time.perf_counter(), state.skipped
        with ending.undisturbed():  # Ctrl+C comes between two steps
            losses = train_step(state, recipe, goal, content, device)
        figures.add(losses, state.skipped > skipped)
        figures.check(state.step, keeper.path)
        state.seconds += time.perf_counter() - started
        on_step(figures.progress(state, recipe))
        last = state.step == recipe.steps
        if not goal.processes.leads:
            continue
        if not figures.bad_in_a_row:
            keeper.keep(state, last)
        if state.step % preview_every == 0 or last:
            write_preview(run_dir / f"preview-{state.step:06d}.png", state.network, content, device)
    return figures.progress(state, recipe)


class _Figures:
    """The losses, smoothed over some 20 steps, and how many steps in a row had none."""

    def __init__(self) -> None:
        self.smooth = np.zeros(3)  # content, style, total variation
        self.bad_in_a_row = 0

    def add(self, losses: Losses, bad: bool) -> None:
        self.bad_in_a_row = self.bad_in_a_row + 1 if bad else 0
        if not bad:
            now = np.array([losses.content.item(), losses.style.item(), losses.tv.item()])
            self.smooth = now if not self.smooth.any() else 0.95 * self.smooth + 0.05 * now

    def check(self, step: int, checkpoint: Path) -> None:
        """Raises StylizerError after MAX_BAD_STEPS without any."""
        if self.bad_in_a_row >= MAX_BAD_STEPS:
            raise StylizerError(
                f"{self.bad_in_a_row} steps in a row gave no finite loss at step {step}; "
                f"the last good checkpoint is {checkpoint}: lower --lr and --resume"
            )

    def progress(self, state: TrainState, recipe: Recipe) -> Progress:
        left = (recipe.steps - state.step) * state.seconds / max(1, state.step)
        content, style, tv = (float(v) for v in self.smooth)
        return Progress(state.step, recipe.steps, content, style, tv, state.skipped, left)


def write_preview(path: Path, network: Network, content: ContentSet, device: torch.device) -> None:
    """A sheet of four training pictures above their styled versions."""
    normalize(network, False)  # as it will run; the next step sets it anew
    picks = [content.pictures[i * (len(content) - 1) // 3] for i in range(4)]
    rows: list[np.ndarray] = []
    for picture in picks:
        scale = max(480 / picture.width, 360 / picture.height)
        box = (0.0, 0.0, min(480 / scale, picture.width), min(360 / scale, picture.height))
        pixels = np.asarray(picture.resize((480, 360), box=box), np.float32) / 255.0
        with torch.no_grad():
            source = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].to(device)
            styled = network(source).clamp(0, 1)[0].cpu().numpy().transpose(1, 2, 0)
        rows.append(np.concatenate([pixels, styled], axis=0))
    sheet = np.concatenate(rows, axis=1)
    Image.fromarray((sheet * 255 + 0.5).astype(np.uint8)).save(path)


def keep_memory() -> None:
    """Let glibc keep freed memory: a step frees and takes a gigabyte. Seen once, before and after a
    restart on a shared machine: system time 6 % -> 0, a step 3.5 -> 2.0 s; load may have differed.
    No-op elsewhere."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mmap_max, trim_threshold, top_pad = -4, -1, -2  # M_* of malloc.h
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(top_pad, 256 * 2**20)


def versions() -> dict[str, str]:
    """Library versions for the card."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
