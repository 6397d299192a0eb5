"""What every network of the lab is beside its layers: an edit of the color-graded frame.

It sees the frame and the canvas, a texture at the scale of the strokes, and its layers give what is
added to the frame in the style's colors. Grade and canvas are the style's: a network is one
style's.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from stylizer.frame import CANVAS_MIDDLE_BYTE
from stylizer.lab.nets.fake_quant import WEIGHT_LEVELS

CANVAS_STEP = 2  # pixels of the frame along a side of one of the canvas: strokes are that broad
QUALITY = 92  # of the canvas as WebP


@dataclass(frozen=True)
class CanvasFile:
    """A canvas tile as model files hold it: at its own half size, an eighth of the bytes."""

    webp: bytes

    @classmethod
    def of(cls, tile: np.ndarray) -> CanvasFile:
        """tile: uint8 (side, side, 3) RGB at the frame's size, side a multiple of 8."""
        file = io.BytesIO()
        small = Image.fromarray(tile).reduce(CANVAS_STEP)
        small.save(file, "WEBP", quality=QUALITY, method=6)
        return cls(file.getvalue())

    def tile(self) -> Tensor:
        """uint8 (3, side / 2, side / 2), as whoever opens the file finds it."""
        with Image.open(io.BytesIO(self.webp)) as image:
            pixels = np.asarray(image.convert("RGB"))
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


class Painter(nn.Module):
    """Holds a style's color grade and canvas.

    tile: the canvas as the runtime has it, uint8 (3, side, side) at half of the frame's size;
    fine_tile: at the frame's size, for training alone.
    """

    matrix: Tensor
    offset: Tensor
    tile: Tensor
    fine_tile: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.canvas_file = CanvasFile.of(np.full((16, 16, 3), CANVAS_MIDDLE_BYTE, np.uint8))
        # Of the style, not of the training: a checkpoint finds them again in the style picture.
        self.register_buffer("matrix", torch.eye(3), persistent=False)
        self.register_buffer("offset", torch.zeros(3), persistent=False)
        self.register_buffer("tile", self.canvas_file.tile(), persistent=False)
        self.register_buffer("fine_tile", twice(self.tile), persistent=False)

    def take_style(self, matrix: Tensor, offset: Tensor, canvas: CanvasFile) -> None:
        """A style's color grade, (3, 3) and (3,), rounded as the integer graph will, and its
        canvas as the runtime has it."""
        step = matrix.abs().amax(dim=1, keepdim=True).clamp_min(1e-8) / WEIGHT_LEVELS
        self.matrix = (torch.round(matrix / step) * step).to(self.matrix)
        self.offset = offset.to(self.offset)
        self.canvas_file = canvas
        self.tile = canvas.tile().to(self.tile.device)
        self.fine_tile = twice(self.tile)

    def copy_style(self, other: Painter) -> None:
        """Take the style of another network."""
        self.take_style(other.matrix, other.offset, other.canvas_file)

    def train_on(self, matrix: Tensor, offset: Tensor, tile: np.ndarray) -> None:
        """Take a style whose canvas, uint8 (side, side, 3), is at the frame's size, to learn its
        strokes whole."""
        self.take_style(matrix, offset, CanvasFile.of(tile))
        fine = torch.from_numpy(tile.transpose(2, 0, 1).copy())
        self.fine_tile = fine.to(self.tile.device)

    def graded(self, x: Tensor) -> Tensor:
        """(B, 3, H, W): the frame in the style's colors, in 0..1."""
        y = torch.einsum("ij,bjhw->bihw", self.matrix, x) + self.offset.view(1, 3, 1, 1)
        return y.clamp(0, 1)

    def canvas(self, height: int, width: int) -> Tensor:
        """(1, 3, height / 2, width / 2) in 0..1 for a frame of that size: the tile repeated, as the
        runtime lays it at the start."""
        height, width = height // CANVAS_STEP, width // CANVAS_STEP
        side = self.tile.shape[1]
        repeated = self.tile.repeat(1, -(-height // side), -(-width // side))
        return repeated[None, :, :height, :width].float() / 255


def twice(tile: Tensor) -> Tensor:
    """(C, H, W) -> (C, 2 H, 2 W), each pixel four times."""
    return tile.repeat_interleave(CANVAS_STEP, 1).repeat_interleave(CANVAS_STEP, 2)
