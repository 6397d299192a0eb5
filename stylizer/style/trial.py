"""Real runs of a model on small pictures, on the CPU, while its contract is not known yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from stylizer.errors import BadInput
from stylizer.frame import CANVAS_MIDDLE_BYTE
from stylizer.style import graph, reasons
from stylizer.style.contract import LAYOUTS, RANGES, CanvasInput, Selector, Size, StyleModel
from stylizer.style.fitting import Fit, fit_of


class Trial:
    """A session of the file as it is. stated_layout: the one that is known beforehand."""

    def __init__(
        self,
        path: Path,
        picture_input: graph.Tensor,
        outputs: list[graph.Tensor],
        selector: Selector | None,
        canvas: CanvasInput | None,
        stated_layout: str = "NCHW",
    ) -> None:
        """Raises BadInput when ONNX Runtime cannot load it."""
        self._input, self._outputs = picture_input, outputs
        self._selector, self._canvas = selector, canvas
        self._stated_layout = stated_layout
        self._session = _session(path)

    def channels(self, layout: str) -> int:
        """Of the picture that the network takes, if it has this layout."""
        shape = self._input.shape
        block = LAYOUTS[layout].block
        if block:
            return (shape[3] or 3 * block**2) // block**2
        return shape[1 if layout == "NCHW" else 3] or 3

    def fits(self, layout: str, size: Size, errors: list[str]) -> tuple[graph.Tensor, Fit] | None:
        """The output that is the picture, and how it fits. Appends to `errors` why none does."""
        try:
            row = LAYOUTS[layout]
            channels = self.channels(layout)
            given = np.zeros(row.shape(size, channels), self._input.dtype)
            results = self._run(given)
        except Exception as error:  # ONNX Runtime has a dozen classes for "cannot run"
            errors.append(reasons.first_line(error))
            return None
        found: list[tuple[graph.Tensor, Fit]] = []
        for output, result in zip(self._outputs, results, strict=True):
            fit = fit_of(result.shape, layout, size)
            if fit is None:
                errors.append(f"{size[0]}x{size[1]} gives {result.shape}")
            else:
                found.append((output, fit))
        return min(found, key=lambda pair: pair[1].rank, default=None)

    def answer(
        self, model: StyleModel, picture: np.ndarray, name: str, output: graph.Tensor
    ) -> np.ndarray:
        """Run on a picture (H, W, 3) in 0..1 given in range `name`; the raw tensor of one
        output."""
        scale, shift = RANGES[name]
        values = picture * 255 * scale + shift
        if model.input.channels == 4:
            opaque = np.full((*values.shape[:2], 1), 255 * scale + shift)
            values = np.concatenate([values, opaque], axis=2)
        if model.input.dtype == "uint8":
            values = np.rint(picture * 255) if model.input.channels == 3 else np.rint(values)
        if model.order == "BGR":
            values[..., :3] = values[..., 2::-1].copy()
        results = self._run(LAYOUTS[model.layout].pack(values.astype(model.input.dtype)))
        return results[self._outputs.index(output)]

    def _run(self, tensor: np.ndarray) -> list[np.ndarray]:
        feeds = {self._input.name: tensor}
        if self._selector:
            hot = np.zeros(self._selector.count, self._selector.dtype)
            hot[self._selector.selected] = 1
            feeds[self._selector.name] = hot.reshape(self._selector.shape)
        if self._canvas and self._canvas.name in {i.name for i in self._session.get_inputs()}:
            beside = self._canvas.shape_beside(tensor.shape, self._stated_layout)
            feeds[self._canvas.name] = np.full(beside, CANVAS_MIDDLE_BYTE, self._canvas.dtype)
        names = [output.name for output in self._outputs]
        return [np.asarray(result) for result in self._session.run(names, feeds)]


def _session(path: Path) -> ort.InferenceSession:
    """A plain CPU session of the file as it is, for probing only."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise BadInput(
            f"{path} cannot be loaded ({reasons.first_line(error)}); it is damaged or uses "
            "operators that ONNX Runtime lacks"
        ) from error
