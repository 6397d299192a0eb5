"""What a style model takes and gives, and the one place where frames become tensors and back.

Every backend runs the graph that `graph.wrap` made: uint8 planes (1, channels, height, width) in,
uint8 RGB planes (1, 3, height, width) out. So a frame needs one pass over its bytes here, the
float arithmetic runs inside the session (on its threads, or on the GPU), and the styled image is
the session's own output without a copy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from stylizer.errors import StylizerError
from stylizer.frame import Frame, StyledImage

How = Literal["metadata", "shape", "graph", "probed", "assumed", "flag", "remembered"]
Size = tuple[int, int]  # (width, height)

DEFINITION = {
    "preprocess": "splitting the frame into uint8 planes, edge padding and, if asked for, resizing "
    "before the network; cropping and resizing after it",
    "infer": "the session's run: uint8 to the network's numbers, the network, rounding back to "
    "uint8, and the copies to and from the device",
}

# value in the network's range = value in 0..255 * scale + shift
RANGES: dict[str, tuple[float, float]] = {
    "0..255": (1.0, 0.0),
    "0..1": (1 / 255, 0.0),
    "-1..1": (1 / 127.5, -1.0),
}
ORDERS = ("RGB", "BGR")


@dataclass(frozen=True)
class LayoutRow:
    """How a picture (height, width, channels) lies in a tensor, in plain numpy.

    planar: `graph.wrap` can turn the tensor into planes with one Transpose; otherwise the tensor
    is uint8 already and `pack`/`unpack` run on every frame.
    """

    shape: Callable[[Size, int], tuple[int, ...]]  # (width, height), channels -> tensor shape
    pack: Callable[[np.ndarray], np.ndarray]  # (H, W, C) -> tensor, contiguous
    unpack: Callable[[np.ndarray], np.ndarray]  # tensor -> (H, W, C), maybe a view
    planar: bool


def _pack_blocks(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (1, H/8, W/8, 192): one strided copy, cheaper than a pixel shuffle inside."""
    h, w, c = picture.shape
    blocks = picture.reshape(h // 8, 8, w // 8, 8, c).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(blocks).reshape(1, h // 8, w // 8, 64 * c)


def _unpack_blocks(tensor: np.ndarray) -> np.ndarray:
    _, rows, columns, values = tensor.shape
    c = values // 64
    blocks = tensor.reshape(rows, columns, 8, 8, c).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(blocks).reshape(rows * 8, columns * 8, c)


LAYOUTS: dict[str, LayoutRow] = {
    "NCHW": LayoutRow(
        lambda size, c: (1, c, size[1], size[0]),
        lambda picture: np.ascontiguousarray(picture.transpose(2, 0, 1)[None]),
        lambda tensor: tensor[0].transpose(1, 2, 0),
        planar=True,
    ),
    "NHWC": LayoutRow(
        lambda size, c: (1, size[1], size[0], c),
        lambda picture: np.ascontiguousarray(picture[None]),
        lambda tensor: tensor[0],
        planar=True,
    ),
    "blocks8": LayoutRow(
        lambda size, c: (1, size[1] // 8, size[0] // 8, 64 * c),
        _pack_blocks,
        _unpack_blocks,
        planar=False,
    ),
}


@dataclass(frozen=True)
class Fact:
    """How one part of the contract is known, and in words why."""

    how: How
    why: str = ""


@dataclass(frozen=True)
class Port:
    """A picture input or output of the graph; dtype is numpy's name (float32, float16, uint8)."""

    name: str
    dtype: str
    channels: int


@dataclass(frozen=True)
class Selector:
    """The one-hot second input of a network that holds several styles."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    count: int
    selected: int


@dataclass(frozen=True)
class StyleModel:
    """An ONNX file and its contract. `facts` says for each part how it is known."""

    path: Path
    layout: str
    output_layout: str
    range: str
    output_range: str
    order: str
    size_multiple: int
    fixed_size: Size | None
    input: Port
    output: Port
    selector: Selector | None = None
    style: str = ""
    tier: str = ""
    precision: str = ""
    facts: dict[str, Fact] = field(default_factory=dict)
    recipe: dict | None = None

    @property
    def stem(self) -> str:
        """The name shown and reported: the file's stem, with #K where styles are numbered."""
        chosen = f"#{self.selector.selected}" if self.selector else ""
        return self.path.stem + chosen

    def network_size(self, frame_size: Size, inference_size: Size | None) -> Size:
        """What the picture is resized to before padding: the frame's size unless told otherwise."""
        return self.fixed_size or inference_size or frame_size

    def padded_size(self, size: Size) -> Size:
        """The next size that the network takes."""
        m = self.size_multiple
        return (-(-size[0] // m) * m, -(-size[1] // m) * m)


class Packer:
    """Frame -> tensor -> StyledImage for one model and one frame size; keeps its buffers.

    One thread at a time. `pack` gives a buffer that the next `pack` overwrites.
    """

    def __init__(self, model: StyleModel, frame_size: Size, inference_size: Size | None) -> None:
        self.model = model
        self.frame_size = frame_size
        self.size = model.network_size(frame_size, inference_size)
        self.padded = model.padded_size(self.size)
        self.resizes = self.size != frame_size
        width, height = self.padded
        channels = model.input.channels
        # Alpha of a 4-channel network stays opaque; the colour planes are overwritten each time.
        self._planes = np.full((1, channels, height, width), 255, np.uint8)
        self._shifted = np.empty((self.size[1], self.size[0]), np.uint32)

    def pack(self, frame: Frame) -> np.ndarray:
        """The tensor of the wrapped graph: uint8 (1, channels, H, W), or the packed layout's."""
        pixels = frame.pixels
        if self.resizes:
            pixels = resize(pixels, self.size)
        width, height = self.size
        planes = self._planes[0]
        inner = planes[:, :height, :width]
        source = {channel: index for index, channel in enumerate(frame.channel_order)}
        targets = [(source[c], inner[i]) for i, c in enumerate(self.model.order)]
        if pixels.shape[2] == 4 and sys.byteorder == "little":
            self._split_words(pixels, targets)
        else:
            for index, plane in targets:
                np.copyto(plane, pixels[:, :, index])
        planes[:, :, width:] = planes[:, :, width - 1 : width]
        planes[:, height:] = planes[:, height - 1 : height]
        row = LAYOUTS[self.model.layout]
        return self._planes if row.planar else row.pack(planes.transpose(1, 2, 0))

    def _split_words(self, pixels: np.ndarray, targets: list[tuple[int, np.ndarray]]) -> None:
        """Planes from 4-byte pixels by shifting whole words: 0.5 ms at 1280x720, strided byte
        copies take 0.9 ms (2 cores, AVX2)."""
        words = pixels.view(np.uint32)[:, :, 0]
        for index, plane in targets:
            if index:
                np.right_shift(words, 8 * index, out=self._shifted)
            np.copyto(plane, self._shifted if index else words, casting="unsafe")

    def unpack(self, tensor: np.ndarray) -> StyledImage:
        """The styled image of the frame's size. Raises StylizerError on another shape."""
        row = LAYOUTS[self.model.output_layout]
        width, height = self.size
        if not row.planar:
            picture = row.unpack(tensor)[:height, :width]
            styled = StyledImage(np.ascontiguousarray(picture), "hwc")
        else:
            expected = (1, 3, self.padded[1], self.padded[0])
            if tensor.shape != expected:
                raise StylizerError(
                    f"{self.model.path}: gave {tensor.shape} for a picture of {expected}; "
                    "try another --inference-size"
                )
            styled = StyledImage(np.ascontiguousarray(tensor[0, :, :height, :width]), "chw")
        return self._to_frame_size(styled) if self.resizes else styled

    def _to_frame_size(self, styled: StyledImage) -> StyledImage:
        """Bilinear, on the CPU: 14 ms from 640x360 to 1280x720, 22 on busy cores."""
        if styled.layout == "hwc":
            return StyledImage(resize(styled.pixels, self.frame_size), "hwc")
        planes = np.empty((3, self.frame_size[1], self.frame_size[0]), np.uint8)
        for target, plane in zip(planes, styled.pixels, strict=True):
            target[:] = resize(plane, self.frame_size)
        return StyledImage(planes, "chw")


def resize(pixels: np.ndarray, size: Size) -> np.ndarray:
    """uint8 (H, W), (H, W, 3) or (H, W, 4) to `size` (width, height), C-contiguous.

    Pillow's bilinear filter widens when shrinking, so fine texture does not shimmer. 4-channel
    pixels go through as RGBX: none of them is multiplied by alpha.
    """
    height, width = pixels.shape[:2]
    mode = "L" if pixels.ndim == 2 else {3: "RGB", 4: "RGBX"}[pixels.shape[2]]
    data = np.ascontiguousarray(pixels)
    image = Image.frombuffer(mode, (width, height), data, "raw", mode, 0, 1)
    return np.ascontiguousarray(image.resize(size, Image.Resampling.BILINEAR))
