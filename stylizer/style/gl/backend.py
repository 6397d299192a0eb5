"""The style backend on OpenGL 3.3 or 4.3: the integer fast network as passes on any GPU."""

from __future__ import annotations

import time
from typing import final

import numpy as np
import onnx

from stylizer.errors import StylizerError
from stylizer.frame import Frame, Styled
from stylizer.stages import is_software_gl, software_gl
from stylizer.style import providers
from stylizer.style.canvas import Canvas
from stylizer.style.contract import LAYOUTS, Size, StyleModel
from stylizer.style.gl.drawing import Drawing
from stylizer.style.gl.reading import DoesNotFit, read_steps
from stylizer.style.gl.steps import Steps
from stylizer.style.gl.thread import GlThread
from stylizer.style.reasons import first_line
from stylizer.style.scaling import resize
from stylizer.style.session import SessionStyle, closed


@final
class GlStyle(SessionStyle):
    """One network on a GL thread; see `network.Network`.

    thread: whose context shares with the presenter's, for as long as this is open: then a frame is
    uploaded once, and the picture stays a texture. None: a thread of its own, and pictures are read
    back. Same contract as `ort.OrtStyle`. The picture is that of integer arithmetic, byte for byte.
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
        thread: GlThread | None = None,
    ) -> None:
        super().__init__(model, row.name, frame_size, inference_size, move_canvas)
        self._run = self._read_back
        self._drawing: Drawing | None = None
        self._own_thread = None if thread else _own_thread()
        self._thread = thread or self._own_thread
        assert self._thread is not None
        if not row.software and is_software_gl(self._thread.renderer):
            self.close()
            raise providers.ProviderProblem(software_gl(self._thread.renderer))
        self._resident = self._thread.shared is not None and _takes_pixels(model)
        try:
            steps = _fitting_steps(model, proto)
            self._drawing = Drawing(self._thread, model, steps, self._packer.padded)
            self.provider_reason = _drawn_by(self._thread, self._drawing.variant)
            self.warm_up(frame_size)
        except DoesNotFit as misfit:
            self.close()
            raise providers.WrongModel(f"{model.stem} does not run on gl: {misfit}") from misfit
        except Exception as error:  # moderngl raises bare Exceptions
            self.close()
            raise providers.ProviderProblem(first_line(error)) from error

    def close(self) -> None:
        """Free the network, and the context where it is its own; may be called twice."""
        self._run = closed
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            drawing.release()
        thread, self._own_thread = self._own_thread, None
        if thread is not None:
            thread.close()

    def _painted(self, frame: Frame) -> tuple[Styled, float]:
        if not self._resident:
            return super()._painted(frame)
        packer, picture = self._packer, frame.picture
        if packer.resizes:
            picture = resize(frame.pixels, packer.size)
        started = time.perf_counter()
        image = self._open_drawing.texture_of(picture, frame.channel_order, self._canvas, packer)
        self._gpu_ms = self._open_drawing.gpu_ms
        return image, (time.perf_counter() - started) * 1000

    def _read_back(self, tensor: np.ndarray, canvas: Canvas | None = None) -> np.ndarray:
        blocks = self._open_drawing.blocks_of(tensor, canvas)
        self._gpu_ms = self._open_drawing.gpu_ms
        return blocks

    @property
    def _open_drawing(self) -> Drawing:
        if self._drawing is None:
            raise StylizerError("this model was closed; open it again")
        return self._drawing


def _own_thread() -> GlThread:
    """Raises ProviderProblem."""
    try:
        return GlThread()
    except Exception as error:  # moderngl raises bare Exceptions
        raise providers.ProviderProblem(first_line(error)) from error


def takes_blocks_of_pixels(model: StyleModel, steps: Steps) -> bool:
    """Whether a network reads nothing but RGB frames, 4 bytes a pixel, and a canvas, in blocks."""
    return _takes_pixels(model) and not _others(model, steps)


def _others(model: StyleModel, steps: Steps) -> bool:
    """Whether it takes anything but a frame and a canvas in blocks."""
    known = {model.input.name, *([model.canvas.name] if model.canvas else [])}
    return not LAYOUTS[model.layout].block or bool({t.name for t in steps.given} - known)


def _takes_pixels(model: StyleModel) -> bool:
    """Whether a block holds whole pixels as a texture has them."""
    return model.input.channels == 4 and model.order == "RGB"


def _fitting_steps(model: StyleModel, proto: onnx.ModelProto) -> Steps:
    """Raises DoesNotFit."""
    steps = read_steps(proto)
    if _others(model, steps):
        raise DoesNotFit("it takes other pictures than a frame and a canvas in blocks")
    return steps


def _drawn_by(thread: GlThread, variant: str) -> str:
    """For the reason shown: which renderer, whether that is a GPU, by which shaders and why, and
    why pictures are read back."""
    software = " (software: slower than cpu)" if is_software_gl(thread.renderer) else ""
    apart = f", read back for the window: {thread.apart}" if thread.apart else ""
    return f", drawn by {thread.renderer}{software} with {variant}{apart}"
