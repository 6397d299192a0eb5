"""A session whose work on the device is recorded once for each size and then replayed.

CUDA graphs and WebGPU's graph capture of ONNX Runtime: what the CPU costs is one call for a frame
instead of one for each operator. Both want every operator on the device, and the same buffers
there each time. A record that missed an input would give an old picture: hence `check`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from stylizer.style.sizes import MOST

if TYPE_CHECKING:
    from stylizer.style.canvas import Canvas

GRAPH_ID = "gpu_graph_id"  # run option: number of the record; -1: run without one
FURTHEST = 1  # of 255, between a replay and a run without a record

Shape = tuple[int, ...]
Fetch = Callable[[Any], np.ndarray]  # of an IOBinding that has run


class WrongReplay(Exception):
    """A replay is not the picture of its inputs; the message says so in a few words."""


@dataclass(eq=False)
class _Record:
    """Buffers on the device and what is bound to them. stamp: of the canvas that is there."""

    number: int
    options: ort.RunOptions
    binding: Any
    given: list[ort.OrtValue] = field(default_factory=list)
    result: ort.OrtValue | None = None
    stamp: object = None


class Captured:
    """A `session.Runner` over a session that was built to capture. One thread at a time. fetch:
    gives the picture of a run."""

    def __init__(
        self, session: ort.InferenceSession, device: str, inputs: list[str], fetch: Fetch
    ) -> None:
        self._fetch = fetch
        self._session, self._device, self._inputs = session, device, inputs
        self._output = session.get_outputs()[0].name
        self._records: dict[Shape, _Record] = {}  # the one used longest ago first
        self._next = 1

    def __call__(self, tensor: np.ndarray, canvas: Canvas | None = None) -> np.ndarray:
        record = self._records.pop(tensor.shape, None)
        if record is None:
            record = self._record([tensor, canvas.tensor] if canvas else [tensor])
        self._records[tensor.shape] = record
        record.given[0].update_inplace(tensor)
        if canvas is not None and canvas.stamp is not record.stamp:
            record.given[1].update_inplace(canvas.tensor)
            record.stamp = canvas.stamp
        self._session.run_with_iobinding(record.binding, record.options)
        return self._fetch(record.binding)

    def check(self, tensor: np.ndarray, canvas: Canvas | None = None) -> None:
        """Hold replays of pictures like this one against runs without a record. Raises WrongReplay,
        or what running raises."""
        rng = np.random.default_rng(0)
        pictures = [rng.integers(0, 256, tensor.shape, np.uint8) for _ in range(2)]
        for picture in (*pictures, pictures[0]):
            found = self(picture, canvas).astype(int)
            wanted = self._without(picture, *([canvas.tensor] if canvas else []))
            if found.shape != wanted.shape or np.abs(found - wanted).max() > FURTHEST:
                raise WrongReplay("a replay gave another picture")
        self._forget(tensor.shape)

    def _without(self, *tensors: np.ndarray) -> np.ndarray:
        """A run without a record."""
        feeds = dict(zip(self._inputs, tensors, strict=True))
        return np.asarray(self._session.run([self._output], feeds, _options(-1))[0])

    def _record(self, tensors: list[np.ndarray]) -> _Record:
        while len(self._records) >= MOST:
            self._forget(next(iter(self._records)))
        result = self._without(*tensors)  # memory is taken and kernels are chosen before
        record = _Record(self._next, _options(self._next), self._session.io_binding())
        self._next += 1
        for name, tensor in zip(self._inputs, tensors, strict=True):
            value = self._value(tensor)
            value.update_inplace(tensor)
            record.binding.bind_ortvalue_input(name, value)
            record.given.append(value)
        record.result = self._value(result)
        record.binding.bind_ortvalue_output(self._output, record.result)
        return record

    def _forget(self, shape: Shape) -> None:
        self._session.release_captured_graph(self._records.pop(shape).number)

    def _value(self, like: np.ndarray) -> ort.OrtValue:
        """A buffer on the device. WebGPU's belong to a session."""
        made: Any = ort.OrtValue.ortvalue_from_shape_and_type
        if self._device == "webgpu":
            made = self._session.create_ortvalue_from_shape_and_type
        return made(like.shape, like.dtype, self._device)


def _options(number: int) -> ort.RunOptions:
    options = ort.RunOptions()
    options.add_run_config_entry(GRAPH_ID, str(number))
    return options
