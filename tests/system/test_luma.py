"""What motion is measured on, from a texture: the bytes that the CPU has from the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from stylizer.frame import Frame
from stylizer.system.gl import leave_egl, standalone_context
from stylizer.system.luma import CellLuma
from stylizer.system.motion import cell_luma


@pytest.mark.parametrize("size", [(104, 72), (1280, 720), (641, 361), (90, 51), (5, 3)], ids=str)
def test_a_texture_has_the_luma_of_its_pixels(size):
    pixels = np.random.default_rng(size[0]).integers(0, 256, (size[1], size[0], 4), np.uint8)
    context = standalone_context()
    try:
        luma = CellLuma(context, size)
        luma.draw(context.texture(size, 4, pixels.tobytes()))
        found = luma.read()
    finally:
        context.release()
        leave_egl()
    assert np.array_equal(found, cell_luma(Frame(pixels, "RGBA", 0.0, 0)))
