"""OpenGL 3.3 on a Wayland surface of our own, by EGL and libwayland-egl: what is drawn is handed to
the compositor without being read back. EGL 1.5, 3.4 and 3.5.1; wayland-egl.h.
"""

from __future__ import annotations

import ctypes as c
from functools import cache
from typing import Any

import moderngl

from stylizer.errors import StylizerError
from stylizer.system.foreign import Signatures, declare
from stylizer.system.gl import EglLoader, egl, leave_egl
from stylizer.system.gl_share import CORE_3_3, OPENGL_API, typed
from stylizer.system.installed import GL_LIBRARIES

_WAYLAND = 0x31D8  # EGL_PLATFORM_WAYLAND_KHR
_CONFIG = (
    0x3033, 4,  # EGL_SURFACE_TYPE: window
    0x3040, 8,  # EGL_RENDERABLE_TYPE: OpenGL
    0x3024, 8, 0x3023, 8, 0x3022, 8,  # red, green, blue
    0x3021, 8,  # alpha: without it a compositor may leave out what lies below, game and all
    0x3038,
)  # fmt: skip
_SIGNATURES: Signatures = {
    "wl_egl_window_create": (c.c_void_p, [c.c_void_p, c.c_int, c.c_int]),
    "wl_egl_window_resize": (None, [c.c_void_p, c.c_int, c.c_int, c.c_int, c.c_int]),
    "wl_egl_window_destroy": (None, [c.c_void_p]),
}


class WaylandGl:
    """The context of one surface, current on this thread; `context.screen` is what is shown.

    display, surface: addresses of libwayland's wl_display and wl_surface. size: (width, height) in
    pixels. Raises StylizerError without OpenGL 3.3.
    """

    def __init__(self, display: int, surface: int, size: tuple[int, int]) -> None:
        leave_egl()
        self._egl = typed(egl())
        self._surface = self._context = 0
        self._window = _library().wl_egl_window_create(surface, *size)
        self._display = self._egl.eglGetPlatformDisplay(_WAYLAND, display, None)
        try:
            self._open()
            loader: Any = EglLoader()
            self.context = moderngl.create_context(require=330, context=loader)
        except Exception as error:  # moderngl raises bare ones
            self.close()
            raise StylizerError(
                f"no OpenGL 3.3 on this Wayland compositor ({error}): on Debian {GL_LIBRARIES}"
            ) from error

    def swap(self) -> None:
        """Hand over what was drawn; waits for nobody."""
        if not self._egl.eglSwapBuffers(self._display, self._surface):
            raise StylizerError(f"the picture cannot be shown (EGL error {self._error()})")

    def resize(self, size: tuple[int, int]) -> None:
        """Pictures have this size from the next one on."""
        _library().wl_egl_window_resize(self._window, *size, 0, 0)

    def close(self) -> None:
        """Free it, before its surface; may be called twice."""
        if not self._window:
            return
        self._egl.eglMakeCurrent(self._display, None, None, None)
        if self._surface:
            self._egl.eglDestroySurface(self._display, self._surface)
        if self._context:
            self._egl.eglDestroyContext(self._display, self._context)
        _library().wl_egl_window_destroy(self._window)
        self._egl.eglTerminate(self._display)
        leave_egl()
        self._window = 0

    def _open(self) -> None:
        call, display = self._egl, self._display
        config, count = c.c_void_p(), c.c_int()
        wanted = (c.c_int * len(_CONFIG))(*_CONFIG)
        self._must("eglInitialize", call.eglInitialize(display, None, None))
        self._must("eglBindAPI", call.eglBindAPI(OPENGL_API))
        call.eglChooseConfig(display, wanted, c.byref(config), 1, c.byref(count))
        self._must("eglChooseConfig", count.value)
        self._surface = call.eglCreateWindowSurface(display, config, self._window, None)
        self._must("eglCreateWindowSurface", self._surface)
        attributes = (c.c_int * len(CORE_3_3))(*CORE_3_3)
        self._context = call.eglCreateContext(display, config, None, attributes)
        self._must("eglCreateContext", self._context)
        surface, context = self._surface, self._context
        self._must("eglMakeCurrent", call.eglMakeCurrent(display, surface, surface, context))
        call.eglSwapInterval(display, 0)  # a compositor that shows another workspace never answers

    def _must(self, name: str, result: int | None) -> None:
        if not result:
            raise OSError(f"{name}: EGL error {self._error()}")

    def _error(self) -> str:
        return f"{self._egl.eglGetError():#x}"


@cache
def _library() -> Any:
    """libwayland-egl. Raises StylizerError without it."""
    try:
        library = c.CDLL("libwayland-egl.so.1")
    except OSError as error:
        raise StylizerError(
            "libwayland-egl is not installed: apt-get install libwayland-egl1"
        ) from error
    declare(library, _SIGNATURES)
    return library
