"""What every style backend does around its session: pack, run, unpack, and time all three."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import Frame, Styled, StyledFrame
from stylizer.stages import StyleBackend
from stylizer.style.contract import Packer, Size, StyleModel
from stylizer.style.reasons import first_line

if TYPE_CHECKING:
    from stylizer.style.canvas import Canvas
    from stylizer.system.motion import MotionMeter


class Runner(Protocol):
    """Runs the network on one packed tensor, and the canvas of a network that takes one, and gives
    its output, not to be overwritten later."""

    def __call__(self, tensor: np.ndarray, canvas: Canvas | None = None) -> np.ndarray: ...


class SessionStyle(StyleBackend):
    """A style backend but for its session. One thread at a time, any thread.

    A subclass sets `_run` and calls `warm_up` when its session is built.
    """

    _run: Runner
    _gpu_ms: float | None = None  # of the last picture

    def __init__(
        self,
        model: StyleModel,
        provider: str,
        frame_size: Size,
        inference_size: Size | None,
        move_canvas: bool = True,
    ) -> None:
        self.style_model = model
        self.model = model.stem
        self.model_bytes = model.path.stat().st_size
        self.provider = provider
        self.provider_reason = ""
        self.asked_size = inference_size
        self._canvas: Canvas | None = None
        self._meter: MotionMeter | None = None
        if model.canvas and move_canvas:
            from stylizer.system.motion import MotionMeter  # see _fit

            self._meter = MotionMeter()
        self.carries = self._meter is not None
        self.precision = model.precision
        self.resizable = None if model.fixed_size else model.size_multiple
        self._fit(frame_size)

    def _fit(self, frame_size: Size) -> None:
        """Buffers for frames of this size and for what the network is to see of them."""
        model = self.style_model
        self._packer = Packer(model, frame_size, self.asked_size)
        self.inference_size = self._packer.padded
        if model.canvas:
            from stylizer.style.canvas import Canvas  # OpenCV: 0.1 s that other models do without

            self._canvas = Canvas(model, self._packer.padded)

    def set_inference_size(self, inference_size: Size | None) -> None:
        """Let the network see frames at this (width, height) from the next one on; None: theirs.
        May be called from any thread."""
        self.asked_size = inference_size

    def warm_up(self, size: Size) -> None:
        """Run once at a frame size: memory is taken and kernels are chosen before a frame waits."""
        self.style(blank_frame(size))
        self.forget()

    def forget(self) -> None:
        """The next frame is a first one, on the canvas as it begins."""
        if self._meter:
            self._meter.forget()

    def style(self, frame: Frame) -> StyledFrame:
        """The styled image, of the inference size. Raises StylizerError when the session fails."""
        started = time.perf_counter()
        self._ready(frame)
        try:
            image, infer_ms = self._painted(frame)
        except StylizerError:
            raise
        except Exception as error:  # ONNX Runtime, OpenVINO and moderngl have a dozen classes
            width, height = self._packer.padded
            raise StylizerError(
                f"{self.model} failed on {self.provider} at {width}x{height} "
                f"({first_line(error)}); try another --inference-size or --provider cpu"
            ) from error
        finished = time.perf_counter()
        preprocess_ms = (finished - started) * 1000 - infer_ms
        return StyledFrame(
            frame, image, self.model, preprocess_ms, infer_ms, finished, self._gpu_ms
        )

    def _ready(self, frame: Frame) -> None:
        """Buffers of the frame's size, and the canvas moved to where the frame is."""
        packer, asked = self._packer, self.asked_size
        if frame.size != packer.frame_size or (asked != packer.asked_size and self._can_see(asked)):
            self._fit(frame.size)
        if self._canvas and self._meter:
            self._canvas.move(self._meter.measure(frame))

    def _can_see(self, inference_size: Size | None) -> bool:
        """Whether this size can be seen at once; until it can, frames are seen as before."""
        return True

    def _painted(self, frame: Frame) -> tuple[Styled, float]:
        """The picture, and how many milliseconds the network took for it."""
        tensor = self._packer.pack(frame)
        packed = time.perf_counter()
        result = self._run(tensor, self._canvas)
        infer_ms = (time.perf_counter() - packed) * 1000
        return self._packer.unpack(result), infer_ms


def blank_frame(size: Size) -> Frame:
    """A frame of nothing, for runs that only take up memory and choose kernels."""
    pixels = np.full((size[1], size[0], 4), 127, np.uint8)
    return Frame(pixels, "RGBA", time.perf_counter(), 0)


def closed(tensor: np.ndarray, canvas: Canvas | None = None) -> np.ndarray:
    """The runner of a closed backend."""
    raise StylizerError("this model was closed; open it again")
