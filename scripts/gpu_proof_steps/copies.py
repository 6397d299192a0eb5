"""Pictures over the bus and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu_proof_steps.asked import FAST, Missing, Result, Scale, frame_of, timed
from gpu_proof_steps.bound import Bound


def copies(scale: Scale) -> Result:
    """A picture of four bytes a pixel over the bus and back: OpenGL's way and ONNX Runtime's."""
    from stylizer.system.gl import standalone_context

    context, found = standalone_context(), {}
    for size in scale.sizes:
        pixels = frame_of(size).pixels
        texture = context.texture(size, 4, alignment=1)
        into = np.empty_like(pixels)
        name = f"{size[0]}x{size[1]}"

        def up(texture: Any = texture, pixels: np.ndarray = pixels) -> None:
            texture.write(pixels, alignment=1)
            context.finish()

        found[f"{name} gl up"] = timed(up, scale.frames)
        found[f"{name} gl down"] = timed(
            lambda t=texture, b=into: t.read_into(b, alignment=1), scale.frames
        )
    context.release()
    return found | cuda_copies(scale)


def cuda_copies(scale: Scale) -> Result:
    found: Result = {}
    for size in scale.sizes:
        try:
            bound = Bound(scale, f"{FAST}-int8", size)
        except Missing as reason:
            return {"cuda": str(reason)}
        name = f"{size[0]}x{size[1]}"
        found[f"{name} cuda up"] = timed(
            lambda b=bound: b.given.update_inplace(b.tensor), scale.frames
        )
        found[f"{name} cuda down"] = timed(lambda b=bound: b.result.numpy(), scale.frames)
        found |= {} if scale.rehearse else page_locked_copies(scale, bound, name)
    return found


def page_locked_copies(scale: Scale, bound: Bound, name: str) -> Result:
    """The same by memory that CUDA copies directly, and that what arrives is what was sent."""
    from stylizer.system.page_locked import PageLocked

    memory = PageLocked()
    given = memory.empty(bound.tensor.shape)
    given[...] = bound.tensor
    there, shape = bound.given.data_ptr(), bound.tensor.shape
    found = {
        f"{name} cuda up, page-locked": timed(
            lambda: bound.given.update_inplace(given), scale.frames
        ),
        f"{name} cuda down, page-locked": timed(lambda: memory.fetch(there, shape), scale.frames),
    }
    if not np.array_equal(memory.fetch(there, shape), bound.tensor):
        raise RuntimeError("what came back by page-locked memory is not what was sent")
    return found
