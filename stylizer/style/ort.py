"""The style backend on ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np
import onnx
import onnxruntime

from stylizer.errors import BadInput, StylizerError
from stylizer.style import providers
from stylizer.style.captured import Captured, Fetch
from stylizer.style.contract import Packer, Size, StyleModel
from stylizer.style.reasons import first_line, left_to_the_cpu
from stylizer.style.session import Runner, SessionStyle, blank_frame, closed
from stylizer.style.sizes import BySize
from stylizer.style.wrapping import fed, wrap
from stylizer.system.page_locked import PageLocked

if TYPE_CHECKING:
    from stylizer.style.canvas import Canvas

PROVEN = (128, 96)  # size of the pictures by which replays are proven


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
        move_canvas: bool = True,
    ) -> None:
        self._sizes: BySize[Runner] | None = None
        self._memory: PageLocked | None = None
        super().__init__(model, row.name, frame_size, inference_size, move_canvas)
        self._row, self._wrapped = row, wrap(proto, model, row.rgba_output)
        self._captures = bool(row.capture)
        self._run, self.provider_reason = self._first_runner()
        if row.page_locked:
            self.provider_reason += self._lock_pages()
        if row.plans:
            self._sizes = BySize(self._run, self._packer.padded, self._made_for)
        try:
            self.warm_up(frame_size)
        except BadInput:
            raise
        except StylizerError as error:
            raise providers.ProviderProblem(str(error)) from error

    def close(self) -> None:
        """Free the sessions; may be called twice."""
        self._run = closed
        sizes, self._sizes = self._sizes, None
        if sizes is not None:
            sizes.close()
        if self._memory is not None:
            self._memory.close()

    def _fit(self, frame_size: Size) -> None:
        super()._fit(frame_size)
        if self._memory is not None:
            self._packer.lie_in(self._memory.empty)
        if self._sizes is not None:
            self._run = self._sizes.at(self._packer.padded)

    def _can_see(self, inference_size: Size | None) -> bool:
        model, frame_size = self.style_model, self._packer.frame_size
        size = model.padded_size(model.network_size(frame_size, inference_size))
        return self._sizes is None or self._sizes.ready(size)

    def _lock_pages(self) -> str:
        """Let frames and pictures lie where the device copies them directly. What the reason shown
        has to say of it."""
        try:
            memory = PageLocked()
            self._packer.lie_in(memory.empty)
        except OSError as error:
            return f", copied by way of the driver's own memory ({first_line(error)})"
        self._memory = memory
        return ""

    def _fetch(self, binding: Any) -> np.ndarray:
        """The picture of a run, not to be overwritten later."""
        if self._memory is None:
            return binding.copy_outputs_to_cpu()[0]
        value = binding.get_outputs()[0]
        return self._memory.fetch(value.data_ptr(), tuple(value.shape()))

    def _first_runner(self) -> tuple[Runner, str]:
        """One that replays a record, where the provider can and that is proven; else one that does
        not. With what the reason shown has to say of it."""
        why = ""
        if self._captures:
            try:
                return self._proven()
            except Exception as error:  # each provider raises classes of its own
                why = f", each operator called by itself ({first_line(error)})"
                self._captures = False
        session = providers.build_session(self._row, self._wrapped)
        return self._runner(session), left_to_the_cpu(session) + why

    def _proven(self) -> tuple[Runner, str]:
        session = providers.build_session(self._row, self._wrapped, True)
        runner = self._runner(session)
        assert isinstance(runner, Captured)
        packer = Packer(self.style_model, PROVEN, None)
        runner.check(packer.pack(blank_frame(PROVEN)), self._canvas_at(packer.padded))
        return runner, left_to_the_cpu(session)

    def _runner(self, session: onnxruntime.InferenceSession) -> Runner:
        inputs = fed(self.style_model)
        if self._captures:
            return Captured(session, self._row.device or self._row.name, inputs, self._fetch)
        if self._row.gpu:
            return Binding(session, self._row.device, inputs, self._fetch)
        return _Plain(session, inputs)

    def _canvas_at(self, size: Size) -> Canvas | None:
        """The canvas at rest of a model that takes one."""
        if not self.style_model.canvas:
            return None
        from stylizer.style.canvas import Canvas

        return Canvas(self.style_model, size)

    def _made_for(self, size: Size) -> Runner:
        """A session that has run a picture of this size. Raises ProviderProblem, or what running
        raises; on a thread of its own."""
        model = self.style_model
        session = providers.build_session(self._row, self._wrapped, self._captures)
        runner = self._runner(session)
        tensor = Packer(model, size, size).pack(blank_frame(size))
        runner(tensor, self._canvas_at(size))
        return runner


class _Plain:
    """Tensors in memory."""

    def __init__(self, session: onnxruntime.InferenceSession, inputs: list[str]) -> None:
        self._session, self._inputs = session, inputs
        self._output = session.get_outputs()[0].name

    def __call__(self, tensor: np.ndarray, canvas: Canvas | None = None) -> np.ndarray:
        tensors = [tensor, canvas.tensor] if canvas else [tensor]
        feeds = dict(zip(self._inputs, tensors, strict=True))
        return np.asarray(self._session.run([self._output], feeds)[0])


class Binding:
    """IOBinding: one buffer an input on the device for as long as the shape stays, no reallocation;
    the canvas is copied there only when it has changed. fetch: gives the picture of a run."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        device: str | None,
        inputs: list[str],
        fetch: Fetch,
    ) -> None:
        self._fetch = fetch
        self._session = session
        self._device = device
        self._binding = session.io_binding()
        self._inputs = inputs
        self._output = session.get_outputs()[0].name
        self._on_device: dict[str, onnxruntime.OrtValue] = {}
        self._stamp: object = None

    def __call__(self, tensor: np.ndarray, canvas: Canvas | None = None) -> np.ndarray:
        self._bind(self._inputs[0], tensor)
        if canvas is not None and canvas.stamp is not self._stamp:
            self._bind(self._inputs[1], canvas.tensor)
            self._stamp = canvas.stamp
        self._session.run_with_iobinding(self._binding)
        return self._fetch(self._binding)

    def _bind(self, name: str, tensor: np.ndarray) -> None:
        value = self._on_device.get(name)
        if self._device is None:
            self._binding.bind_cpu_input(name, tensor)
            self._binding.bind_output(self._output)
        elif value is None or tuple(value.shape()) != tensor.shape:
            value = onnxruntime.OrtValue.ortvalue_from_numpy(tensor, self._device, 0)
            self._on_device[name] = value
            self._binding.bind_ortvalue_input(name, value)
            self._binding.bind_output(self._output, self._device, 0)
        else:
            value.update_inplace(tensor)
