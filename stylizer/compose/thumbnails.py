"""Small pictures that ImGui shows, by name: each a texture that is kept and written again."""

from __future__ import annotations

import moderngl
import numpy as np
from imgui_bundle import imgui

from stylizer.compose.imgui_renderer import ImguiRenderer
from stylizer.frame import Size


class Thumbnails:
    """One GL context, one thread."""

    def __init__(self, context: moderngl.Context, renderer: ImguiRenderer) -> None:
        self._context, self._renderer = context, renderer
        self._kept: dict[str, tuple[moderngl.Texture, imgui.ImTextureRef]] = {}

    def put(self, name: str, pixels: np.ndarray) -> None:
        """Show uint8 (height, width, 3) RGB under this name from now on."""
        height, width, _ = pixels.shape
        known = self._kept.get(name)
        if known is None or known[0].size != (width, height):
            if known is not None:
                known[0].release()
            texture = self._context.texture((width, height), 3, alignment=1)
            texture.repeat_x = texture.repeat_y = False
            known = self._kept[name] = texture, self._renderer.register(texture)
        known[0].write(np.ascontiguousarray(pixels), alignment=1)

    def references(self) -> dict[str, imgui.ImTextureRef]:
        """What ImGui draws each by."""
        return {name: reference for name, (_, reference) in self._kept.items()}

    def get(self, name: str) -> tuple[Size, imgui.ImTextureRef] | None:
        """Its (width, height) in pixels, and what ImGui draws it by; None where there is none."""
        known = self._kept.get(name)
        return None if known is None else (known[0].size, known[1])

    def release(self) -> None:
        """Free everything; may be called twice."""
        for texture, _ in self._kept.values():
            texture.release()
        self._kept.clear()
