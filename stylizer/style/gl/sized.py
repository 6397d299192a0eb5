"""The textures of a network's tensors at one size. GL thread only."""

from __future__ import annotations

import moderngl

from stylizer.frame import Size
from stylizer.style.gl.layout import GROUP, Layout
from stylizer.style.gl.steps import Steps, Tensor


class Sized:
    """Textures of all tensors that steps make, at one size."""

    def __init__(
        self,
        context: moderngl.Context,
        network: Steps,
        layouts: dict[Tensor, Layout],
        blocks: Size,
    ) -> None:
        self.blocks = blocks
        self.textures: dict[Tensor, list[moderngl.Texture]] = {}
        self.targets: dict[Tensor, moderngl.Framebuffer] = {}
        for step in network.steps:
            layout, (width, height) = layouts[step.out], self.size(step.out)
            made = [
                context.texture((width * layout.tiles, height), GROUP, dtype="u1")
                for _ in range(layout.planes)
            ]
            for texture in made:
                texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
            self.textures[step.out] = made
            self.targets[step.out] = context.framebuffer(made)

    def size(self, tensor: Tensor) -> Size:
        """(width, height) of one of its tiles."""
        columns, rows = self.blocks
        return columns // tensor.shrink, rows // tensor.shrink

    def release(self) -> None:
        for target in self.targets.values():
            target.release()
        for texture in (t for made in self.textures.values() for t in made):
            texture.release()
