"""From the loop's counts to what the HUD shows. Main thread only."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from stylizer.hotkeys import DEFAULT_KEYS, global_combinations
from stylizer.timing import (
    LOW_MIN_FRAMES_HUD,
    FrameStats,
    RollingWindow,
    one_percent_low_fps,
)

if TYPE_CHECKING:
    from stylizer.run.pipeline import Run

GRAPH_FRAMES = 240
LOW_FRAMES = 1000  # the 1% low of the HUD looks back this far
MESSAGE_S = 2.5
LOW_EVERY_S = 0.25  # sorting 1,000 frame times for the 1% low takes 0.1 ms: not for every frame
STAGES_SHOWN = ("capture", "preprocess", "infer", "upload", "compose", "present")


class HudFeed:
    """Keeps the last frame times and messages and hands them to `compose.hud.Hud`."""

    def __init__(self, run: Run) -> None:
        from stylizer.compose.hud import Hud

        self._run = run
        self._hud = Hud(run.presenter.context, run.presenter.scale)
        self._presented = RollingWindow()
        self._styled = RollingWindow()
        self._frame_time_ms: deque[float] = deque(maxlen=LOW_FRAMES)
        self._low_fps: float | None = None
        self._low_at = 0.0
        self._message, self._message_until = "", 0.0
        keys = {a: key for a, (key, _) in DEFAULT_KEYS.items()} | run.settings.keys
        if run.settings.present == "overlay":
            keys = global_combinations(run.settings.global_keys)
        self._bindings = [(keys[a], text) for a, (_, text) in DEFAULT_KEYS.items() if a in keys]

    def say(self, message: str) -> None:
        """Show a message at the bottom for a moment."""
        self._message, self._message_until = message, time.perf_counter() + MESSAGE_S

    def count(self, stats: FrameStats, now: float, styled: bool) -> None:
        """Take note of the frame just presented."""
        self._frame_time_ms.append(stats.frame_time_ms[-1])
        self._presented.add(now)
        if styled:
            self._styled.add(now)

    def draw(self) -> None:
        """Draw over the presenter's framebuffer, as the controls say."""
        controls, presenter = self._run.controls, self._run.presenter
        now = time.perf_counter()
        message = self._message if now < self._message_until else self._standing_message()
        if controls.hud == "off" and not controls.help and not message:
            return
        self._hud.scale = presenter.scale
        self._hud.draw(presenter.framebuffer, self._data(now, message))

    def _standing_message(self) -> str:
        state = getattr(self._run.source, "state", "")
        if state:
            return f"the window is {state}"
        loading = self._run.bank.loading
        return f"loading {loading}" if loading and self._run.settings.on_screen else ""

    def _data(self, now: float, message: str) -> Any:
        from stylizer.compose.hud import HudData
        from stylizer.compose.hud_layout import CAMERA_HINTS

        run, stats = self._run, self._run.stats
        backend = run.bank.current
        series = list(self._frame_time_ms)
        size = run.frame_size
        return HudData(
            mode=run.controls.hud,
            show_help=run.controls.help,
            presented_fps=self._presented.fps(now),
            styled_fps=self._styled.fps(now),
            one_percent_low_fps=self._one_percent_low(now),
            frame_time_ms=series[-GRAPH_FRAMES:],
            model=backend.model if backend else "",
            precision=getattr(getattr(backend, "style_model", None), "precision", ""),
            provider=backend.provider if backend else "",
            provider_reason=backend.provider_reason if backend else "",
            source=run.settings.source,
            capture_method=run.source.capture_method,
            present=run.presenter.present_name,
            present_reason=run.presenter.reason,
            size=size,
            inference_size=getattr(backend, "inference_size", None),
            stage_ms={name: _last(stats.stage_ms.get(name)) for name in STAGES_SHOWN},
            latency_ms=_last(stats.latency_ms),
            dropped=run.feed.dropped,
            duplicates=stats.duplicates,
            recording=run.outputs.recording,
            recorded_s=run.outputs.recorded_s,
            held=run.holding.text,
            message=message,
            bindings=self._bindings,
            hints=() if run.settings.present == "overlay" else CAMERA_HINTS,
        )

    def _one_percent_low(self, now: float) -> float | None:
        if now - self._low_at > LOW_EVERY_S:
            self._low_at = now
            self._low_fps = one_percent_low_fps(list(self._frame_time_ms), LOW_MIN_FRAMES_HUD)
        return self._low_fps

    def close(self) -> None:
        """Free the HUD's GL objects; may be called twice."""
        self._hud.release()


def _last(series: list[float] | None) -> float | None:
    """Mean of the last few values: a single one flickers too much to be read."""
    recent = series[-10:] if series else []
    return sum(recent) / len(recent) if recent else None
