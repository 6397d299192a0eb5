"""What a style model takes and gives, and the one place where frames become tensors and back.

Every backend runs the graph as `wrapping` made it: uint8 planes (1, channels, height, width) in,
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
from stylizer.frame import Frame, Size, StyledImage
from stylizer.style.scaling import resize

How = Literal["metadata", "shape", "graph", "probed", "assumed", "flag", "remembered"]

DEFINITION = {
    "preprocess": "splitting the frame into uint8 planes or blocks, edge padding and, if asked "
    "for, resizing before the network, moving the canvas where there is one; cropping after it",
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
FOUR_WORDS = np.complex128  # the widest number that numpy copies as one: four 4-byte pixels


@dataclass(frozen=True)
class LayoutRow:
    """How a picture (height, width, channels) lies in a tensor, in plain numpy.

    block: side of the pixel blocks. 0: `wrapping.wrap` can turn the tensor into planes with one
    Transpose; otherwise the tensor is uint8 already and `pack`/`unpack` run on every frame.
    """

    shape: Callable[[Size, int], tuple[int, ...]]  # (width, height), channels -> tensor shape
    pack: Callable[[np.ndarray], np.ndarray]  # (H, W, C) -> tensor, contiguous
    unpack: Callable[[np.ndarray], np.ndarray]  # tensor -> (H, W, C), maybe a view
    block: int = 0


def _blocks(side: int) -> LayoutRow:
    """Pixel blocks, (1, H/side, W/side, values) with values in the order (row, column, channel):
    one strided copy here is cheaper than a pixel shuffle inside the network."""

    def pack(picture: np.ndarray) -> np.ndarray:
        h, w, c = picture.shape
        blocks = picture.reshape(h // side, side, w // side, side, c).transpose(0, 2, 1, 3, 4)
        return np.ascontiguousarray(blocks).reshape(1, h // side, w // side, side * side * c)

    def unpack(tensor: np.ndarray) -> np.ndarray:
        _, rows, columns, values = tensor.shape
        c = values // side**2
        blocks = tensor.reshape(rows, columns, side, side, c).transpose(0, 2, 1, 3, 4)
        return np.ascontiguousarray(blocks).reshape(rows * side, columns * side, c)

    def shape(size: Size, c: int) -> tuple[int, ...]:
        return (1, size[1] // side, size[0] // side, side * side * c)

    return LayoutRow(shape, pack, unpack, side)


LAYOUTS: dict[str, LayoutRow] = {
    "NCHW": LayoutRow(
        lambda size, c: (1, c, size[1], size[0]),
        lambda picture: np.ascontiguousarray(picture.transpose(2, 0, 1)[None]),
        lambda tensor: tensor[0].transpose(1, 2, 0),
    ),
    "NHWC": LayoutRow(
        lambda size, c: (1, size[1], size[0], c),
        lambda picture: np.ascontiguousarray(picture[None]),
        lambda tensor: tensor[0],
    ),
    "blocks4": _blocks(4),
    "blocks8": _blocks(8),
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


@dataclass(frozen=True, eq=False)
class CanvasInput:
    """The canvas of a network: an input of its graph, or a value computed from a constant there,
    which `wrapping` makes an input. dtype is numpy's name; the values are 0..255, 128 is nothing.
    tile: uint8 (side, side, 3) RGB that goes on seamlessly over its edges; side a multiple of 8.
    step: pixels of the picture along a side of one of the canvas, 1 or 2."""

    name: str
    dtype: str
    tile: np.ndarray
    step: int = 1

    def shape_beside(self, picture: tuple[int, ...], layout: str) -> tuple[int, ...]:
        """Of its tensor beside a picture's of that shape."""
        if LAYOUTS[layout].block:
            return (*picture[:3], picture[3] // self.step**2)
        return (1, 3, picture[2] // self.step, picture[3] // self.step)


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
    canvas: CanvasInput | None = None
    scale: int = 1  # the output is so many times larger than the input, see fitting.py
    lost: Size = (0, 0)  # (width, height) that the output lacks
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
        self.asked_size = inference_size
        self.size = model.network_size(frame_size, inference_size)
        self.padded = model.padded_size(self.size)
        self.resizes = self.size != frame_size
        self._input: np.ndarray | None = None  # the last frame as the network saw it, if resized
        self._block = LAYOUTS[model.layout].block if model.input.channels == 4 else 0
        if self._block:
            self._words = np.full(self.padded[::-1], 0xFF000000, np.uint32)
        else:
            self._shifted = np.empty(self.size[::-1], np.uint32)
        self.lie_in(np.empty)

    def lie_in(self, empty: Callable[..., np.ndarray]) -> None:
        """Let the tensors lie in arrays that `empty` gives for a shape and a dtype."""
        width, height = self.padded
        if self._block:
            self._tensor = empty((height, width), np.uint32)
            return
        # Alpha of a 4-channel network stays opaque; the color planes are overwritten each time.
        self._planes = empty((1, self.model.input.channels, height, width), np.uint8)
        self._planes.fill(255)

    def pack(self, frame: Frame) -> np.ndarray:
        """The tensor of the wrapped graph: uint8 (1, channels, H, W), or the packed layout's."""
        pixels = frame.pixels
        if self.resizes:
            pixels = self._input = resize(pixels, self.size)
        if self._block:
            return self._pack_words(pixels, frame.channel_order)
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
        return row.pack(planes.transpose(1, 2, 0)) if row.block else self._planes

    def _pack_words(self, pixels: np.ndarray, channel_order: str) -> np.ndarray:
        """Blocks of 4-byte pixels, moved four at a time: 0.3 ms at 1280x720, one at a time 1.7."""
        if channel_order == "RGB":
            height, width = pixels.shape[:2]
            image = Image.frombuffer("RGB", (width, height), pixels, "raw", "RGB", 0, 1)
            pixels = np.asarray(image.convert("RGBX"))
        words = np.ascontiguousarray(pixels).view(np.uint32)[:, :, 0]
        swapped = channel_order.startswith("BGR") != (self.model.order == "BGR")
        if swapped or self.padded != self.size:
            words = self._fill_words(words, swapped)
        width, height = self.padded
        b = self._block
        rows = np.ascontiguousarray(words).view(FOUR_WORDS)
        blocks = self._tensor.view(FOUR_WORDS).reshape(height // b, width // b, b, b // 4)
        np.copyto(blocks, rows.reshape(height // b, b, width // b, b // 4).transpose(0, 2, 1, 3))
        return self._tensor.view(np.uint8).reshape(1, height // b, width // b, 4 * b * b)

    def _fill_words(self, words: np.ndarray, swapped: bool) -> np.ndarray:
        """The padded buffer with red and blue in the model's order and the edge repeated."""
        width, height = self.size
        inner = self._words[:height, :width]
        if swapped:
            middle = np.bitwise_and(words, np.uint32(0xFF00FF00))
            np.bitwise_or(middle, (words >> np.uint32(16)) & np.uint32(0xFF), out=middle)
            np.bitwise_or(middle, (words & np.uint32(0xFF)) << np.uint32(16), out=inner)
        else:
            np.copyto(inner, words)
        self._words[:, width:] = self._words[:, width - 1 : width]
        self._words[height:] = self._words[height - 1 : height]
        return self._words

    def _split_words(self, pixels: np.ndarray, targets: list[tuple[int, np.ndarray]]) -> None:
        """Planes from 4-byte pixels by shifting whole words: 0.5 ms at 1280x720, strided byte
        copies take 0.9 ms (2 cores, AVX2)."""
        words = pixels.view(np.uint32)[:, :, 0]
        for index, plane in targets:
            if index:
                np.right_shift(words, 8 * index, out=self._shifted)
            np.copyto(plane, self._shifted if index else words, casting="unsafe")

    def unpack(self, tensor: np.ndarray) -> StyledImage:
        """The styled image, of the inference size. Raises StylizerError on another shape."""
        row = LAYOUTS[self.model.output_layout]
        width, height = self.size
        if row.block and tensor.shape[3] == 4 * row.block**2:
            picture = self._unpack_words(tensor, row.block)[-height:, :width]
            return StyledImage(np.ascontiguousarray(picture), "hwc", self._input, bottom_up=True)
        if row.block:
            picture = row.unpack(tensor)[:height, :width]
            return StyledImage(np.ascontiguousarray(picture), "hwc", self._input)
        if tensor.shape == (1, self.padded[1], self.padded[0], 4):
            return StyledImage(np.ascontiguousarray(tensor[0, :height, :width]), "hwc", self._input)
        expected = (1, 3, self.padded[1], self.padded[0])
        if tensor.shape != expected:
            raise StylizerError(
                f"{self.model.path}: gave {tensor.shape} for a picture of {expected}; "
                "try another --inference-size"
            )
        return StyledImage(np.ascontiguousarray(tensor[0, :, :height, :width]), "chw", self._input)

    def _unpack_words(self, tensor: np.ndarray, b: int) -> np.ndarray:
        """(H, W, 4) with the last row first, which costs nothing here and saves drawing it."""
        _, rows, columns, _ = tensor.shape
        four = np.ascontiguousarray(tensor).view(FOUR_WORDS).reshape(rows, columns, b, b // 4)
        picture = np.ascontiguousarray(four.transpose(0, 2, 1, 3)[::-1, ::-1])
        return picture.view(np.uint8).reshape(rows * b, columns * b, 4)
