"""What half-float sums would do to a fast model's picture: its integer network with every sum of a
convolution kept as a half, against whole numbers. Prints decibels for each model.

    PYTHONPATH=tests python bench/half_sums.py [MODEL ...]

No driver at hand computes halves, so they are rounded here, in numpy: after every product and every
addition ("all"), or the products of one tap of the kernel as halves and taps as float32 ("taps").
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from stylizer.frame import Frame
from stylizer.style import catalog
from stylizer.style.canvas import Canvas
from stylizer.style.contract import Packer
from stylizer.style.inspection import textured_frame
from stylizer.style.probe import load_model
from stylizer.system.pictures import psnr_db

SIZE = (160, 96)
reference: Any = importlib.import_module("integer_reference")  # tests/
HALF_MOST = 65504.0  # the largest half
exact_conv = reference.conv


def half_conv(taps: bool, named: dict, x: Any, weight: Any, bias: Any = None) -> Any:
    """A convolution with half-float sums. Powers of two keep the largest possible sum a half."""
    side, (down, across) = weight.integers.shape[2], named.get("strides", [1, 1])
    flat = weight.integers.astype(np.float64)
    shrink = 2.0 ** np.ceil(np.log2(np.abs(flat).sum((1, 2, 3)).max() * 255 / HALF_MOST))
    halves = (flat / max(1.0, shrink)).astype(np.float16)
    windows = np.lib.stride_tricks.sliding_window_view(x.integers[0] - x.zero, (side, side), (1, 2))
    windows = windows[:, ::down, ::across].astype(np.float16)
    shape = (len(flat), *windows.shape[1:3])
    whole, sums = np.zeros(shape, np.float32), np.zeros(shape, np.float16)
    for row in range(side):
        for column in range(side):
            for channel in range(flat.shape[1]):
                w = halves[:, channel, row, column, None, None]
                sums = sums + w * windows[None, channel, :, :, row, column]
            if taps:
                whole, sums = whole + sums, np.zeros(shape, np.float16)
    found = np.rint((whole + sums).astype(np.float64) * max(1.0, shrink)).astype(np.int64)
    if bias is not None:
        found += bias.integers[:, None, None]
    return reference.Sums(found[None], x.scale * weight.scale)


def painted(name: str) -> np.ndarray:
    file = catalog.resolve(name, "gl")
    assert file.path is not None
    model, _ = load_model(file.path)
    packer = Packer(model, SIZE, None)
    frame: Frame = textured_frame(SIZE)
    feeds = {"input": packer.pack(frame), "canvas": Canvas(model, packer.padded).tensor}
    return packer.unpack(reference.run(file.path, feeds)).rgb()


def main() -> None:
    for name in sys.argv[1:] or ["mosaic-fast", "starry-night-fast"]:
        pictures = []
        for conv in (
            exact_conv,
            lambda *a: half_conv(False, *a),
            lambda *a: half_conv(True, *a),
        ):
            reference.OPERATORS["Conv"] = conv
            pictures.append(painted(name))
        exact, everything, taps = pictures
        print(f"{name}: all {psnr_db(everything, exact):.1f} dB, taps {psnr_db(taps, exact):.1f}")


if __name__ == "__main__":
    main()
