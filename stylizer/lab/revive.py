"""Channels that no picture switches on any more are given new weights before training goes on.

A ReLU that is zero everywhere gets no gradient and stays so ("dying ReLU", Lu et al. 2019). Of
mosaic-fast's first layer 15 of 24 channels were hardly ever on, of all such layers half.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stylizer.lab.fast import FastNetwork
from stylizer.lab.perceptual import LUMA
from stylizer.lab.quant import QuantConv

RARE = 0.01  # part of the places at which a channel must be on to count as alive
SHARE = 0.25  # of the living channels' spread: a new one begins quietly


@torch.no_grad()
def revive(network: FastNetwork, pictures: Tensor, seed: int = 1) -> int:
    """Give new weights to the channels that are hardly ever on; returns how many these were.

    pictures: (B, 3, H, W) in 0..1. In the order of the layers; what reads a channel keeps its
    weights, so the picture changes a little.
    """
    draw = torch.Generator().manual_seed(seed)
    found = 0
    for name, conv in rectified(network):
        y = output_of(network, conv, pictures)
        dead = (y > 0).float().mean(dim=(0, 2, 3)) < RARE
        count = int(dead.sum())
        if not count or count == len(dead):
            continue
        found += count
        spread = y.clamp_min(0).std(dim=(0, 2, 3))[~dead].median() * SHARE
        fresh = torch.randn((count, *conv.weight.shape[1:]), generator=draw)
        if name == "stem":
            fresh = waves(count, conv, network.arch.block)
        conv.weight[dead] = fresh.to(conv.weight)
        assert conv.bias is not None
        conv.bias[dead] = 0.0
        unfold(conv, dead)
        y = output_of(network, conv, pictures)[:, dead]
        gain = spread / y.std(dim=(0, 2, 3)).clamp_min(1e-6)
        conv.weight[dead] *= gain.view(-1, 1, 1, 1)
        conv.bias[dead] = spread - y.mean(dim=(0, 2, 3)) * gain
    return found


def rectified(network: FastNetwork) -> list[tuple[str, QuantConv]]:
    """The convolutions behind which a ReLU stands, by name, in order."""
    names = ["stem", "down", *(f"blocks.{i}.conv1" for i in range(len(network.blocks)))]
    found = [(n, m) for n, m in network.named_modules() if n in names]
    return [(n, m) for n, m in found if isinstance(m, QuantConv)]


def unfold(conv: QuantConv, channels: Tensor) -> None:
    """Let the norm, where there is one, do nothing to these channels once it is folded."""
    norm = conv.norm
    if norm is None:
        return
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.weight[channels] = torch.sqrt(norm.running_var[channels] + norm.eps)
    norm.bias[channels] = 0.0
    norm.running_mean[channels] = 0.0


def output_of(network: nn.Module, conv: QuantConv, pictures: Tensor) -> Tensor:
    """What a convolution gives for these pictures: (B, C, h, w)."""
    seen: list[Tensor] = []

    def keep(_conv: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen.append(output)

    hook = conv.register_forward_hook(keep)
    try:
        network(pictures)
    finally:
        hook.remove()
    return seen[0]


def waves(count: int, conv: QuantConv, block: int) -> Tensor:
    """(count, 3 * block**2, k, k): cosines of a block's luma, the longest first (the basis of the
    DCT, Ahmed et al. 1974, less its constant): where in a block something lies."""
    place = (torch.arange(block) + 0.5) * torch.pi / block
    steps = [(u, v) for u in range(block) for v in range(block)][1:]
    steps.sort(key=lambda s: (sum(s), s))
    kernel = conv.kernel_size[0]
    fresh = torch.zeros(count, 3 * block**2, kernel, kernel)
    for row in range(count):
        u, v = steps[row % len(steps)]
        wave = torch.outer(torch.cos(u * place), torch.cos(v * place)).flatten()
        fresh[row, :, kernel // 2, kernel // 2] = torch.cat([weight * wave for weight in LUMA])
    return fresh
