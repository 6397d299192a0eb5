"""What every style backend does around its session: pack, run, unpack, and time all three."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import Frame, StyledFrame
from stylizer.stages import StyleBackend
from stylizer.style.contract import Packer, Size, StyleModel
from stylizer.style.ports import first_line


class Runner(Protocol):
    """Runs the network on one packed tensor and gives its output, not to be overwritten later."""

    def __call__(self, tensor: np.ndarray) -> np.ndarray: ...


class SessionStyle(StyleBackend):
    """A style backend but for its session. One thread at a time, any thread.

    A subclass sets `_run` and calls `warm_up` when its session is built.
    """

    _run: Runner

    def __init__(
        self, model: StyleModel, provider: str, frame_size: Size, inference_size: Size | None
    ) -> None:
        self.style_model = model
        self.model = model.stem
        self.model_bytes = model.path.stat().st_size
        self.provider = provider
        self.provider_reason = ""
        self._asked_size = inference_size
        self._packer = Packer(model, frame_size, inference_size)
        self.inference_size = self._packer.padded
        self.precision = model.precision
        self.resizable = None if model.fixed_size else model.size_multiple

    def see(self, inference_size: Size | None) -> None:
        """Let the network see frames at this (width, height) from the next one on; None: theirs.
        May be called from any thread."""
        self._asked_size = inference_size

    def warm_up(self, size: Size) -> None:
        """Run once at a frame size: memory is taken and kernels are chosen before a frame waits."""
        pixels = np.full((size[1], size[0], 4), 127, np.uint8)
        self.style(Frame(pixels, "RGBA", time.perf_counter(), 0))

    def style(self, frame: Frame) -> StyledFrame:
        """The styled image, of the inference size. Raises StylizerError when the session fails."""
        started = time.perf_counter()
        if (frame.size, self._asked_size) != (self._packer.frame_size, self._packer.asked_size):
            self._packer = Packer(self.style_model, frame.size, self._asked_size)
            self.inference_size = self._packer.padded
        tensor = self._packer.pack(frame)
        packed = time.perf_counter()
        try:
            result = self._run(tensor)
        except Exception as error:  # ONNX Runtime and OpenVINO have a dozen classes for this
            width, height = self._packer.padded
            raise StylizerError(
                f"{self.model} failed on {self.provider} at {width}x{height} "
                f"({first_line(error)}); try another --inference-size or --provider cpu"
            ) from error
        ran = time.perf_counter()
        image = self._packer.unpack(result)
        finished = time.perf_counter()
        preprocess_ms = (packed - started + finished - ran) * 1000
        return StyledFrame(frame, image, self.model, preprocess_ms, (ran - packed) * 1000, finished)


def closed(tensor: np.ndarray) -> np.ndarray:
    """The runner of a closed backend."""
    raise StylizerError("this model was closed; open it again")
