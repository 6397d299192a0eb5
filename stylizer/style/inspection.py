"""What `models inspect|check` and `doctor` say about models and providers."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, Styled, StyledFrame
from stylizer.settings import Settings
from stylizer.stages import STYLES, open_backend
from stylizer.style import catalog, counting, graph, providers, remembered
from stylizer.style.contract import Fact, Port, Size, StyleModel
from stylizer.style.cutting import without_tile
from stylizer.style.given import Given
from stylizer.style.kin import made_of
from stylizer.style.opening import open_style
from stylizer.style.plausibility import textured_picture
from stylizer.style.probe import load_model
from stylizer.style.vetting import vet
from stylizer.system.pictures import psnr_db

INSPECT_SIZE: Size = (1280, 720)
MIN_DEVIATION = 2.0  # of 255: below it an output counts as constant
CPU_MIN_PSNR_DB = 30.0  # any provider against the CPU: below it colors are visibly off


def inspect(model: str, settings: Settings | None = None) -> dict[str, Any]:
    """The contract of a model (name or path), how each part is known, and its cost.

    Raises BadInput for what is no usable style model.
    """
    path, index = _file(model)
    given = remembered.with_remembered(path, remembered.flags(settings or Settings()))
    vet(path, graph.load(path), _probe_and_count, path, index, given)
    found, proto, macs = _probe_and_count(path, index, given)
    network = without_tile(proto, found.canvas)
    return {
        "model": found.stem,
        "path": str(path),
        "bytes": path.stat().st_size,
        "parameters": counting.parameters(network),
        "macs": macs,
        "macs_size": list(found.padded_size(found.fixed_size or INSPECT_SIZE)),
        "opset": graph.opset(proto),
        "inputs": [_port(t) for t in graph.inputs(proto)],
        "outputs": [_port(t) for t in graph.outputs(proto)],
        "contract": _contract(found),
        "known": {key: {"how": f.how, "why": f.why} for key, f in found.facts.items()},
        "recipe": found.recipe,
        "made_of": made_of(proto) or None,
    }


def _probe_and_count(
    path: Path, index: int, given: Given
) -> tuple[StyleModel, onnx.ModelProto, int | None]:
    """All that inspecting runs: the model, its graph and its MACs."""
    found, proto = load_model(path, index, given)
    macs = counting.macs(without_tile(proto, found.canvas), found, INSPECT_SIZE)
    return found, proto, macs


def check(
    model: str, settings: Settings | None = None, size: Size = INSPECT_SIZE, runs: int = 5
) -> dict[str, Any]:
    """Load, run and judge a model: {"ok", "problems", "infer_ms", ...}; times are medians.

    The provider is the settings'. Sane output: not constant, and near what the CPU gives at a
    small size. Raises BadInput when the model cannot be loaded or run at all.
    """
    settings = settings or Settings()
    path, _ = _file(model)
    vet(path, graph.load(path), _check, path, model, settings, size, 1)
    return _check(path, model, settings, size, runs)


def _check(path: Path, model: str, settings: Settings, size: Size, runs: int) -> dict[str, Any]:
    style = open_style(settings, model, size)
    try:
        frame = textured_frame(size)
        series = [style.style(frame) for _ in range(max(1, runs))]
        styled = _image(series[-1]).rgb()
        seen = list(style.inference_size or size)  # the comparison takes another one
        agreement = _against_cpu(style, settings, model)
    finally:
        style.close()
    problems = []
    if styled.std() < MIN_DEVIATION:
        problems.append("the styled picture is one flat color")
    if agreement is not None and agreement < CPU_MIN_PSNR_DB:
        problems.append(f"{style.provider} and cpu disagree (PSNR {agreement:.1f} dB)")
    return {
        "model": style.model,
        "provider": style.provider,
        "provider_reason": style.provider_reason,
        "size": list(size),
        "inference_size": seen,
        "ok": not problems,
        "problems": problems,
        "infer_ms": float(np.median([s.infer_ms for s in series])),
        "preprocess_ms": float(np.median([s.preprocess_ms for s in series])),
        "runs": len(series),
        "mean": [float(v) for v in styled.reshape(-1, 3).mean(axis=0)],
        "deviation": float(styled.std()),
        "psnr_against_cpu_db": agreement,
    }


def prove_provider(name: str) -> tuple[bool, str]:
    """For `doctor`: (works, in words), by building and running a tiny session."""
    row = providers.PROVIDERS.get(name)
    if row is None:
        raise BadInput(
            f"there is no provider {name!r}; choose one of {', '.join(providers.PROVIDERS)}"
        )
    try:
        providers.candidates(name)
        model, proto = _tiny_integer_model() if row.backend == "gl" else _tiny_model()
        started = time.perf_counter()
        args = (model, proto, row, (32, 16), None)
        style = open_backend(STYLES, "style backend", row.backend, *args)
    except BadInput as error:
        return False, f"{name}: {error}"
    except providers.ProviderProblem as problem:
        fix = problem.fix or row.install
        return False, f"{name}: no session could be built ({problem}); to fix it: {fix}"
    try:
        expected = textured_frame((32, 16))
        difference = np.abs(_image(style.style(expected)).rgb().astype(int) - expected.rgb()).max()
        reason = style.provider_reason
    except StylizerError as error:
        return False, f"{name}: {error}"
    finally:
        style.close()
    if difference > 1:
        return False, f"{name}: ran, but the answer is off by {difference} of 255"
    return (
        True,
        f"{name}: a session was built and ran in {(time.perf_counter() - started) * 1e3:.0f} ms"
        + reason,
    )


def textured_frame(size: Size) -> Frame:
    """The probe's picture as an RGBA frame."""
    rgb = np.rint(textured_picture(size) * 255).astype(np.uint8)
    pixels = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    return Frame(np.ascontiguousarray(pixels), "RGBA", time.perf_counter(), 0)


def _against_cpu(style: Any, settings: Settings, model: str) -> float | None:
    if style.provider == "cpu":
        return None
    size = (256, 144)
    there = _image(style.style(textured_frame(size)))
    reference = open_style(replace(settings, provider="cpu"), model, size)
    here = _image(reference.style(textured_frame(size)))
    reference.close()
    return psnr_db(there.rgb(), here.rgb())


def _image(styled: StyledFrame) -> Styled:
    if styled.image is None:
        raise BadInput("model none styles nothing; name a model, see `models list`")
    return styled.image


def _file(model: str) -> tuple[Path, int]:
    file = catalog.resolve(model, "cpu")
    if file.path is None:
        raise BadInput("model none has no file to inspect; name a model, see `models list`")
    return file.path, file.index


def _port(tensor: graph.Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape)}


def _contract(model: StyleModel) -> dict[str, Any]:
    return {
        "layout": model.layout,
        "output_layout": model.output_layout,
        "range": model.range,
        "output_range": model.output_range,
        "order": model.order,
        "size_multiple": model.size_multiple,
        "fixed_size": list(model.fixed_size) if model.fixed_size else None,
        "styles": model.selector.count if model.selector else 1,
        "roles": {"canvas": model.canvas.name} if model.canvas else {},
        "canvas_tile_px": list(model.canvas.tile.shape[1::-1]) if model.canvas else None,
        "canvas_step": model.canvas.step if model.canvas else None,
        "style": model.style,
        "tier": model.tier,
        "precision": model.precision,
    }


def _tiny_model() -> tuple[StyleModel, Any]:
    """A 1x1 convolution that gives the picture back: every provider has that kernel."""
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(np.eye(3, dtype=np.float32)[:, :, None, None], "w")
    picture = [1, 3, "h", "w"]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, picture) for n in ("x", "y")]
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[1, 1])
    made = helper.make_graph([node], "tiny", ends[:1], ends[1:], [weight])
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    port = Port("x", "float32", 3)
    model = StyleModel(
        Path(__file__),
        "NCHW",
        "NCHW",
        "0..255",
        "0..255",
        "RGB",
        1,
        None,
        port,
        replace(port, name="y"),
        facts={"range": Fact("metadata")},
    )
    return model, proto


def _tiny_integer_model() -> tuple[StyleModel, Any]:
    """The same on blocks of 8-bit integers, as the shaders draw it."""
    from onnx import TensorProto, helper, numpy_helper

    values = {
        "w": np.eye(64, dtype=np.int8)[:, :, None, None],
        "one": np.float32(1),
        "zero": np.uint8(0),
        "none": np.int8(0),
    }
    nodes = [
        helper.make_node("Transpose", ["x"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("DequantizeLinear", ["planes", "one", "zero"], ["floats"]),
        helper.make_node("DequantizeLinear", ["w", "one", "none"], ["weight"]),
        helper.make_node("Conv", ["floats", "weight"], ["same"], kernel_shape=[1, 1]),
        helper.make_node("QuantizeLinear", ["same", "one", "zero"], ["integers"]),
        helper.make_node("Transpose", ["integers"], ["y"], perm=[0, 2, 3, 1]),
    ]
    blocks = [1, "rows", "columns", 64]
    ends = [helper.make_tensor_value_info(n, TensorProto.UINT8, blocks) for n in ("x", "y")]
    weights = [numpy_helper.from_array(np.array(v), n) for n, v in values.items()]
    made = helper.make_graph(nodes, "tiny", ends[:1], ends[1:], weights)
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    float_model, _ = _tiny_model()
    port = Port("x", "uint8", 4)
    blocks4: dict[str, Any] = {"layout": "blocks4", "output_layout": "blocks4"}
    model = replace(
        float_model, size_multiple=4, input=port, output=replace(port, name="y"), **blocks4
    )
    return model, proto


__all__ = [
    "check",
    "inspect",
    "prove_provider",
    "textured_frame",
]
