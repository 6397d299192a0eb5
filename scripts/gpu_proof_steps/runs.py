"""Whole runs of the demo, off screen and in a window."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gpu_proof_steps.asked import FAST, ROOT, Missing, Result, Scale

KEPT = (
    "model", "provider", "provider_reason", "present", "size", "frames", "styled_frames", "seconds",
    "presented_fps", "styled_fps", "frame_time_ms", "stage_ms", "latency_ms", "gpu_ms",
    "peak_rss_mb",
)  # fmt: skip


def run_of(provider: str) -> Callable[[Scale], Result]:
    """A run of the demo in lock-step, off screen, through EGL."""
    words = ["--present", "offscreen", "--sync"]
    slow = provider == "webgpu"
    return lambda scale: reported(scale.slower if slow else scale, provider, words)


def window(scale: Scale) -> Result:
    """The demo in a window, drawn by the shaders."""
    with display() as name:
        return reported(scale, "gl", ["--present", "window"], DISPLAY=name)


def reported(scale: Scale, provider: str, words: list[str], **env: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [*words, "--provider", provider, "--model", FAST, "--size", scale.run_size]
        words += ["--frames", str(scale.run_frames), "--report", str(report)]
        words += ["--warmup", "1"] if scale.slow else []
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "run", *words],
            env=os.environ | env | {"PYTHONPATH": os.pathsep.join(sys.path[:2] + user_path())},
            capture_output=True,
            text=True,
        )
        if done.returncode == 2:
            raise Missing(done.stderr.strip()[-500:])
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()[-1000:]}")
        told = json.loads(report.read_text())
    return {key: told[key] for key in KEPT}


def user_path() -> list[str]:
    return [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]


@contextmanager
def display() -> Iterator[str]:
    """The display that there is, else an Xvfb."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    if not shutil.which("Xvfb"):
        raise Missing("there is no display and no Xvfb")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-noreset"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        yield f":{server.stdout.readline().decode().strip()}"
    finally:
        server.terminate()
        server.wait()
