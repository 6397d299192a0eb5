"""PyTorch's own quantization (PT2E, in torchao) and its ONNX export, as they are today.

    pip install torchao onnxscript
    python bench/pt2e.py MODEL.onnx FRAMES

Prints each step with its outcome. FRAMES: a folder or a video; the last frame is measured on.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from stylizer.lab.onnx.export import load_network
from stylizer.lab.training.sampling import sample_frames, tensor_of
from stylizer.system.pictures import psnr_db

SIZE = (320, 180)  # (width, height)
RUNS = 5
PICTURES: list[torch.Tensor] = []  # the last one is not calibrated on


def picture(number: int) -> torch.Tensor:
    return PICTURES[number % len(PICTURES)]


def step(name: str, work, *args):
    """Run one step and print how it went; None where it fails."""
    started = time.perf_counter()
    try:
        result = work(*args)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())[:400]
        print(f"FAILED  {name}: {type(error).__name__} in {Path(where.filename).name}: {text}")
        return None
    print(f"ok      {name} ({time.perf_counter() - started:.1f} s)")
    return result


def quantized(network: torch.nn.Module) -> torch.nn.Module:
    from torchao.quantization.pt2e.quantize_pt2e import (  # pyright: ignore[reportMissingImports]
        convert_pt2e,
        prepare_pt2e,
    )
    from torchao.quantization.pt2e.quantizer import (  # pyright: ignore[reportMissingImports]
        x86_inductor_quantizer as x86,
    )

    exported = torch.export.export(network, (picture(0),)).module()
    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(exported, quantizer)
    for number in range(len(PICTURES) - 1):
        prepared(picture(number))
    return convert_pt2e(prepared)


def fidelity(network: torch.nn.Module, made) -> float:
    with torch.no_grad():
        return psnr_db(network(picture(-1)).numpy() * 255, np.asarray(made(picture(-1))) * 255)


def milliseconds(*runs) -> list[float]:
    """Least time of each over interleaved rounds."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(RUNS):
        for series, work in zip(times, runs, strict=True):
            started = time.perf_counter()
            work(picture(-1))
            series.append((time.perf_counter() - started) * 1000)
    return [min(series) for series in times]


def exported(module: torch.nn.Module, path: Path) -> Path:
    torch.onnx.export(module, (picture(0),), str(path), dynamo=True, external_data=False)
    return path


def in_onnxruntime(path: Path):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    session.run(None, {name: picture(0).numpy()})
    return lambda x: session.run(None, {name: x.numpy()})[0]


def export(network: torch.nn.Module, made: torch.nn.Module) -> None:
    """What it is as an ONNX file, and what ONNX Runtime makes of that."""
    with tempfile.TemporaryDirectory() as folder:
        path = step("torch.onnx.export of it", exported, made, Path(folder) / "made.onnx")
        if path is None:
            return
        import onnx

        kinds: dict[str, int] = {}
        for node in onnx.load(str(path)).graph.node:
            kinds[f"{node.domain}::{node.op_type}"] = (
                kinds.get(f"{node.domain}::{node.op_type}", 0) + 1
            )
        print(f"        {path.stat().st_size:,} bytes;", kinds)
        run = step("a session of ONNX Runtime", in_onnxruntime, path)
        float_path = exported(network, Path(folder) / "float.onnx")
        if run is not None:
            print(f"        PSNR to float in ONNX Runtime: {fidelity(network, run):.1f} dB")
            plain, integer = milliseconds(in_onnxruntime(float_path), run)
            print(f"        ONNX Runtime: float {plain:.0f} ms, quantized {integer:.0f} ms a frame")


def main() -> None:
    for name in ("torch", "torchao", "onnxscript", "onnxruntime-gpu", "onnxruntime"):
        try:
            print(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            print(name, "is not installed")
    network = load_network(Path(sys.argv[1]))
    frames = sample_frames(Path(sys.argv[2]), 9, SIZE)
    PICTURES.extend(torch.from_numpy(tensor_of(f) / 255) for f in frames)
    step(
        "torch.ao.quantization's PT2E (where it was)",
        __import__,
        "torch.ao.quantization.quantize_pt2e",
    )
    made = step("PT2E static quantization by torchao", quantized, network)
    if made is None:
        return
    print(
        "        PSNR to float inside PyTorch: "
        f"{fidelity(network, lambda x: made(x).detach()):.1f} dB"
    )
    with torch.no_grad():
        plain, eager = milliseconds(network, made)
    print(f"        eager: float {plain:.0f} ms, quantized {eager:.0f} ms a frame at 320x180")
    export(network, made)


if __name__ == "__main__":
    main()
