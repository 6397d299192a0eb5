"""One frozen dataclass with every setting of a run, passed in, never global."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

HudMode = Literal["off", "fps", "graph"]


@dataclass(frozen=True)
class Settings:
    """Settings of `run`; sizes are (width, height). See contract.md for each option's meaning."""

    source: str = "demo"
    input: Path | None = None
    window: str | None = None  # the window to capture: part of its title, 0xID, pid:N, class:NAME
    wait: bool = False  # a closed window may come back
    region: tuple[int, int, int, int] | None = None  # of the screen: x, y, width, height
    monitor: int | None = None  # counted from 1
    model: str = "auto"
    model_layout: str | None = None
    model_range: str | None = None
    model_order: str | None = None
    size: tuple[int, int] = (1280, 720)
    inference_size: tuple[int, int] | None = None
    provider: str = "auto"
    present: str = "window"
    sync: bool = False
    fps: float | None = None
    frames: int | None = None
    seconds: float | None = None
    warmup: int = 3
    strength: float = 1.0
    keep_colors: bool = False
    wipe: float | None = None
    target_fps: float | None = None  # held by the size that the network sees
    faster_tiers: bool = False  # and, where that is not enough, by a faster tier
    detail: bool = True  # below full size the frame keeps its own detail
    stabilise: float = 0.0  # share of the last picture kept where the source stands still
    hud: HudMode = "fps"
    record: Path | None = None
    output: Path | None = None
    screenshot: Path | None = None
    report: Path | None = None
    overwrite: bool = False  # outputs may replace files that are not ours
    seed: int = 0
    fullscreen: bool = False
    keys: dict[str, str] = field(default_factory=dict)  # action -> key name, rebinding hotkeys.py
    preset: str = ""  # which game section of the settings file applies, or why none, in words
    global_keys: dict[str, str] = field(default_factory=dict)  # action -> "ctrl+alt+1", "" none
    grab_keys: bool = False  # the global keys work with a window of our own, too

    @property
    def on_screen(self) -> bool:
        """Whether somebody watches: a window or an overlay."""
        return self.present != "offscreen"
