"""A network with the textures that it reads and gives, as a style backend uses it."""

from __future__ import annotations

import moderngl
import numpy as np

from stylizer.frame import DrawnPicture, Size, StyledTexture
from stylizer.stages import is_software_gl
from stylizer.style.canvas import Canvas
from stylizer.style.contract import LAYOUTS, Packer, StyleModel
from stylizer.style.gl.layout import GROUP
from stylizer.style.gl.network import Picture
from stylizer.style.gl.steps import Steps
from stylizer.style.gl.thread import GlThread
from stylizer.style.gl.variants import fastest
from stylizer.system.gl import check_size
from stylizer.system.spares import Spares, Target
from stylizer.system.texture import borrowed


class Drawing:
    """Any thread may ask, one at a time; the GL thread does the work.

    size: of the pictures to come, in pixels. variant: which shaders draw, and why, in words.
    gpu_ms: what the GPU took for the last picture's passes, by a timer query.
    """

    def __init__(self, thread: GlThread, model: StyleModel, steps: Steps, size: Size) -> None:
        self._thread, self._context = thread, thread.context
        self._model, self._steps = model, steps
        self._block = LAYOUTS[model.layout].block
        self._given: dict[str, Picture] = {}
        self._canvas: object = None  # stamp of the one uploaded
        self._frames, self._pictures = Spares(), Spares()
        self.gpu_ms: float | None = None
        blocks = size[0] // self._block, size[1] // self._block
        software = is_software_gl(thread.renderer)
        self._network, self.variant = thread.run(
            lambda: fastest(thread.context, steps, blocks, software)
        )
        self._timer = thread.run(lambda: thread.context.query(time=True))

    def blocks_of(self, tensor: np.ndarray, canvas: Canvas | None) -> np.ndarray:
        """Blocks of the frame to blocks of the picture, uint8 (1, rows, columns, channels)."""
        return self._thread.run(lambda: self._blocks_of(tensor, canvas))

    def texture_of(
        self, frame: np.ndarray | DrawnPicture, order: str, canvas: Canvas | None, packer: Packer
    ) -> StyledTexture:
        """The picture of uint8 (height, width, 3 or 4) pixels in this order of channels, or of what
        is on the GPU already; of its size, finished."""
        return self._thread.run(lambda: self._texture_of(frame, order, canvas, packer))

    def release(self) -> None:
        """Free everything that nobody looks at; may be called twice."""
        self._thread.run(self._release)

    # --- on the GL thread -------------------------------------------------------------------

    def _blocks_of(self, tensor: np.ndarray, canvas: Canvas | None) -> np.ndarray:
        self._put(self._model.input.name, tensor)
        self._put_canvas(canvas)
        _, rows, columns, _ = tensor.shape
        channels = self._steps.result.channels
        across = channels // GROUP
        target = self._pictures.take(self._context, (columns * across, rows), GROUP)
        self._draw((columns, rows), (across, 1), target.framebuffer)
        result = np.empty((1, rows, columns, channels), np.uint8)
        target.texture.read_into(result, alignment=1)
        self._pictures.put(target)
        return result

    def _texture_of(
        self, frame: np.ndarray | DrawnPicture, order: str, canvas: Canvas | None, packer: Packer
    ) -> StyledTexture:
        sent = None
        if isinstance(frame, DrawnPicture):
            texture = borrowed(self._context, frame.texture)
        else:
            sent = self._sent(frame, order)
            texture = sent.texture
        self._put_canvas(canvas)
        b = self._block
        self._given[self._model.input.name] = Picture(texture, (b, b))
        blocks = packer.padded[0] // b, packer.padded[1] // b
        target = self._pictures.take(self._context, texture.size, GROUP)
        self._draw(blocks, (b, b), target.framebuffer)
        return self._handed_over(sent, target, packer.resizes)

    def _sent(self, pixels: np.ndarray, order: str) -> Target:
        height, width, channels = pixels.shape
        check_size(self._context, (width, height))
        frame = self._frames.take(self._context, (width, height), channels)
        swizzle = "BGR1" if order.startswith("BGR") else "RGB1"
        if frame.texture.swizzle != swizzle:
            frame.texture.swizzle = swizzle
        frame.texture.write(pixels, alignment=1)
        return frame

    def _draw(self, size: Size, block: Size, into: moderngl.Framebuffer) -> None:
        """All passes, finished: whoever takes the picture over must not wait for it."""
        with self._timer:
            self._network.run(self._given, size, block, into)
        self._thread.finish()
        self.gpu_ms = self._timer.elapsed / 1e6

    def _handed_over(self, sent: Target | None, target: Target, resized: bool) -> StyledTexture:
        """To the presenter's context, until it lets go of it."""
        given = self._frames.lent(sent) if sent else None
        picture = self._pictures.lent(target)

        def read() -> np.ndarray:
            return self._thread.read(picture)[..., :3]

        return StyledTexture(picture, given if resized else None, None if resized else given, read)

    def _put_canvas(self, canvas: Canvas | None) -> None:
        if canvas is not None and canvas.stamp is not self._canvas:
            assert self._model.canvas is not None
            self._put(self._model.canvas.name, canvas.tensor)
            self._canvas = canvas.stamp

    def _put(self, name: str, tensor: np.ndarray) -> None:
        """Blocks into a texture as they lie in memory: each block is a row of texels."""
        _, rows, columns, channels = tensor.shape
        size = columns * channels // GROUP, rows
        picture = self._given.get(name)
        if picture is None or picture.texture.size != size:
            check_size(self._context, size)
            if picture is not None:
                picture.texture.release()
            texture = self._context.texture(size, GROUP, alignment=1)
            picture = self._given[name] = Picture(texture, (channels // GROUP, 1))
        picture.texture.write(tensor, alignment=1)

    def _release(self) -> None:
        self._network.release()
        canvas = self._given.pop(self._model.canvas.name, None) if self._model.canvas else None
        if canvas is not None:
            canvas.texture.release()
        self._frames.release()
        self._pictures.release()
