"""A GL context on a thread of its own: whoever asks for a picture may have another one current."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import moderngl
import numpy as np

from stylizer.frame import GpuPicture
from stylizer.system.gl import finisher, leave_egl, standalone_context
from stylizer.system.gl_share import SharedContext
from stylizer.system.texture import borrowed

Result = TypeVar("Result")


class GlThread:
    """Runs functions one after another where its context is current. Any thread may ask.

    shared: made where the presenter's context is current; its textures are this one's as well.
    None: a context of its own, and `apart` says why, where somebody could wonder. Raises what
    opening the context raises.
    """

    context: moderngl.Context

    def __init__(self, shared: SharedContext | None = None, apart: str = "") -> None:
        self.shared, self.apart = shared, apart
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(1, "gl")
        try:
            self.context = self.run(shared.open if shared else standalone_context)
            # moderngl keeps what it is told first: without a current context, nothing.
            self.renderer = self.run(lambda: str(self.context.info["GL_RENDERER"]))
            self.finish = self.run(lambda: finisher(self.context))
        except BaseException:
            self.close()
            raise

    @classmethod
    def beside_current(cls) -> GlThread:
        """Sharing with the context that is current here; apart, where that cannot be."""
        try:
            return cls(SharedContext())
        except OSError as error:
            return cls(apart=str(error))

    def run(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, done on the thread; raises what it raises."""
        if self._pool is None:
            raise RuntimeError("this GL thread was closed")
        return self._pool.submit(work).result()

    def read(self, picture: GpuPicture) -> np.ndarray:
        """uint8 (height, width, 4) RGBA of a texture that this context has as well."""
        width, height = picture.size
        pixels = np.empty((height, width, 4), np.uint8)
        self.run(lambda: borrowed(self.context, picture).read_into(pixels, alignment=1))
        return pixels

    def close(self) -> None:
        """Free the context and end the thread; may be called twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.submit(self._leave).result()
            pool.shutdown()

    def _leave(self) -> None:
        if hasattr(self, "context"):
            self.context.release()
        if self.shared is not None:
            self.shared.close()
        leave_egl()
