"""The synthetic picture in a native Wayland window, each frame with its number and time burned in.

`wayland_window.py TITLE WIDTH HEIGHT FPS`; says "ready" when it is on the screen. Commands on
standard input: `still` (stop drawing), `draw`, `size W H` (draw at this size), `title T`, `close`
and `open` (the window), `quit`. Shared memory, no GL: what it draws is what a test knows.
"""

from __future__ import annotations

import mmap
import os
import select
import sys
import time
from collections.abc import Iterator

import numpy as np

from stylizer.settings import Settings
from stylizer.source.synthetic import SyntheticSource, burn_time
from stylizer.system.wayland import Display, Proxy
from stylizer.system.wayland_library import core, interface

XRGB8888, BUFFERS = 1, 3
# The few requests of xdg-shell (stable, version 1) that a window needs; the rest keep their places.
TOPLEVEL = interface(
    "xdg_toplevel", 1,
    [("destroy", "", []), ("set_parent", "?o", []), ("set_title", "s", []),
     ("set_app_id", "s", [])],
    [("configure", "iia"), ("close", "")],
)  # fmt: skip
SURFACE = interface(
    "xdg_surface", 1,
    [("destroy", "", []), ("get_toplevel", "n", [TOPLEVEL]), ("get_popup", "", []),
     ("set_window_geometry", "iiii", []), ("ack_configure", "u", [])],
    [("configure", "u")],
)  # fmt: skip
BASE = interface(
    "xdg_wm_base", 1,
    [("destroy", "", []), ("create_positioner", "", []),
     ("get_xdg_surface", "no", [SURFACE, core("wl_surface")]), ("pong", "u", [])],
    [("ping", "u")],
)  # fmt: skip


class Picture:
    """Buffers of one size in shared memory."""

    def __init__(self, display: Display, shm: Proxy, size: tuple[int, int]) -> None:
        self.size = size
        width, height = size
        fd = os.memfd_create("window")
        os.ftruncate(fd, width * height * 4 * BUFFERS)
        self.memory = mmap.mmap(fd, width * height * 4 * BUFFERS)
        pool = shm("create_pool", fd, width * height * 4 * BUFFERS)
        os.close(fd)
        self.free: list[int] = list(range(BUFFERS))
        self.buffers = [
            pool("create_buffer", i * width * height * 4, width, height, width * 4, XRGB8888)
            for i in range(BUFFERS)
        ]
        for i, buffer in enumerate(self.buffers):
            buffer.on(release=lambda i=i: self.free.append(i))
        pool.destroy()
        self.source = SyntheticSource(Settings(size=size))

    def draw(self, number: int) -> Proxy:
        """The frame of this number in a buffer that is free, its time burned in last."""
        index = self.free.pop(0)
        width, height = self.size
        start = index * width * height * 4
        pixels = np.frombuffer(self.memory, np.uint8, width * height * 4, start)
        pixels = pixels.reshape(height, width, 4)
        pixels[:] = self.source.draw(number)[:, :, [2, 1, 0, 3]]
        burn_time(pixels, time.perf_counter())
        return self.buffers[index]

    def close(self) -> None:
        for buffer in self.buffers:
            buffer.destroy()


class Window:
    """A toplevel window; `wanted` is the size that the compositor gave, None: ours to choose."""

    def __init__(self, display: Display, title: str) -> None:
        compositor, base = display.bind(core("wl_compositor")), display.bind(BASE)
        assert compositor
        assert base
        base.on(ping=lambda serial: base("pong", serial))
        self.surface = compositor("create_surface")
        self.shell = base("get_xdg_surface", self.surface)
        self.toplevel = self.shell("get_toplevel")
        self.wanted: tuple[int, int] | None = None
        self.configured = self.closed = False
        self.ready = True  # the compositor wants the next frame
        self.shell.on(configure=self._configure)
        self.toplevel.on(configure=self._size, close=self._close)
        self.toplevel("set_title", title)
        self.toplevel("set_app_id", "wayland_window")
        self.surface("commit")

    def show(self, buffer: Proxy, size: tuple[int, int]) -> None:
        self.ready = False
        callback = self.surface("frame")
        callback.on(done=lambda _: self._done(callback))
        self.surface("attach", buffer, 0, 0)
        self.surface("damage", 0, 0, *size)
        self.surface("commit")

    def close(self) -> None:
        for one in (self.toplevel, self.shell, self.surface):
            one.destroy()

    def _configure(self, serial: int) -> None:
        self.shell("ack_configure", serial)
        self.configured = True

    def _size(self, width: int, height: int, _: object) -> None:
        self.wanted = (width, height) if width and height else None

    def _close(self) -> None:
        self.closed = True

    def _done(self, callback: Proxy) -> None:
        callback.destroy()
        self.ready = True


class Commands:
    """The lines on standard input. Read by hand: what Python has buffered, select does not see."""

    def __init__(self) -> None:
        self._left = b""
        self.ended = False

    def __iter__(self) -> Iterator[list[str]]:
        while select.select([0], [], [], 0)[0] and not self.ended:
            came = os.read(0, 4096)
            self.ended, self._left = not came, self._left + came
        *lines, self._left = self._left.split(b"\n")
        return iter([line.decode().split() for line in lines])


def main() -> None:
    title, own, rate = sys.argv[1], (int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4])
    display, commands = Display(), Commands()
    shm = display.bind(core("wl_shm"))
    assert shm
    window: Window | None = Window(display, title)
    picture: Picture | None = None
    number, due, drawing, shown = 0, time.perf_counter(), True, False
    while not commands.ended and not (window and window.closed):
        display.read(max(0.0, min(due - time.perf_counter(), 0.01)))
        for words in commands:
            if words[0] == "quit":
                return
            if words[0] == "size":
                own = int(words[1]), int(words[2])
            elif words[0] == "title" and window:
                window.toplevel("set_title", " ".join(words[1:]))
            elif words[0] == "close" and window:
                window.close()
                window = None
            elif words[0] == "open" and not window:
                window, shown = Window(display, title), False
            elif words[0] in ("draw", "still"):
                drawing = words[0] == "draw"
        if window is None:
            continue
        size = window.wanted or own
        if picture is None or picture.size != size:
            if picture is not None:
                picture.close()
            picture, shown = Picture(display, shm, size), False
        due_now = time.perf_counter() >= due and window.ready and drawing
        if window.configured and picture.free and (due_now or not shown):
            due = max(due, time.perf_counter() - 1 / rate) + 1 / rate
            window.show(picture.draw(number), size)
            display.roundtrip()
            if number == 0:
                print("ready", flush=True)
            number, shown = number + 1, True


if __name__ == "__main__":
    main()
