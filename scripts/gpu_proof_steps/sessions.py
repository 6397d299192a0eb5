"""ONNX Runtime's providers: every kind of session, the governor's sizes, memory, WebGPU."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gpu_proof_steps.asked import (
    FAST,
    Missing,
    Partly,
    Result,
    Scale,
    frame_of,
    nvidia,
    style_times,
    timed,
)
from gpu_proof_steps.bound import FILES, Bound

CUDA_KINDS: dict[str, dict[str, str]] = {
    "plain": {},
    "nhwc": {"prefer_nhwc": "1"},
    "graphs": {"enable_cuda_graph": "1"},
    "nhwc, graphs": {"prefer_nhwc": "1", "enable_cuda_graph": "1"},
}


def cuda(kind: str) -> Callable[[Scale], Result]:
    """Every file with some options of the provider."""

    def step(scale: Scale) -> Result:
        found, failed = {}, []
        for told, file in FILES.items():
            for size in scale.sizes[:1] if told == "original" else scale.sizes:
                name = f"{told} {size[0]}x{size[1]}"
                try:
                    bound = Bound(scale, file, size, **CUDA_KINDS[kind])
                    frame = timed(bound.whole, scale.frames)
                    found[name] = {"frame_ms": frame, "run_ms": timed(bound.inside, scale.frames)}
                    bound.check()
                except Missing:
                    raise
                except Exception as error:  # one file that cannot be run leaves the others
                    found[name] = f"{type(error).__name__}: {error}"[:300]
                    failed.append(name)
        if failed:
            raise Partly(f"failed: {', '.join(failed)}", found)
        return found

    return step


def governor(scale: Scale) -> Result:
    """The first and a later run at seven sizes, twice: does a size seen again plan anew?"""
    found: Result = {}
    from stylizer.settings import Settings
    from stylizer.style.opening import open_style

    bound = Bound(scale, FAST, scale.governed[0])
    del bound
    provider = "cpu" if scale.rehearse else "cuda"
    style = open_style(Settings(provider=provider), FAST, scale.governed[0])
    frame = frame_of(scale.governed[0])
    try:
        for turn in ("first", "second"):
            for size in scale.governed:
                style.set_inference_size(size)
                times = [style.style(frame).infer_ms for _ in range(5)]
                name = f"{turn} {size[0]}x{size[1]}"
                found[name] = {"first_ms": times[0], "later_ms": float(np.median(times[1:]))}
    finally:
        style.close()
    return found


def vram(scale: Scale) -> Result:
    """Memory of the GPU with one model loaded, by nvidia-smi."""
    if not nvidia("memory.used") and not scale.rehearse:
        raise Missing("there is no nvidia-smi to ask")
    found: Result = {"before": nvidia("memory.used")}
    for told, file in FILES.items():
        bound = Bound(scale, file, scale.sizes[0])
        bound.whole()
        found[told] = nvidia("memory.used")
        del bound
    return found


def webgpu(scale: Scale) -> Result:
    """Times, and how far its picture is from the CPU's: of the same file, and of the CPU's own."""
    from stylizer.settings import Settings
    from stylizer.style.opening import open_style
    from stylizer.style.providers import PROVIDERS, is_installed
    from stylizer.system.pictures import psnr_db
    from stylizer.system.resources import models_folder

    if not is_installed(PROVIDERS["webgpu"]):
        raise Missing(f"not installed: {PROVIDERS['webgpu'].install}")
    scale = scale.slower
    size, pictures, file = scale.sizes[0], [], FAST
    for provider, name in (("webgpu", FAST), ("cpu", FAST), ("cpu", "the same")):
        style = open_style(Settings(provider=provider), file if name == "the same" else name, size)
        pictures.append(style.style(frame_of(size)).image.rgb())  # type: ignore[union-attr]
        if provider == "webgpu":
            file = str(models_folder() / f"{style.model}.onnx")
        style.close()
    mine, own, same = pictures
    worst = int(np.abs(mine.astype(int) - same).max())
    found: Result = {"psnr_against_cpu_db": psnr_db(mine, own), "largest_difference": worst}
    for size in scale.sizes:
        found["{}x{}".format(*size)] = style_times(scale, "webgpu", size)
    return found
