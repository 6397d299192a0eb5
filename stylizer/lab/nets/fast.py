"""The fast tier's network: an edit that is added to the color-graded frame.

It sees the frame and the canvas (a texture at the scale of the strokes, which the runtime moves
with the picture) as blocks of pixels; most work is at an eighth of the frame's size. Text and
contours stay sharp, for they are the frame's own. Nothing in it depends on the whole frame (no
instance norm), so that every layer folds into integer convolutions and a still picture stays
still. Residual blocks as in He et al. 2016, sub-pixel convolutions as in Shi et al. 2016.

An edit made of few channels cannot take a game's fine texture away. So each pixel's difference d
from the light around it is there, too, and relu(d + t) and relu(d - t) with a t that the network
chooses: their difference less t is d limited to -t..t, which is what wavelet shrinkage (Donoho
1995) takes away.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylizer.frame import LUMA, WEIGHT_LEVELS
from stylizer.lab.nets.fake_quant import Activation, QuantConv
from stylizer.lab.nets.painter import CANVAS_STEP, Painter

BRANCH_GAIN = 0.3  # of a residual branch's last convolution at the start
EDIT_GAIN = 0.15  # of the head at the start: it begins near the graded frame
LEAST_WEIGHT = 1e-4  # of a layer that begins with its bias alone: all zero has no scale
MOST_DETAIL = 0.5  # luma above or below the light around that is told apart
TEXTURE = 0.06  # luma around that up to which detail is smoothed away at the start
BLOCK = 4  # side of the pixel blocks at both ends
AREA = BLOCK**2
PIXELS = 3 * AREA  # values of a block of one picture
CANVAS_BLOCK = BLOCK // CANVAS_STEP
CANVAS_PIXELS = 3 * CANVAS_BLOCK**2


@dataclass(frozen=True)
class FastArch:
    """Channels at a quarter (stem) and an eighth (body) of the frame's size, residual blocks.

    inner: channels between each block's two convolutions; () is body for all. tail: channels from
    which the edit's pixels are made.
    """

    name: str
    stem: int = 24
    body: int = 48
    blocks: int = 4
    inner: tuple[int, ...] = ()
    tail: int = 16
    size_multiple: int = 8


FAST_ARCHS = {
    "fast": FastArch("fast", inner=(24,) * 4),
    "fast-tiny": FastArch("fast-tiny", stem=8, body=8, blocks=1, tail=8),  # for tests
}


class FastBlock(nn.Module):
    """relu(x + conv(relu(conv(x)))), all uint8 in the integer graph."""

    def __init__(self, channels: int, inner: int, normed: bool) -> None:
        super().__init__()
        self.conv1 = QuantConv(channels, inner, 3, normed=normed)
        self.act1 = Activation()
        self.conv2 = QuantConv(inner, channels, 3, normed=normed)
        self.act2 = Activation(signed=True)
        self.out = Activation()

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(F.relu(self.conv1(x)))
        return self.out(F.relu(x + self.act2(self.conv2(y), x)))


class FastNetwork(Painter):
    """RGB in, RGB out, both (batch, 3, height, width) in 0..1; sizes a multiple of 8.

    The output is not clamped in float: the loss needs gradients outside 0..1. normed: with batch
    norms to train with, see QuantConv.
    """

    def __init__(self, arch: FastArch, normed: bool = False) -> None:
        super().__init__()
        self.arch = arch
        a = arch
        self.stem = QuantConv(PIXELS + CANVAS_PIXELS, a.stem, 1, normed=normed)
        self.stem_act = Activation()
        self.down = QuantConv(a.stem, a.body, 3, stride=2, normed=normed)
        self.down_act = Activation()
        inner = a.inner or (a.body,) * a.blocks
        self.blocks = nn.Sequential(*(FastBlock(a.body, i, normed) for i in inner))
        self.up = QuantConv(a.body, 4 * a.stem, 1, normed=normed)
        self.up_act = Activation(signed=True)
        self.join = Activation()
        self.tail = QuantConv(a.stem, a.tail, 3, normed=normed)
        self.tail_act = Activation()
        self.head = QuantConv(a.tail, PIXELS, 1)
        self.head_act = Activation(signed=True)
        self.luma = fixed(QuantConv(PIXELS, AREA + 1, 1), *lumas())
        self.luma_act = Activation(fixed=1.0)
        self.detail = fixed(QuantConv(AREA + 1, 2 * AREA, 3), *details())
        self.detail_act = Activation(signed=True, fixed=MOST_DETAIL)
        self.limit = QuantConv(a.tail, 2 * AREA, 1)
        self.limit_act = Activation(signed=True)
        self.beyond = Activation(fixed=1.5 * MOST_DETAIL)
        self.taken = QuantConv(2 * AREA, PIXELS, 1)
        self.taken.weight.register_hook(own_pixels)
        self.taken_act = Activation(signed=True)
        self.edit = Activation(signed=True)
        self.out = Activation(fixed=1.0)
        self.reset()

    def reset(self) -> None:
        """He initialization (2015); residual branches and the head begin small."""
        for module in self.modules():
            if isinstance(module, QuantConv) and module.weight.requires_grad:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        with torch.no_grad():
            for block in self.blocks:
                assert isinstance(block, FastBlock)
                norm = block.conv2.norm
                (block.conv2.weight if norm is None else norm.weight).mul_(BRANCH_GAIN)
            self.head.weight *= EDIT_GAIN
        self.smooth(TEXTURE, torch.ones(3))

    @torch.no_grad()
    def smooth(self, texture: float, light: Tensor) -> None:
        """Begin with detail of up to that luma taken away. light: (3,), the colors that the grade
        makes of one step of gray."""
        assert self.limit.bias is not None
        assert self.taken.bias is not None
        self.limit.weight.fill_(LEAST_WEIGHT)
        self.limit.bias.copy_(torch.tensor([texture, -texture]).repeat_interleave(AREA))
        taken = torch.kron(light[:, None], torch.eye(AREA))  # (PIXELS, AREA), in the edit's order
        self.taken.weight.copy_(torch.cat([-taken, taken], dim=1)[:, :, None, None])
        self.taken.bias.copy_(texture * taken.sum(dim=1))
        self.limit_act.range_of(2 * texture)
        self.taken_act.range_of(4 * texture * float(light.max()))

    def forward(self, x: Tensor, canvas: Tensor | None = None) -> Tensor:
        """canvas: (B, 3, H / 2, W / 2) in 0..1, 128 / 255 asks for nothing; None: the tile, at
        rest."""
        if canvas is None:
            canvas = self.canvas(*x.shape[2:]).expand(len(x), -1, -1, -1)
        ends = F.pixel_unshuffle(x, BLOCK), F.pixel_unshuffle(canvas, CANVAS_BLOCK)
        y = torch.cat(ends, dim=1)  # (B, 60, H/4, W/4)
        fine = self.stem_act(F.relu(self.stem(y)))
        y = self.blocks(self.down_act(F.relu(self.down(fine))))  # (B, body, H/8, W/8)
        y = F.pixel_shuffle(self.up(y), 2)  # (B, stem, H/4, W/4)
        y = self.join(F.relu(self.up_act(y, fine) + fine))
        y = self.tail_act(F.relu(self.tail(y)))
        detail = self.detail_act(self.detail(self.luma_act(self.luma(ends[0]))))
        beyond = self.beyond(F.relu(detail + self.limit_act(self.limit(y))))
        taken = self.taken_act(self.taken(beyond))
        edit = self.edit(self.head_act(self.head(y)) + taken)
        edit = F.pixel_shuffle(edit, BLOCK)  # (B, 3, H, W)
        return self.out(self.graded(x) + edit)


def own_pixels(gradient: Tensor) -> Tensor:
    """The gradient of what takes detail away, (PIXELS, 2 AREA, 1, 1), for each pixel's own alone.
    What all of a block's have in common, seven bits do not hold: it drifted, and the float files
    had a pattern of the blocks."""
    return gradient * torch.eye(AREA).repeat(3, 2)[:, :, None, None].to(gradient)


def fixed(conv: QuantConv, weight: Tensor, bias: Tensor) -> QuantConv:
    """The convolution with these values, which no training changes."""
    assert conv.bias is not None
    with torch.no_grad():
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)
    return conv.requires_grad_(False)


def lumas() -> tuple[Tensor, Tensor]:
    """(weight, bias) from a block's colors to the luma of each pixel, and its mean."""
    each = torch.kron(torch.tensor(LUMA, dtype=torch.float32)[None], torch.eye(AREA))
    weight = torch.cat([each, each.mean(dim=0, keepdim=True)])
    return weight[:, :, None, None], torch.zeros(AREA + 1)


def details() -> tuple[Tensor, Tensor]:
    """(weight, bias) from those to each pixel less the light around it, twice: the blocks' means
    with a quadratic B-spline between them (Unser 1999). In whole steps of the integer graph that
    add up to nothing, else all light would leak into the detail."""
    place = (torch.arange(BLOCK) + 0.5) / BLOCK - 0.5
    spline = torch.stack([(0.5 - place) ** 2 / 2, 0.75 - place**2, (0.5 + place) ** 2 / 2], dim=1)
    around = torch.einsum("ri,cj->rcij", spline, spline).reshape(AREA, 3, 3)
    steps = torch.round(around * WEIGHT_LEVELS)
    steps[:, 1, 1] += WEIGHT_LEVELS - steps.sum(dim=(1, 2))
    weight = torch.zeros(AREA, AREA + 1, 3, 3)
    weight[:, :AREA, 1, 1] = torch.eye(AREA)
    weight[:, AREA] = -steps / WEIGHT_LEVELS
    return weight.repeat(2, 1, 1, 1), torch.zeros(2 * AREA)


def activations(network: FastNetwork) -> list[tuple[str, Activation]]:
    """The places that are uint8 in the integer graph, by name."""
    return [(n, m) for n, m in network.named_modules() if isinstance(m, Activation)]
