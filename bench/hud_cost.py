"""What HUD, panel, masks and a second style cost: milliseconds a frame beside a plain one.

    python bench/hud_cost.py [--size 1280x720] [--frames 300]

Each round draws a frame of every kind in turn, so that a busy machine disturbs all alike. "wall" is
the time until the frame is finished, "cpu" what all threads of the process used, "ratio" the wall
time to that of a plain frame of the same round (median). Every frame brings a new styled picture;
the network is not in it. A panel that was opened and closed again must cost nothing: ratio 1.
HUD and panel are laid out some times a second and only drawn again in between: both are measured,
and the last lines put them together for 60 frames a second.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from stylizer.compose.compositor import Compositor, Look
from stylizer.compose.hud import LAYOUT_PERIOD_S, Hud, HudData
from stylizer.compose.masks import Mask
from stylizer.compose.mixer import Mix
from stylizer.compose.panel import FIGURES_PERIOD_S, Panel
from stylizer.compose.panel_values import PanelFigures, PanelState
from stylizer.frame import Frame, Rect, Shape, StyledImage
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import HudMode, Settings
from stylizer.timing import STAGES

FPS = 60
Draw = Callable[[], None]
SHAPES = (
    Shape("rectangle", ((0.0, 0.0), (0.25, 0.1))), Shape("rectangle", ((0.8, 0.85), (1.0, 1.0))),
    Shape("ellipse", ((0.85, 0.0), (1.0, 0.2))),
)  # fmt: skip
STATE = PanelState(
    style="mosaic", tier="fast", styles={"mosaic": ["original", "small", "fast"], "ink": ["fast"]},
    scales={1.0: None, 0.5: (640, 360)}, panel_key="F2",
    keys=[(action, text, key) for action, (key, text) in DEFAULT_KEYS.items()],
)  # fmt: skip


class Bench:
    """One presenter, one compositor, and every kind of frame that is compared."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size, self.presenter = size, OffscreenPresenter(Settings(), size)
        self.rng = np.random.default_rng(0)
        context = self.presenter.context
        self.compositor = Compositor(context)
        shape = (size[1], size[0], 4)
        source, one, other = (self.rng.integers(0, 256, shape, np.uint8) for _ in range(3))
        self.frame = Frame(source, "RGBA", 0.0, 0)
        self.pixels = one, other
        self.data = sample(self.rng, size)
        modes: tuple[HudMode, ...] = ("fps", "graph")
        self.huds = {mode: Hud(context, 1.0) for mode in modes}
        for mode, hud in self.huds.items():
            hud.draw(self.presenter.framebuffer, replace(self.data, mode=mode))
        self.panel, self.closed = Panel(context), Panel(context)
        self.figures = PanelFigures(
            59.8, 23.1, list(self.rng.gamma(20, 0.84, 240)),
            dict.fromkeys(STAGES, (1.0, 2.0)), 22.0, "cpu", "", "int8", size, size,
        )  # fmt: skip
        self._open(self.closed)
        self._open(self.panel)

    def kinds(self) -> dict[str, Draw]:
        """What is drawn -> how; the plain frame first."""
        return {
            "plain": lambda: self.draw(Look()),
            "panel closed again": lambda: self.draw(Look()),
            "HUD fps": lambda: self.with_hud("fps", False),
            "HUD graph": lambda: self.with_hud("graph", False),
            "HUD graph laid out": lambda: self.with_hud("graph", True),
            "panel open": lambda: self.with_panel(False),
            "panel laid out": lambda: self.with_panel(True),
            "masks": lambda: self.draw(Look(mask=Mask(SHAPES))),
            "masks, shown": lambda: self.draw(Look(mask=Mask(SHAPES), show_mask=True)),
            "two styles": lambda: self.draw(Look(), Mix(0.4)),
            "two styles, masks": lambda: self.draw(Look(), Mix(0.4, Mask(SHAPES))),
        }

    def draw(self, look: Look, mix: Mix | None = None) -> None:
        # A new image each time: what a run has after each inference.
        first, second = (StyledImage(pixels) for pixels in self.pixels)
        self.compositor.mix = mix or Mix()
        self.compositor.upload(self.frame, first, second if mix else None)
        self.compositor.draw(self.presenter.framebuffer, Rect(0, 0, *self.size), look)

    def with_hud(self, mode: HudMode, anew: bool) -> None:
        """anew: laid out, else drawn again; a frame on a busy machine takes longer than a layout
        is kept."""
        self.draw(Look())
        hud, data = self.huds[mode], replace(self.data, mode=mode)
        hud._laid_out_at = 0.0 if anew else float("inf")
        hud.draw(self.presenter.framebuffer, data)

    def with_panel(self, anew: bool) -> None:
        """As the loop does it: asked each turn, laid out four times a second, copied each frame."""
        self.draw(Look())
        self.panel._figures_at = 0.0 if anew else float("inf")
        self._open(self.panel)
        self.panel.draw(self.presenter.framebuffer)

    def _open(self, panel: Panel) -> None:
        panel.update((), STATE, lambda: self.figures, self.size, 1.0)

    def measure(self, frames: int) -> dict[str, np.ndarray]:
        """kind -> (frames, 2) of wall and CPU milliseconds."""
        kinds = self.kinds()
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
        for _ in range(frames + 10):
            for name, draw in kinds.items():
                self.presenter.context.finish()
                wall, cpu = time.perf_counter(), time.process_time()
                draw()
                self.presenter.present()
                spent = time.perf_counter() - wall, time.process_time() - cpu
                times[name].append((spent[0] * 1000, spent[1] * 1000))
        return {name: np.array(series[10:]) for name, series in times.items()}


def sample(rng: np.random.Generator, size: tuple[int, int]) -> HudData:
    """Values as a run gives them."""
    return HudData(
        presented_fps=59.8, styled_fps=23.1, one_percent_low_fps=41.2, latency_ms=63.4,
        frame_time_ms=list(rng.gamma(20, 0.84, 240)), model="mosaic-small", provider="cpu",
        provider_reason="the best that works here", source="demo", capture_method="read back",
        present="window", present_reason="x11, vsync", size=size,
        stage_ms=dict.fromkeys(STAGES, 1.0),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="What HUD, panel, masks and blending cost a frame")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--frames", type=int, default=300)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    bench = Bench((width, height))
    times = bench.measure(arguments.frames)
    renderer = bench.presenter.context.info["GL_RENDERER"]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{renderer}, {width}x{height}, {arguments.frames} frames a kind, in turn{load}")
    plain = times["plain"]
    print("kind                 wall p50   wall p99   cpu p50   more wall   more cpu   ratio  (ms)")
    mores: dict[str, np.ndarray] = {}
    for name, series in times.items():
        p50, p99 = np.percentile(series[:, 0], (50, 99))
        cpu = np.median(series[:, 1])
        more = mores[name] = np.median(series - plain, axis=0)
        ratio = np.median(series[:, 0] / plain[:, 0])
        print(
            f"{name:20}{p50:9.2f}{p99:11.2f}{cpu:10.2f}{more[0]:12.2f}{more[1]:11.2f}{ratio:8.2f}"
        )

    for what, drawn, laid_out, a_second in (
        ("panel", "panel open", "panel laid out", 1 / FIGURES_PERIOD_S),
        ("HUD", "HUD graph", "HUD graph laid out", 1 / LAYOUT_PERIOD_S),
    ):
        wall, cpu = mores[drawn] + (mores[laid_out] - mores[drawn]) * a_second / FPS
        print(f"{what} open, of a frame at {FPS} fps: {wall:.2f} ms wall, {cpu:.2f} ms cpu")


if __name__ == "__main__":
    main()
