"""Models with a canvas, one of each kind."""

from __future__ import annotations

import canvas_networks
import numpy as np

from stylizer.frame import Frame

KINDS = {
    "blocks": canvas_networks.canvas_blocks,
    "float32": canvas_networks.canvas_floats,
    "float16": lambda path, drawn: canvas_networks.canvas_floats(path, drawn, "float16"),
}


def styled(style, frame: Frame) -> np.ndarray:
    image = style.style(frame).image
    assert image is not None
    return image.rgb().astype(int)


HALF = {
    "blocks": lambda path, drawn: canvas_networks.canvas_blocks(path, drawn, step=2),
    "float32": lambda path, drawn: canvas_networks.canvas_floats(path, drawn, step=2),
}
