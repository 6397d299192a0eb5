"""Opening a model: its name -> file -> contract -> provider -> a session that has run once."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stylizer.errors import BadInput
from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.stages import STYLES, StyleBackend, open_backend
from stylizer.style import catalog, remembered
from stylizer.style.contract import Size

TRIALS = 5  # frames of which `auto` takes the median
MOST_TRIAL_MS = 1000.0  # after which it has seen enough
INPUT_SETTINGS = ("inference_size", "model_layout", "model_range", "model_order")


def open_style(
    settings: Settings, model: str, frame_size: Size, thread: Callable[[], Any] = lambda: None
) -> StyleBackend:
    """Build the named model on the settings' provider and prove it with one run of `frame_size`.

    May be called from any thread; takes from 50 ms to seconds. `auto` providers are tried best
    first, then the shaders and WebGPU are timed against the one that works; `provider_reason` says
    why the one taken was taken. Raises BadInput for a model or provider that cannot be used,
    StylizerError when no provider works. thread: gives the GlThread that shaders draw on, None for
    one of their own, or why `auto` need not try them; asked only when it comes to them.
    """
    if model == "none":
        return open_backend(STYLES, "style backend", "none", frame_size)
    from stylizer.style import providers

    rows = providers.candidates(settings.provider)
    loaded = _Loaded(settings, model)
    if settings.provider != "auto":
        try:
            style = _built(rows[0], loaded, frame_size, *_drawn_on(rows[0], thread))
        except providers.ProviderProblem as problem:
            raise providers.not_built(rows[0], problem) from problem
        reason = providers.chosen_because(rows[0], settings.provider, {})
    else:
        style, reason = _best(rows, loaded, frame_size, thread)
    style.provider_reason = reason + style.provider_reason
    style.provider_reason += _size_remark(loaded.model, frame_size, settings)
    loaded.keep_flags()
    return style


def _drawn_on(row: Any, thread: Callable[[], Any]) -> list[Any]:
    """What the shaders' backend takes beside what all take."""
    return [thread()] if row.backend == "gl" else []


def _built(row: Any, loaded: _Loaded, frame_size: Size, *more: Any) -> StyleBackend:
    """The model on one provider; in fp32 where the device cannot run the fp16 file that the name
    came to. Raises ProviderProblem."""
    from stylizer.style import providers

    settings = loaded.settings
    rest = (row, frame_size, settings.inference_size, settings.canvas_moves, *more)
    found = loaded.on(row.name)
    loaded.prove(row.name, frame_size)
    try:
        return open_backend(STYLES, "style backend", row.backend, *found, *rest)
    except providers.ProviderProblem as problem:
        found = loaded.in_float()
        if found is None:
            raise
        style = open_backend(STYLES, "style backend", row.backend, *found, *rest)
        style.provider_reason += f", in fp32: the fp16 file does not run there ({problem})"
        return style


def _best(
    rows: list[Any], loaded: _Loaded, frame_size: Size, thread: Callable[[], Any]
) -> tuple[StyleBackend, str]:
    """What `auto` takes, and why. Raises BadInput."""
    from stylizer.style import providers

    problems: dict[str, providers.ProviderProblem] = {}
    built: list[StyleBackend] = []
    row = None
    for row in rows:
        if row.name == "gl" or not providers.is_installed(row):
            continue
        try:
            built.append(_built(row, loaded, frame_size))
        except providers.ProviderProblem as problem:
            problems[row.name] = problem
            continue
        if not row.timed:
            break
    if row is None or not built:
        reasons = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise BadInput(f"{loaded.model_name} runs on no provider here ({reasons}); see `doctor`")
    *timed, last = built
    shaders = _shaders(rows, loaded, frame_size, problems, thread)
    reason = providers.chosen_because(providers.PROVIDERS[last.provider], "auto", problems)
    rivals = [*([shaders] if shaders else []), *timed]
    return _fastest(rivals, last, frame_size, reason) if rivals else (last, reason)


def _shaders(
    rows: list[Any],
    loaded: _Loaded,
    frame_size: Size,
    problems: dict[str, Any],
    thread: Callable[[], Any],
) -> StyleBackend | None:
    """The model on a GPU through OpenGL, which counts only where it is one; else why not."""
    from stylizer.style import providers

    row = next(row for row in rows if row.name == "gl")
    drawn_on = _drawn_on(row, thread)
    if isinstance(drawn_on[0], str):
        problems["gl"] = providers.ProviderProblem(drawn_on[0])
        return None
    try:
        return _built(replace(row, software=False), loaded, frame_size, *drawn_on)
    except providers.WrongModel:
        return None  # it draws one kind of network: nothing that could be mended
    except providers.ProviderProblem as problem:
        problems["gl"] = problem
        return None


def _fastest(
    rivals: list[StyleBackend], usual: StyleBackend, size: Size, reason: str
) -> tuple[StyleBackend, str]:
    """The fastest of all by the median of a few frames; the others are closed. reason: for the
    usual one."""
    times_ms = {style: _frame_ms(style, size) for style in (*rivals, usual)}
    best = min(times_ms, key=times_ms.__getitem__)
    for style in times_ms:
        if style is not best:
            style.close()
    (first, ms), *others = ((style.provider, ms) for style, ms in times_ms.items())
    found = ", ".join([f"{first} {ms:.1f} ms a frame", *(f"{p} {t:.1f}" for p, t in others)])
    return best, f"{reason}; {found}" if best is usual else f"{best.provider}: {found}"


def _frame_ms(style: StyleBackend, size: Size) -> float:
    """Median time of a frame, copies and packing included; of fewer frames where they are slow."""
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4), np.uint8)
    frame = Frame(pixels, "RGBA", time.perf_counter(), 0)
    times_ms: list[float] = []
    while len(times_ms) < TRIALS and sum(times_ms) < MOST_TRIAL_MS:
        styled = style.style(frame)
        times_ms.append(styled.preprocess_ms + styled.infer_ms)
    style.forget()
    return float(np.median(times_ms))


def _use_once(settings: Settings, path: Path, index: int, frame_size: Size) -> None:
    """In a child. What the provider cannot do is for the parent to say."""
    from stylizer.style.providers import ProviderProblem

    with suppress(BadInput, ProviderProblem):
        open_style(settings, f"{path}#{index}" if index else str(path), frame_size).close()


@dataclass
class _Loaded:
    """The model's contract, probed once for each file (providers may want different files)."""

    settings: Settings
    model_name: str

    def __post_init__(self) -> None:
        self._file: catalog.ModelFile | None = None
        self._found: tuple[Any, Any] = (None, None)

    def on(self, provider: str) -> tuple[Any, Any]:
        """(StyleModel, ModelProto) of the file that the name means on this provider."""
        return self._load(catalog.resolve(self.model_name, provider))

    def in_float(self) -> tuple[Any, Any] | None:
        """The same of the fp32 file, where what was asked for last is the fp16 file; else None."""
        assert self._file is not None
        assert self._file.path is not None
        path = catalog.float_file(self.model_name, self._file.path)
        return None if path is None else self._load(catalog.ModelFile(path, self._file.index))

    def _load(self, file: catalog.ModelFile) -> tuple[Any, Any]:
        from stylizer.style.loading import load_vetted

        if file != self._file:
            assert file.path is not None
            self._found = load_vetted(file.path, file.index, self.settings)
            self._file = file
        return self._found

    @property
    def model(self) -> Any:
        """The StyleModel that was asked for last."""
        return self._found[0]

    def prove(self, provider: str, frame_size: Size) -> None:
        """A foreign model's first picture of this size, in a process with limits."""
        if provider == "gl":
            return  # it runs no foreign graph: it draws one kind of network
        from stylizer.style.vetting import vet

        assert self._file is not None
        assert self._file.path is not None
        settings, (_, proto) = self.settings, self._found
        values = {name: getattr(settings, name) for name in INPUT_SETTINGS}
        same = Settings(provider=provider, **values)
        seen = settings.inference_size or frame_size
        path, index = self._file.path, self._file.index
        vet(path, proto, _use_once, same, path, index, frame_size, size=seen)

    def keep_flags(self) -> None:
        """Remember the flags beside the model, now that it has run with them."""
        flags = remembered.flags(self.settings)
        if flags and self._file and self._file.path:
            remembered.remember(self._file.path, flags)


def _size_remark(model: Any, frame_size: Size, settings: Settings) -> str:
    """What was done to the frame's size, where the user could wonder."""
    fixed = model.fixed_size
    if not fixed or fixed == frame_size:
        return ""
    remark = f"; the model only takes {fixed[0]}x{fixed[1]}, so frames are resized to it and back"
    if settings.inference_size and settings.inference_size != fixed:
        remark += ", whatever the inference size"
    return remark
