"""What the writers for other programs share: what of a network they can hold, and where it lies.

Every program sees the frame alone, on the canvas as it begins: no motion, no stabilizer. A tensor's
groups of four channels lie in RGBA textures of bytes (`layout.Layout`), n of 0..255 as n / 255.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from stylizer.style.contract import LAYOUTS, StyleModel
from stylizer.style.gl.layout import Layout, Weights, layer_weights, plane_layouts
from stylizer.style.gl.reading import DoesNotFit
from stylizer.style.gl.steps import MOST_EXACT, Add, Conv, Steps, Tensor


@dataclass(frozen=True, eq=False)
class Plan:
    """A network for a program. homes: the textures that a tensor lies in, by number; tensors of one
    size share one after another."""

    model: StyleModel
    network: Steps
    layouts: dict[Tensor, Layout]
    homes: dict[Tensor, int]

    @staticmethod
    def of(model: StyleModel, network: Steps, most_planes: int, program: str) -> Plan:
        """most_planes: textures that a pass can fill. Raises DoesNotFit."""
        for step in network.steps:
            if isinstance(step, Conv):
                _check(model, step, program)
        layouts = plane_layouts(network, most_planes)
        return Plan(model, network, layouts, _homes(network, layouts))

    @property
    def tiles(self) -> list[tuple[Conv | Add, int]]:
        """(step, tile of its output) in order: what a pass each computes."""
        return [(s, t) for s in self.network.steps for t in range(self.layouts[s.out].tiles)]

    @property
    def block(self) -> int:
        """Pixels along a side of a block."""
        return LAYOUTS[self.model.layout].block

    @property
    def canvas_block(self) -> int:
        """The same of the canvas."""
        assert self.model.canvas is not None
        return self.block // self.model.canvas.step

    @property
    def canvas_rgba(self) -> np.ndarray | None:
        """The tile that networks see beside the frame: uint8 (side, side, 4), opaque."""
        if self.model.canvas is None:
            return None
        tile = self.model.canvas.tile
        return np.dstack([tile, np.full(tile.shape[:2], 255, np.uint8)])

    def weights(self, step: Conv) -> list[Weights]:
        return layer_weights(step, self.layouts)

    def is_frame(self, tensor: Tensor) -> bool:
        return tensor.given == self.model.input.name


def number(value: float) -> str:
    """A float32 as shaders have it, read back to the same bits; "-3.0" as "-3.", for thousands of
    them."""
    text = np.format_float_scientific(np.float32(value), trim="-")
    return f"{int(value)}." if value == int(value) else text


def plain(name: str) -> str:
    """A name that can stand in any program's text, whatever the file or its author called it."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _check(model: StyleModel, step: Conv, program: str) -> None:
    """Raise DoesNotFit where a program cannot compute this step."""
    what = f"its operator Conv {step.out.name!r}"
    if step.bound >= MOST_EXACT:
        raise DoesNotFit(f"{what} has sums too large for {program}")
    first, *others = (tensor.given for tensor, _ in step.parts)
    canvas = [model.canvas.name] if model.canvas else []
    if (first or others) and (first != model.input.name or others not in ([], canvas)):
        raise DoesNotFit(f"{what} reads what {program} has no place for")


def _homes(network: Steps, layouts: dict[Tensor, Layout]) -> dict[Tensor, int]:
    last_read = {tensor: n for n, step in enumerate(network.steps) for tensor in step.reads}
    last_read[network.result] = len(network.steps)
    homes: dict[Tensor, int] = {}
    kept: list[tuple[tuple[int, int, int], Tensor]] = []  # of each home: its size, who is in it
    for n, step in enumerate(network.steps):
        layout = layouts[step.out]
        size = (step.out.shrink, layout.planes, layout.tiles)
        free = [k for k, (s, tensor) in enumerate(kept) if s == size and last_read[tensor] < n]
        home = free[0] if free else len(kept)
        kept[home : home + 1] = [(size, step.out)]
        homes[step.out] = home
    return homes
