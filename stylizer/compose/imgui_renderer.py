"""Draws Dear ImGui's draw data with moderngl: OpenGL 3.3 core, no other binding, no window.

After imgui_impl_opengl3 of Dear ImGui 1.92, whose textures grow while it runs: each frame's draw
data says which to make, change or free (`ImTextureData.status`).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np
from imgui_bundle import imgui

from stylizer.system.resources import shader

_INDEX = np.dtype(f"u{imgui.INDEX_SIZE}")
_UNIT = 0


@dataclass(frozen=True)
class _Command:
    """A run of triangles with one texture, cut to a rectangle (left, top, right, bottom)."""

    texture: int
    clip: tuple[int, int, int, int]
    first: int
    count: int


class ImguiRenderer:
    """Takes draw data once and draws it as often as wished.

    The ImGui context whose draw data it takes must be current when it is made, and when it takes.
    """

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._program = context.program(
            vertex_shader=shader("hud.vert"), fragment_shader=shader("hud.frag")
        )
        self._program["atlas"] = _UNIT
        self._textures: dict[int, moderngl.Texture] = {}
        self._commands: list[_Command] = []
        self._buffers: tuple[moderngl.Buffer, moderngl.Buffer, moderngl.VertexArray] | None = None
        imgui.get_io().backend_flags |= imgui.BackendFlags_.renderer_has_textures
        platform: Any = imgui.get_platform_io()
        platform.renderer_texture_max_width = context.info["GL_MAX_TEXTURE_SIZE"]
        platform.renderer_texture_max_height = context.info["GL_MAX_TEXTURE_SIZE"]

    def take(self, data: imgui.ImDrawData) -> None:
        """Copy what `imgui.render()` made, after changing the textures as it asks."""
        for texture in imgui.get_platform_io().textures:
            if texture.status != imgui.ImTextureStatus.ok:
                self._change_texture(texture)
        vertices, indices, self._commands = [], [], []
        vertex_count = index_count = 0
        for part in data.cmd_lists:
            vertices.append(_memory(part.vtx_buffer, imgui.VERTEX_SIZE))
            own = np.frombuffer(_memory(part.idx_buffer, imgui.INDEX_SIZE), _INDEX)
            indices.append(own.astype(np.uint32) + vertex_count)
            self._commands += _commands(part, index_count)
            vertex_count += part.vtx_buffer.size()
            index_count += part.idx_buffer.size()
        self._release_buffers()
        if index_count:
            self._buffers = self._upload(b"".join(vertices), np.concatenate(indices))

    def draw(self, framebuffer: moderngl.Framebuffer) -> None:
        """Draw what was taken over the whole framebuffer, its own alpha left alone."""
        if self._buffers is None:
            return
        width, height = framebuffer.size
        context: Any = self._context  # its stub knows no separate blend function for alpha
        framebuffer.use()
        framebuffer.viewport = (0, 0, width, height)
        context.enable_only(moderngl.BLEND)
        context.blend_func = (
            moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA,
            moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA,
        )  # fmt: skip
        self._program["size"] = width, height
        for command in self._commands:
            left, top, right, bottom = command.clip
            left, top = max(left, 0), max(top, 0)
            right, bottom = min(right, width), min(bottom, height)
            if right > left and bottom > top:
                context.scissor = left, height - bottom, right - left, bottom - top
                self._textures[command.texture].use(_UNIT)
                self._buffers[2].render(vertices=command.count, first=command.first)
        context.scissor = None
        context.enable_only(moderngl.NOTHING)

    def register(self, texture: moderngl.Texture) -> imgui.ImTextureRef:
        """Let ImGui draw a texture of ours, which stays its owner's to free, after `take` has been
        called without it."""
        self._textures[texture.glo] = texture
        return imgui.ImTextureRef(texture.glo)

    def release(self) -> None:
        """Free everything; the ImGui context must be current and is to be destroyed next."""
        for texture in imgui.get_platform_io().textures:
            if texture.ref_count == 1:
                self._free_texture(texture)
        self._release_buffers()
        self._program.release()

    def _upload(
        self, vertices: bytes, indices: np.ndarray
    ) -> tuple[moderngl.Buffer, moderngl.Buffer, moderngl.VertexArray]:
        vertex_buffer, index_buffer = self._context.buffer(vertices), self._context.buffer(indices)
        layout = [(vertex_buffer, "2f 2f 4f1", "position", "uv", "color")]
        array = self._context.vertex_array(self._program, layout, index_buffer)
        return vertex_buffer, index_buffer, array

    def _change_texture(self, texture: imgui.ImTextureData) -> None:
        size = texture.width, texture.height
        if texture.status == imgui.ImTextureStatus.want_destroy:
            if texture.unused_frames > 0:
                self._free_texture(texture)
            return
        # The atlas is small and grows rarely: it is sent whole rather than rectangle by rectangle.
        pixels = np.ascontiguousarray(texture.get_pixels_array())
        if texture.status == imgui.ImTextureStatus.want_create:
            made = self._context.texture(size, 4, pixels, alignment=1)
            made.repeat_x = made.repeat_y = False
            self._textures[made.glo] = made
            texture.set_tex_id(made.glo)
        elif texture.status == imgui.ImTextureStatus.want_updates:
            self._textures[texture.get_tex_id()].write(pixels, alignment=1)
        texture.set_status(imgui.ImTextureStatus.ok)

    def _free_texture(self, texture: imgui.ImTextureData) -> None:
        known = self._textures.pop(texture.get_tex_id(), None)
        if known is not None:
            known.release()
        texture.set_tex_id(0)
        texture.set_status(imgui.ImTextureStatus.destroyed)

    def _release_buffers(self) -> None:
        if self._buffers is not None:
            for thing in reversed(self._buffers):
                thing.release()
        self._buffers = None


def _memory(vector: Any, item_size: int) -> bytes:
    """A copy of an ImVector's items."""
    return ctypes.string_at(vector.data_address(), vector.size() * item_size)


def _commands(part: imgui.ImDrawList, first: int) -> list[_Command]:
    commands = []
    for command in part.cmd_buffer:
        if command.elem_count:
            box = command.clip_rect
            clip = (int(box.x), int(box.y), int(box.z), int(box.w))
            start = first + command.idx_offset
            commands.append(_Command(command.get_tex_id(), clip, start, command.elem_count))
    return commands
