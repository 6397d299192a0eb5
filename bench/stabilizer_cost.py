"""What the stabilizer adds to a frame: upload and compose with it off and on, interleaved.

python bench/stabilizer_cost.py --size 1280x720 --frames 60 --rounds 5
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from stylizer.compose.compositor import Compositor, Look
from stylizer.frame import Frame, Rect, StyledImage
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings
from stylizer.timing import percentile

WARMUP = 5


def series(presenter: OffscreenPresenter, pairs: list, keep: float, frames: int) -> list[float]:
    """Milliseconds of each frame from upload to finished drawing."""
    compositor = Compositor(presenter.context, keep=keep)
    whole = Rect(0, 0, *presenter.size)
    times = []
    for number in range(WARMUP + frames):
        frame, image = pairs[number % len(pairs)]
        started = time.perf_counter()
        compositor.upload(frame, image)
        compositor.draw(presenter.framebuffer, whole, Look())
        presenter.context.finish()
        times.append((time.perf_counter() - started) * 1000)
    compositor.release()
    return times[WARMUP:]


def main() -> None:
    parser = argparse.ArgumentParser(description="milliseconds a frame with the stabilizer")
    parser.add_argument("--size", default="1280x720", help="WxH in pixels")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    presenter = OffscreenPresenter(Settings(), (width, height))
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(4):
        pixels, styled = (rng.integers(0, 256, (height, width, 4), np.uint8) for _ in range(2))
        pairs.append((Frame(pixels, "RGBA", 0.0, number), StyledImage(styled)))
    times: dict[float, list[float]] = {0.0: [], 0.8: []}
    for _ in range(options.rounds):  # interleaved: a slow moment hits both
        for keep, all_ms in times.items():
            all_ms += series(presenter, pairs, keep, options.frames)
    off, on = (percentile(values, 50) for values in times.values())
    print(f"{presenter.context.info['GL_RENDERER']}, {options.size}, upload and compose p50")
    print(f"off {off:.2f} ms, on {on:.2f} ms: {on - off:.2f} ms more (goal at most 4)")
    presenter.close()


if __name__ == "__main__":
    main()
