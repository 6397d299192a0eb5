"""How hard a training pulls toward its style: as hard as needed, within the content limit.

One weight does not fit all: with 13, where content weighs 1, the-scream was painted through, and
mosaic-fast needed 290. So the weight follows what has been reached, as a thermostat does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from stylizer.lab.nets.registry import Recipe
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.distributed import ProcessGroup
from stylizer.lab.training.perceptual import Vgg16, style_loss, within

RATE = 0.01  # at most this part of the gain a step
SMOOTHING = 0.03
LEAST, MOST = 0.25, 64.0
CONSTANT_SHARE = 0.2  # last part of the steps, in which the gain stays: the rate is low by then
SAMPLE = 20  # batches that untouched content is measured on


@dataclass
class Balance:
    """What the recipe's style weight is multiplied with, and what was reached with it."""

    gain: float = 1.0
    content: float | None = None  # smoothed, in logarithms: batches differ by factors
    style: float | None = None

    @property
    def steady_gain(self) -> float:
        """The same for the weights of stillness and of the grid: paint is what they hold back."""
        return math.sqrt(self.gain)

    def follow(
        self, recipe: Recipe, step: int, content: float, style: float, untouched: float
    ) -> None:
        """Take note of one step's losses; untouched: the content's style loss without a network."""
        self.content = _smoothed(self.content, math.log(max(content, 1e-6)))
        self.style = _smoothed(self.style, math.log(max(style, 1e-6)))
        if not recipe.style_share or step >= (1 - CONSTANT_SHARE) * recipe.steps:
            return
        unpainted = self.style - math.log(recipe.style_share * untouched)
        room = math.log(recipe.content_limit) - self.content
        pull = max(-1.0, min(1.0, unpainted, room))
        self.gain = max(LEAST, min(MOST, self.gain * math.exp(RATE * pull)))


def style_counted(
    features: dict[str, torch.Tensor],
    targets: dict[str, torch.Tensor],
    recipe: Recipe,
    processes: ProcessGroup,
) -> torch.Tensor:
    """(): the style loss of a batch as this recipe counts it."""
    inner = within(features, recipe.style_margin)
    shared = processes if recipe.together else None
    return style_loss(inner, targets, recipe.local_share, shared).mean()


def untouched_style(
    vgg: Vgg16,
    targets: dict[str, torch.Tensor],
    recipe: Recipe,
    content: ContentSet,
    device: torch.device,
) -> float:
    """Geometric mean of the content's own style loss, over crops as training takes them."""
    logs = []
    with torch.no_grad():
        for step in range(SAMPLE):
            crops = content.batch(
                recipe.seed, step, recipe.batch, recipe.crop, False, recipe.together
            )
            features = vgg(torch.from_numpy(crops).to(device))
            loss = style_counted(features, targets, recipe, ProcessGroup())
            logs.append(math.log(max(float(loss), 1e-6)))
    return math.exp(sum(logs) / len(logs))


def _smoothed(before: float | None, now: float) -> float:
    return now if before is None else before + SMOOTHING * (now - before)
