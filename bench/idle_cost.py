"""What a paused game costs: the share of one core that a run takes while nothing changes.

    python bench/idle_cost.py [--seconds 6] [--settle 6]

A still window of 1280x720 ("same": one that draws the same picture 40 times a second) on an Xvfb of
its own is captured; user and system time of the run's process are read over the seconds, once it
has settled. Wanted: under 5 % of one core.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import psutil
from private_display import ROOT, program, tell, x_server

from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

CASES = [
    (source, present, model, state)
    for source in ("window", "screen")
    for present in ("offscreen", "window")
    for model, state in (
        ("none", "still"),
        ("none", "same"),
        ("mosaic-small", "still"),
        ("none", "hidden"),
    )
    if source == "window" or (model == "none" and state == "still")
]


def cpu_s(process: psutil.Process) -> float:
    """Seconds of all threads so far."""
    times = process.cpu_times()
    return times.user + times.system


def hide(title: str) -> None:
    """Unmap the window, as a window manager does that minimizes it."""
    display = Display()
    window, _ = find_window(display, title)
    display.close()
    subprocess.run(["xdotool", "windowunmap", f"{window.id}"], check=True)


def share(source: str, present: str, model: str, state: str, args: argparse.Namespace) -> float:
    """CPU time / wall time of a run on a still game, of one core."""
    place = ["0", "0", "1280", "720", "60", "90", "160"]
    with program(str(ROOT / "tests/painted_window.py"), "Paused Game", *place) as game:
        tell(game, "same" if state == "same" else "still")
        what = ["--window", "Paused Game"] if source == "window" else ["--region", "0,0,1280,720"]
        argv = ["run", *what, "--model", model, "--provider", "cpu", "--present", present]
        run = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), *argv, "--size", "640x360"],
            stdout=subprocess.DEVNULL,
        )
        try:
            time.sleep(args.settle * (3 if model != "none" else 1))
            if state == "hidden":
                hide("Paused Game")
                time.sleep(1)
            process = psutil.Process(run.pid)
            started, before = time.monotonic(), cpu_s(process)
            time.sleep(args.seconds)
            return (cpu_s(process) - before) / (time.monotonic() - started)
        finally:
            run.kill()
            run.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--settle", type=float, default=8.0)
    args = parser.parse_args()
    with x_server((3840, 2160)):  # our own window must not lie on the region
        for case in CASES:
            source, present, model, state = case
            print(
                f"{source:7} -> {present:9} {model:13} {state:7}"
                f"{share(source, present, model, state, args):7.1%} of one core",
                flush=True,
            )


if __name__ == "__main__":
    main()
