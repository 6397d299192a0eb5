"""What the two ways of copying a compositor's pictures share: a monitor by its name, a buffer in
shared memory, and the picture that comes."""

from __future__ import annotations

import mmap
import os
import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from stylizer.errors import BadInput
from stylizer.frame import ChannelOrder, Rect, Size
from stylizer.source.wayland.picture import Picture
from stylizer.system.wayland import Display, Proxy
from stylizer.system.wayland_library import core

ORDERS: dict[int, ChannelOrder] = {  # wl_shm.format: ARGB, XRGB, ABGR, XBGR, 8 bits each
    0: "BGRA", 1: "BGRA", 0x34324241: "RGBA", 0x34324258: "RGBA",
}  # fmt: skip
FLIPPED = 4  # of a wl_output.transform; the rest counts quarter turns
STALE_S = 1.0  # a picture's own time further from now is no time of our clock


class SharedBuffer:
    """A wl_buffer that we can read. kind: a wl_shm.format of ORDERS; stride: bytes of a row."""

    def __init__(self, shm: Proxy, kind: int, width: int, height: int, stride: int) -> None:
        self.shape = kind, width, height, stride
        fd = os.memfd_create("stylizer")
        try:
            os.ftruncate(fd, stride * height)
            self._memory = mmap.mmap(fd, stride * height)
            pool = shm("create_pool", fd, stride * height)
        finally:
            os.close(fd)
        self.proxy: Proxy = pool("create_buffer", 0, width, height, stride, kind)
        pool.destroy()

    def copy(self, at_s: float, transform: int, upside_down: bool = False) -> Picture:
        """What the compositor put into it, as it is seen; transform: of the monitor."""
        kind, width, height, stride = self.shape
        rows = np.frombuffer(self._memory, np.uint8, stride * height).reshape(height, stride)
        pixels = rows[:, : width * 4].reshape(height, width, 4)
        pixels = upright(pixels[::-1] if upside_down else pixels, transform)
        return Picture(pixels.copy(), ORDERS[kind], at_s)

    def close(self) -> None:
        """Free the compositor's part of it."""
        self.proxy.destroy()


@dataclass(eq=False)
class Output:
    """A monitor. transform: how it is turned, a wl_output.transform; it may change."""

    proxy: Proxy
    name: str
    transform: int = 0


def find_output(display: Display, wanted: str | int | None) -> Output:
    """A monitor by its name, or counted from 1; the first without either. Raises BadInput where it
    is not there."""
    found: list[Output] = []
    for number in display.all_of("wl_output"):
        proxy = display.bind(core("wl_output"), number)
        assert proxy is not None
        found.append(one := Output(proxy, f"output {len(found) + 1}"))
        proxy.on(name=partial(setattr, one, "name"), geometry=partial(_turn, one))
    display.roundtrip()
    for at, one in enumerate(found, 1):
        if wanted in (None, at, one.name):
            return one
    raise BadInput(
        f"there is no monitor {wanted or 1}; there are: "
        + ("; ".join(f"{n}: {one.name}" for n, one in enumerate(found, 1)) or "none")
    )


def _turn(output: Output, *values: int) -> None:
    """wl_output.geometry, whose last value is the transform."""
    output.transform = values[-1]


def upright(pixels: np.ndarray, transform: int) -> np.ndarray:
    """A picture as it is seen on a monitor that is turned; a view."""
    turned = np.rot90(pixels, -(transform & 3))
    return turned[:, ::-1] if transform & FLIPPED else turned


def cut(picture: Picture, inside: Rect, monitor: Size) -> Picture | None:
    """A part of a monitor's picture, None where all of it is outside; inside and monitor are in
    logical units, of which one may be several pixels."""
    height, width, _ = picture.pixels.shape
    across, down = width / monitor[0], height / monitor[1]
    x, right = (max(round(side * across), 0) for side in (inside.x, inside.x + inside.width))
    y, below = (max(round(side * down), 0) for side in (inside.y, inside.y + inside.height))
    pixels = picture.pixels[y:below, x:right]
    return replace(picture, pixels=pixels.copy()) if pixels.size else None


def shown_at_s(high: int, low: int, nanoseconds: int) -> float:
    """A time of the compositor's, by time.perf_counter(); now, where it tells no such time."""
    now_s, at_s = time.perf_counter(), (high << 32 | low) + nanoseconds / 1e9
    return at_s if abs(now_s - at_s) < STALE_S else now_s
