"""All architectures by name, and what trains each one well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stylizer.lab.nets.fast import FAST_ARCHS, FastArch, FastNetwork
from stylizer.lab.nets.johnson import JOHNSON_ARCHS, Arch, StyleNetwork

ARCHS: dict[str, Arch | FastArch] = {**JOHNSON_ARCHS, **FAST_ARCHS}
Network = StyleNetwork | FastNetwork


def new_network(name: str, normed: bool = False) -> Network:
    """A freshly initialized network of an architecture; normed: see FastNetwork."""
    arch = ARCHS[name]
    return FastNetwork(arch, normed) if isinstance(arch, FastArch) else StyleNetwork(arch)


@dataclass(frozen=True)
class Paint:
    """How much of what a network lays on the frame (`lab.training.paint`); 0 is nothing.

    strokes: of the canvas' colors. joints: darkness of its darkest lines. contours: dark lines
    along the frame's own edges, fainter where it is dark. flat: how far the frame's fine
    texture is smoothed away.
    on_edges, on_busy: share of all that on contours, less of it in the dark, and in places full of
    detail.
    edge: slope of luma a pixel from which a contour is one, in the light. texture: by how much of
    the mean slope around a place that is raised, so that a game's textures are painted, too.
    tone, tone_from: share that is taken off large bright places, of what they are above that luma.
    burn: exponent of luma, above 1, in light surroundings: they are darker, black and white stay.
    line: luma that a contour's line takes at most. smooth: variance of the texture that `flat`
    smooths away in the light, less in the dark. things: share of all strokes that the contours of
    things are spared, where a few slopes are strong. faint: contrast that faint contours of such
    get, over what they have.
    """

    strokes: float = 0.65
    joints: float = 0.0
    joint_from: float = 0.28
    contours: float = 4.0
    flat: float = 0.8
    on_edges: float = 0.08
    on_busy: float = 0.5
    edge: float = 0.034
    texture: float = 0.4
    tone: float = 0.5
    tone_from: float = 0.55
    burn: float = 0.0
    line: float = 1.0
    smooth: float = 0.008
    things: float = 0.0
    faint: float = 0.0


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
    quantize_share: float = 0.0  # last part of the steps, computed as the integer graph does
    learning_rate: float = 1.5e-3
    seed: int = 1
    paint: Paint | None = None  # what a network learns to lay on; None: it learns from VGG
    contrast: float = 1.2  # of its color grade
    saturation: float = 0.6  # of what that grade makes of the content's colors
    canvas_color: float = 1.6  # of the strokes, their light kept
    canvas_part: tuple[float, ...] = (0.0, 0.0, 1.0, 1.0)  # of the painting that is quilted: shares
    canvas_fine: float = 1.2  # pixels (sigma): finer than that is the grain of the scan
    canvas_coarse: float = 60.0  # pixels (sigma): coarser than that is no stroke
    patch: int = 384  # pixels, the side of what it is quilted from


# Networks that learn to paint: see `lab.training.paint`. Every step imitates.
# Paintings are dark.
PAINTED = Paint(flat=1.0, tone=0.4, burn=0.4, line=0.12, smooth=0.02, things=1.0, faint=2.0)
_PAINTING = {"paint": PAINTED, "crop": (192, 192), "style_size": 800, "style_weight": 0.0}
_FAST = {
    "steps": 1500,
    "batch": 6,
    "norm_share": 0.6,
    "quantize_share": 0.2,
    "learning_rate": 2.5e-3,
}
# From trained weights, of whatever style: norms are folded.
_FAST_ON = {"steps": 900, "norm_share": 0.0, "learning_rate": 1.5e-3}
_JOHNSON = {"steps": 1500, "batch": 2, "learning_rate": 1e-3}


def default_recipe(
    arch: str, style: str, content: str, trained: bool = False, perceptual: bool = False
) -> Recipe:
    """What trains this architecture well, from random weights or from trained ones; perceptual:
    by the losses of Johnson et al. 2016 (original and small alone)."""
    recipe = Recipe(arch, style, content)
    if perceptual:
        return recipe
    fast = _FAST | (_FAST_ON if trained else {})
    changes: dict[str, Any] = _PAINTING | (fast if isinstance(ARCHS[arch], FastArch) else _JOHNSON)
    return replace(recipe, **changes)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Warm-up over 30 steps, then a cosine from the full rate down to a fiftieth."""
    rising = min(1.0, (step + 1) / 30)
    cosine = 0.5 * (1 + np.cos(np.pi * min(1.0, step / max(1, recipe.steps))))
    return recipe.learning_rate * rising * (0.02 + 0.98 * float(cosine))


def style_weight(recipe: Recipe, step: int) -> float:
    """From a third of the recipe's weight, over its ramp, to all of it."""
    painted = step - recipe.imitate_steps
    ramp = recipe.style_ramp * (recipe.steps - recipe.imitate_steps)
    return recipe.style_weight * (1 / 3 + 2 / 3 * min(1.0, painted / ramp) if ramp else 1.0)
