"""`quantize`: from a trained model and frames to a smaller, faster one, with its card."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime import InferenceSession

from stylizer.errors import BadInput
from stylizer.lab.compress import sensitivity
from stylizer.lab.compress.parent import (
    child_contract,
    open_parent,
    out_path,
    parent_path,
    write_child,
)
from stylizer.lab.compress.static_quant import (
    Plan,
    fidelity,
    find_ranges,
    pictures_of,
    quantized,
    session_of,
)
from stylizer.lab.nets.johnson import StyleNetwork
from stylizer.lab.onnx.deploy import Channels, deployed, observe_channels
from stylizer.lab.training.sampling import apart, sample_frames, tensor_of
from stylizer.style.remembered import file_hash
from stylizer.system.console import print_facts, say

CALIBRATION_FRAMES, HELD_OUT_FRAMES = 12, 6
SPEED_ROUNDS = 7


@dataclass
class Job:
    """What all steps of one quantization share."""

    parent: Path
    network: StyleNetwork
    channels: Channels
    model: onnx.ModelProto  # `deploy`'s float graph
    calibration: list[np.ndarray]
    held_out: list[np.ndarray]
    wanted: list[np.ndarray]  # the parent's pictures of the held-out frames

    def fidelity(self, model: onnx.ModelProto) -> tuple[float, float]:
        """(mean, lowest) PSNR against the parent on frames that calibration never saw."""
        return fidelity(model, self.held_out, self.wanted)


def quantize_command(args: argparse.Namespace) -> int:
    """Quantize, measure, write the model and its card. Raises BadInput, StylizerError."""
    parent = parent_path(args.model)
    network, contract, recipe = open_parent(parent)
    out = out_path(args, parent, "int8" if args.target == "cpu" else "int8-gpu")
    job = new_job(args, parent, network)
    compared, plan = best_ranges(job, args.target)
    steps = choose_layers(job, plan, args.psnr)
    plan = replace(plan, kept=steps[-1].kept)
    made, tuned = quantized(job.model, plan), None
    if args.finetune:
        made, plan, tuned = finetune(args, job, plan, recipe, out, compared[0]["ranges"])
    mean_db, least_db = job.fidelity(made)
    speed = speeds(job, made, plan)
    print_facts(speed)
    method = f"static QDQ for {args.target}" + (", fine-tuned" if tuned else "")
    facts = {
        "parent file": file_hash(parent)[:16],
        "target": args.target,
        "calibration": f"{len(job.calibration)} frames of {args.frames.name}, at most "
        f"{args.frame_size[0]}x{args.frame_size[1]}",
        "ranges (PSNR dB, mean / lowest)": {r["ranges"]: r["psnr"] for r in compared},
        "computes in float": ", ".join(sorted(plan.kept)) or "no convolution",
        "PSNR to the parent": f"mean {mean_db:.1f}, lowest {least_db:.1f} dB on "
        f"{len(job.held_out)} frames that calibration never saw",
        "speed": f"x {speed[-1]['x parent']} the parent's, {SPEED_ROUNDS} interleaved rounds",
        **({"fine-tuning": tuned} if tuned else {}),
    }
    contract = child_contract(contract, parent, "int8", method)
    write_child(out, made, contract, {"compression": facts, "parent_recipe": recipe}, facts)
    size = out.stat().st_size
    print(
        f"{out}: written, {size:,} bytes ({size / parent.stat().st_size:.0%} of the parent); PSNR "
        f"to the parent mean {mean_db:.1f}, lowest {least_db:.1f} dB on {len(job.held_out)} "
        "held-out frames"
    )
    return 0


def new_job(args: argparse.Namespace, parent: Path, network: StyleNetwork) -> Job:
    """Frames, the deployed graph, and what the parent makes of the held-out frames."""
    if args.validate:
        calibration = sample_frames(args.frames, CALIBRATION_FRAMES, args.frame_size)
        held_out = sample_frames(args.validate, HELD_OUT_FRAMES, args.frame_size)
    else:
        frames = sample_frames(args.frames, CALIBRATION_FRAMES + HELD_OUT_FRAMES, args.frame_size)
        calibration, held_out = apart(frames)
    if len(calibration) < 2 or not held_out:
        raise BadInput(f"{args.frames}: gives too few frames; calibration needs at least three")
    say(f"calibrating on {len(calibration)} frames, measuring on {len(held_out)} others")
    channels = observe_channels(
        network, [torch.from_numpy(tensor_of(f) / 255) for f in calibration]
    )
    wanted = pictures_of(session_of(parent.read_bytes()), held_out)
    return Job(
        parent, network, channels, deployed(network, channels), calibration, held_out, wanted
    )


def best_ranges(job: Job, target: Any) -> tuple[list[dict[str, Any]], Plan]:
    """Every method's PSNR, the best first, and the plan with that one's ranges."""
    found = []
    for method, ranges in find_ranges(job.model, job.calibration).items():
        plan = Plan(ranges, target=target)
        mean_db, least_db = job.fidelity(quantized(job.model, plan))
        say(f"ranges by {method}: mean {mean_db:.1f}, lowest {least_db:.1f} dB")
        row = {"ranges": method, "psnr": f"{mean_db:.1f} / {least_db:.1f}"}
        found.append((mean_db, row, plan))
    found.sort(key=lambda f: f[0], reverse=True)
    rows = [row for _, row, _ in found]
    print_facts(rows)
    return rows, found[0][2]


def choose_layers(job: Job, plan: Plan, goal_db: float) -> list[sensitivity.Step]:
    """Print the table of layers; the steps to those that compute in float."""
    parts = (job.model, plan)
    rows = sensitivity.layers(
        *parts, job.held_out, job.wanted, lambda n: say(f"quantizing {n} alone")
    )
    steps = sensitivity.keep_in_float(*parts, rows, job.held_out, job.wanted, goal_db)
    kept = steps[-1].kept
    print_facts(
        [
            {
                "layer": row.name,
                "PSNR dB, it alone quantized": f"{row.alone_db:.1f}",
                "float ms": _ms(row.float_ms),
                "integer ms": _ms(row.integer_ms),
                "computes in": "float" if row.name in kept else "integers",
            }
            for row in rows
        ]
    )
    print_facts(
        [
            {
                "layers in float": len(step.kept),
                "the newest": ", ".join(step.kept - before) or "–",
                "mean dB": f"{step.mean_db:.1f}",
                "lowest dB": f"{step.least_db:.1f}",
            }
            for before, step in zip([frozenset(), *(s.kept for s in steps)], steps, strict=False)
        ]
    )
    if steps[-1].least_db < goal_db:
        say(f"{goal_db:.0f} dB are not reached; half of the layers compute in float")
    return steps


def finetune(
    args: argparse.Namespace, job: Job, plan: Plan, recipe: dict, out: Path, method: str
) -> tuple[onnx.ModelProto, Plan, dict[str, Any] | None]:
    """The model after quantization-aware training, if that is nearer to the parent."""
    from stylizer.lab.compress.qat import IntegerStyle
    from stylizer.lab.training.finetune import ContentSet, content_of, imitation, tune

    before = quantized(job.model, plan)
    student = IntegerStyle(job.network, job.channels, plan.kept)
    settings = imitation(args, recipe, job.parent, "quantize")
    # Without --validate the held-out frames are a third of --frames, and must stay unseen.
    content = content_of(args.frames) if args.validate else ContentSet.of(job.calibration)
    tune(args, settings, student, job.network, content, out)
    network = student.cpu().plain()
    model = deployed(network, job.channels)
    ranges = find_ranges(model, job.calibration, (method,))[method]
    after = quantized(model, new := replace(plan, ranges=ranges))
    old_db, new_db = job.fidelity(before)[0], job.fidelity(after)[0]
    say(f"fine-tuning: mean {old_db:.1f} -> {new_db:.1f} dB")
    if new_db <= old_db:
        say("the fine-tuned model is no nearer to the parent; the untuned one is kept")
        return before, plan, None
    job.model = model
    changed = {k: v for k, v in asdict(settings).items() if k in ("steps", "crop", "batch")}
    return after, new, changed | {"before": f"{old_db:.1f} dB", "after": f"{new_db:.1f} dB"}


def speeds(job: Job, made: onnx.ModelProto, plan: Plan) -> list[dict[str, Any]]:
    """Milliseconds a frame of the parent and of the steps toward the result, interleaved."""
    everything = quantized(job.model, replace(plan, kept=frozenset()))
    sessions = {
        "parent": session_of(job.parent.read_bytes()),
        "rewritten, all in float": session_of(job.model),
        "all in integers": session_of(everything),
        "result": session_of(made),
    }
    times = interleaved_ms(sessions, job.held_out[0])
    base = np.array(times["parent"])
    rows = []
    for name, series in times.items():
        ratios = base / np.array(series)
        rows.append(
            {
                "network alone": name,
                "p50 ms": f"{np.median(series):.1f}",
                "x parent": f"{np.median(ratios):.2f}",
                "from - to": f"{ratios.min():.2f} - {ratios.max():.2f}",
            }
        )
    return rows


def interleaved_ms(
    sessions: dict[str, InferenceSession], frame: np.ndarray
) -> dict[str, list[float]]:
    """Each session's milliseconds in each round, after one round that does not count."""
    given = {"input": tensor_of(frame)}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for number in range(SPEED_ROUNDS + 1):
        for name, session in sessions.items():
            started = time.perf_counter()
            session.run(None, given)
            if number:
                times[name].append((time.perf_counter() - started) * 1000)
    return times


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
