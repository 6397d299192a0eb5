"""The judge: relative content and style loss of a model on frames it never saw.

Definitions: frames at their native size; content = MSE(f, f0) / mean(f0^2) at relu2_2; style
picture scaled (Lanczos) to a short side of 512, G = F F^T / (H W), style = sum over relu1_2, 2_2,
3_3, 4_3 of MSE(G, Gs) / mean(Gs^2); grid_8 = how far the fine luma is tied to an 8-pixel grid (see
`temporal.grid_8`); all the mean over frames, one a second of each video.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stylizer.errors import BadInput
from stylizer.frame import Frame
from stylizer.lab.training.loop import load_style
from stylizer.lab.training.perceptual import (
    CONTENT_LAYER,
    Vgg16,
    content_loss,
    style_loss,
    style_targets,
)
from stylizer.lab.training.sampling import opened, pictures_below
from stylizer.lab.training.temporal import grid_8
from stylizer.stages import StyleBackend

STYLE_SHORT_SIDE = 512


@dataclass(frozen=True)
class Verdict:
    """Mean losses of the styled and of the untouched frames."""

    frames: int
    content: float
    style: float
    untouched_style: float
    grid_8: float
    untouched_grid_8: float

    def as_dict(self) -> dict[str, float | int]:
        return {
            "frames": self.frames,
            "content": round(self.content, 4),
            "style": round(self.style, 4),
            "untouched_content": 0.0,
            "untouched_style": round(self.untouched_style, 4),
            "grid_8": round(self.grid_8, 4),
            "untouched_grid_8": round(self.untouched_grid_8, 4),
        }


def judged_frames(path: Path) -> Iterator[np.ndarray]:
    """uint8 (height, width, 3) RGB: every picture and one frame a second of every video.

    Raises BadInput when the path is missing or holds nothing readable.
    """
    found = False
    for item in pictures_below(path):
        found = True
        yield np.asarray(opened(item))
    if not found:
        raise BadInput(f"{path}: holds no picture or video to judge on")


def judge(backend: StyleBackend, style: Path, frames: Path, vgg: Vgg16) -> Verdict:
    """Style every frame with the backend's real session and take the losses."""
    targets = style_targets(vgg, load_style(style, STYLE_SHORT_SIDE))
    rows: list[tuple[float, ...]] = []
    for number, pixels in enumerate(judged_frames(frames)):
        frame = Frame(np.ascontiguousarray(pixels), "RGB", time.perf_counter(), number)
        image = backend.style(frame).image
        styled = pixels if image is None else image.rgb()
        with torch.no_grad():
            source_features, styled_features = vgg(_tensor(pixels)), vgg(_tensor(styled))
            rows.append(
                (
                    content_loss(
                        styled_features[CONTENT_LAYER], source_features[CONTENT_LAYER]
                    ).item(),
                    style_loss(styled_features, targets).item(),
                    style_loss(source_features, targets).item(),
                    grid_8(styled),
                    grid_8(pixels),
                )
            )
    return Verdict(len(rows), *np.mean(rows, axis=0).tolist())


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255.0)[None]
