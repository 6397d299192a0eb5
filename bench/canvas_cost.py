"""What a moving canvas adds to a frame: one that rests and one that moves, interleaved.

python bench/canvas_cost.py --size 1280x720 --frames 200 --rounds 3 [--input VIDEO]

The frames are the demo scene's flight, or a video's, and follow each other; the network is built
here and does next to nothing, for what is measured lies before it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from stylizer.frame import Frame
from stylizer.source.demo.scene import DemoScene
from stylizer.style.canvas import Canvas
from stylizer.style.contract import CanvasInput, Port, StyleModel
from stylizer.style.ort import OrtStyle
from stylizer.style.providers import PROVIDERS
from stylizer.system.motion import MotionMeter
from stylizer.timing import percentile

TILE_PX = 320


def network() -> tuple[StyleModel, onnx.ModelProto]:
    """max(picture, canvas of half its size) on blocks of bytes."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.UINT8, [1, "rows", "columns", width])
        for name, width in (("input", 64), ("canvas", 16), ("styled", 64))
    ]
    nodes = [
        helper.make_node("Gather", ["canvas", "four_times"], ["whole"], axis=3),
        helper.make_node("Max", ["input", "whole"], ["styled"]),
    ]
    places = numpy_helper.from_array(np.arange(16).repeat(4), "four_times")
    made = helper.make_graph(nodes, "canvas", ends[:2], ends[2:], [places])
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    tile = np.random.default_rng(0).integers(0, 256, (TILE_PX, TILE_PX, 3), np.uint8)
    model = StyleModel(
        path=Path(__file__),
        layout="blocks4",
        output_layout="blocks4",
        range="0..255",
        output_range="0..255",
        order="RGB",
        size_multiple=8,
        fixed_size=None,
        input=Port("input", "uint8", 4),
        output=Port("styled", "uint8", 4),
        canvas=CanvasInput("canvas", "uint8", tile, step=2),
    )
    return model, proto


def demo_frames(size: tuple[int, int], count: int) -> list[Frame]:
    scene = DemoScene(size, 0)
    found = [Frame(scene.render(n).copy(), "RGBA", 0.0, n) for n in range(count)]
    scene.close()
    return found


def video_frames(path: str, size: tuple[int, int], count: int) -> list[Frame]:
    video, found = cv2.VideoCapture(path), []
    while len(found) < count:
        there, picture = video.read()
        if not there:
            break
        pixels = cv2.cvtColor(cv2.resize(picture, size), cv2.COLOR_BGR2BGRA)
        found.append(Frame(pixels, "BGRA", 0.0, len(found)))
    return found


def parts(model: StyleModel, frames: list[Frame], warmup: int) -> dict[str, list[float]]:
    """Milliseconds of each moving frame: measuring the motion, and moving the canvas by it."""
    meter, canvas = MotionMeter(), Canvas(model, frames[0].size)
    times: dict[str, list[float]] = {"motion": [], "move": []}
    for number, frame in enumerate(frames):
        started = time.perf_counter()
        motion = meter.measure(frame)
        measured = time.perf_counter()
        canvas.move(motion)
        moved = time.perf_counter()
        if number >= warmup and motion is not None and not motion.still:
            times["motion"].append((measured - started) * 1000)
            times["move"].append((moved - measured) * 1000)
    return times


def summary(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(percentile(values, 50), 2),
        "p99": round(percentile(values, 99), 2),
        "min": round(min(values), 2),
    }


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="milliseconds a frame of a moving canvas")
    parser.add_argument("--size", default="1280x720", help="WxH in pixels")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--input", help="a video instead of the demo scene")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    width, height = (int(n) for n in options.size.split("x"))
    count = options.frames + options.warmup
    size = (width, height)
    frames = video_frames(options.input, size, count) if options.input else demo_frames(size, count)
    model, proto = network()
    styles = {
        name: OrtStyle(model, proto, PROVIDERS["cpu"], size, None, move_canvas=moves)
        for name, moves in (("rests", False), ("moves", True))
    }
    times: dict[str, list[float]] = {"rests": [], "moves": [], "motion": [], "move": []}
    cpu_ms = []
    for _ in range(options.rounds):  # interleaved: a slow moment hits all
        for name, style in styles.items():
            series = [style.style(frame).preprocess_ms for frame in frames]
            times[name] += series[options.warmup :]
        cpu = time.process_time()
        for name, values in parts(model, frames, options.warmup).items():
            times[name] += values
        cpu_ms.append((time.process_time() - cpu) * 1000 / len(frames))
    rests, moves = (percentile(times[name], 50) for name in styles)
    report = {
        "provider": "cpu",
        "size": [width, height],
        "warmup_frames": options.warmup,
        "frames": len(times["moves"]),
        "preprocess_ms": {name: summary(times[name]) for name in styles},
        "of_it_ms": {name: summary(times[name]) for name in ("motion", "move")},
        "more_ms_p50": round(moves - rests, 2),
        "times_as_long": round(moves / rests, 2),
        # Less noisy on a busy machine; both cores together.
        "cpu_ms_mean": round(float(np.mean(cpu_ms)), 2),
        "load_average_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }
    print(json.dumps(report, indent=2))
    print(f"{moves - rests:.2f} ms more a frame (goal at most 4)")


if __name__ == "__main__":
    main()
