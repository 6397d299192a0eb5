"""Widths of the fast tier side by side, untrained: what each costs a frame, packing included.

    python bench/fast_layouts.py --size 1280x720 --rounds 20

Named by channels at a quarter of the frame's size, and at an eighth, times the residual blocks.
Interleaved rounds, ONNX Runtime's CPU provider, the canvas at rest. Weights are random: only the
layout is measured. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from stylizer.frame import Frame
from stylizer.lab.nets.fake_quant import observe
from stylizer.lab.nets.fast import FastArch, FastNetwork
from stylizer.lab.nets.registry import ARCHS
from stylizer.lab.onnx.export import export_onnx
from stylizer.lab.onnx.fast_export import beside
from stylizer.settings import Settings
from stylizer.style.opening import open_style
from stylizer.system.machine import machine
from stylizer.timing import percentile

SHIPPED = ARCHS["fast"]
assert isinstance(SHIPPED, FastArch)
WIDE = replace(SHIPPED, inner=())
LAYOUTS = [
    replace(SHIPPED, name="24, 48 x 4, 24 inside each block (as trained)"),
    replace(SHIPPED, name="16, 48 x 4, 24 inside", stem=16),
    replace(SHIPPED, name="32, 48 x 4, 24 inside", stem=32),
    replace(SHIPPED, name="24, 32 x 4, 24 inside", body=32),
    replace(SHIPPED, name="24, 64 x 4, 24 inside", body=64),
    replace(SHIPPED, name="24, 48 x 4, 16 inside", inner=(16,) * 4),
    replace(SHIPPED, name="24, 48 x 4, 32 inside", inner=(32,) * 4),
    replace(SHIPPED, name="24, 48 x 3, 24 inside", blocks=3, inner=(24,) * 3),
    replace(SHIPPED, name="24, 48 x 6, 24 inside", blocks=6, inner=(24,) * 6),
    replace(WIDE, name="24, 48 x 4, all inside"),
    replace(WIDE, name="24, 48 x 2, all inside", blocks=2),
]


def built(arch: FastArch, folder: Path) -> Path:
    """The integer file of an untrained network."""
    torch.manual_seed(0)
    network = FastNetwork(arch)
    observe(network, True)
    with torch.no_grad():
        network(torch.rand(1, 3, 192, 192))
    contract = {"layout": "NCHW", "range": "0..255", "order": "RGB", "size_multiple": 8}
    path = folder / f"layout{len(list(folder.iterdir()))}.onnx"
    export_onnx(network, path, contract, {})
    return beside(path, "int8")


def main() -> None:
    parser = argparse.ArgumentParser(description="milliseconds a frame of the fast tier's layouts")
    parser.add_argument("--size", default="1280x720", help="WxH in pixels")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=3)
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    rng = np.random.default_rng(0)
    frame = Frame(rng.integers(0, 256, (height, width, 4), np.uint8), "RGBA", 0.0, 0)
    with tempfile.TemporaryDirectory() as folder:
        paths = [built(arch, Path(folder)) for arch in LAYOUTS]
        styles = [open_style(Settings(provider="cpu"), str(p), (width, height)) for p in paths]
        times: list[list[tuple[float, float]]] = [[] for _ in LAYOUTS]
        for number in range(options.warmup + options.rounds):
            print(f"round {number}", end="\r", file=sys.stderr)
            for series, style in zip(times, styles, strict=True):
                started = time.perf_counter()
                infer_ms = style.style(frame).infer_ms
                if number >= options.warmup:
                    series.append((infer_ms, (time.perf_counter() - started) * 1000))
        facts = machine("")
        print(f"{facts['cpu']}, {facts['cores']} cores, {options.size}, {options.rounds} rounds\n")
        print("| layout | weights | GMAC | network p50 ms | with packing p50 ms |")
        print("|---|---|---|---|---|")
        for arch, series in zip(LAYOUTS, times, strict=True):
            weights = sum(p.numel() for p in FastNetwork(arch).parameters())
            infer, whole = ([pair[i] for pair in series] for i in (0, 1))
            print(
                f"| {arch.name} | {weights:,} | {gmac(arch, width, height):.2f} "
                f"| {percentile(infer, 50):.1f} | {percentile(whole, 50):.1f} |"
            )


def gmac(arch: FastArch, width: int, height: int) -> float:
    """Multiplications of one frame, by PyTorch's own layers."""
    total = 0

    def note(module: torch.nn.Conv2d, _: object, output: torch.Tensor) -> None:
        nonlocal total
        kernel = module.kernel_size[0] * module.kernel_size[1] * module.in_channels // module.groups
        total += output.numel() * kernel

    network = FastNetwork(arch)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(note)
    with torch.no_grad():
        network(torch.zeros(1, 3, height // 8 * 8, width // 8 * 8))
    return total / 1e9


if __name__ == "__main__":
    main()
