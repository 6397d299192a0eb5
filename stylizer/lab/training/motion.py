"""Pairs of demo frames with their exact motion: training sees real occlusions, turns and parallax,
and needs no optical flow network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stylizer.lab.training.temporal import BLOCK, MARGIN, NOISE_GAIN, noisy
from stylizer.settings import Settings
from stylizer.source.demo.motion import demo_moments, motion_between, picture

SIZE = (640, 360)
PAIRS = 32
EDGE = 8  # pixels inside the crop's border, where both pictures have their surroundings
RIM = 2 * MARGIN  # the same for shifts, whose error is all a stroke's or none


def demo_pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    """`count` frames spread over the demo's flight, each uint8 (H, W, 3) RGB. Raises StylizerError
    where no OpenGL can be opened."""
    moments = demo_moments(Settings(size=SIZE, seed=seed), count)
    return [np.ascontiguousarray(picture(scene, n)) for scene, n in moments]


@dataclass(frozen=True)
class MovingScenes:
    """Moments of the demo's flight, each with the frame after it.

    before, after: uint8 (N, 3, H, W) RGB; x, y: float32 (N, H, W), where a pixel of `before` lies
    in `after`; visible: bool (N, H, W), whether it can be seen there.
    """

    before: Tensor
    after: Tensor
    x: Tensor
    y: Tensor
    visible: Tensor

    @classmethod
    def rendered(cls, seed: int, count: int = PAIRS, size: tuple[int, int] = SIZE) -> MovingScenes:
        """`count` moments spread over the flight, one or two frames apart.

        Raises StylizerError where no OpenGL can be opened.
        """
        rows: list[tuple[np.ndarray, ...]] = []
        for k, (scene, n) in enumerate(demo_moments(Settings(size=size, seed=seed), count)):
            later = n + 1 + k % 2
            pair = [picture(scene, i).transpose(2, 0, 1).copy() for i in (n, later)]
            rows.append((*pair, *motion_between(scene, n, later)))
        return cls(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))

    def pictures(self) -> list[np.ndarray]:
        """The first frames of all pairs, each uint8 (H, W, 3) RGB."""
        return [np.ascontiguousarray(p.permute(1, 2, 0).numpy()) for p in self.before]

    def loss(
        self, network: torch.nn.Module, rng: np.random.Generator, size: tuple[int, int]
    ) -> Tensor:
        """(): mean squared difference of a styled frame and the next one fetched along the motion,
        on a random crop of one pair. size: (width, height), at most the frames'."""
        width, height = size
        i, left, top = self._place(rng, size)
        box = (slice(top, top + height), slice(left, left + width))
        device = next(network.parameters()).device
        both = torch.stack([self.before[i, :, *box], self.after[i, :, *box]]).to(device) / 255
        styled = network(both)
        x, y = self.x[i, *box] - left, self.y[i, *box] - top
        grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
        fetched = F.grid_sample(styled[1:], grid[None].to(device), align_corners=True)
        inside = (x >= EDGE) & (x < width - EDGE) & (y >= EDGE) & (y < height - EDGE)
        inside[:EDGE] = inside[-EDGE:] = inside[:, :EDGE] = inside[:, -EDGE:] = False
        counts = (inside & self.visible[i, *box]).to(device)
        difference = (fetched[0] - styled[0]).square().mean(dim=0)
        return (difference * counts).sum() / counts.sum().clamp_min(1)

    def shift_loss(
        self, network: torch.nn.Module, rng: np.random.Generator, size: tuple[int, int]
    ) -> Tensor:
        """(): mean squared difference of a styled crop and that of the same frame some pixels on,
        where both see the same, and `NOISE_GAIN` times that of the crop and a noisy copy.

        Rendered flat surfaces have neither noise nor texture that a stroke could hold on to: what
        is painted there is a pattern of the pixel blocks, which games' textured frames hide. Half
        of the error of mosaic-fast at shifts of 3 to 6 pixels was that (0.060; 0.0003 at 8).
        """
        width, height = size[0] - BLOCK, size[1] - BLOCK
        i, left, top = self._place(rng, size)
        dx, dy = (int(n) for n in rng.integers(BLOCK, size=2))
        first = self._window(i, left, top, width, height)
        later = self._window(i, left + dx, top + dy, width, height)
        both = torch.cat([first, later]).to(next(network.parameters()).device) / 255
        home, moved, rough = network(torch.cat([both, noisy(both[:1], rng)])).split(1)
        there = home[:, :, RIM + dy : height - RIM + dy, RIM + dx : width - RIM + dx]
        shifted = (there - moved[:, :, RIM : height - RIM, RIM : width - RIM]).square().mean()
        return shifted + NOISE_GAIN * (rough - home).square().mean()

    def _place(self, rng: np.random.Generator, size: tuple[int, int]) -> tuple[int, int, int]:
        """A random pair, and left and top of a random crop of it."""
        i = int(rng.integers(len(self.before)))
        left = int(rng.integers(self.before.shape[3] - size[0] + 1))
        return i, left, int(rng.integers(self.before.shape[2] - size[1] + 1))

    def _window(self, i: int, left: int, top: int, width: int, height: int) -> Tensor:
        """(1, 3, height, width) of a frame."""
        return self.before[i : i + 1, :, top : top + height, left : left + width]
