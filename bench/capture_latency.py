"""True latency of a captured window: from the game's drawing to our present call.

    python bench/capture_latency.py [--size 1280x720] [--frames 600] [--present offscreen]
                                    [--model none] [--json FILE]

Another process shows the synthetic picture in a real X window at 60 frames a second, with number
and time burned in just before it draws; the program's own loop captures it, and what was presented
is decoded again. "burn to present" holds the game's own drawing too (SDL and the X server);
"capture to present" is what HUD and report call latency_ms. Also one plain grab of the window.
Wanted with --model none at 1280x720: p50 <= 16.7 ms, p99 <= 25 ms, a grab <= 1 ms.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from private_display import ROOT, program, x_server

from stylizer.rules import count, size
from stylizer.run.outputs import Outputs
from stylizer.run.pipeline import Given, Run
from stylizer.settings import Settings
from stylizer.source.synthetic import BAND, read_age_ms, read_frame_number
from stylizer.source.x11.window import WindowSource
from stylizer.timing import p50_p99

TITLE = "Synthetic game"


def presented(settings: Settings) -> tuple[list[tuple[np.ndarray, float]], Any]:
    """Every new frame presented: its first and last rows, where the codes are, and when."""
    rows: list[tuple[np.ndarray, float]] = []
    last: Any = None
    with Run(settings, Given(), Outputs(settings)) as active:
        while active.step():
            shown = active.shown
            if shown is not None and shown is not last and not shown.warmup:
                last, pixels = shown, shown.styled.frame.pixels
                band = pixels.shape[0] // BAND
                rows.append((np.concatenate([pixels[:band], pixels[-band:]]), active.stats.last_at))
        return rows, active.result(None)


def decode(rows: list[tuple[np.ndarray, float]]) -> dict[str, Any]:
    """Latencies in ms, and whether every code was read and none came out of order."""
    numbers, ages = [], []
    for pixels, at in rows:
        # Both rows of cells are now edges of a picture two bands high.
        whole = np.repeat(pixels, BAND // 2, axis=0)
        bgr = whole[:, :, 2::-1]
        numbers.append(read_frame_number(bgr))
        ages.append(read_age_ms(bgr, at))
    read = [n for n in numbers if n is not None]
    return {
        "frames": len(rows),
        "unread": len(rows) - len(read) + sum(a is None for a in ages),
        "out_of_order": int((np.diff(read) <= 0).sum()) if len(read) > 1 else 0,
        "missed": read[-1] - read[0] + 1 - len(read) if read else 0,
        "burn_to_present_ms": p50_p99([a for a in ages if a is not None]),
    }


def grab_ms(frames: int = 300) -> dict[str, float | None]:
    """One grab of the window's pixels, a copy in our memory."""
    source = WindowSource(Settings(source="window", window=TITLE))
    try:
        series = []
        for _ in range(frames):
            image = source._image
            assert image is not None
            started = time.perf_counter()
            image.fetch(source._pixmap)
            image.copy()
            series.append((time.perf_counter() - started) * 1000)
            time.sleep(0.002)
        return p50_p99(series)
    finally:
        source.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size", type=size, default=(1280, 720))
    parser.add_argument("--frames", type=count, default=600)
    parser.add_argument("--present", default="offscreen")
    parser.add_argument("--model", default="none")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    settings = Settings(
        source="window", window=TITLE, model=args.model, provider="cpu", present=args.present,
        frames=args.frames, hud="off" if args.present == "offscreen" else "fps",
    )  # fmt: skip
    place = ["0", "0", *map(str, args.size), "60"]
    with x_server((2560, 1440)), program(str(ROOT / "tests/synthetic_window.py"), TITLE, *place):
        grab = grab_ms()
        rows, result = presented(settings)
    found = decode(rows) | {
        "capture_to_present_ms": p50_p99(result.stats.latency_ms),
        "stage_ms": {name: p50_p99(ms) for name, ms in result.stats.stage_ms.items()},
        "grab_ms": grab,
        "presented_fps": result.stats.presented / result.stats.seconds,
    }
    for name, value in found.items():
        print(f"{name:24} {value}")
    if args.json:
        args.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
