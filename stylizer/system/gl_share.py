"""A second GL context on another thread that has the textures of the first: by EGL, on Linux.

`eglCreateContext` with a context to share with (EGL 1.4, 3.7.1), made current without a surface
(EGL_KHR_surfaceless_context), which Mesa's and NVIDIA's drivers have.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import moderngl

from stylizer.system.gl import EglLoader, egl

OPENGL_API = 0x30A2
_CONFIG_ID = 0x3028
_SURFACELESS = b"EGL_KHR_surfaceless_context"
_EXTENSIONS = 0x3055
CORE_3_3 = (
    0x3098, 3,  # EGL_CONTEXT_MAJOR_VERSION
    0x30FB, 3,  # EGL_CONTEXT_MINOR_VERSION
    0x30FD, 1,  # EGL_CONTEXT_OPENGL_PROFILE_MASK: core
    0x3038,  # EGL_NONE
)  # fmt: skip


class SharedContext:
    """Made where the first context is current; then opened, used and closed on another thread.

    Raises OSError, in words, where there is no EGL context or the driver cannot do it.
    """

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError("contexts are shared on Linux only")
        self._egl = typed(egl())
        self._display = self._egl.eglGetCurrentDisplay()
        first = self._egl.eglGetCurrentContext()
        if not self._display or not first:
            raise OSError("the window has no EGL context")
        told = self._egl.eglQueryString(self._display, _EXTENSIONS) or b""
        if _SURFACELESS not in told.split():
            raise OSError("the driver lacks EGL_KHR_surfaceless_context")
        number = ctypes.c_int()
        self._egl.eglQueryContext(self._display, first, _CONFIG_ID, ctypes.byref(number))
        config = self._config(number.value)
        self._egl.eglBindAPI(OPENGL_API)
        attributes = (ctypes.c_int * len(CORE_3_3))(*CORE_3_3)
        self._made = self._egl.eglCreateContext(self._display, config, first, attributes)
        if not self._made:
            raise OSError(f"the driver shares no context (EGL error {self._egl.eglGetError():#x})")

    def open(self) -> moderngl.Context:
        """Make it current on this thread. Raises OSError."""
        self._egl.eglBindAPI(OPENGL_API)
        if not self._egl.eglMakeCurrent(self._display, None, None, self._made):
            raise OSError(f"no context on this thread (EGL error {self._egl.eglGetError():#x})")
        loader: Any = EglLoader()
        return moderngl.create_context(require=330, context=loader)

    def close(self) -> None:
        """Free it; on the thread where it was opened."""
        self._egl.eglMakeCurrent(self._display, None, None, None)
        self._egl.eglDestroyContext(self._display, self._made)
        self._egl.eglReleaseThread()

    def _config(self, number: int) -> ctypes.c_void_p | None:
        """The config of the first context; None where it was made without one."""
        if not number:
            return None
        wanted = (ctypes.c_int * 3)(_CONFIG_ID, number, 0x3038)
        found, count = ctypes.c_void_p(), ctypes.c_int()
        self._egl.eglChooseConfig(
            self._display, wanted, ctypes.byref(found), 1, ctypes.byref(count)
        )
        return found if count.value else None


def typed(library: ctypes.CDLL) -> ctypes.CDLL:
    """Pointers are wider than the int that ctypes takes them for."""
    p, i = ctypes.c_void_p, ctypes.c_int
    for name, result, arguments in (
        ("eglGetCurrentDisplay", p, []),
        ("eglGetCurrentContext", p, []),
        ("eglQueryString", ctypes.c_char_p, [p, i]),
        ("eglQueryContext", i, [p, p, i, p]),
        ("eglChooseConfig", i, [p, p, p, i, p]),
        ("eglCreateContext", p, [p, p, p, p]),
        ("eglMakeCurrent", i, [p, p, p, p]),
        ("eglDestroyContext", i, [p, p]),
        ("eglBindAPI", i, [ctypes.c_uint]),
        ("eglGetPlatformDisplay", p, [ctypes.c_uint, p, p]),
        ("eglInitialize", i, [p, p, p]),
        ("eglTerminate", i, [p]),
        ("eglCreateWindowSurface", p, [p, p, p, p]),
        ("eglDestroySurface", i, [p, p]),
        ("eglSwapBuffers", i, [p, p]),
        ("eglSwapInterval", i, [p, i]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
