"""The HUD over a plain picture."""

from __future__ import annotations

import numpy as np

from stylizer.compose.hud import Hud, HudData
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.present.window import WindowPresenter

DATA = HudData(
    mode="graph",
    presented_fps=59.8,
    styled_fps=23.1,
    frame_time_ms=[16.7, 17.2, 15.9, 40.1] * 60,
    model="mosaic-small",
    provider="cpu",
    provider_reason="no other provider is installed",
    source="demo",
    capture_method="rendered, read back",
    present="offscreen",
    present_reason="llvmpipe",
    size=(1280, 720),
    inference_size=(640, 360),
    stage_ms={"capture": 6.2, "preprocess": 2.4, "infer": 41.0, "upload": 0.1, "present": None},
    latency_ms=63.0,
    bindings=tuple(DEFAULT_KEYS.values()),
)
BRIGHT, DARK = 255, 0


def drawn(
    presenter: OffscreenPresenter | WindowPresenter, hud: Hud, data: HudData, gray: int = BRIGHT
) -> np.ndarray:
    """The HUD over a plain picture, RGB."""
    presenter.framebuffer.use()
    presenter.framebuffer.clear(gray / 255, gray / 255, gray / 255, 1.0)
    hud.draw(presenter.framebuffer, data)
    return presenter.read_back()


def covered(pixels: np.ndarray, gray: int = BRIGHT) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what differs from the plain picture."""
    rows, columns = np.nonzero((pixels != gray).any(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
