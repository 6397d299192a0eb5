"""Pictures on their way into OpenGL: one texture each, of whatever size and kind comes.

Lives on the thread of the GL context that it is given.
"""

from __future__ import annotations

import sys

import moderngl
import numpy as np

from stylizer.frame import Frame, GpuPicture


def swizzle_of(frame: Frame) -> str:
    """The order in which a texture of the frame's pixels has red, green, blue and an opaque 1."""
    return "BGR1" if frame.channel_order == "BGRA" else "RGB1"


def pack_planes(planes: np.ndarray, packed: np.ndarray) -> np.ndarray:
    """uint8 (3, height, width) RGB -> uint8 (height, width, 4) RGBA with alpha 0, over `packed`.

    `packed` is uint32 (height, width), reused from image to image. Whole words shifted together
    take 0.65 ms at 1280x720, the transpose with an alpha channel 0.9 ms, without one 6 ms.
    """
    red, green, blue = planes
    np.copyto(packed, blue)
    for plane in (green, red):
        np.left_shift(packed, 8, out=packed)
        np.bitwise_or(packed, plane, out=packed)
    pixels = packed if sys.byteorder == "little" else packed.byteswap()
    return pixels.view(np.uint8).reshape(*packed.shape, 4)


def borrowed(context: moderngl.Context, picture: GpuPicture) -> moderngl.Texture:
    """A texture of another context that shares with this one."""
    return context.external_texture(picture.name, picture.size, 4, 0, "f1")


class Picture:
    """One texture that takes the size and kind of what is put into it."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._texture: moderngl.Texture | moderngl.TextureArray | None = None
        self._framebuffer: moderngl.Framebuffer | None = None  # to copy from
        self._kind: tuple[int, ...] = ()
        self.borrowed = False
        self.planar = False

    def put(self, pixels: np.ndarray, swizzle: str) -> int:
        """Upload uint8 (height, width, 3 or 4); returns the bytes sent.

        Rows are tightly packed (alignment=1): RGB rows of odd widths are no multiple of 4 bytes.
        """
        height, width, channels = pixels.shape
        if self._kind != (width, height, channels):
            self.release()
            texture = self._context.texture((width, height), channels, alignment=1)
            texture.repeat_x = texture.repeat_y = False
            self._texture, self._kind, self.planar = texture, (width, height, channels), False
        assert isinstance(self._texture, moderngl.Texture)
        if self._texture.swizzle != swizzle:
            self._texture.swizzle = swizzle
        self._texture.write(pixels, alignment=1)
        return pixels.nbytes

    def put_planes(self, planes: np.ndarray) -> int:
        """Upload uint8 (3, height, width) as it lies in memory; returns the bytes sent.

        Layers of an array texture, not one tall texture: linear filtering then cannot mix the last
        row of red with the first of green, and the driver's size limit counts once, not thrice.
        """
        _, height, width = planes.shape
        if self._kind != (width, height, 3, 1):
            self.release()
            layers = self._context.texture_array((width, height, 3), 1, alignment=1)
            layers.repeat_x = layers.repeat_y = False
            self._texture, self._kind, self.planar = layers, (width, height, 3, 1), True
        assert isinstance(self._texture, moderngl.TextureArray)
        self._texture.write(planes, alignment=1)
        return planes.nbytes

    def borrow(self, picture: GpuPicture) -> None:
        """Be a texture that belongs to another context which shares with this one."""
        self.release()
        self._texture = borrowed(self._context, picture)
        self.borrowed, self.planar = True, False

    def use(self, unit: int) -> None:
        assert self._texture is not None
        self._texture.use(unit)

    def copy_to(self, framebuffer: moderngl.Framebuffer) -> None:
        """Put it onto a framebuffer of its size as it lies: at 1280x720 on llvmpipe 0.1 ms, where a
        pass takes 3 (CPU time)."""
        if self._framebuffer is None:
            assert isinstance(self._texture, moderngl.Texture)
            self._framebuffer = self._context.framebuffer([self._texture])
        self._context.copy_framebuffer(framebuffer, self._framebuffer)

    def release(self) -> None:
        if self._framebuffer is not None:
            self._framebuffer.release()
        if self._texture is not None and not self.borrowed:
            self._texture.release()
        self._framebuffer, self._texture, self._kind = None, None, ()
        self.borrowed = False
