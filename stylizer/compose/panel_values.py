"""What the panel is told and what it answers, in values. No library that draws is needed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from stylizer.frame import Shape, Size
from stylizer.settings import HudCorner, HudMode, MaskStyle


@dataclass(frozen=True)
class Change:
    """One thing that the user did in the panel.

    name: a setting, whose new value follows; or "style", "tier" (of the bundled models), "close",
    "key" (value: action and key name, "" for the default), "painting" (value: a picture's path),
    "mix" (value: a style for its colors, one for its strokes), "save", "rename" (value: the name),
    "reset", "export" (value: the path of a file or folder), "stop_export", "stop_training",
    "keep_training", "discard_training", "freeze" and "find"
    (value: on or off), "mask_inside" (value: none, weaker or second), "take" (value: what was
    found), "show_masks".
    """

    name: str
    value: Any = None


@dataclass(frozen=True)
class PanelState:
    """What is chosen now; the panel is laid out anew at once when any of it changes.

    style, tier: of the model in use, or of the one that `loading` names; a model of the user's own
    has its name and "". styles: style -> its tiers. made_of: the styles that have the colors and
    the strokes of the one in use. blend_with: the second style, "" for none. scales: share of the
    frame's sides -> the inference size that it means. keys: (action, what it does, key name).
    preset_file: where settings are kept, "" where they cannot be; preset: of which game, "" for
    all; preset_name: as the user calls it; unsaved: what differs from what is kept, in words.
    hud_corner: "" where it was dragged elsewhere. mask: the name of the mask's file, "" for none;
    exporting: what is done of the file that is being painted, "" while none is; exported: its
    share. training: how far the style's training is, "" while there is none; trained: of its steps;
    training_over: it has ended. finding: how far looking for a HUD is, "" while it is not;
    proposals: what was found.
    """

    style: str = ""
    tier: str = ""
    loading: str = ""
    styles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    made_of: tuple[str, str] = ("", "")
    strength: float = 1.0
    keep_colors: bool = False
    blend_with: str = ""
    blend: float = 0.0
    stabilize: float = 0.0
    hud: HudMode = "fps"
    hud_corner: HudCorner | Literal[""] = "top-left"
    target_fps: float | None = None
    game_share: float | None = None
    inference_size: Size | None = None
    scales: Mapping[float, Size | None] = field(default_factory=dict)
    resizable: bool = True
    recording: bool = False
    keys: Sequence[tuple[str, str, str]] = ()
    panel_key: str = ""
    global_keys: bool = False
    preset: str = ""
    preset_name: str = ""
    preset_file: str = ""
    unsaved: Sequence[str] = ()
    mask_shapes: tuple[Shape, ...] = ()
    mask: str = ""
    mask_strength: float = 0.0
    mask_style: MaskStyle = "first"
    mask_feather: float = 0.0
    show_masks: bool = False
    masks_key: str = ""
    finding: str = ""
    proposals: tuple[Shape, ...] = ()
    exporting: str = ""
    exported: float = 0.0
    training: str = ""
    trained: float = 0.0
    training_over: bool = False
    pictures: int = 0  # thumbnails made so far


@dataclass(frozen=True)
class PanelFigures:
    """What is measured; followed four times a second. Times in ms, (p50, p99) or None."""

    presented_fps: float | None = None
    styled_fps: float | None = None
    frame_time_ms: Sequence[float] = ()
    stage_ms: Mapping[str, tuple[float, float] | None] = field(default_factory=dict)
    latency_ms: float | None = None
    provider: str = ""
    provider_reason: str = ""
    precision: str = ""
    sees: Size | None = None
    size: Size | None = None
    target_text: str = ""
    shared: str = ""
    blended: tuple[str, str] = ("", "")
