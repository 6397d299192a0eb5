"""The judge: what a model's pictures are like, on frames it never saw.

Definitions: frames at their native size; content = MSE(f, f0) / mean(f0^2) at relu2_2; style
picture scaled (Lanczos) to a short side of its own, G = F F^T / (H W), style = sum over relu1_2,
2_2, 3_3, 4_3 of MSE(G, Gs) / mean(Gs^2); style_ratio = style over the untouched frames'; cells_mean
and cells_worst = the style loss of each cell of a 3x3 grid over the untouched frame's mean one, so
that busy places cannot pay for empty ones; cells_mean_of_frame and cells_worst_of_frame = the same
over the untouched frame's loss as a whole, which is about half as large: the goals are set in it;
relu4_3 = Pearson correlation of source and styled features, the mean of each channel taken off;
grid_8 = how far the fine luma is tied to an 8-pixel grid (see `temporal.grid_8`); the others stand
in `measure.look`. All are means over frames, one a second of each video, but lowest_grad4. `missed`
names the goals of `measure.look` that are not reached.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylizer.errors import BadInput
from stylizer.frame import Frame
from stylizer.lab.training.perceptual import (
    CONTENT_LAYER,
    Vgg16,
    content_loss,
    style_loss,
    style_targets,
)
from stylizer.lab.training.sampling import opened, pictures_below
from stylizer.lab.training.temporal import grid_8
from stylizer.measure.look import goals_of, look, missed
from stylizer.stages import StyleBackend
from stylizer.style.session import SessionStyle

STYLE_SHORT_SIDE = 512  # of a model that does not say what it was trained with
CELLS = 3  # a side


@dataclass(frozen=True)
class Verdict:
    """Figures by name, means over frames, and the goals that they miss."""

    frames: int
    style_size: int
    figures: dict[str, float]
    missed: list[str]

    def as_dict(self) -> dict[str, Any]:
        rounded = {name: round(value, 4) for name, value in self.figures.items()}
        facts = {"frames": self.frames, "style_size_px": self.style_size}
        return facts | rounded | {"missed": self.missed}


def judged_frames(path: Path) -> Iterator[np.ndarray]:
    """uint8 (height, width, 3) RGB: every picture and one frame a second of every video."""
    for item in pictures_below(path):
        yield np.asarray(opened(item))


def check_frames(path: Path) -> None:
    """Raise BadInput unless there is something to judge on."""
    if next(iter(pictures_below(path)), None) is None:
        raise BadInput(f"{path}: holds no picture or video to judge on")


def judge(
    backend: StyleBackend, painting: torch.Tensor, frames: Path, vgg: Vgg16, style_size: int
) -> Verdict:
    """Style every frame with the backend's real session and take the figures; painting: see
    `load_style`, style_size: its short side, pixels."""
    targets = style_targets(vgg, painting)
    rows: list[dict[str, float]] = []
    for number, pixels in enumerate(judged_frames(frames)):
        frame = Frame(np.ascontiguousarray(pixels), "RGB", time.perf_counter(), number)
        image = backend.style(frame).image
        styled = pixels if image is None else image.rgb()
        rows.append(_losses(vgg, targets, pixels, styled) | _look(pixels, styled))
    figures = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    figures["style_ratio"] = figures["style"] / max(figures["untouched_style"], 1e-9)
    figures["lowest_grad4"] = min(row["grad4"] for row in rows)
    picture = (painting[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    goals = goals_of(style_of(backend), picture)
    return Verdict(len(rows), style_size, figures, missed(figures, goals))


def style_of(backend: StyleBackend) -> str:
    """The name of a model's style, "" where it says none."""
    return backend.style_model.style if isinstance(backend, SessionStyle) else ""


def style_size_of(backend: StyleBackend) -> int:
    """Short side of the style picture that a model, or what it was made from, was trained with."""
    recipe = backend.style_model.recipe if isinstance(backend, SessionStyle) else None
    while recipe:
        if isinstance(recipe.get("style_size"), int):
            return recipe["style_size"]
        recipe = recipe.get("parent_recipe")
    return STYLE_SHORT_SIDE


def _look(pixels: np.ndarray, styled: np.ndarray) -> dict[str, float]:
    grids = {"grid_8": grid_8(styled), "untouched_grid_8": grid_8(pixels)}
    return grids | look(pixels, styled)


@torch.no_grad()
def _losses(
    vgg: Vgg16, targets: dict[str, torch.Tensor], pixels: np.ndarray, styled: np.ndarray
) -> dict[str, float]:
    """What needs VGG-16, of one frame."""
    source, found = vgg(_tensor(pixels)), vgg(_tensor(styled))
    cells, untouched = (cell_style_losses(features, targets) for features in (found, source))
    by_cell = untouched.mean().clamp_min(1e-9)
    by_frame = style_loss(source, targets).clamp_min(1e-9)
    return {
        "content": content_loss(found[CONTENT_LAYER], source[CONTENT_LAYER]).item(),
        "style": style_loss(found, targets).item(),
        "untouched_content": 0.0,
        "untouched_style": by_frame.item(),
        "cells_mean": (cells.mean() / by_cell).item(),
        "cells_worst": (cells.max() / by_cell).item(),
        "cells_mean_of_frame": (cells.mean() / by_frame).item(),
        "cells_worst_of_frame": (cells.max() / by_frame).item(),
        "relu4_3": correlation(found["relu4_3"], source["relu4_3"]).item(),
    }


def cell_style_losses(
    features: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]
) -> torch.Tensor:
    """(CELLS * CELLS,): the style loss of each cell's features, row by row; one picture."""
    rows = {
        name: [c for row in y.tensor_split(CELLS, 2) for c in row.tensor_split(CELLS, 3)]
        for name, y in features.items()
        if name in targets
    }
    cells = ({name: cells[k] for name, cells in rows.items()} for k in range(CELLS * CELLS))
    return torch.cat([style_loss(cell, targets) for cell in cells])


def correlation(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(): Pearson's, of two features (1, C, H, W), each channel's mean taken off."""
    a, b = (y - y.mean(dim=(2, 3), keepdim=True) for y in (a, b))
    return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt().clamp_min(1e-9)


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255.0)[None]
