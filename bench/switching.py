"""How long presented frames wait for a switch of models, in a real window on an Xvfb of its own.

    python bench/switching.py [--seconds 40]

Keys 2 and 1 are typed by xdotool as soon as the window shows a picture (the other model is still
being loaded) and then every few seconds (both are warm). Printed beside each switch's longest frame
time: the longest one of a run of the same length in which no key is typed, for software rendering
repeats a picture only ten times a second. Needs Xvfb and xdotool; run it idle.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FIRST_KEY_S, EVERY_S = 3.0, 6.0


def display() -> tuple[subprocess.Popen, str]:
    """A running Xvfb and its name."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with os.fdopen(read) as pipe:
        return server, ":" + pipe.readline().strip()


def run(name: str, model: str, seconds: float, keys: str) -> dict:
    """The report of a run in which the keys are typed one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "r.json"
        env = {**os.environ, "DISPLAY": name, "SDL_VIDEODRIVER": "x11"}
        argv = ["run", "--model", model, "--provider", "cpu", "--present", "window"]
        program = subprocess.Popen(
            [sys.executable, "main.py", *argv, "--seconds", str(seconds), "--report", str(report)],
            cwd=ROOT, env=env, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(FIRST_KEY_S)
        for key in keys:
            subprocess.run(["xdotool", "key", key], env=env, check=True)
            time.sleep(EVERY_S)
        program.wait()
        return json.loads(report.read_text())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=40)
    seconds = parser.parse_args().seconds
    server, name = display()
    try:
        for model in ("mosaic-small", "mosaic-original"):
            still = run(name, model, seconds, "")
            t = still["frame_time_ms"]
            print(f"{model} alone: p50 {t['p50']:.0f}, longest {t['max']:.0f} ms")
        keys = "12" * int((seconds - FIRST_KEY_S) / EVERY_S / 2)
        for switch in run(name, "mosaic-small", seconds, keys)["model_switches"]:
            print(f"at {switch['at_s']:5.1f} s to {switch['model']}: "
                  f"longest {switch['longest_frame_ms']:.0f} ms")  # fmt: skip
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
