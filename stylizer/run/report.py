"""The report of a run: its JSON, from what the loop counted."""

from __future__ import annotations

import json
from typing import Any

from stylizer.run.result import RunResult
from stylizer.style.contract import DEFINITION as STYLE_DEFINITIONS
from stylizer.system.files import MADE_BY
from stylizer.system.machine import machine, peak_rss_mb
from stylizer.system.outputs import JSON_KEY
from stylizer.timing import (
    LOW_MIN_FRAMES_REPORT,
    STAGES,
    FrameStats,
    fps,
    frame_time_summary,
    one_percent_low_fps,
    p50_p99,
)

DEFINITIONS = {
    **STYLE_DEFINITIONS,  # of preprocess and infer, told where they are measured
    "model": "the style model that ran last, or none",
    "model_bytes": "size of its file",
    "provider": "what the network ran on",
    "provider_reason": "why that one",
    "source": "where the frames came from",
    "capture_method": "and how",
    "present_reason": "why that presenter",
    "camera": "true: a camera of PipeWire showed the picture, or was to",
    "sync": "true: lock-step, every frame styled, in order",
    "first_styled_s": "from the call of run() to the first styled frame shown; null: none was",
    "machine": "processor, system, versions and the GL renderer",
    "preset": "the settings file's game section that applied, or why none did; null: none to match",
    "size": "width and height of the frames, in pixels",
    "inference_size": "width and height that the network saw",
    "warmup_frames": "leading frames styled and presented before counting began",
    "frames": "presented frames, duplicates included",
    "styled_frames": "presented frames that were a new result of the network",
    "seconds": "from the last warm-up frame's present to the last present, without the pauses in "
    "which the game's own rate was taken",
    "presented_fps": "frames / seconds",
    "styled_fps": "styled_frames / seconds",
    "frame_time_ms": "present to present; p95 needs 20 frames, p99 100, p99_9 1,000, else null",
    "one_percent_low_fps": "1000 / p99 frame time, null under 1,000 frames",
    "stage_ms": "time of each stage for new frames; p99 is null under 100 of them",
    "capture": "the source's read() of one frame",
    "upload": "source and styled pixels to GL textures",
    "compose": "blend pass and HUD, as issued; on an offscreen presenter finished in present",
    "present": "the presenter; in stage_ms: hand-over to the display, where an offscreen presenter "
    "waits for the GPU (glFinish)",
    "gpu_ms": "of infer and compose on the GPU alone, by timer queries; null unless provider gl "
    "drew, on a GPU",
    "latency_ms": "from a frame's capture to the return of the present call that first showed it",
    "dropped": "frames captured or due but never styled",
    "duplicates": "frames presented again unchanged",
    "peak_rss_mb": "highest resident memory of the process so far, in MiB",
    "error": "why the run ended before its time; null: it did not, or by a key or signal",
    "game_share": "what the game keeps of its own rate: wanted; own_fps, taken without us (null: "
    "it stood still); beside_fps and kept, at the last look; painted_every: of so many of its "
    "frames one is painted now; own_taken, how often; null: no share was asked for",
    "blend": "the second style's model (with) and its provider (null: it never loaded), its share "
    "outside of masks, whether masks hold it whole, and the time of its network, which infer has "
    "in it; null: none",
    "model_switches": "key press, model, and the longest frame time until that model was shown",
}


def make_report(result: RunResult) -> dict[str, Any]:
    """The report of one `RunResult`."""
    stats, facts, settings = result.stats, result.facts, result.settings
    seconds = stats.seconds
    return {
        "model": facts["model"],
        "model_bytes": facts["model_bytes"],
        "provider": facts["provider"],
        "provider_reason": facts["provider_reason"],
        "source": settings.source,
        "capture_method": facts["capture_method"],
        "present": facts["present"],
        "present_reason": facts["present_reason"],
        "camera": settings.camera,
        "preset": settings.preset or None,
        "size": facts["size"],
        "inference_size": facts["inference_size"],
        "sync": settings.sync,
        "warmup_frames": stats.warmup,
        "frames": stats.presented,
        "styled_frames": stats.styled,
        "seconds": seconds,
        "presented_fps": fps(stats.presented, seconds),
        "styled_fps": fps(stats.styled, seconds),
        "frame_time_ms": frame_time_summary(stats.frame_time_ms),
        "one_percent_low_fps": one_percent_low_fps(stats.frame_time_ms, LOW_MIN_FRAMES_REPORT),
        "stage_ms": {name: p50_p99(stats.stage_ms.get(name, [])) for name in STAGES},
        "gpu_ms": {name: p50_p99(ms) for name, ms in stats.gpu_ms.items()} or None,
        "latency_ms": p50_p99(stats.latency_ms),
        "dropped": stats.dropped,
        "duplicates": stats.duplicates,
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "blend": _blend(facts["blend"], stats),
        "game_share": facts["game_share"],
        "model_switches": [s.as_dict() for s in result.switches],
        "error": facts["error"],
        "first_styled_s": result.first_styled_s,
        "definitions": DEFINITIONS,
        "machine": machine(facts["gl_renderer"]),
    }


def summary(report: dict[str, Any]) -> list[tuple[str, str]]:
    """The frame-time table of one report: (name, value) rows."""
    times, stages = report["frame_time_ms"], report["stage_ms"]
    rows = [
        ("source", f"{report['source']}, {report['capture_method']}"),
        ("provider", f"{report['provider']} ({report['provider_reason']})"),
        ("size", "{}x{}".format(*report["size"])),
        ("inference size", "{}x{}".format(*report["inference_size"])),
        (
            "frames",
            f"{report['frames']} presented, {report['styled_frames']} styled, "
            f"{report['dropped']} dropped, {report['duplicates']} duplicates",
        ),
        ("presented fps", _figure(report["presented_fps"], 2)),
        ("styled fps", _figure(report["styled_fps"], 2)),
        ("frame time ms", ", ".join(f"{k} {_figure(v, 1)}" for k, v in times.items())),
        ("1% low fps", _figure(report["one_percent_low_fps"], 1)),
        ("stages p50 ms", ", ".join(f"{k} {_figure(v['p50'], 1)}" for k, v in stages.items())),
        *_blend_row(report["blend"]),
        *_gpu_row(report["gpu_ms"]),
        ("latency p50 ms", _figure(report["latency_ms"]["p50"], 1)),
        *_share_row(report["game_share"]),
        ("peak memory", f"{report['peak_rss_mb']:.0f} MiB"),
    ]
    if report["preset"]:
        rows.insert(1, ("settings", report["preset"]))
    return rows


def _blend(facts: dict[str, Any] | None, stats: FrameStats) -> dict[str, Any] | None:
    if facts is None:
        return None
    return facts | {"infer_ms": p50_p99(stats.stage_ms.get("infer_second", []))}


def _gpu_row(gpu_ms: dict[str, Any] | None) -> list[tuple[str, str]]:
    text = ", ".join(f"{k} {_figure(v['p50'], 2)}" for k, v in (gpu_ms or {}).items())
    return [("GPU p50 ms", text)] if text else []


def _blend_row(blend: dict[str, Any] | None) -> list[tuple[str, str]]:
    if blend is None:
        return []
    own = _figure(blend["infer_ms"]["p50"], 1)
    return [("second style", f"{blend['share']:.0%} {blend['with']}, {own} ms of infer")]


def _share_row(share: dict[str, Any] | None) -> list[tuple[str, str]]:
    if share is None:
        return []
    own, beside = _figure(share["own_fps"], 1), _figure(share["beside_fps"], 1)
    text = f"{own} fps alone, {beside} beside us; 1 of {share['painted_every']} frames painted"
    return [("the game", text)]


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def to_json(report: dict[str, Any]) -> str:
    """Rounded to microseconds, so that the file can be read; with our mark."""
    return json.dumps({JSON_KEY: MADE_BY} | _rounded(report), indent=2) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return value
