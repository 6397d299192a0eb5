"""How fast a training goes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gpu_proof_steps.asked import ROOT, Result, Scale, frame_of

VGG_SHAPES = {
    0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256),
    14: (256, 256), 17: (512, 256), 19: (512, 512), 21: (512, 512),
}  # fmt: skip


def training(scale: Scale) -> Result:
    """Steps a second: two trainings from random weights, one longer; the difference counts."""
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    steps = (2, 6) if scale.small else (20, 120)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "content").mkdir()
        for n in range(8):
            Image.fromarray(frame_of((512, 320), n).pixels[..., :3]).save(
                folder / f"content/{n}.png"
            )
        weights = {}
        for index, shape in VGG_SHAPES.items():
            scale_of = (2 / (shape[1] * 9)) ** 0.5
            weights[f"features.{index}.weight"] = torch.randn(*shape, 3, 3) * scale_of
            weights[f"features.{index}.bias"] = torch.zeros(shape[0])
        save_file(weights, str(folder / "vgg.safetensors"))
        vgg = scale.vgg or folder / "vgg.safetensors"
        times = [trained_s(folder, vgg, count, scale.small) for count in steps]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    each = (times[1] - times[0]) / (steps[1] - steps[0])
    return {"device": device, "steps": steps, "seconds": times, "step_ms": round(each * 1000, 1)}


def trained_s(folder: Path, vgg: Path, steps: int, small: bool) -> float:
    words = ["--style", str(folder / "content/0.png"), "--content", str(folder / "content")]
    words += [
        "--arch",
        "small",
        "--vgg",
        str(vgg),
        "--out",
        str(folder / f"made-{steps}-small.onnx"),
    ]
    words += ["--steps", str(steps), "--style-size", "96" if small else "512", "--init", "none"]
    words += ["--batch", "1" if small else "4", "--crop", "64x64" if small else "256x256"]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "train", *words],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-1000:])
    return round(time.perf_counter() - started, 2)
