"""The fast tier's network: blocks of pixels in and out, most work at an eighth of the frame's size.

Nothing in it depends on the frame (no instance norm), so that every layer folds into integer
convolutions and a still picture stays still. Residual blocks as in He et al. 2016, sub-pixel
convolutions as in Shi et al. 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylizer.lab.nets.fake_quant import Activation, QuantConv

BRANCH_GAIN = 0.3  # of a residual branch's last convolution at the start


@dataclass(frozen=True)
class FastArch:
    """Layout of one network; sizes of convolutions in pixels, channels at each resolution.

    block: side of the pixel blocks at both ends (4 or 8). With 4, stem and head work at a quarter
    and the body at an eighth of the frame's size; with 8 everything works at an eighth.
    spread: with block 4 and stem == body, the body at a quarter too; dilation of each block.
    """

    name: str
    block: int = 4
    stem: int = 24  # channels
    stem_kernel: int = 1
    body: int = 48
    blocks: int = 3
    inner: tuple[int, ...] = ()  # channels between a block's two convolutions; () is body for all
    up_kernel: int = 1
    refine: int = 0  # separable convolutions before the head
    head_kernel: int = 3
    separable: bool = False  # 3x3 a channel before the head
    skip: bool = True
    spread: tuple[int, ...] = ()
    size_multiple: int = 8

    @property
    def halved(self) -> bool:
        return self.block == 4 and not self.spread


FAST_ARCHS = {
    "fast": FastArch("fast"),
    "fast-tiny": FastArch("fast-tiny", stem=8, body=8, blocks=1),  # for tests
}


class FastBlock(nn.Module):
    """relu(x + conv(relu(conv(x)))), all uint8 in the integer graph."""

    def __init__(self, channels: int, inner: int, normed: bool, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = QuantConv(channels, inner, 3, normed=normed, dilation=dilation)
        self.act1 = Activation()
        self.conv2 = QuantConv(inner, channels, 3, normed=normed, dilation=dilation)
        self.act2 = Activation(signed=True)
        self.out = Activation()

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(F.relu(self.conv1(x)))
        return self.out(F.relu(x + self.act2(self.conv2(y), x)))


class Separable(nn.Module):
    """3x3 a channel, then 1x1 (Howard et al. 2017): without VNNI a third of a dense 3x3's time."""

    def __init__(self, inp: int, out: int) -> None:
        super().__init__()
        self.each = QuantConv(inp, inp, 3, groups=inp)
        self.each_act = Activation(signed=True)
        self.mix = QuantConv(inp, out, 1)
        self.out = Activation()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.mix(self.each_act(self.each(x)))))


class FastNetwork(nn.Module):
    """RGB in, RGB out, both (batch, 3, height, width) in 0..1; sizes a multiple of 8.

    The output is not clamped in float: the loss needs gradients outside 0..1. normed: with batch
    norms to train with, see QuantConv.
    """

    def __init__(self, arch: FastArch, normed: bool = False) -> None:
        super().__init__()
        self.arch = arch
        a = arch
        pixels = 3 * a.block**2
        self.stem = QuantConv(pixels, a.stem, a.stem_kernel, normed=normed)
        self.stem_act = Activation()
        if a.halved:
            self.down = QuantConv(a.stem, a.body, 3, stride=2, normed=normed)
            self.down_act = Activation()
            self.up = QuantConv(a.body, 4 * a.stem, a.up_kernel, normed=normed)
            self.up_act = Activation(signed=a.skip)
            if a.skip:
                self.join = Activation()
        spread = a.spread or (1,) * a.blocks
        inner = a.inner or (a.body,) * len(spread)
        self.blocks = nn.Sequential(
            *(FastBlock(a.body, i, normed, d) for i, d in zip(inner, spread, strict=True))
        )
        ends = a.stem if a.block == 4 else a.body
        self.refine = nn.Sequential(*(Separable(ends, ends) for _ in range(a.refine)))
        if a.separable:
            self.head_each = QuantConv(ends, ends, 3, groups=ends)
            self.head_act = Activation(signed=True)
        self.head = QuantConv(ends, pixels, a.head_kernel)
        self.out = Activation(fixed=1.0)
        self.reset()

    def reset(self) -> None:
        """He initialisation (2015), the head's smaller: it begins near grey.

        The same weights for every pixel of a block (Aitken et al. 2017) are no help here: training
        stayed with blocks of one colour, whose edges are brick enough for the style loss.
        """
        for module in self.modules():
            if isinstance(module, QuantConv):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, FastBlock):
                    norm = module.conv2.norm
                    (module.conv2.weight if norm is None else norm.weight).mul_(BRANCH_GAIN)
                if isinstance(module, QuantConv) and module.groups > 1:
                    keep_centre(module)
            self.head.weight *= 0.3
            assert self.head.bias is not None
            self.head.bias.fill_(0.5)

    def forward(self, x: Tensor) -> Tensor:
        a = self.arch
        y = F.pixel_unshuffle(x, a.block)  # (B, 3 b b, H/b, W/b)
        fine = self.stem_act(F.relu(self.stem(y)))
        y = fine
        if a.halved:
            y = self.down_act(F.relu(self.down(fine)))  # (B, body, H/8, W/8)
        y = self.blocks(y)
        if a.halved:
            y = self._rejoin(y, fine)
        y = self.refine(y)
        if a.separable:
            y = self.head_act(self.head_each(y))
        return self.out(F.pixel_shuffle(self.head(y), a.block))

    def _rejoin(self, y: Tensor, fine: Tensor) -> Tensor:
        """(B, body, H/8, W/8) and the stem's output -> (B, stem, H/4, W/4)."""
        y = F.pixel_shuffle(self.up(y), 2)
        if not self.arch.skip:
            return self.up_act(F.relu(y))
        return self.join(F.relu(self.up_act(y, fine) + fine))


def keep_centre(conv: QuantConv) -> None:
    """Let a convolution of single channels start near the identity."""
    conv.weight *= 0.2
    conv.weight[:, 0, 1, 1] += 1.0


def activations(network: FastNetwork) -> list[tuple[str, Activation]]:
    """The places that are uint8 in the integer graph, by name."""
    return [(n, m) for n, m in network.named_modules() if isinstance(m, Activation)]
