"""From the loop's counts to what the HUD shows. Main thread only."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stylizer.compose.hud_values import CAMERA_HINTS, HudData
from stylizer.frame import Rect
from stylizer.hotkeys import DEFAULT_KEYS, global_combinations, key_label
from stylizer.settings import HudCorner, HudMode, Settings
from stylizer.timing import LOW_MIN_FRAMES_HUD, STAGES, RollingWindow, one_percent_low_fps

if TYPE_CHECKING:
    import moderngl

    from stylizer.compose.hud import Hud

GRAPH_FRAMES = 240
LOW_FRAMES = 1000  # the 1% low of the HUD looks back this far
MESSAGE_S, READ_PER_S = 2.5, 20  # at least so long; letters read a second
LOW_EVERY_S = 0.25  # sorting 1,000 frame times for the 1% low takes 0.1 ms: not for every frame


@dataclass(frozen=True)
class HudView:
    """What the loop tells the HUD in one turn. Sizes are (width, height).

    scale: of the user interface. state: why no frames come, "" while they do. loading: the model
    that loads, or "". stage_ms, gpu_ms, latency_ms: all times so far, newest last.
    """

    mode: HudMode
    corner: HudCorner
    place: tuple[float, float] | None
    show_help: bool
    covered: Rect | None  # by the panel
    scale: float
    state: str
    loading: str
    model: str
    precision: str
    provider: str
    provider_reason: str
    capture_method: str
    present: str
    present_reason: str
    size: tuple[int, int]
    inference_size: tuple[int, int] | None
    stage_ms: Mapping[str, Sequence[float]]
    gpu_ms: Mapping[str, Sequence[float]]
    latency_ms: Sequence[float]
    dropped: int
    duplicates: int
    recording: bool
    recorded_s: float
    target_text: str
    shared: tuple[str, str]
    blended: tuple[str, str]
    training: str
    key_names: Mapping[str, str]  # action -> the key that works, where it is not as bound


class HudWriter:
    """Keeps the last frame times and messages and hands them to `compose.hud.Hud`."""

    def __init__(self, context: moderngl.Context, scale: float, settings: Settings) -> None:
        self._settings, self._context, self._scale = settings, context, scale
        self._hud: Hud | None = None
        if settings.on_screen:
            self._open()  # elsewhere most runs have none, and opening it takes 0.3 s
        self._presented = RollingWindow()
        self._styled = RollingWindow()
        self._frame_time_ms: deque[float] = deque(maxlen=LOW_FRAMES)
        self._low_fps: float | None = None
        self._low_at = 0.0
        self._message, self._message_until = "", 0.0
        keys = {a: key for a, (key, _) in DEFAULT_KEYS.items()} | settings.keys
        if settings.over_game:
            keys = global_combinations(settings.global_keys)
        self.rebind(keys)

    def _open(self) -> Hud:
        from stylizer.compose.hud import Hud

        if self._hud is None:
            self._hud = Hud(self._context, self._scale)
        return self._hud

    def rebind(self, keys: Mapping[str, str]) -> None:
        """The keys that F1 shows: action -> key."""
        self._keys = dict(keys)

    def key(self, action: str, names: Mapping[str, str]) -> str:
        """What to press, as keyboards have it; names: as F1 is told, `key_names`."""
        return key_label((self._keys | dict(names)).get(action, ""))

    @property
    def area(self) -> Rect | None:
        """Where its figures lie in the window, in pixels; None while there are none."""
        return None if self._hud is None else self._hud.area

    @property
    def covered(self) -> tuple[Rect, ...]:
        """Where anything of it lies in the window, in pixels."""
        return () if self._hud is None else self._hud.covered

    def say(self, message: str) -> None:
        """Show a message at the bottom for a moment."""
        shown_s = max(MESSAGE_S, len(message) / READ_PER_S)
        self._message, self._message_until = message, time.perf_counter() + shown_s

    def count(self, frame_time_ms: float, now: float, styled: bool) -> None:
        """Take note of the frame just presented; styled: a new result of the network."""
        self._frame_time_ms.append(frame_time_ms)
        self._presented.add(now)
        if styled:
            self._styled.add(now)

    def draw(self, framebuffer: moderngl.Framebuffer, view: HudView) -> None:
        """Draw over the framebuffer, as the view says."""
        now = time.perf_counter()
        message = self._message_now(view, now)
        if view.mode == "off" and not view.show_help and not message:
            if self._hud is not None:
                self._hud.clear()
            return
        hud = self._open()
        hud.scale = view.scale
        hud.draw(framebuffer, self._data(view, now, message))

    def _message_now(self, view: HudView, now: float) -> str:
        said = self._message if now < self._message_until else ""
        standing = self._standing_message(view)
        if view.model:
            return said or standing
        # Before the first picture: what it waits for, and what else is to be known.
        return " · ".join(part for part in (standing, said) if part)

    def _standing_message(self, view: HudView) -> str:
        if view.state:
            return f"the window is {view.state}"
        loading = view.loading and self._settings.on_screen
        name = "the style" if view.loading == "auto" else view.loading
        return f"loading {name}" if loading else ""

    def _data(self, view: HudView, now: float, message: str) -> HudData:
        presented_fps, styled_fps = self._rates(now)
        return HudData(
            mode=view.mode,
            corner=view.corner,
            place=view.place,
            show_help=view.show_help,
            covered=view.covered,
            presented_fps=presented_fps,
            styled_fps=styled_fps,
            one_percent_low_fps=self._one_percent_low(now),
            frame_time_ms=list(self._frame_time_ms)[-GRAPH_FRAMES:],
            model=view.model,
            precision=view.precision,
            provider=view.provider,
            provider_reason=view.provider_reason,
            source=self._settings.source,
            capture_method=view.capture_method,
            present=view.present,
            present_reason=view.present_reason,
            size=view.size,
            inference_size=view.inference_size,
            stage_ms={name: _last(view.stage_ms.get(name)) for name in STAGES},
            gpu_ms={name: _last(series) for name, series in view.gpu_ms.items()},
            latency_ms=_last(view.latency_ms),
            dropped=view.dropped,
            duplicates=view.duplicates,
            recording=view.recording,
            recorded_s=view.recorded_s,
            target_text=view.target_text,
            shared=view.shared,
            blended=view.blended,
            training=view.training,
            message=message,
            bindings=self._bindings(view.key_names),
            hints=() if self._settings.over_game else CAMERA_HINTS,
        )

    def figures(self) -> tuple[float | None, float | None, list[float]]:
        """(presented fps, styled fps, last frame times in ms), for the panel."""
        now = time.perf_counter()
        return *self._rates(now), list(self._frame_time_ms)[-GRAPH_FRAMES:]

    def _rates(self, now: float) -> tuple[float | None, float | None]:
        """(presented fps, styled fps). Each counts from an event of its own: what is styled is
        presented, so that it is never the more."""
        presented, styled = self._presented.fps(now), self._styled.fps(now)
        return presented, styled if presented is None or styled is None else min(styled, presented)

    def _bindings(self, names: Mapping[str, str]) -> list[tuple[str, str]]:
        """(key, what it does) as F1 shows them."""
        keys = self._keys | dict(names)
        return [(keys[a], text) for a, (_, text) in DEFAULT_KEYS.items() if a in keys]

    def _one_percent_low(self, now: float) -> float | None:
        if now - self._low_at > LOW_EVERY_S:
            self._low_at = now
            self._low_fps = one_percent_low_fps(list(self._frame_time_ms), LOW_MIN_FRAMES_HUD)
        return self._low_fps

    def close(self) -> None:
        """Free the HUD's GL objects; may be called twice."""
        if self._hud is not None:
            self._hud.release()


def _last(series: Sequence[float] | None) -> float | None:
    """Mean of the last few values: a single one flickers too much to be read."""
    recent = series[-10:] if series else []
    return sum(recent) / len(recent) if recent else None
