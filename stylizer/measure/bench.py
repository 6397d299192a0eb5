"""bench: frame times of several models and sizes, in interleaved rounds of the one real loop.

Interleaved, so that a slow minute of the machine hits every model alike; ratios come from one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from stylizer.frame import IDLE, Size
from stylizer.run.pipeline import run
from stylizer.run.report import make_report
from stylizer.run.result import RunResult
from stylizer.settings import Settings
from stylizer.stages import StyleBackend
from stylizer.timing import FrameStats, fps, new_series


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    model: str
    size: Size


def settings_for(case: Case, base: Settings, frames: int) -> Settings:
    """Lock-step on the synthetic source, offscreen: the same loop as everywhere else."""
    return replace(
        base,
        source="synthetic",
        present="offscreen",
        sync=True,
        hud="off",
        model=case.model,
        size=case.size,
        frames=frames,
    )


def shares(frames: int, rounds: int) -> list[int]:
    """`frames` split over the rounds, as evenly as can be; no empty round."""
    rounds = max(1, min(rounds, frames))
    return [frames * (i + 1) // rounds - frames * i // rounds for i in range(rounds)]


def bench(
    models: list[str],
    sizes: list[Size],
    base: Settings,
    frames: int,
    rounds: int,
    on_round: Callable[[int, int, Case], None] = lambda *_: None,
) -> list[dict[str, Any]]:
    """One report for each model and size, over `frames` frames in `rounds` interleaved rounds.

    Raises BadInput when a model cannot be loaded, before anything is timed.
    """
    from stylizer.style.opening import open_style

    cases = [Case(model, size) for size in sizes for model in models]
    backends: dict[Case, StyleBackend] = {}
    results: dict[Case, list[RunResult]] = {case: [] for case in cases}
    try:
        for case in cases:
            backends[case] = open_style(settings_for(case, base, frames), case.model, case.size)
        parts = shares(frames, rounds)
        for number, part in enumerate(parts):
            for case in cases:
                on_round(number, len(parts), case)
                # Sessions stay warm between rounds: one frame brings the caches back.
                warmup = base.warmup if number == 0 else 1
                settings = replace(settings_for(case, base, part), warmup=warmup)
                results[case].append(run(settings, backends[case]))
    finally:
        for backend in backends.values():
            backend.close()
    rows = [make_report(pooled(results[case])) for case in cases]
    for row, case in zip(rows, cases, strict=True):
        row["round_fps"] = [fps(r.stats.styled, r.stats.seconds) for r in results[case]]
    add_ratios(rows)
    return rows


def pooled(results: list[RunResult]) -> RunResult:
    """One result of several rounds: series joined, counts and seconds added."""
    first = results[0]
    total = FrameStats(started_at=0.0)
    for result in results:
        stats = result.stats
        total.last_at += stats.seconds
        for name in ("warmup", "presented", "styled", "dropped", "duplicates"):
            setattr(total, name, getattr(total, name) + getattr(stats, name))
        total.frame_time_ms += stats.frame_time_ms
        total.latency_ms += stats.latency_ms
        for name, series in stats.stage_ms.items():
            total.stage_ms.setdefault(name, new_series()).extend(series)
    return replace(first, stats=total)


def add_ratios(rows: list[dict[str, Any]]) -> None:
    """ "ratio": styled fps over that of the first model, at the same size; "ratio_spread": least
    and largest of it over the rounds."""
    reference = rows[0]["model"] if rows else ""
    for name in (r["model"] for r in rows):
        if name.endswith("-original"):
            reference = name
            break
    base = {tuple(r["size"]): r for r in rows if r["model"] == reference}
    for row in rows:
        other = base.get(tuple(row["size"]))
        row["ratio_to"] = reference
        row["ratio"] = row["ratio_spread"] = None
        if other and other["styled_fps"]:
            row["ratio"] = row["styled_fps"] / other["styled_fps"]
            pairs = zip(row.get("round_fps", ()), other.get("round_fps", ()), strict=True)
            rounds = [mine / its for mine, its in pairs if mine and its]
            row["ratio_spread"] = [min(rounds), max(rounds)] if rounds else None


def session_only(backend: StyleBackend, size: Size, seed: int, frames: int) -> float:
    """Styled frames a second of the bare session: no source, no compositor, no presenter."""
    from stylizer.source.synthetic import SyntheticSource

    settings = Settings(source="synthetic", size=size, seed=seed, sync=True)
    source = SyntheticSource(settings)
    frame = source.read(IDLE)
    backend.style(frame)
    started = time.perf_counter()
    for _ in range(frames):
        backend.style(frame)
    seconds = time.perf_counter() - started
    source.close()
    return frames / seconds
