"""A model from its file, by what flags and earlier runs say of it; a foreign one vetted first."""

from __future__ import annotations

from pathlib import Path

import onnx

from stylizer.settings import Settings
from stylizer.style import graph
from stylizer.style.contract import StyleModel
from stylizer.style.probe import load_model
from stylizer.style.remembered import flags, with_remembered
from stylizer.style.vetting import vet


def load_vetted(path: Path, index: int, settings: Settings) -> tuple[StyleModel, onnx.ModelProto]:
    """The model and its graph; `index` chooses the style (#K).

    Raises BadInput, one sentence, for whatever cannot be used as a style model.
    """
    given = with_remembered(path, flags(settings))
    vet(path, graph.load(path), load_model, path, index, given)
    return load_model(path, index, given)
