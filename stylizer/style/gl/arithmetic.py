"""What the shaders multiply, beside what the graph asks for."""

from __future__ import annotations

import onnx

from stylizer.frame import Size
from stylizer.style import counting
from stylizer.style.contract import LAYOUTS, StyleModel
from stylizer.style.gl.layout import GROUP, Layout, layouts, matrices
from stylizer.style.gl.reading import read_steps
from stylizer.style.gl.steps import Conv, Steps, Tensor


def multiplications(network: Steps, found: dict[Tensor, Layout], blocks: Size) -> int:
    """Of all convolutions for a picture of so many blocks, across and down; rows and columns of the
    matrices that only fill them up count."""
    pixels = {s.out: blocks[0] * blocks[1] // s.out.shrink**2 for s in network.steps}
    return sum(
        matrices(step, found) * GROUP**2 * found[step.out].tiles * pixels[step.out]
        for step in network.steps
        if isinstance(step, Conv)
    )


def arithmetic(
    model: StyleModel, proto: onnx.ModelProto, size: Size, block_bytes: int
) -> tuple[int, int | None]:
    """(what the shaders multiply for a frame, what the graph does: None where that cannot be told).
    size: of the frame; block_bytes: of a uniform block. Raises DoesNotFit."""
    steps, side = read_steps(proto), LAYOUTS[model.layout].block
    width, height = model.padded_size(size)
    blocks = width // side, height // side
    mine = multiplications(steps, layouts(steps, block_bytes), blocks)
    return mine, counting.macs(proto, model, size)
