"""The style backend on OpenGL 3.3: the integer fast network as fragment passes on any GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import onnx

from stylizer.stages import is_software_gl
from stylizer.style import providers
from stylizer.style.contract import LAYOUTS, Size, StyleModel
from stylizer.style.gl.layout import GROUP
from stylizer.style.gl.network import Network, Picture
from stylizer.style.gl.reading import DoesNotFit, read_steps
from stylizer.style.gl.steps import Steps
from stylizer.style.gl.thread import GlThread
from stylizer.style.ports import first_line
from stylizer.style.session import SessionStyle, closed
from stylizer.system.gl import check_size

if TYPE_CHECKING:
    from stylizer.style.canvas import Canvas


@final
class GlStyle(SessionStyle):
    """One network in a context of its own, on a thread of its own; see `network.Network`.

    Same contract as `ort.OrtStyle`. The picture is that of integer arithmetic, byte for byte.
    Raises providers.WrongModel for a graph that the shaders do not draw, ProviderProblem without
    OpenGL 3.3.
    """

    def __init__(
        self,
        model: StyleModel,
        proto: onnx.ModelProto,
        row: providers.Provider,
        frame_size: Size,
        inference_size: Size | None = None,
        move_canvas: bool = True,
    ) -> None:
        super().__init__(model, row.name, frame_size, inference_size, move_canvas)
        self._thread: GlThread | None = None
        steps = _fitting_steps(model, proto)
        try:
            self._thread = GlThread()
            renderer = self._gl.renderer
            if not row.software and is_software_gl(renderer):
                raise providers.ProviderProblem(f"OpenGL is software here: {renderer}")
            self._drawing = self._thread.run(lambda: _Drawing(self._gl, model, steps))
            self._run = self._on_thread
            self.provider_reason = _drawn_by(renderer)
            self.warm_up(frame_size)
        except DoesNotFit as misfit:
            self.close()
            raise _wrong(model, str(misfit)) from misfit
        except providers.ProviderProblem:
            self.close()
            raise
        except Exception as error:  # moderngl raises bare Exceptions
            self.close()
            raise providers.ProviderProblem(first_line(error)) from error

    @property
    def _gl(self) -> GlThread:
        assert self._thread is not None
        return self._thread

    def close(self) -> None:
        """Free the network and its context; may be called twice."""
        self._run = closed
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.close()

    def _on_thread(self, tensor: np.ndarray, canvas: Canvas | None = None) -> np.ndarray:
        return self._gl.run(lambda: self._drawing.run(tensor, canvas))


class _Drawing:
    """The network and the textures that it reads. Its GL thread only."""

    def __init__(self, thread: GlThread, model: StyleModel, steps: Steps) -> None:
        self._context = thread.context
        self._network = Network(thread.context, steps)
        self._model = model
        self._given: dict[str, Picture] = {}
        self._canvas: object = None  # stamp of the one uploaded

    def run(self, tensor: np.ndarray, canvas: Canvas | None) -> np.ndarray:
        """Blocks of the frame to blocks of the picture, uint8 (1, rows, columns, channels)."""
        self._put(self._model.input.name, tensor)
        if canvas is not None and canvas.stamp is not self._canvas:
            assert self._model.canvas is not None
            self._put(self._model.canvas.name, canvas.tensor)
            self._canvas = canvas.stamp
        _, rows, columns, _ = tensor.shape
        channels = self._network.network.result.channels
        drawn = self._network.run(self._given, (columns, rows), (channels // GROUP, 1))
        result = np.empty((1, rows, columns, channels), np.uint8)
        drawn.read_into(result, alignment=1)
        return result

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


def _fitting_steps(model: StyleModel, proto: onnx.ModelProto) -> Steps:
    """Raises WrongModel."""
    try:
        steps = read_steps(proto)
    except DoesNotFit as misfit:
        raise _wrong(model, str(misfit)) from misfit
    known = {model.input.name, *([model.canvas.name] if model.canvas else [])}
    if not LAYOUTS[model.layout].block or {t.name for t in steps.given} - known:
        raise _wrong(model, "it takes other pictures than a frame and a canvas in blocks")
    return steps


def _wrong(model: StyleModel, why: str) -> providers.WrongModel:
    return providers.WrongModel(f"{model.stem} does not run on gl: {why}")


def _drawn_by(renderer: str) -> str:
    """For the reason shown: which renderer, and whether that is a GPU."""
    software = " (software: slower than cpu)" if is_software_gl(renderer) else ""
    return f", drawn by {renderer}{software}"
