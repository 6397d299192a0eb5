"""Captures a moving window and records it for a long while: memory and handles have to stay flat.

    python scripts/soak.py                                   # 30 minutes
    python scripts/soak.py --minutes 10 --model none --size 640x360

Opens an X server of its own (Xvfb) with a window that moves, and `run --window --record` beside
it. Every few seconds it notes what the program holds: resident memory, open files, threads, and
the X server's memory, where leaked pictures would lie. The first fifth counts as warming up; of
the rest, the median of the last fifth is compared with that of the first. Exit code 1 where one
of them grew by more than 1 %, or the run or its recording failed. Not part of `make test`.
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
from statistics import median

import av
import psutil

ROOT = Path(__file__).parents[1]
GROWTH = 0.01
EVERY_S = 5.0
WARM = 0.2  # of the time
PART = 0.2  # of the rest, at either end
Sample = dict[str, float]


def main() -> int:
    args = parsed()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        return soak(args, Path(name))


def parsed() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    p.add_argument("--minutes", type=float, default=30.0)
    p.add_argument("--model", default="auto")
    p.add_argument("--size", default="1280x720")
    p.add_argument("--json", type=Path, help="write all samples")
    return p.parse_args()


def soak(args: argparse.Namespace, folder: Path) -> int:
    server, display = x_server()
    env = os.environ | {"DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
    width, height = args.size.split("x")
    window = [str(ROOT / "tests" / "synthetic_window.py"), "Soak", "0", "0", width, height, "30"]
    game = subprocess.Popen([sys.executable, *window], env=env, stdout=subprocess.PIPE)
    assert game.stdout is not None
    game.stdout.readline()
    run = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "run", "--window", "Soak", "--model", args.model,
         "--present", "offscreen", "--seconds", str(args.minutes * 60), "--record",
         str(folder / "soak.mkv"), "--report", str(folder / "soak.json")],
        env=env, cwd=folder, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        samples = watched(run, server)
        report = json.loads((folder / "soak.json").read_text())
        recorded = frames_of(folder / "soak.mkv")
    finally:
        for process in (run, game, server):
            process.kill()
            process.wait()
    if args.json:
        args.json.write_text(json.dumps(samples))
    print(
        f"{report['seconds'] / 60:.1f} minutes, exit code {run.returncode}, {report['model']}, "
        f"{report['frames']} frames, {report['dropped']} dropped, {recorded} recorded"
    )
    grew = [line for name in samples[0] if (line := growth(name, samples))]
    return 1 if grew or run.returncode or recorded < report["frames"] else 0


def x_server() -> tuple[subprocess.Popen[bytes], str]:
    """A server and its DISPLAY."""
    answer, said = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-noreset", "-displayfd", str(said), "-screen", "0", "1920x1200x24"],
        pass_fds=[said], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(said)
    with os.fdopen(answer) as file:
        return server, f":{file.readline().strip()}"


def watched(run: subprocess.Popen[bytes], server: subprocess.Popen[bytes]) -> list[Sample]:
    """What was held, every EVERY_S seconds until the run ends."""
    program, screen, samples = psutil.Process(run.pid), psutil.Process(server.pid), []
    while run.poll() is None:
        try:
            samples.append(
                {
                    "memory, MiB": program.memory_info().rss / 2**20,
                    "open files": program.num_fds(),
                    "threads": program.num_threads(),
                    "X server, MiB": screen.memory_info().rss / 2**20,
                }
            )
        except psutil.Error:
            break
        time.sleep(EVERY_S)
    return samples


def growth(name: str, samples: list[Sample]) -> bool:
    """Print how a series went; True where it grew too much."""
    series = [sample[name] for sample in samples][int(WARM * len(samples)) :]
    part = max(1, int(PART * len(series)))
    first, last = median(series[:part]), median(series[-part:])
    grown = last / first - 1
    print(f"{name}: {first:.1f} -> {last:.1f} ({grown:+.2%}), highest {max(series):.1f}")
    return grown > GROWTH


def frames_of(path: Path) -> int:
    """Pictures in a recording, counted by their packets."""
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


if __name__ == "__main__":
    sys.exit(main())
