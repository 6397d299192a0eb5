"""Which layers lose the picture, and what each costs: the choice of those kept in float."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from stylizer.lab.compress.static_quant import Plan, convolutions, fidelity, quantized, session_of
from stylizer.lab.training.sampling import tensor_of

PROFILE_ROUNDS = 4
_SUFFIX = re.compile(r"(_nchwc|_token_\d+|_quant)*_kernel_time$")


@dataclass(frozen=True)
class Layer:
    """One row of the table."""

    name: str
    alone_db: float  # mean PSNR when it alone is quantized
    float_ms: float | None
    integer_ms: float | None

    @property
    def noise(self) -> float:
        """Mean squared error it brings in, of 255^2."""
        return 10 ** (-self.alone_db / 10)

    @property
    def worth(self) -> float:
        """Error avoided for each millisecond that float costs more."""
        if self.float_ms is None or self.integer_ms is None:
            return self.noise
        return self.noise / max(self.float_ms - self.integer_ms, 1e-3)


@dataclass(frozen=True)
class Step:
    """The model with one more layer in float."""

    kept: frozenset[str]
    mean_db: float
    least_db: float


def layers(
    model: onnx.ModelProto,
    plan: Plan,
    frames: list[np.ndarray],
    wanted: list[np.ndarray],
    on_layer: Callable[[str], None] = lambda _: None,
) -> list[Layer]:
    """Every convolution, quantized alone and timed both ways."""
    names = convolutions(model)
    times = layer_times([model, quantized(model, plan)], frames[0])
    rows = []
    for name in names:
        on_layer(name)
        others = replace(plan, kept=frozenset(names) - {name})
        mean_db, _ = fidelity(quantized(model, others), frames, wanted)
        rows.append(Layer(name, mean_db, times[0].get(name), times[1].get(name)))
    return rows


def layer_times(models: list[onnx.ModelProto], frame: np.ndarray) -> list[dict[str, float]]:
    """Least milliseconds of each convolution in each model, one thread, over interleaved runs."""
    with TemporaryDirectory() as folder:
        sessions = [
            session_of(
                model,
                enable_profiling=True,
                profile_file_prefix=str(Path(folder) / str(number)),
                intra_op_num_threads=1,
            )
            for number, model in enumerate(models)
        ]
        given = {"input": tensor_of(frame)}
        for _ in range(PROFILE_ROUNDS):
            for session in sessions:
                session.run(None, given)
        return [_least(session.end_profiling()) for session in sessions]


def _least(profile: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for event in json.loads(Path(profile).read_text(encoding="utf-8")):
        name, hits = _SUFFIX.subn("", event["name"])
        if hits and "Conv" in event.get("args", {}).get("op_name", ""):
            found[name] = min(found.get(name, 1e9), event["dur"] / 1000)
    return found


def keep_in_float(
    model: onnx.ModelProto,
    plan: Plan,
    rows: list[Layer],
    frames: list[np.ndarray],
    wanted: list[np.ndarray],
    goal_db: float,
) -> list[Step]:
    """The model with no, one, two ... layers in float, the most worth first, until the lowest PSNR
    over the frames reaches the goal or half of the layers are floats."""
    order = [row.name for row in sorted(rows, key=lambda r: r.worth, reverse=True)]
    steps = []
    for count in range(len(order) // 2 + 1):
        kept = frozenset(order[:count])
        made = quantized(model, replace(plan, kept=kept))
        steps.append(Step(kept, *fidelity(made, frames, wanted)))
        if steps[-1].least_db >= goal_db:
            break
    return steps
