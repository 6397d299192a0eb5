"""What a training step is measured by: Johnson et al. 2016 with relative losses, and stillness."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stylizer.errors import BadInput
from stylizer.lab.nets.painter import CANVAS_STEP, Painter
from stylizer.lab.nets.registry import Network, Recipe
from stylizer.lab.training.balance import Balance, style_counted, untouched_style
from stylizer.lab.training.checkpoint import TrainState
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.distributed import ProcessGroup
from stylizer.lab.training.motion import MovingScenes
from stylizer.lab.training.paint import painted
from stylizer.lab.training.perceptual import (
    CONTENT_LAYER,
    Vgg16,
    content_loss,
    style_targets,
    tone_loss,
    total_variation,
)
from stylizer.lab.training.temporal import (
    grid_loss,
    random_move,
    steady_imitation_loss,
    stillness_loss,
)

ALONE = ProcessGroup()
PAINT_RIM = 24  # pixels
PATTERN_WINDOW = 48  # pixels
PATTERN_WEIGHT = 4.0


@dataclass(frozen=True)
class Goal:
    """What a network is trained toward; without VGG and style, its teacher alone.

    style: the picture, (1, 3, H, W) RGB in 0..1. targets, untouched: found by `toward`.
    """

    vgg: Vgg16 | None = None
    style: Tensor | None = None
    teacher: Network | None = None
    processes: ProcessGroup = ALONE
    scenes: MovingScenes | None = None  # for networks that train to be still
    targets: dict[str, Tensor] = field(default_factory=dict)  # statistics of the style
    untouched: float = 1.0  # style loss of the content as it is


def toward(recipe: Recipe, goal: Goal, content: ContentSet, device: torch.device) -> Goal:
    """The goal with the style picture's statistics, and the content's own style loss where the
    style weight follows it. Raises BadInput when steps need a style and there is none."""
    if goal.teacher is not None:
        goal.teacher.to(device).eval()
    if recipe.paint is not None:
        return goal
    vgg, style = goal.vgg, goal.style
    if vgg is None or style is None:
        if recipe.imitate_steps < recipe.steps:
            raise BadInput("steps that do not imitate need a style picture: pass --style IMAGE")
        return goal
    targets = style_targets(vgg.to(device), style.to(device))
    goal = replace(goal, targets=targets)
    if not recipe.style_share:
        return goal
    return replace(goal, untouched=untouched_style(vgg, targets, recipe, content, device))


@dataclass(frozen=True)
class Losses:
    """Relative losses of one batch, each a scalar tensor."""

    content: Tensor
    style: Tensor
    tv: Tensor
    tone: Tensor
    still: Tensor
    grid: Tensor

    def total(self, recipe: Recipe, style_weight: float, balance: Balance) -> Tensor:
        smooth = recipe.tv_weight * self.tv + recipe.tone_weight * self.tone
        steady = recipe.still_weight * self.still + recipe.grid_weight * self.grid
        paint = balance.gain * style_weight * self.style
        return self.content + paint + smooth + balance.steady_gain * steady


def batch_losses(goal: Goal, recipe: Recipe, source: Tensor, styled: Tensor) -> Losses:
    """Losses of styled against its source and the style; both (B, 3, H, W) in 0..1."""
    assert goal.vgg is not None
    with torch.no_grad():
        wanted = goal.vgg(source, last=CONTENT_LAYER)[CONTENT_LAYER]
    features = goal.vgg(styled)
    return Losses(
        content_loss(features[CONTENT_LAYER], wanted).mean(),
        style_counted(features, goal.targets, recipe, goal.processes),
        total_variation(styled),
        tone_loss(styled, source).mean(),
        styled.new_zeros(()),
        styled.new_zeros(()),
    )


def painted_losses(
    recipe: Recipe, network: Painter, source: Tensor, processes: ProcessGroup = ALONE
) -> Losses:
    """A fast network's: how far it is from what `painted` makes of the same frame and canvas, in
    values ("content") and in steps from pixel to pixel ("tv"). No VGG: a step takes 0.2 s.

    The canvas lies in another place for each crop, since the runtime moves it; drawn for the whole
    batch, of which `source` is this process's part. The network sees it at half size, and what is
    wanted has it at full size.
    """
    side = network.fine_tile.shape[1]
    shifts = torch.randint(side, (recipe.batch, 2))[processes.rank :: processes.size].tolist()
    crop = (source.shape[2], source.shape[3])
    full_canvas = torch.cat([placed(network.fine_tile, x, y, crop) for x, y in shifts])
    canvas = torch.cat([at_half_size(network.tile, x, y, crop) for x, y in shifts])
    assert recipe.paint is not None
    with torch.no_grad():
        wanted = inside(painted(network.graded(source), full_canvas, recipe.paint))
    styled = network(source, canvas)
    error = inside(styled) - wanted
    across, down = error.diff(dim=3).abs().mean(), error.diff(dim=2).abs().mean()
    value = error.abs().mean() + 2 * error.square().mean() + PATTERN_WEIGHT * pattern(error)
    zero = value.new_zeros(())
    still = carried_loss(network, source, full_canvas, styled) if recipe.still_weight else zero
    return Losses(value, zero, across + down, zero, still, zero)


def carried_loss(
    network: torch.nn.Module, source: Tensor, canvas: Tensor, styled: Tensor
) -> Tensor:
    """(): how far the picture of a moved frame with its canvas moved alike is from `styled`, what
    was made of both before, moved. canvas: at the frame's size, (B, 3, H, W) as the others.

    What is seen of it where a game moves are strokes and contours that come and go with the
    network's grid.
    """
    rng = np.random.default_rng(int(torch.randint(2**31, ())))
    move = random_move(rng, (source.shape[3], source.shape[2]), source.device)
    moved = network(move.of(source), F.avg_pool2d(move.of(canvas), CANVAS_STEP))
    error = inside(moved - move.of(styled))
    return error.abs().mean() + 2 * error.square().mean()


def pattern(error: Tensor) -> Tensor:
    """(): RMS of what an error (B, C, H, W) has of the network's own grid: its mean over places
    that lie alike in blocks of 8x8, within windows of six blocks. Small, and seen at once in
    skies."""
    height, width = (side // PATTERN_WINDOW * PATTERN_WINDOW for side in error.shape[2:])
    if not height or not width:
        return error.new_zeros(())
    cut = error[:, :, :height, :width]
    windows = cut.unflatten(3, (-1, PATTERN_WINDOW // 8, 8)).unflatten(
        2, (-1, PATTERN_WINDOW // 8, 8)
    )
    means = windows.mean(dim=(3, 6))  # (B, C, windows, 8, windows, 8)
    means = means - means.mean(dim=(3, 5), keepdim=True)
    return (means.square().mean() + 1e-10).sqrt()


def placed(tile: Tensor, left: int, top: int, size: tuple[int, int]) -> Tensor:
    """(1, 3, height, width) in 0..1: what of the repeated tile lies there. size: height, width."""
    rows = (torch.arange(size[0]) + top) % tile.shape[1]
    columns = (torch.arange(size[1]) + left) % tile.shape[2]
    return tile[:, rows][:, :, columns][None].float() / 255


def at_half_size(tile: Tensor, left: int, top: int, size: tuple[int, int]) -> Tensor:
    """(1, 3, height / 2, width / 2): the same place in the half-sized tile; an odd one lies between
    its pixels, where the runtime interpolates."""
    half = (size[0] // CANVAS_STEP, size[1] // CANVAS_STEP)
    places = [(left // CANVAS_STEP, left % CANVAS_STEP), (top // CANVAS_STEP, top % CANVAS_STEP)]
    (x, odd_x), (y, odd_y) = places
    corners = [placed(tile, x + i, y + j, half) for i in range(1 + odd_x) for j in range(1 + odd_y)]
    return torch.stack(corners).mean(dim=0)


def inside(picture: Tensor) -> Tensor:
    """Without the border, where a crop's surroundings are not known."""
    rim = min(PAINT_RIM, picture.shape[2] // 8)
    return picture[:, :, rim:-rim, rim:-rim]


def imitation_losses(
    state: TrainState, recipe: Recipe, goal: Goal, source: Tensor, styled: Tensor
) -> Losses:
    """Mean absolute difference as "content": the first steps copy the input, or a teacher.

    Random weights began at a style loss of about 200 (smoothed, first steps) and went gray first;
    whether imitation alone cures that was not isolated. A teacher's steps need no VGG: 0.55 s
    against 1.3 to 2 s a step with small, two cores.
    """
    if goal.teacher is not None and recipe.still_weight:
        rng = np.random.default_rng((recipe.seed, state.step, 2))
        difference = steady_imitation_loss(goal.teacher, source, styled, rng)
    else:
        with torch.no_grad():
            wanted = source if goal.teacher is None else goal.teacher(source).clamp(0, 1)
        difference = (styled - wanted).abs().mean()
    return Losses(difference, *[styled.new_zeros(())] * 5)


def steadied(
    losses: Losses,
    state: TrainState,
    recipe: Recipe,
    scenes: MovingScenes | None,
    source: Tensor,
    styled: Tensor,
) -> Losses:
    """The losses with those of stillness and of the pixel grid, where the recipe has them."""
    if recipe.still_weight:
        rng = np.random.default_rng((recipe.seed, state.step, 1))
        still = stillness_loss(state.network, source, styled, rng)
        if scenes is not None:
            still = still + scenes.loss(state.network, rng, recipe.crop)
            still = still + scenes.shift_loss(state.network, rng, recipe.crop)
        losses = replace(losses, still=still)
    return replace(losses, grid=grid_loss(styled)) if recipe.grid_weight else losses
