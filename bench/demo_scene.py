"""How long the demo scene takes a frame: draw and read back, no styling.

    python bench/demo_scene.py --size 1280x720 --frames 300

The frames are spread evenly over one round of the camera's flight.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np

from stylizer.source.demo.camera import FLIGHT_FRAMES
from stylizer.source.demo.scene import DemoScene
from stylizer.timing import percentile


def main() -> None:
    parser = argparse.ArgumentParser(
        description="milliseconds a frame of the demo scene, drawn and read back"
    )
    parser.add_argument("--size", default="1280x720", help="WxH in pixels")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3, help="times the whole flight is repeated")
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    start = time.perf_counter()
    scene = DemoScene((width, height), options.seed)
    built_ms = (time.perf_counter() - start) * 1000
    numbers = [k * FLIGHT_FRAMES // options.frames for k in range(options.frames)]
    for number in numbers[: options.warmup]:
        scene.render(number)
    cpu = time.process_time()
    series = np.array([[timed(scene, n) for n in numbers] for _ in range(options.rounds)])
    cpu_ms = (time.process_time() - cpu) * 1000 / series.size
    report = {
        "size": [width, height],
        "gl_renderer": scene.renderer,
        "frames": series.size,
        "warmup_frames": options.warmup,
        "ms_p50": round(percentile(series.reshape(-1).tolist(), 50), 2),
        "ms_p99": round(percentile(series.reshape(-1).tolist(), 99), 2),
        # Less noisy on a busy machine: each frame's best round, then the median over frames.
        "ms_p50_of_best_round": round(float(np.median(series.min(axis=0))), 2),
        "cpu_ms_mean": round(cpu_ms, 2),
        "build_ms": round(built_ms, 1),
        "load_average_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }
    scene.close()
    print(json.dumps(report, indent=2))


def timed(scene: DemoScene, number: int) -> float:
    """Milliseconds of one frame; reading back waits for the drawing."""
    start = time.perf_counter()
    scene.render(number)
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
