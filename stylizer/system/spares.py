"""Textures that are drawn into, lent to other contexts, and used again when they come back."""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import dataclass

import moderngl

from stylizer.frame import GpuPicture, Size

SPARE = 2  # left alone a while: the presenter's last draws may still read them


@dataclass(frozen=True, eq=False)
class Target:
    """A texture and the framebuffer that draws into it."""

    texture: moderngl.Texture
    framebuffer: moderngl.Framebuffer

    def release(self) -> None:
        self.framebuffer.release()
        self.texture.release()


class Spares:
    """Textures that nobody looks at any more, the oldest first. On the thread of the context, but
    for `put`."""

    def __init__(self) -> None:
        self._there: deque[Target] = deque()

    def put(self, target: Target) -> None:
        """From any thread."""
        self._there.append(target)

    def take(
        self,
        context: moderngl.Context,
        size: Size,
        channels: int,
        depth: moderngl.Renderbuffer | None = None,
    ) -> Target:
        """One to draw into; a new one has this depth buffer."""
        while len(self._there) > SPARE:
            target = self._there.popleft()
            if (target.texture.size, target.texture.components) == (size, channels):
                return target
            target.release()
        texture = context.texture(size, channels, alignment=1)
        texture.repeat_x = texture.repeat_y = False
        return Target(texture, context.framebuffer([texture], depth))

    def lent(self, target: Target) -> GpuPicture:
        """Its texture for another context: the target comes back when nobody holds this object."""
        picture = GpuPicture(target.texture.glo, target.texture.size)
        weakref.finalize(picture, self.put, target)
        return picture

    def release(self) -> None:
        """Free what is there; may be called twice."""
        while self._there:
            self._there.popleft().release()
