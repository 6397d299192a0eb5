"""What the HUD costs: milliseconds a frame with off, fps and graph, beside a plain frame.

    python bench/hud_cost.py [--size 1280x720] [--frames 300]

Each round draws a frame with each mode in turn, so that a busy machine disturbs all alike.
"wall" is the time until the frame is finished, "cpu" what all threads of the process used.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from stylizer.compose.compositor import Compositor, Look
from stylizer.compose.hud import Hud, HudData
from stylizer.frame import Frame, Rect
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings
from stylizer.timing import STAGES

MODES = ("off", "fps", "graph")


def sample(rng: np.random.Generator) -> HudData:
    """Values as a run gives them."""
    return HudData(
        presented_fps=59.8, styled_fps=23.1, one_percent_low_fps=41.2, latency_ms=63.4,
        frame_time_ms=list(rng.gamma(20, 0.84, 240)), model="mosaic-small", provider="cpu",
        provider_reason="the best that works here", source="demo", capture_method="read back",
        present="window", present_reason="x11, vsync", size=(1280, 720),
        stage_ms=dict.fromkeys(STAGES, 1.0),
    )  # fmt: skip


def measure(size: tuple[int, int], frames: int) -> dict[str, np.ndarray]:
    """mode -> (frames, 2) of wall and CPU milliseconds."""
    presenter = OffscreenPresenter(Settings(), size)
    compositor = Compositor(presenter.context)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (size[1], size[0], 4), np.uint8)
    compositor.upload(Frame(pixels, "RGBA", 0.0, 0), None)
    huds = {mode: Hud(presenter.context, 1.0) for mode in MODES}
    times: dict[str, list[tuple[float, float]]] = {mode: [] for mode in MODES}
    data = sample(rng)
    for _ in range(frames + 10):
        for mode in MODES:
            presenter.context.finish()
            wall, cpu = time.perf_counter(), time.process_time()
            compositor.draw(presenter.framebuffer, Rect(0, 0, *size), Look())
            huds[mode].draw(presenter.framebuffer, replace(data, mode=mode))
            presenter.present()
            spent = time.perf_counter() - wall, time.process_time() - cpu
            times[mode].append((spent[0] * 1000, spent[1] * 1000))
    print(f"{presenter.context.info['GL_RENDERER']}, {size[0]}x{size[1]}, {frames} frames a mode")
    return {mode: np.array(series[10:]) for mode, series in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="What the HUD costs a frame")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frames", type=int, default=300)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    times = measure((width, height), arguments.frames)
    base = np.median(times["off"], axis=0)
    print("mode    wall p50   wall p99   cpu mean   HUD wall   HUD cpu   (ms)")
    for mode, series in times.items():
        p50, p99 = np.percentile(series[:, 0], (50, 99))
        cpu = series[:, 1].mean()
        own = p50 - base[0], cpu - times["off"][:, 1].mean()
        print(f"{mode:6}{p50:10.2f}{p99:11.2f}{cpu:11.2f}{own[0]:11.2f}{own[1]:10.2f}")


if __name__ == "__main__":
    main()
