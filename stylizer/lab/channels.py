"""Channels that no picture switches on: new weights before training goes on, left out after it.

A ReLU that is zero everywhere gets no gradient and stays so ("dying ReLU", Lu et al. 2019). Of
mosaic-fast's first layer 15 of 24 channels were hardly ever on, of all such layers half.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from stylizer.lab.fast import FastNetwork
from stylizer.lab.fast_export import activations
from stylizer.lab.perceptual import LUMA
from stylizer.lab.quant import QuantConv

RARE = 0.01  # part of the places at which a channel must be on to count as alive
LANES = 8  # integer convolutions work on so many channels at a time
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
        dead = _on(network, conv, pictures) < RARE
        count = int(dead.sum())
        if not count or count == len(dead):
            continue
        found += count
        y = output_of(network, conv, pictures)
        spread = y.clamp_min(0).std(dim=(0, 2, 3))[~dead].median() * SHARE
        fresh = torch.randn((count, *conv.weight.shape[1:]), generator=draw)
        if name == "stem":
            fresh = waves(count, conv, network.arch.block)
        conv.weight[dead] = fresh.to(conv.weight)
        assert conv.bias is not None
        conv.bias[dead] = 0.0
        conv.neutralise(dead)
        y = output_of(network, conv, pictures)[:, dead]
        gain = spread / y.std(dim=(0, 2, 3)).clamp_min(1e-6)
        conv.weight[dead] *= gain.view(-1, 1, 1, 1)
        conv.bias[dead] = spread - y.mean(dim=(0, 2, 3)) * gain
    return found


@torch.no_grad()
def leave_out_dead(network: FastNetwork, pictures: Tensor) -> FastNetwork:
    """The network without the channels inside its blocks that are never on in these pictures, (B,
    3, H, W) in 0..1: the same picture, faster. Widths stay multiples of `LANES`; norms are folded.
    """
    body = network.arch.body
    every = dict(_convolutions(network))
    names = [f"blocks.{i}.conv1" for i in range(len(network.blocks))]
    seen = [_on(network, every[name], pictures) for name in names]
    widths = [min(body, -(-int((s > 0).sum()) // LANES) * LANES) for s in seen]
    widths = [max(LANES, width) for width in widths]
    slim = FastNetwork(replace(network.arch, inner=tuple(widths))).to(pictures.device).eval()
    picked = {
        f"blocks.{i}.conv": share.argsort(descending=True)[:width].sort().values
        for i, (share, width) in enumerate(zip(seen, widths, strict=True))
    }
    for name, new in _convolutions(slim):
        weight, bias = every[name].folded()
        kept = picked.get(name[:-1])
        if kept is not None:
            first = name.endswith("1")
            weight, bias = (weight[kept], bias[kept]) if first else (weight[:, kept], bias)
        new.weight.copy_(weight)
        assert new.bias is not None
        new.bias.copy_(bias)
    for (_, new), (_, old) in zip(activations(slim), activations(network), strict=True):
        new.reach.copy_(old.reach)
    return slim


def _on(network: FastNetwork, conv: QuantConv, pictures: Tensor) -> Tensor:
    """(C,): part of the places at which each channel is above zero."""
    return (output_of(network, conv, pictures) > 0).float().mean(dim=(0, 2, 3))


def _convolutions(network: FastNetwork) -> list[tuple[str, QuantConv]]:
    return [(n, m) for n, m in network.named_modules() if isinstance(m, QuantConv)]


def rectified(network: FastNetwork) -> list[tuple[str, QuantConv]]:
    """The convolutions behind which a ReLU stands, by name, in order."""
    names = ["stem", "down", *(f"blocks.{i}.conv1" for i in range(len(network.blocks)))]
    return [(n, m) for n, m in _convolutions(network) if n in names]


@torch.no_grad()
def attach_norms(network: FastNetwork, pictures: Tensor) -> None:
    """Set each batch norm to the statistics of these pictures, (B, 3, H, W) in 0..1, where it did
    nothing: training from folded weights can go on under norms, which keep channels on."""
    for conv in network.modules():
        if not isinstance(conv, QuantConv) or conv.norm is None:
            continue
        norm = conv.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        y = output_of(network, conv, pictures)
        norm.running_mean.copy_(y.mean(dim=(0, 2, 3)))
        norm.running_var.copy_(y.var(dim=(0, 2, 3)))
        norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps))
        norm.bias.copy_(norm.running_mean)


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
