"""3x3 convolutions of many channels on a CPU by Winograd's F(4x4, 3x3), a quarter of the products
(Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").

PyTorch multiplies them out on CPUs without AVX-512. Half the time at 256 channels and less than
that at 512, backward too; none is won below, where moving the tiles costs what the products save.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDE = 256  # channels from which it pays
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_WEIGHT = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))


def _both_ways(rows: tuple[tuple[int, ...], ...]) -> Tensor:
    """The transform of rows and columns at once, as one matrix."""
    matrix = torch.tensor(rows, dtype=torch.float32)
    return torch.kron(matrix, matrix)


_TO_TILES, _FROM_TILES = _both_ways(_INPUT), _both_ways(_OUTPUT)


def transformed(weight: Tensor) -> Tensor:
    """(out, in, 3, 3) -> (36, in, out), one matrix for each place in a tile."""
    g = torch.tensor(_WEIGHT, dtype=torch.float64)
    tiles = torch.einsum("ia,kcab,jb->ijck", g, weight.double(), g)
    return tiles.reshape(36, weight.shape[1], weight.shape[0]).float().contiguous()


def convolved(x: Tensor, tiles: Tensor, bias: Tensor | None = None) -> Tensor:
    """(B, H, W, in) -> (B, H, W, out), zeros around. tiles: of `transformed`."""
    count, height, width, _ = x.shape
    down, across = -(-height // 4), -(-width // 4)
    padded = F.pad(x, (0, 0, 1, 4 * across - width + 1, 1, 4 * down - height + 1))
    taken = padded.unfold(1, 6, 4).unfold(2, 6, 4).permute(4, 5, 0, 1, 2, 3)
    moved = _TO_TILES @ taken.reshape(36, -1)
    products = torch.bmm(moved.view(36, -1, tiles.shape[1]), tiles)
    made = _FROM_TILES @ products.view(36, -1)
    made = made.view(4, 4, count, down, across, -1).permute(2, 3, 0, 4, 1, 5)
    pixels = made.reshape(count, 4 * down, 4 * across, -1)
    if bias is not None:
        pixels += bias
    return pixels[:, :height, :width]


class _Rectified(torch.autograd.Function):
    """ReLU of `convolved`; the gradient is the convolution with the weights turned about."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, tiles: Tensor, turned: Tensor, bias: Tensor) -> Tensor:
        y = convolved(x, tiles, bias).clamp_min_(0)
        ctx.save_for_backward(y, turned)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        y, turned = ctx.saved_tensors
        return convolved(grads[0] * (y > 0), turned), None, None, None


class FrozenConv(nn.Conv2d):
    """A 3x3 convolution, one zero around, and ReLU; its weights are never trained."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__(weight.shape[1], weight.shape[0], 3, padding=1)
        self.weight.data = weight.float().clone(memory_format=torch.contiguous_format)
        assert self.bias is not None
        self.bias.data = bias.float().clone()
        self.requires_grad_(False)
        self._tiles: tuple[Tensor, Tensor] | None = None

    def forward(self, input: Tensor) -> Tensor:
        if input.device.type != "cpu" or self.out_channels < WIDE:
            return F.relu(super().forward(input), inplace=True)
        if self._tiles is None:
            turned = self.weight.flip(2, 3).transpose(0, 1)
            self._tiles = transformed(self.weight), transformed(turned)
        y = _Rectified.apply(input.permute(0, 2, 3, 1), *self._tiles, self.bias)
        assert isinstance(y, Tensor)
        return y.permute(0, 3, 1, 2)
