"""All architectures by name, and what trains each one well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stylizer.lab.nets.fast import FAST_ARCHS, FastArch, FastNetwork
from stylizer.lab.nets.johnson import ARCHS as JOHNSON_ARCHS
from stylizer.lab.nets.johnson import Arch, StyleNetwork

ARCHS: dict[str, Arch | FastArch] = {**JOHNSON_ARCHS, **FAST_ARCHS}
Network = StyleNetwork | FastNetwork


def new_network(name: str, normed: bool = False) -> Network:
    """A freshly initialised network of an architecture; normed: see FastNetwork."""
    arch = ARCHS[name]
    return FastNetwork(arch, normed) if isinstance(arch, FastArch) else StyleNetwork(arch)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training's result; written into the card and the ONNX metadata."""

    arch: str
    style: str  # file name of the style picture
    content: str  # name of the content folder
    steps: int = 1350
    batch: int = 2
    crop: tuple[int, int] = (224, 224)
    together: bool = False  # all crops of a batch are of one picture, and share their statistics
    imitate_steps: int = 60  # first learn to copy the teacher, or the input: see `imitation_losses`
    teacher: str = ""  # name of the model that is imitated; "" for the input itself
    style_size: int = 512  # short side the style picture is scaled to, as the judge does
    style_weight: float = 4.5  # content weighs 1
    style_share: float = 0.0  # wanted of the untouched crops' style loss: balances that weight
    content_limit: float = 2.0  # where balancing stops painting more
    style_ramp: float = 0.0  # part of the steps after imitation in which that weight rises
    local_share: float = 0.6  # part of the style loss taken quarter by quarter
    style_margin: int = 0  # pixels from the crop's edge that it does not count
    tv_weight: float = 0.5
    tone_weight: float = 1.0
    still_weight: float = 0.0  # the picture moves with its source and ignores noise
    grid_weight: float = 0.0  # no pattern of the pixel blocks
    norm_share: float = 0.0  # first part of the steps, with batch norm that is folded after it
    quantise_share: float = 0.0  # last part of the steps, computed as the integer graph does
    learning_rate: float = 1.5e-3
    seed: int = 1


_FAST = {
    "steps": 2400,
    "crop": (192, 192),
    "style_weight": 10.0,
    "style_ramp": 0.3,
    "together": True,
    "local_share": 0.15,
    "style_margin": 16,
    "tv_weight": 0.2,
    "tone_weight": 10.0,
    "still_weight": 300.0,
    "grid_weight": 40.0,
    "norm_share": 0.5,
    "quantise_share": 0.15,
    "learning_rate": 2e-3,
}
# From trained weights, of whatever style: strokes are there to begin with, norms are folded.
_FAST_ON = {
    "steps": 500,
    "batch": 3,
    "crop": (176, 176),
    "imitate_steps": 0,
    "style_weight": 13.0,
    "style_share": 0.3,
    "style_ramp": 0.0,
    "local_share": 0.2,
    "tone_weight": 12.0,
    "still_weight": 800.0,
    "grid_weight": 300.0,
    "norm_share": 0.0,
    "quantise_share": 0.3,
    "learning_rate": 1.5e-3,
}


def default_recipe(arch: str, style: str, content: str, trained: bool = False) -> Recipe:
    """What trains this architecture well, from random weights or from trained ones."""
    recipe = Recipe(arch, style, content)
    changes: dict[str, Any] = {}
    if isinstance(ARCHS[arch], FastArch):
        changes = _FAST | (_FAST_ON if trained else {})
    return replace(recipe, **changes)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Warm-up over 30 steps, then a cosine from the full rate down to a fiftieth."""
    warm = min(1.0, (step + 1) / 30)
    cosine = 0.5 * (1 + np.cos(np.pi * min(1.0, step / max(1, recipe.steps))))
    return recipe.learning_rate * warm * (0.02 + 0.98 * float(cosine))


def style_weight(recipe: Recipe, step: int) -> float:
    """From a third of the recipe's weight, over its ramp, to all of it."""
    painted = step - recipe.imitate_steps
    ramp = recipe.style_ramp * (recipe.steps - recipe.imitate_steps)
    return recipe.style_weight * (1 / 3 + 2 / 3 * min(1.0, painted / ramp) if ramp else 1.0)
