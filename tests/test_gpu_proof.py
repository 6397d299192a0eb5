"""scripts/gpu_proof.py: each step alone, and what it found in the file at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "gpu_proof.py"


def proof(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--small", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip


def test_steps_are_run_and_written(tmp_path):
    """The provider's steps on the CPU; without a GPU its memory cannot be asked for."""
    file = tmp_path / "gpu.json"
    done = proof("--rehearse", "--only", "copies,governor", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert found["made_by"] == "stylizer"
    assert found["rehearsal"] is True
    steps = found["steps"]
    assert {name: step["state"] for name, step in steps.items()} == {
        "copies": "done",
        "governor": "done",
    }
    assert steps["copies"]["result"]["160x96 gl up"]["p50"] > 0
    assert "160x96 cuda up" in steps["copies"]["result"]
    assert len(steps["governor"]["result"]) == 14
    assert "copies" in done.stdout


def test_a_step_out_of_time_is_ended_and_the_others_go_on(tmp_path):
    file = tmp_path / "gpu.json"
    done = proof("--only", "gl_exact,vram", "--minutes", "0.0045", "--json", str(file))
    assert done.returncode == 1
    first, second = json.loads(file.read_text())["steps"].values()
    assert (first["state"], second["state"]) == ("too slow", "left out")


def test_a_step_that_is_not_there_is_named(tmp_path):
    done = proof("--only", "gl_times,nonsense", "--json", str(tmp_path / "gpu.json"))
    assert done.returncode == 2
    assert "there is no step nonsense; choose of machine, " in done.stdout
    assert not (tmp_path / "gpu.json").exists()
