"""The fast tier's network: an edit that is added to the color-graded frame.

It sees the frame and the canvas (a texture at the scale of the strokes, which the runtime moves
with the picture) as blocks of pixels; most work is at an eighth of the frame's size. Text and
contours stay sharp, for they are the frame's own. Nothing in it depends on the whole frame (no
instance norm), so that every layer folds into integer convolutions and a still picture stays
still. Residual blocks as in He et al. 2016, sub-pixel convolutions as in Shi et al. 2016.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from stylizer.lab.nets.fake_quant import WEIGHT_LEVELS, Activation, QuantConv

BRANCH_GAIN = 0.3  # of a residual branch's last convolution at the start
EDIT_GAIN = 0.15  # of the head at the start: it begins near the graded frame
BLOCK = 4  # side of the pixel blocks at both ends
PIXELS = 3 * BLOCK**2  # values of a block of one picture
QUALITY = 88  # of the canvas as WebP
NO_CANVAS = 128  # the canvas' byte that asks for nothing


@dataclass(frozen=True)
class FastArch:
    """Channels at a quarter (stem) and an eighth (body) of the frame's size, residual blocks.

    inner: channels between each block's two convolutions; () is body for all.
    """

    name: str
    stem: int = 24
    body: int = 48
    blocks: int = 4
    inner: tuple[int, ...] = ()
    size_multiple: int = 8


FAST_ARCHS = {
    "fast": FastArch("fast", inner=(24,) * 4),
    "fast-tiny": FastArch("fast-tiny", stem=8, body=8, blocks=1),  # for tests
}


@dataclass(frozen=True)
class CanvasFile:
    """A canvas tile as model files hold it: an eighth of the bytes of its pixels."""

    webp: bytes

    @classmethod
    def of(cls, tile: np.ndarray) -> CanvasFile:
        """tile: uint8 (side, side, 3) RGB."""
        file = io.BytesIO()
        Image.fromarray(tile).save(file, "WEBP", quality=QUALITY, method=6)
        return cls(file.getvalue())

    def tile(self) -> Tensor:
        """uint8 (3, side, side), as whoever opens the file finds it."""
        with Image.open(io.BytesIO(self.webp)) as image:
            pixels = np.asarray(image.convert("RGB"))
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


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


class FastNetwork(nn.Module):
    """RGB in, RGB out, both (batch, 3, height, width) in 0..1; sizes a multiple of 8.

    The output is not clamped in float: the loss needs gradients outside 0..1. normed: with batch
    norms to train with, see QuantConv. The canvas tile, uint8 (3, side, side), and the color grade
    belong to the weights: a network is one style's.
    """

    def __init__(self, arch: FastArch, normed: bool = False) -> None:
        super().__init__()
        self.arch = arch
        a = arch
        self.stem = QuantConv(2 * PIXELS, a.stem, 1, normed=normed)
        self.stem_act = Activation()
        self.down = QuantConv(a.stem, a.body, 3, stride=2, normed=normed)
        self.down_act = Activation()
        inner = a.inner or (a.body,) * a.blocks
        self.blocks = nn.Sequential(*(FastBlock(a.body, i, normed) for i in inner))
        self.up = QuantConv(a.body, 4 * a.stem, 1, normed=normed)
        self.up_act = Activation(signed=True)
        self.join = Activation()
        self.head = QuantConv(a.stem, PIXELS, 3)
        self.head_act = Activation(signed=True)
        self.out = Activation(fixed=1.0)
        self.matrix: Tensor
        self.offset: Tensor
        self.tile: Tensor
        self.canvas_file = CanvasFile.of(np.full((8, 8, 3), NO_CANVAS, np.uint8))
        # Of the style, not of the training: a checkpoint finds them again in the style picture.
        self.register_buffer("matrix", torch.eye(3), persistent=False)
        self.register_buffer("offset", torch.zeros(3), persistent=False)
        self.register_buffer("tile", self.canvas_file.tile(), persistent=False)
        self.reset()

    def reset(self) -> None:
        """He initialization (2015); residual branches and the head begin small."""
        for module in self.modules():
            if isinstance(module, QuantConv):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        with torch.no_grad():
            for block in self.blocks:
                assert isinstance(block, FastBlock)
                norm = block.conv2.norm
                (block.conv2.weight if norm is None else norm.weight).mul_(BRANCH_GAIN)
            self.head.weight *= EDIT_GAIN

    def take_style(self, matrix: Tensor, offset: Tensor, canvas: CanvasFile) -> None:
        """A style's color grade, (3, 3) and (3,), rounded as the integer graph will, and its
        canvas."""
        step = matrix.abs().amax(dim=1, keepdim=True).clamp_min(1e-8) / WEIGHT_LEVELS
        self.matrix = (torch.round(matrix / step) * step).to(self.matrix)
        self.offset = offset.to(self.offset)
        self.canvas_file = canvas
        self.tile = canvas.tile().to(self.tile.device)

    def graded(self, x: Tensor) -> Tensor:
        """(B, 3, H, W): the frame in the style's colors, in 0..1."""
        y = torch.einsum("ij,bjhw->bihw", self.matrix, x) + self.offset.view(1, 3, 1, 1)
        return y.clamp(0, 1)

    def canvas(self, height: int, width: int) -> Tensor:
        """(1, 3, height, width) in 0..1: the tile repeated, as the runtime lays it at the start."""
        side = self.tile.shape[1]
        whole = self.tile.repeat(1, -(-height // side), -(-width // side))
        return whole[None, :, :height, :width].float() / 255

    def forward(self, x: Tensor, canvas: Tensor | None = None) -> Tensor:
        """canvas: (B, 3, H, W) in 0..1, 128 / 255 asks for nothing; None: the tile, at rest."""
        if canvas is None:
            canvas = self.canvas(*x.shape[2:]).expand(len(x), -1, -1, -1)
        y = F.pixel_unshuffle(torch.cat([x, canvas], dim=1), BLOCK)  # (B, 96, H/4, W/4)
        fine = self.stem_act(F.relu(self.stem(y)))
        y = self.blocks(self.down_act(F.relu(self.down(fine))))  # (B, body, H/8, W/8)
        y = F.pixel_shuffle(self.up(y), 2)  # (B, stem, H/4, W/4)
        y = self.join(F.relu(self.up_act(y, fine) + fine))
        edit = self.head_act(F.pixel_shuffle(self.head(y), BLOCK))  # (B, 3, H, W)
        return self.out(self.graded(x) + edit)


def activations(network: FastNetwork) -> list[tuple[str, Activation]]:
    """The places that are uint8 in the integer graph, by name."""
    return [(n, m) for n, m in network.named_modules() if isinstance(m, Activation)]
