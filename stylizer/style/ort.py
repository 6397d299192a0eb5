"""The style backend on ONNX Runtime."""

from __future__ import annotations

from typing import final

import numpy as np
import onnx
import onnxruntime

from stylizer.errors import BadInput, StylizerError
from stylizer.style import graph, providers
from stylizer.style.contract import Size, StyleModel
from stylizer.style.session import SessionStyle, closed


@final
class OrtStyle(SessionStyle):
    """One session of one model on one provider, built and proven by a run of the frame's size.

    One thread at a time, any thread. Raises ProviderProblem when the provider cannot be built or
    cannot run the model, BadInput when the frame's size does not fit.
    """

    def __init__(
        self,
        model: StyleModel,
        proto: onnx.ModelProto,
        row: providers.Provider,
        frame_size: Size,
        inference_size: Size | None = None,
    ) -> None:
        super().__init__(model, row.name, frame_size, inference_size)
        self._session = providers.build_session(row, graph.wrap(proto, model))
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name
        self._run = _Binding(self._session, row.device) if row.gpu else self._plain_run
        try:
            self.warm_up(frame_size)
        except BadInput:
            raise
        except StylizerError as error:
            raise providers.ProviderProblem(str(error)) from error

    def close(self) -> None:
        """Free the session; may be called twice."""
        self._run = closed
        self._session = None

    def _plain_run(self, tensor: np.ndarray) -> np.ndarray:
        assert self._session is not None
        return np.asarray(self._session.run([self._output], {self._input: tensor})[0])


class _Binding:
    """IOBinding: one input buffer on the device for as long as the shape stays, no reallocation."""

    def __init__(self, session: onnxruntime.InferenceSession, device: str | None) -> None:
        self._session = session
        self._device = device
        self._binding = session.io_binding()
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name
        self._on_device: onnxruntime.OrtValue | None = None

    def __call__(self, tensor: np.ndarray) -> np.ndarray:
        if self._device is None:
            self._binding.bind_cpu_input(self._input, tensor)
            self._binding.bind_output(self._output)
        elif self._on_device is None or tuple(self._on_device.shape()) != tensor.shape:
            value = onnxruntime.OrtValue.ortvalue_from_numpy(tensor, self._device, 0)
            self._on_device = value
            self._binding.bind_ortvalue_input(self._input, value)
            self._binding.bind_output(self._output, self._device, 0)
        else:
            self._on_device.update_inplace(tensor)
        self._session.run_with_iobinding(self._binding)
        return self._binding.copy_outputs_to_cpu()[0]
