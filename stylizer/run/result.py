"""What a run measured, and the facts about what it ran on; `report.py` makes the JSON of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from stylizer.errors import StylizerError, one_sentence
from stylizer.run.opened import Opened
from stylizer.run.switching import ModelSwitch
from stylizer.settings import Settings
from stylizer.timing import FrameStats


@dataclass
class RunResult:
    """What a run measured."""

    settings: Settings
    stats: FrameStats
    facts: dict[str, Any]
    switches: list[ModelSwitch] = field(default_factory=list)
    first_styled_s: float | None = None  # from the call of run() to the first styled frame shown


def unopened(settings: Settings, error: BaseException) -> RunResult:
    """Of a run that ended before all of it was open."""
    interrupted = isinstance(error, KeyboardInterrupt)
    facts = {
        "model": settings.model,
        "model_bytes": 0,
        "provider": "none",
        "provider_reason": "the run ended before it was open",
        "capture_method": "none",
        "present": settings.present,
        "present_reason": "",
        "size": [0, 0],
        "gl_renderer": "none",
        "interrupted": interrupted,
        "error": None if interrupted else one_sentence(error),
        "inference_size": [0, 0],
        "game_share": None,
        "blend": None,
    }
    return RunResult(settings, FrameStats(time.perf_counter()), facts)


def tell_unopened(
    settings: Settings, on_end: Callable[[RunResult], None], error: BaseException
) -> None:
    """Tell `on_end` what ended the run before it was open; that error counts, not a further one."""
    with suppress(StylizerError):
        on_end(unopened(settings, error))


def facts_of(opened: Opened, interrupted: bool, failure: Exception | None) -> dict[str, Any]:
    """Which model ran on what, how frames came and where they went, and what ended the run."""
    current = opened.bank.current
    size = list(opened.frame_size)
    return {
        "model": current.model if current else "none",
        "model_bytes": current.model_bytes if current else 0,
        "provider": current.provider if current else "none",
        "provider_reason": current.provider_reason if current else "",
        "capture_method": opened.source.capture_method,
        "present": opened.presenter.present_name,
        "present_reason": opened.presenter.reason,
        "size": size,
        "gl_renderer": opened.gl_renderer,
        "interrupted": interrupted,
        "error": None if failure is None else one_sentence(failure),
        "blend": blended(opened),
        "inference_size": list((current.inference_size if current else None) or size),
    }


def blended(opened: Opened) -> dict[str, Any] | None:
    """The second style, where there is one; without a provider where it never loaded."""
    second = opened.blending.current
    if second is not None:
        return {"with": second.model, "provider": second.provider}
    return {"with": opened.blending.chosen, "provider": None} if opened.blending.chosen else None
