"""What the HUD is told, in values. Nothing of the library that draws it is needed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from stylizer.frame import Rect
from stylizer.settings import HudCorner, HudMode

CAMERA_HINTS = (
    "W A S D or ← ↑ ↓ → move the camera · E and Q up and down",
    "Mouse: left drag moves the wipe · right drag looks around",
)


@dataclass(frozen=True)
class HudData:
    """What the HUD may show; None and "" are shown as "–" or left out.

    frame_time_ms: of the last presented frames, newest last. stage_ms: stage name -> ms, in the
    order shown; gpu_ms: the same of the GPU alone, where it is known. held: the rate that is held
    and how; shared: which part of a game's frames is painted, and what the game keeps; blended: the
    second style with its share, and what both networks cost; training: how far it is.
    message: a toast at the bottom. covered: where the panel lies, if it is open. bindings: (key
    name, what it does) for F1; hints: further lines of F1. Sizes are (width, height) in pixels.
    place: where it was dragged to, as shares of the room around it; None: its corner.
    """

    mode: HudMode = "fps"
    corner: HudCorner = "top-left"
    place: tuple[float, float] | None = None
    show_help: bool = False
    presented_fps: float | None = None
    styled_fps: float | None = None
    one_percent_low_fps: float | None = None
    frame_time_ms: Sequence[float] = ()
    model: str = ""
    precision: str = ""
    provider: str = ""
    provider_reason: str = ""
    source: str = ""
    capture_method: str = ""
    present: str = ""
    present_reason: str = ""
    size: tuple[int, int] | None = None
    inference_size: tuple[int, int] | None = None
    stage_ms: dict[str, float | None] = field(default_factory=dict)
    gpu_ms: dict[str, float | None] = field(default_factory=dict)
    latency_ms: float | None = None
    dropped: int = 0
    duplicates: int = 0
    recording: bool = False
    recorded_s: float = 0.0
    target_text: str = ""
    shared: tuple[str, str] = ("", "")
    blended: tuple[str, str] = ("", "")
    training: str = ""
    message: str = ""
    covered: Rect | None = None
    bindings: Sequence[tuple[str, str]] = ()
    hints: Sequence[str] = CAMERA_HINTS
