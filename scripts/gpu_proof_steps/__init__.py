"""The steps of gpu_proof.py: each gives what json can write, or raises Missing, or fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gpu_proof_steps.asked import Missing, Partly, Result, Scale
from gpu_proof_steps.copies import copies
from gpu_proof_steps.machine import machine
from gpu_proof_steps.runs import run_of, window
from gpu_proof_steps.sessions import CUDA_KINDS, cuda, governor, vram, webgpu
from gpu_proof_steps.shaders import gl_exact, gl_times, gl_variants
from gpu_proof_steps.training import training

__all__ = ["STEPS", "Missing", "Partly", "Scale"]


@dataclass(frozen=True)
class Step:
    run: Callable[[Scale], Result]
    limit_s: float


STEPS: dict[str, Step] = {
    "machine": Step(machine, 60),
    "gl_exact": Step(gl_exact, 60),
    "gl_variants": Step(gl_variants, 60),
    "gl_times": Step(gl_times, 90),
    **{f"cuda {kind}": Step(cuda(kind), 75) for kind in CUDA_KINDS},
    "governor": Step(governor, 60),
    "copies": Step(copies, 45),
    "vram": Step(vram, 45),
    "webgpu": Step(webgpu, 60),
    "window": Step(window, 60),
    **{f"run {name}": Step(run_of(name), 60) for name in ("auto", "gl", "cuda", "webgpu", "cpu")},
    "training": Step(training, 150),
}
