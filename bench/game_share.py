"""What a game keeps of its own rate: alone, beside us without a share, beside us with it, in turn.

    python bench/game_share.py NAME [--rounds 3] [--seconds 24]

NAME: the window of a game that runs and draws all the time, on $DISPLAY. Its pictures are counted
by their Damage events (source/x11/drawing.py), nothing of it is read. The three take turns, so that
a busy machine disturbs all alike; what counts are the shares in the last lines.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stylizer.run.game_share import rate
from stylizer.source.x11.drawing import Drawing
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

ROOT = Path(__file__).parents[1]
COUNT_S, START_S = 6.0, 10.0


def counted(drawing: Drawing) -> float:
    """Pictures a second, over the next seconds."""
    drawing.take()
    times, until = [], time.monotonic() + COUNT_S
    while time.monotonic() < until:
        times += drawing.take()
        time.sleep(0.02)
    return rate(times) or 0.0


def beside(name: str, share: str, seconds: float, drawing: Drawing) -> tuple[float, float, str]:
    """(the game's rate, what we styled a second, what the HUD would say) of one run."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        argv = ["play", name, "--game-share", share, "--seconds", f"{seconds:g}"]
        run = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), *argv, "--report", str(report)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        time.sleep(START_S + seconds / 2)
        found = counted(drawing)
        run.wait()
        made = json.loads(report.read_text())
    pacing = made["game_share"] or {}
    return found, made["styled_fps"] or 0.0, f"1 of {pacing.get('painted_every', 1)} frames painted"


def main() -> None:
    parser = argparse.ArgumentParser(description="What a game keeps of its own rate beside us")
    parser.add_argument("name")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=24)
    arguments = parser.parse_args()
    drawing = Drawing(find_window(Display(), arguments.name)[0].id)
    found: dict[str, list[float]] = {"alone": [], "off": [], "0.85": []}
    for _ in range(arguments.rounds):
        found["alone"].append(counted(drawing))
        print(f"alone             {found['alone'][-1]:6.1f} fps", flush=True)
        for share in ("off", "0.85"):
            fps, styled, pacing = beside(arguments.name, share, arguments.seconds, drawing)
            found[share].append(fps)
            print(
                f"--game-share {share:4} {fps:6.1f} fps, {styled:.1f} styled, {pacing}", flush=True
            )
    alone = statistics.mean(found["alone"])
    for share in ("off", "0.85"):
        print(f"--game-share {share:4} keeps {statistics.mean(found[share]) / alone:.0%}")
    if hasattr(os, "getloadavg"):
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
