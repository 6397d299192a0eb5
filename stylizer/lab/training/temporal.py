"""Training for a picture that holds still, without optical flow: what moves in the source must move
in the styled picture alike, what stays must stay (stability training, Zheng et al. 2016; with
shifts, ReCoNet's motive, Gao et al. 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stylizer.lab.training.perceptual import luma_of

# Pixels of border left out of a comparison: what moved in was not there before. A multiple of
# BLOCK, so that a picture without them falls into the same blocks.
MARGIN = 16
NOISE_GAIN = 10.0  # a change of one 255th is small beside a shifted edge, and shimmers as much
EXPOSURE = 0.05  # part of the brightness that games change from frame to frame
BLOCK = 8
EDGE_SHARE = 0.05  # weight of uneven steps beside the means by place
HIGH_PASS = 17  # pixels: side of the mean that is taken off before looking for a grid


@dataclass(frozen=True)
class Move:
    """A change of the source under which the styled picture should only move along.

    grid: (1, H, W, 2) for `grid_sample`.
    """

    grid: Tensor

    def of(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) -> the same, moved; borders are repeated."""
        grid = self.grid.expand(len(picture), -1, -1, -1)
        return F.grid_sample(picture, grid, padding_mode="border", align_corners=True)


def random_move(rng: np.random.Generator, size: tuple[int, int], device: torch.device) -> Move:
    """A whole-pixel shift, or a smooth warp with a sub-pixel shift: one half each.

    size: (width, height).
    """
    width, height = size
    shift = rng.integers(-7, 8, 2).astype(np.float32)
    bend = np.zeros((1, 2, 4, 4), np.float32)
    if rng.integers(2):
        shift = rng.uniform(-4, 4, 2).astype(np.float32)
        bend = rng.normal(0, 1.5, bend.shape).astype(np.float32)
    field = F.interpolate(
        torch.from_numpy(bend), (height, width), mode="bicubic", align_corners=True
    )
    field = field + torch.from_numpy(shift).view(1, 2, 1, 1)
    x, y = torch.linspace(-1, 1, width), torch.linspace(-1, 1, height)
    base = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)[None]
    per_pixel = torch.tensor([2 / (width - 1), 2 / (height - 1)])
    return Move((base + field.permute(0, 2, 3, 1) * per_pixel).to(device))


def noisy(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """The picture with even noise of up to 1, 2 or 3 of 255 on every value."""
    reach = float(rng.choice([1, 1, 2, 3])) / 255
    noise = rng.uniform(-reach, reach, tuple(picture.shape)).astype(np.float32)
    return picture + torch.from_numpy(noise).to(picture.device)


def inner(picture: Tensor) -> Tensor:
    """Without the border, where moved pictures have nothing to show."""
    return picture[:, :, MARGIN:-MARGIN, MARGIN:-MARGIN]


def stillness_loss(
    network: torch.nn.Module, source: Tensor, styled: Tensor, rng: np.random.Generator
) -> Tensor:
    """(): mean squared difference of net(moved source) and moved net(source), borders left out and
    both up to `EXPOSURE` brighter or darker, that of net(noisy source) and net(source),
    `NOISE_GAIN` times, and that of net(source without its border) and net(source) there: the style
    loss rewards marks along the frame's edge, as if the edge were a thing to paint.

    Both in every step: with one of the two drawn at random, noise of one 255th changed the output
    by 43 at the 99th percentile, for training paints strokes from noise where nothing else is.
    """
    height, width = source.shape[2:]
    move = random_move(rng, (width, height), source.device)
    gain = float(rng.uniform(1 - EXPOSURE, 1 + EXPOSURE))
    lit = (gain * move.of(source)).clamp(0, 1)
    moved = inner(network(lit) - gain * move.of(styled)).square().mean()
    shimmer = (network(noisy(source, rng)) - styled).square().mean()
    framed = (network(inner(source)) - inner(styled).detach()).square().mean()
    return moved + NOISE_GAIN * shimmer + framed


def steady_imitation_loss(
    teacher: torch.nn.Module, source: Tensor, styled: Tensor, rng: np.random.Generator
) -> Tensor:
    """(): mean absolute difference of the moved styled picture and the teacher's of the moved and
    noisy source: what the teacher does differently for each move and noise averages out."""
    height, width = source.shape[2:]
    move = random_move(rng, (width, height), source.device)
    with torch.no_grad():
        wanted = teacher(noisy(move.of(source), rng)).clamp(0, 1)
    return inner(move.of(styled) - wanted).abs().mean()


def grid_variances(luma: Tensor, block: int = BLOCK) -> tuple[Tensor, Tensor]:
    """(): variance of the means by place in the block, and of the high-passed luma (B, 1, H, W)."""
    half = HIGH_PASS // 2
    high = luma[:, :, half:-half, half:-half] - F.avg_pool2d(luma, HIGH_PASS, 1)
    height = high.shape[2] // block * block
    width = high.shape[3] // block * block
    high = high[:, :, :height, :width]
    places = high.reshape(len(high), height // block, block, width // block, block)
    means = places.mean(dim=(0, 1, 3))
    return (means - means.mean()).square().mean(), high.square().mean()


def grid_loss(styled: Tensor) -> Tensor:
    """(): share of the fine luma's variance that only depends on the place in an 8x8 block, and how
    unevenly the steps from pixel to pixel fall on those places (blocks of one color: about 3)."""
    luma = luma_of(styled)
    means, variance = grid_variances(luma)
    uneven = step_unevenness(luma) + step_unevenness(luma.transpose(2, 3))
    return means / variance.clamp_min(1e-5) + EDGE_SHARE * uneven


def step_unevenness(luma: Tensor, block: int = BLOCK) -> Tensor:
    """(): relative variance, over columns modulo `block`, of the mean step to the next column."""
    steps = (luma[..., 1:] - luma[..., :-1]).abs()
    width = steps.shape[3] // block * block
    by_place = steps[..., :width].reshape(-1, width // block, block).mean(dim=(0, 1))
    mean = by_place.mean().clamp_min(1e-4)
    return (by_place - mean).square().mean() / mean.square()


def grid_8(image: np.ndarray) -> float:
    """How much a picture, uint8 (H, W, 3) RGB, is tied to an 8-pixel grid: the standard deviation
    of the 64 means of its high-passed luma by position modulo 8, over that luma's own."""
    tensor = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32) / 255.0)[None]
    means, variance = grid_variances(luma_of(tensor))
    return float((means / variance.clamp_min(1e-12)).sqrt())
