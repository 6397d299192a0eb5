"""The network as OpenGL passes: right, and how fast."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from gpu_proof_steps.asked import FAST, Result, Scale, frame_of, style_times

KINDS: tuple[Any, ...] = ("fragment", "compute", "packed")


def gl_exact(scale: Scale) -> Result:
    """Every bundled fast model at two sizes against whole numbers in numpy, by all shaders."""
    from stylizer.settings import Settings
    from stylizer.style import catalog
    from stylizer.style.gl import drawing
    from stylizer.style.opening import open_style

    reference = importlib.import_module("integer_reference")  # tests/, put on the path there
    models = catalog.bundled(own=False)
    names = [m.name for m in models if (m.tier, m.precision) == ("fast", "int8")]
    found: Result = {}
    for name in names[:2] if scale.small else names:
        for size, way in product(((104, 56), (43, 29)), KINDS):
            drawing.fastest = only(way)  # type: ignore[assignment]
            style: Any = open_style(Settings(provider="gl"), name, size)
            try:
                frame = frame_of(size)
                image = style.style(frame).image.rgb()
                feeds = {"input": style._packer.pack(frame), "canvas": style._canvas.tensor}
                wanted = reference.run(catalog.resolve(name, "gl").path, feeds)
                wanted = style._packer.unpack(wanted).rgb()
            finally:
                style.close()
            wrong = np.abs(image.astype(int) - wanted[: size[1], : size[0]])
            found[f"{name} {size[0]}x{size[1]} {way}"] = int(wrong.max())
    if any(found.values()):
        raise RuntimeError(f"the largest difference of a byte: {found}")
    return {"largest_difference": found}


def only(way: Any) -> Callable[..., Any]:
    """In place of `variants.fastest`: this variant, whichever is faster."""
    from stylizer.style.gl.network import Network

    return lambda context, steps, *rest: (Network(context, steps, way), way)


def gl_variants(scale: Scale) -> Result:
    """Milliseconds of all passes, at each size, by the GPU's own clock."""
    import onnx

    from stylizer.style import catalog
    from stylizer.style.gl.network import Network
    from stylizer.style.gl.reading import read_steps
    from stylizer.style.gl.variants import Trial
    from stylizer.system.gl import standalone_context

    context = standalone_context()
    steps = read_steps(onnx.load(str(catalog.resolve(FAST, "gl").path)))
    both = {way: Network(context, steps, way) for way in KINDS}
    found: Result = {}
    for size in scale.sizes:
        trial = Trial(context, steps, (size[0] // 4, size[1] // 4))
        times_ms = trial.best_ms(list(both.values()))
        found[f"{size[0]}x{size[1]}"] = {w: round(times_ms[n], 3) for w, n in both.items()}
        trial.release()
    context.release()
    return found


def gl_times(scale: Scale) -> Result:
    """The faster passes; pictures that stay on the GPU, and pictures that are read back."""
    from stylizer.style.gl.thread import GlThread
    from stylizer.system.gl import standalone_context

    context = standalone_context()
    shared = GlThread.beside_current()
    found: Result = {"shared": shared.apart or "yes"}
    try:
        for size in scale.sizes:
            found[f"{size[0]}x{size[1]} on the GPU"] = style_times(scale, "gl", size, shared)
            found[f"{size[0]}x{size[1]} read back"] = style_times(scale, "gl", size)
    finally:
        shared.close()
        context.release()
    return found
