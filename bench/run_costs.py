"""Start-up time, peak memory and loop overhead of the real program, each in a process of its own.

    python bench/run_costs.py [--model mosaic-small] [--frames 20]

Prints what was measured, on what, beside the aim. The machine's load counts: run it idle.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

LOOP = """
import sys
from stylizer.measure.bench import session_only, settings_for, Case
from stylizer.run.pipeline import run
from stylizer.settings import Settings
from stylizer.style.opening import open_style
model, frames, size = sys.argv[1], int(sys.argv[2]), (1280, 720)
base = Settings(provider="cpu", warmup=1)
backend = open_style(base, model, size)
loop, bare = [], []
for _ in range(3):  # interleaved: a slow moment hits both
    stats = run(settings_for(Case(model, size), base, frames), backend).stats
    loop.append(stats.styled / stats.seconds)
    bare.append(session_only(backend, size, 0, frames))
ratios = sorted(a / b for a, b in zip(loop, bare))
print(f"{ratios[1]:.3f} {ratios[0]:.3f} {ratios[2]:.3f} {sum(loop) / 3:.2f} {sum(bare) / 3:.2f}")
"""

WARM = """
import sys
from stylizer.system.machine import peak_rss_mb
from stylizer.settings import Settings
from stylizer.style.opening import open_style
for model in sys.argv[1:]:
    open_style(Settings(provider="cpu"), model, (1280, 720))
print(f"{peak_rss_mb():.0f}")
"""


def python(code: str, *argv: str) -> str:
    """Standard output of a Python process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def start_up(model: str, present: str) -> dict:
    """The report of a short run."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "r.json"
        argv = ["run", "--model", model, "--provider", "cpu", "--frames", "2", "--present", present]
        subprocess.run(
            [sys.executable, "main.py", *argv, "--report", str(report)],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return json.loads(report.read_text())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="mosaic-small")
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--present", default="offscreen", help="window where there is a display")
    args = parser.parse_args()
    report = start_up(args.model, args.present)
    m = report["machine"]
    print(f"{m['cpu']}, {m['cores']} cores, {m['gl_renderer']}, provider cpu, 1280x720")
    print(f"start to first styled frame ({args.present}): {report['first_styled_s']:.2f} s (aim 2)")
    print(f"peak memory, demo with {args.model}: {report['peak_rss_mb']:.0f} MiB (aim 600)")
    both = python(WARM, args.model, "mosaic-original")
    print(f"peak memory, sessions of {args.model} and mosaic-original: {both} MiB (aim 1500)")
    ratio, low, high, loop, bare = python(LOOP, args.model, str(args.frames)).split()
    print(
        f"loop / bare session: {ratio} ({low} to {high}; {loop} / {bare} fps, 3 interleaved rounds "
        f"of {args.frames} frames after warm-up; aim 0.95)"
    )


if __name__ == "__main__":
    main()
