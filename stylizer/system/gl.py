"""Leaf helpers of whoever draws: GL contexts, waiting for the GL, reading a framebuffer back."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import moderngl
import numpy as np

from stylizer.errors import StylizerError


class EglLoader:
    """Finds GL functions through EGL, for moderngl's `context=`.

    moderngl.create_context() looks for a current GLX (WGL, CGL) context; SDL's window has an EGL
    one on Wayland, on its `offscreen` driver, and on X11 when told so.
    """

    def __init__(self) -> None:
        self._get = egl().eglGetProcAddress
        self._get.restype, self._get.argtypes = ctypes.c_void_p, [ctypes.c_char_p]

    def load(self, name: str) -> int:
        return self._get(name.encode()) or 0

    # moderngl calls these around sharing and release; SDL owns the context.
    def __enter__(self) -> EglLoader:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def release(self) -> None:
        pass


def attach_context() -> moderngl.Context:
    """moderngl on the GL context that is current on this thread. Raises Exception without one."""
    try:
        return moderngl.create_context(require=330)
    except Exception:
        if not sys.platform.startswith("linux"):
            raise
        loader: Any = EglLoader()
        return moderngl.create_context(require=330, context=loader)


def standalone_context() -> moderngl.Context:
    """A context of its own that needs no display: EGL on Linux. Raises Exception without GL 3.3."""
    if sys.platform.startswith("linux"):
        egl: Any = {"backend": "egl"}  # the type stub takes every setting for a dict
        return moderngl.create_context(standalone=True, require=330, **egl)
    return moderngl.create_context(standalone=True, require=330)


def check_size(context: moderngl.Context, size: tuple[int, int]) -> None:
    """Raise StylizerError where a picture is larger than this driver's textures and buffers."""
    limit = context.info["GL_MAX_TEXTURE_SIZE"]
    if max(size) > limit:
        raise StylizerError(
            f"a picture of {size[0]}x{size[1]} is larger than this graphics driver's limit of "
            f"{limit} pixels a side: scale it down first"
        )


def leave_egl() -> None:
    """Make no EGL context current on this thread.

    libglvnd allows a thread one of EGL and GLX: with an EGL context current (a released one stays
    so until the thread lets go), SDL's glXMakeCurrent gets BadAccess, and Xlib ends the process.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # no libEGL: no EGL context
            egl().eglReleaseThread()


def finisher(context: moderngl.Context) -> Callable[[], None]:
    """What waits until all is drawn on this thread's current context, other threads running on.

    moderngl's own finish holds the interpreter's lock: on software GL the next frame was packed
    only when this one was drawn, 4 ms later.
    """
    address = EglLoader().load("glFinish") if sys.platform.startswith("linux") else 0
    return ctypes.CFUNCTYPE(None)(address) if address else context.finish


class GpuTimer:
    """How long a GPU draws what is issued in a `with` block, by timer queries (OpenGL 3.3).

    Times are read some blocks later, when they are there: nobody waits. One thread, where `context`
    is current; blocks do not nest.
    """

    LATE = 4

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._running: deque[moderngl.Query] = deque()
        self._idle: list[moderngl.Query] = []
        self.ms: float | None = None  # of a block some blocks ago

    def __enter__(self) -> None:
        query = self._idle.pop() if self._idle else self._context.query(time=True)
        self._running.append(query)
        query.__enter__()

    def __exit__(self, *error: object) -> None:
        self._running[-1].__exit__(*error)  # type: ignore[arg-type]
        if len(self._running) > self.LATE:
            done = self._running.popleft()
            self.ms = done.elapsed / 1e6
            self._idle.append(done)


def egl() -> ctypes.CDLL:
    """libEGL. Raises OSError without it."""
    return ctypes.CDLL(ctypes.util.find_library("EGL") or "libEGL.so.1")


def read_rgb(framebuffer: moderngl.Framebuffer) -> np.ndarray:
    """uint8 (height, width, 3) RGB, row 0 on top: the home of the vertical flip on the way out.

    Dropping alpha is left to OpenGL: at 1280x720 llvmpipe takes 1.7 ms for it, numpy 7 ms.
    """
    width, height = framebuffer.size
    raw = framebuffer.read(viewport=(0, 0, width, height), components=3, alignment=1)
    return np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(height, width, 3)[::-1])
