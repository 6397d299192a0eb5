"""wlr-screencopy (versions 1 to 3): pictures of an output or a part of it, without a dialog, into
shared memory. https://wayland.app/protocols/wlr-screencopy-unstable-v1
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from functools import partial

import numpy as np

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import ChannelOrder, Rect
from stylizer.system.wayland import Display, Proxy
from stylizer.system.wayland_library import Interface, core, interface

Y_INVERT = 1
ORDERS: dict[int, ChannelOrder] = {  # wl_shm.format: ARGB, XRGB, ABGR, XBGR, 8 bits each
    0: "BGRA", 1: "BGRA", 0x34324241: "RGBA", 0x34324258: "RGBA",
}  # fmt: skip


def _protocol() -> Interface:
    output = core("wl_output")
    frame = interface(
        "zwlr_screencopy_frame_v1", 3,
        [("copy", "o", [core("wl_buffer")]), ("destroy", "", []),
         ("copy_with_damage", "2o", [core("wl_buffer")])],
        [("buffer", "uuuu"), ("flags", "u"), ("ready", "uuu"), ("failed", ""),
         ("damage", "2uuuu"), ("linux_dmabuf", "3uuu"), ("buffer_done", "3")],
    )  # fmt: skip
    return interface(
        "zwlr_screencopy_manager_v1", 3,
        [("capture_output", "nio", [frame, output]),
         ("capture_output_region", "nioiiii", [frame, output]), ("destroy", "", [])],
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Copy:
    """uint8 (height, width, 4) of its own memory, when it was shown, and which part was asked."""

    pixels: np.ndarray
    order: ChannelOrder
    at_s: float  # time.perf_counter()
    part: Rect | None


class Screencopy:
    """Pictures of one output, one under way at a time. One thread.

    Raises StylizerError where the compositor has no wlr-screencopy, BadInput for an output that is
    not there.
    """

    def __init__(self, output: str | int | None, cursor: bool) -> None:
        self._display = Display()
        try:
            manager = self._display.bind(_protocol())
            if manager is None:
                raise StylizerError(
                    "the compositor has no wlr-screencopy (GNOME and KDE have not): use "
                    "--source portal"
                )
            self._manager, self._cursor = manager, int(cursor)
            self._output, self.output_name = self._find(output)
            shm = self._display.bind(core("wl_shm"))
            assert shm is not None, "every compositor has shared memory"
            self._shm = shm
        except BaseException:
            self._display.close()
            raise
        self._frame: Proxy | None = None
        self._part: Rect | None = None
        self._shape: tuple[int, int, int, int] | None = None  # format, width, height, stride
        self._memory: mmap.mmap | None = None
        self._buffer: Proxy | None = None
        self._flags = 0
        self._first = True
        self._done: Copy | None = None
        self.failures = 0  # in a row

    def take(self, part: Rect | None, wait_s: float) -> Copy | None:
        """The next picture of a part of the output (None: all of it), or None when nothing has
        changed within this time. Raises StylizerError when the compositor ends."""
        if self._frame is None or self._part != part:
            self._ask(part)
        self._display.read(wait_s)
        done, self._done = self._done, None
        return done

    def close(self) -> None:
        """Disconnect; may be called twice."""
        self._display.close()
        self._memory = None

    def _find(self, wanted: str | int | None) -> tuple[Proxy, str]:
        """An output by its name, or counted from 1; the first without either."""
        names: dict[int, str] = {}
        proxies: list[Proxy] = []
        for number in self._display.all_of("wl_output"):
            proxy = self._display.bind(core("wl_output"), number)
            assert proxy is not None
            proxies.append(proxy)
            proxy.on(name=partial(names.__setitem__, len(proxies) - 1))
        self._display.roundtrip()
        named = [names.get(at, f"output {at + 1}") for at in range(len(proxies))]
        if isinstance(wanted, str) and wanted in named:
            at = named.index(wanted)
        elif wanted is None and proxies:
            at = 0
        elif isinstance(wanted, int) and 1 <= wanted <= len(proxies):
            at = wanted - 1
        else:
            raise BadInput(
                f"there is no monitor {wanted or 1}; there are: "
                + ("; ".join(f"{n}: {name}" for n, name in enumerate(named, 1)) or "none")
            )
        return proxies[at], named[at]

    def _ask(self, part: Rect | None) -> None:
        if self._frame is not None:
            self._frame.destroy()
        self._part, self._flags = part, 0
        if part is None:
            frame = self._manager("capture_output", self._cursor, self._output)
        else:
            place = (part.x, part.y, part.width, part.height)
            frame = self._manager("capture_output_region", self._cursor, self._output, *place)
        self._frame = frame
        frame.on(
            buffer=self._on_buffer, buffer_done=self._copy, flags=self._on_flags,
            ready=self._on_ready, failed=self._on_failed,
        )  # fmt: skip

    def _on_buffer(self, *shape: int) -> None:
        if shape != self._shape:
            self._make_buffer(*shape)
        if self._version() < 3:  # no buffer_done will come
            self._copy()

    def _copy(self) -> None:
        """The first picture at once, later ones when something has changed."""
        with_damage = self._version() >= 2 and not self._first
        assert self._frame is not None
        self._frame("copy_with_damage" if with_damage else "copy", self._buffer)

    def _on_flags(self, flags: int) -> None:
        self._flags = flags

    def _on_ready(self, high: int, low: int, nanoseconds: int) -> None:
        assert self._shape is not None
        assert self._memory is not None
        kind, width, height, stride = self._shape
        rows = np.frombuffer(self._memory, np.uint8, stride * height).reshape(height, stride)
        pixels = rows[:, : width * 4].reshape(height, width, 4)
        pixels = pixels[::-1] if self._flags & Y_INVERT else pixels
        at_s = (high << 32 | low) + nanoseconds / 1e9
        self._done = Copy(pixels.copy(), ORDERS[kind], at_s, self._part)
        self._first, self.failures = False, 0
        self._end_frame()

    def _on_failed(self) -> None:
        self.failures += 1
        self._end_frame()

    def _end_frame(self) -> None:
        if self._frame is not None:
            self._frame.destroy()
        self._frame = None

    def _version(self) -> int:
        return self._display.version_of(self._manager)

    def _make_buffer(self, kind: int, width: int, height: int, stride: int) -> None:
        if kind not in ORDERS:
            raise StylizerError(
                f"the compositor's pictures have a format unknown to us ({kind:#x}): use "
                "--source portal"
            )
        if self._buffer is not None:
            self._buffer.destroy()
        fd = os.memfd_create("stylizer")
        try:
            os.ftruncate(fd, stride * height)
            self._memory = mmap.mmap(fd, stride * height)
            pool = self._shm("create_pool", fd, stride * height)
        finally:
            os.close(fd)
        self._buffer = pool("create_buffer", 0, width, height, stride, kind)
        pool.destroy()
        self._shape = (kind, width, height, stride)
