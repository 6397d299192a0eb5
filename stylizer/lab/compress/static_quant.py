"""Static quantization with ONNX Runtime's tools: ranges from real frames, QDQ around whole layers.

Instance norm stays a float island; pads, pixel shuffles and cuts move bytes. Layers that are kept
in float still store 8-bit weights: ONNX Runtime unpacks those once, when the model is loaded.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import CalibrationDataReader, TensorsData, create_calibrator
from onnxruntime.quantization.operators.direct_q8 import QDQDirect8BitOp
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.registry import QDQRegistry

from stylizer.lab.onnx.deploy import HEAD_COLUMNS, HEAD_ROWS
from stylizer.lab.training.sampling import tensor_of
from stylizer.system.pictures import psnr_db

Target = Literal["cpu", "gpu"]
# A pixel shuffle moves values like Reshape does; ONNX Runtime's tools leave it out.
QDQRegistry.setdefault("DepthToSpace", QDQDirect8BitOp)
QUANTIZED_OPS = ("Conv", "Pad", "DepthToSpace", "Slice", "Transpose", "Reshape")
METHODS = ("MinMax", "Entropy", "Percentile 99.9", "Percentile 99.99")
HISTOGRAM_BINS = 1024  # four to a step of the result
ENTROPY_BINS = 128  # that the method compares with, as ONNX Runtime has it


class _Reader(CalibrationDataReader):
    """One frame for ONNX Runtime's calibrators."""

    def __init__(self, frame: np.ndarray) -> None:
        self.frames = [frame]

    def get_next(self) -> dict[str, np.ndarray] | None:  # type: ignore[override]
        return {"input": tensor_of(self.frames.pop())} if self.frames else None


@dataclass(frozen=True)
class Plan:
    """How a graph is quantized: the layers that compute in float, and for whom."""

    ranges: TensorsData
    kept: frozenset[str] = frozenset()
    target: Target = "cpu"


def convolutions(model: onnx.ModelProto) -> list[str]:
    """Names of the convolutions, in the graph's order."""
    return [n.name for n in model.graph.node if n.op_type == "Conv" and n.name != "grade"]


def find_ranges(
    model: onnx.ModelProto, frames: list[np.ndarray], methods: tuple[str, ...] = METHODS
) -> dict[str, TensorsData]:
    """Ranges of all tensors that may become integers, by each method; frames: uint8 (H, W, 3).

    Only what convolutions take and give is looked at: a pad's input has its output's range. All
    but MinMax share one histogram, whose filling takes longest.
    """
    found = {}
    with tempfile.TemporaryDirectory() as folder, _quietly():
        path = Path(folder) / "model.onnx"
        onnx.save(model, str(path))
        if "MinMax" in methods:
            found["MinMax"] = _filled(path, frames, CalibrationMethod.MinMax).compute_data()
        others = [name for name in methods if name != "MinMax"]
        filled: Any = _filled(path, frames, CalibrationMethod.Percentile) if others else None
        for name in others:
            kind, _, percentile = name.partition(" ")
            filled.collector.method = kind.lower()
            filled.collector.percentile = float(percentile or 0)
            filled.collector.num_quantized_bins = ENTROPY_BINS
            found[name] = filled.compute_data()
    for ranges in found.values():
        for node in model.graph.node:
            if node.op_type == "Pad":
                ranges.data[node.input[0]] = ranges[node.output[0]]
    return found


def _filled(path: Path, frames: list[np.ndarray], kind: CalibrationMethod) -> Any:
    """A calibrator that has seen the frames, one by one: it holds all tensors of a frame."""
    options = {"symmetric": False}
    if kind == CalibrationMethod.Percentile:
        options |= {"num_bins": HISTOGRAM_BINS, "percentile": 99.9}
    augmented = str(path.with_name(f"augmented-{kind.name}.onnx"))
    calibrator = create_calibrator(path, ["Conv"], augmented, kind, extra_options=options)
    assert calibrator is not None
    for frame in frames:
        calibrator.collect_data(_Reader(frame))
    return calibrator


def quantized(model: onnx.ModelProto, plan: Plan) -> onnx.ModelProto:
    """The QDQ graph. cpu: uint8 activations, 7-bit weights of int8 per output channel (without
    VNNI, u8 x s8 products are added in pairs and saturate at 16 bits). gpu: int8, symmetric."""
    copy = onnx.shape_inference.infer_shapes(model)
    cpu = plan.target == "cpu"
    pads = {n.input[0] for n in copy.graph.node if n.name in plan.kept}
    excluded = ["grade", *plan.kept, *(n.name for n in copy.graph.node if n.output[0] in pads)]
    with _quietly():
        quantizer = QDQQuantizer(
            copy,
            True,
            cpu,
            QuantType.QInt8,
            QuantType.QUInt8 if cpu else QuantType.QInt8,
            plan.ranges,
            None,
            excluded,
            list(QUANTIZED_OPS),
            {"ActivationSymmetric": not cpu},
        )
        quantizer.quantize_model()
    quantizer.model.topological_sort()
    result = quantizer.model.model
    del result.graph.value_info[:]
    for name in sorted(plan.kept):
        _store_in_bytes(result, f"{name}.weight")
    _store_head_once(result)
    return result


def _store_in_bytes(model: onnx.ModelProto, name: str) -> None:
    """Replace a float weight (O, ...) by int8 with a scale for each output channel."""
    graph = model.graph
    old = next(w for w in graph.initializer if w.name == name)
    values = numpy_helper.to_array(old)
    top = np.abs(values).reshape(len(values), -1).max(axis=1)
    scale = np.maximum(top / 127, 1e-12).astype(np.float32)
    steps = np.rint(values / scale.reshape(-1, *[1] * (values.ndim - 1))).astype(np.int8)
    graph.initializer.remove(old)
    stored = {"_bytes": steps, "_scale": scale, "_zero": np.zeros(len(scale), np.int8)}
    graph.initializer.extend(numpy_helper.from_array(v, name + s) for s, v in stored.items())
    inputs = [name + suffix for suffix in stored]
    node = helper.make_node("DequantizeLinear", inputs, [name], name=f"{name}_unpack", axis=0)
    graph.node.insert(0, node)


def _store_head_once(model: onnx.ModelProto) -> None:
    """Keep one kernel of the last convolution in the file, not its eight copies (84 KB of the
    original's): pads put it at its places, once, when the model is loaded."""
    graph = model.graph
    old = next(
        w for w in graph.initializer if w.name.startswith("deconv3.weight") and len(w.dims) == 4
    )
    wide = numpy_helper.to_array(old)
    k = wide.shape[2] - HEAD_ROWS + 1
    graph.initializer.remove(old)
    once = numpy_helper.from_array(
        wide[: len(wide) // (HEAD_ROWS * HEAD_COLUMNS), :, :k, :k].copy()
    )
    once.name = "head_kernel"
    graph.initializer.append(once)
    nodes = []
    for row in range(HEAD_ROWS):
        for column in range(HEAD_COLUMNS):
            after = [HEAD_ROWS - 1 - row, HEAD_COLUMNS - 1 - column]
            name = f"head_{row}_{column}"
            pads = np.array([0, 0, row, column, 0, 0, *after], np.int64)
            graph.initializer.append(numpy_helper.from_array(pads, f"{name}_pads"))
            nodes.append(helper.make_node("Pad", [once.name, f"{name}_pads"], [name], name=name))
    nodes.append(helper.make_node("Concat", [n.name for n in nodes], [old.name], "head", axis=0))
    for node in reversed(nodes):
        graph.node.insert(0, node)


def session_of(model: onnx.ModelProto | bytes, **options: Any) -> onnxruntime.InferenceSession:
    """A CPU session, for measuring; `options` are set on the session's options."""
    given = onnxruntime.SessionOptions()
    given.log_severity_level = 4
    given.add_session_config_entry("session.intra_op.allow_spinning", "0")
    for name, value in options.items():
        setattr(given, name, value)
    data = model if isinstance(model, bytes) else model.SerializeToString()
    return onnxruntime.InferenceSession(data, given, providers=["CPUExecutionProvider"])


def pictures_of(
    session: onnxruntime.InferenceSession, frames: list[np.ndarray]
) -> list[np.ndarray]:
    """(1, 3, H, W) in 0..255, unclipped, of each uint8 (H, W, 3) frame."""
    return [np.asarray(session.run(None, {"input": tensor_of(f)})[0]) for f in frames]


def fidelity(
    model: onnx.ModelProto | bytes, frames: list[np.ndarray], wanted: list[np.ndarray]
) -> tuple[float, float]:
    """(mean, lowest) PSNR in dB over the frames against the parent's pictures."""
    made = pictures_of(session_of(model), frames)
    values = [psnr_db(a, b) for a, b in zip(made, wanted, strict=True)]
    return float(np.mean(values)), float(min(values))


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the tools' prints and advice."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield
    finally:
        logging.disable(before)
