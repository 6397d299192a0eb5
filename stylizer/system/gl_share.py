"""A second GL context on another thread that has the textures of the first: by EGL, on Linux.

`eglCreateContext` with a context to share with (EGL 1.4, 3.7.1), made current without a surface
(EGL_KHR_surfaceless_context), which Mesa's and NVIDIA's drivers have.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np

from stylizer.frame import GpuPicture
from stylizer.system.foreign import Signatures, declare
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
_P, _I = ctypes.c_void_p, ctypes.c_int
_SIGNATURES: Signatures = {
    "eglGetCurrentDisplay": (_P, []),
    "eglGetCurrentContext": (_P, []),
    "eglQueryString": (ctypes.c_char_p, [_P, _I]),
    "eglQueryContext": (_I, [_P, _P, _I, _P]),
    "eglChooseConfig": (_I, [_P, _P, _P, _I, _P]),
    "eglCreateContext": (_P, [_P, _P, _P, _P]),
    "eglMakeCurrent": (_I, [_P, _P, _P, _P]),
    "eglDestroyContext": (_I, [_P, _P]),
    "eglBindAPI": (_I, [ctypes.c_uint]),
    "eglGetPlatformDisplay": (_P, [ctypes.c_uint, _P, _P]),
    "eglInitialize": (_I, [_P, _P, _P]),
    "eglTerminate": (_I, [_P]),
    "eglCreateWindowSurface": (_P, [_P, _P, _P, _P]),
    "eglDestroySurface": (_I, [_P, _P]),
    "eglSwapBuffers": (_I, [_P, _P]),
    "eglSwapInterval": (_I, [_P, _I]),
}


@dataclass(frozen=True)
class Beside:
    """What a source needs to draw its frames into textures that the presenter has as well.

    context: to be opened, used and closed on the thread that draws. read: uint8 (height, width, 4)
    of such a texture, from any thread.
    """

    context: SharedContext
    read: Callable[[GpuPicture], np.ndarray]


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
        extensions = self._egl.eglQueryString(self._display, _EXTENSIONS) or b""
        if _SURFACELESS not in extensions.split():
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
    """libEGL with the types of what is called."""
    declare(library, _SIGNATURES)
    return library
