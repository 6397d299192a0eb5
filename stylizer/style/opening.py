"""Opening a model: its name -> file -> contract -> provider -> a session that has run once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.stages import STYLES, StyleBackend, open_backend
from stylizer.style import catalog
from stylizer.style.contract import Size


def open_style(settings: Settings, model: str, frame_size: Size) -> StyleBackend:
    """Build the named model on the settings' provider and prove it with one run of `frame_size`.

    May be called from any thread; takes from 50 ms to seconds. `auto` providers are tried best
    first, and `provider_reason` says why the one taken was taken. Raises BadInput for a model or
    provider that cannot be used, StylizerError when no provider works.
    """
    if model == "none":
        return open_backend(STYLES, "style backend", "none", frame_size)
    from stylizer.style import providers

    rows = providers.candidates(settings.provider)
    if settings.provider == "auto":
        rows = [row for row in rows if providers.is_installed(row)]
    loaded = _Loaded(settings, model)
    problems: dict[str, providers.ProviderProblem] = {}
    for row in rows:
        style_model, proto = loaded.on(row.name)
        try:
            style = open_backend(
                STYLES,
                "style backend",
                row.backend,
                style_model,
                proto,
                row,
                frame_size,
                settings.inference_size,
                settings.canvas_moves,
            )
        except providers.ProviderProblem as problem:
            if settings.provider != "auto":
                raise providers.not_built(row, problem) from problem
            problems[row.name] = problem
            continue
        reason = providers.chosen_because(row, settings.provider, problems)
        style.provider_reason = (
            reason + style.provider_reason + _size_remark(style_model, frame_size, settings)
        )
        loaded.keep_flags()
        return style
    told = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
    raise BadInput(f"{model} runs on no provider here ({told}); see `doctor`")


@dataclass
class _Loaded:
    """The model's contract, probed once for each file (providers may want different files)."""

    settings: Settings
    model: str

    def __post_init__(self) -> None:
        self._file: catalog.ModelFile | None = None
        self._found: tuple[Any, Any] = (None, None)

    def on(self, provider: str) -> tuple[Any, Any]:
        """(StyleModel, ModelProto) of the file that the name means on this provider."""
        from stylizer.style import graph
        from stylizer.style.probe import Given, load_model
        from stylizer.style.vetting import vet

        file = catalog.resolve(self.model, provider)
        if file != self._file:
            assert file.path is not None
            values, how = catalog.with_remembered(file.path, catalog.flags(self.settings))
            given = Given(values, how)
            vet(file.path, graph.load(file.path), load_model, file.path, file.index, given)
            self._found = load_model(file.path, file.index, given)
            self._file = file
        return self._found

    def keep_flags(self) -> None:
        """Remember the flags beside the model, now that it has run with them."""
        told = catalog.flags(self.settings)
        if told and self._file and self._file.path:
            catalog.remember(self._file.path, told)


def _size_remark(model: Any, frame_size: Size, settings: Settings) -> str:
    """What was done to the frame's size, where the user could wonder."""
    fixed = model.fixed_size
    if not fixed or fixed == frame_size:
        return ""
    remark = f"; the model only takes {fixed[0]}x{fixed[1]}, so frames are resized to it and back"
    if settings.inference_size and settings.inference_size != fixed:
        remark += " and --inference-size is not used"
    return remark
