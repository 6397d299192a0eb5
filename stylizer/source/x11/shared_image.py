"""Memory that we share with the X server: MIT-SHM, the fast way to a drawable's pixels."""

from __future__ import annotations

import ctypes as c

import numpy as np

from stylizer.errors import StylizerError
from stylizer.system.foreign import Signatures, declare
from stylizer.system.x11 import Display
from stylizer.system.xlib import library

BYTE_MASKS = (0xFF, 0xFF00, 0xFF0000)
ALL_PLANES = 0xFFFFFFFF
Z_PIXMAP = 2
IPC_RMID = 0
LIBC: Signatures = {
    "shmat": (c.c_void_p, [c.c_int, c.c_void_p, c.c_int]),
    "shmdt": (c.c_int, [c.c_void_p]),
    "memcmp": (c.c_int, [c.c_void_p, c.c_void_p, c.c_size_t]),
}


class ShmInfo(c.Structure):
    """XShmSegmentInfo."""

    _fields_ = [
        ("shmseg", c.c_ulong), ("shmid", c.c_int), ("shmaddr", c.c_void_p), ("readOnly", c.c_int),
    ]  # fmt: skip


class XImage(c.Structure):
    """The beginning of Xlib's XImage, as far as it is read here."""

    _fields_ = [
        ("width", c.c_int), ("height", c.c_int), ("xoffset", c.c_int), ("format", c.c_int),
        ("data", c.c_void_p), ("byte_order", c.c_int), ("bitmap_unit", c.c_int),
        ("bitmap_bit_order", c.c_int), ("bitmap_pad", c.c_int), ("depth", c.c_int),
        ("bytes_per_line", c.c_int), ("bits_per_pixel", c.c_int),
        ("red_mask", c.c_ulong), ("green_mask", c.c_ulong), ("blue_mask", c.c_ulong),
    ]  # fmt: skip


def shifts_of(image: XImage) -> list[int] | None:
    """How far the upper 8 bits of blue, green and red lie in a pixel's word (10 bits each on 30-bit
    displays); None: its bytes are blue, green, red. Raises StylizerError for other kinds."""
    if image.bits_per_pixel != 32 or image.byte_order != 0:
        raise StylizerError(
            f"the window has {image.bits_per_pixel} bits a pixel; only 32-bit displays can be "
            "captured by themselves, others by --source screen"
        )
    masks = (image.blue_mask, image.green_mask, image.red_mask)
    if not all(mask.bit_count() in (8, 10) for mask in masks):
        raise StylizerError(
            "the window's colors lie in its pixels in a way that is not known "
            f"({', '.join(f'{mask:#x}' for mask in masks)}); use --source screen"
        )
    return None if masks == BYTE_MASKS else [mask.bit_length() - 8 for mask in masks]


class SharedImage:
    """Shared memory that the X server copies a drawable's pixels into."""

    def __init__(self, display: Display, visual: int, depth: int, size: tuple[int, int]) -> None:
        self._display = display
        self._ext = library("Xext")
        self._libc = c.CDLL(None, use_errno=True)
        declare(self._libc, LIBC)
        self.size = size
        self._info = ShmInfo()
        width, height = size
        pointer = self._ext.XShmCreateImage(
            display.pointer, visual, depth, Z_PIXMAP, None, c.byref(self._info), width, height
        )
        if not pointer:
            raise StylizerError("the X server gives no shared image of this window's kind")
        self._image = c.cast(pointer, c.POINTER(XImage))
        image = self._image.contents
        self._shifts = shifts_of(image)
        self._raw = np.empty((0, 0, 4), np.uint8)  # what the last copy was made from, if converted
        self._row = image.bytes_per_line
        image.data = self._share(self._row * height)
        memory = (c.c_ubyte * (self._row * height)).from_address(self._info.shmaddr)
        rows = np.frombuffer(memory, np.uint8).reshape(height, self._row)
        self._pixels = rows[:, : 4 * width].reshape(height, width, 4)

    def _share(self, size: int) -> int:
        """The address of bytes that both sides see. Raises StylizerError where there are none."""
        self._info.shmid = self._libc.shmget(0, size, 0o1600)  # IPC_PRIVATE, create, own use
        if self._info.shmid < 0:
            raise StylizerError(f"no shared memory of {size} bytes: raise the system's shmmax")
        self._info.shmaddr = self._libc.shmat(self._info.shmid, None, 0)
        with self._display.trying() as errors:
            self._ext.XShmAttach(self._display.pointer, c.byref(self._info))
        self._libc.shmctl(self._info.shmid, IPC_RMID, None)  # gone once both have let go of it
        if errors:
            self.close()
            raise StylizerError("the X server cannot share memory with us (a remote display?)")
        return self._info.shmaddr

    def fetch(self, drawable: int, border: int = 0) -> bool:
        """Let the server copy the drawable's pixels here, but for a border of so many pixels that a
        window's pixmap holds around its inside; False when it is gone."""
        with self._display.trying() as errors:
            done = self._ext.XShmGetImage(
                self._display.pointer, drawable, self._image, border, border, ALL_PLANES
            )
        return bool(done) and not errors

    def is_like(self, pixels: np.ndarray) -> bool:
        """Whether what was fetched equals these pixels (0.3 ms at 1280x720 if it does)."""
        if self._shifts is not None:
            pixels = self._raw
        if pixels.shape != self._pixels.shape or not self._pixels.flags.c_contiguous:
            return False
        return not self._libc.memcmp(self._info.shmaddr, pixels.ctypes.data, pixels.nbytes)

    def copy(self) -> np.ndarray:
        """What was fetched, uint8 (height, width, 4) BGRX, the caller's own."""
        if self._shifts is None:
            return self._pixels.copy()
        self._raw = self._pixels.copy()
        words, converted = self._raw.view(np.uint32)[..., 0], np.empty_like(self._raw)
        for channel, shift in enumerate(self._shifts):
            converted[..., channel] = words >> shift  # the lower 8 bits of it
        converted[..., 3] = 255
        return converted

    def close(self) -> None:
        """Give the memory back; may be called twice."""
        if self._image is None:
            return
        self._ext.XShmDetach(self._display.pointer, c.byref(self._info))
        self._display.x.XSync(self._display.pointer, 0)
        self._pixels = np.empty((0, 0, 4), np.uint8)
        self._image.contents.data = None
        self._display.x.XDestroyImage(self._image)
        self._libc.shmdt(self._info.shmaddr)
        self._image = None
