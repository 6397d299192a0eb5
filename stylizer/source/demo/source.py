"""The demo source: a small island world, rendered offscreen, as a captured game would arrive."""

from __future__ import annotations

import time
from typing import final

from stylizer.errors import BadInput
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.source.demo.camera import FRAME_S, Camera
from stylizer.source.demo.scene import DemoScene
from stylizer.stages import Source

LIVE_FRAME_S = 1 / 60  # a live scene renders no faster: the cores are for the network
LARGEST_SIDE = 8192


@final
class DemoSource(Source):
    """Frames of the demo scene (stages.Source); made, read and closed on one thread.

    In lock-step frame n shows scene time n / 30 s whatever the clock says; live, the scene runs
    by the clock from the first read on. `settings.size` is (width, height), `settings.seed` the
    world. Raises BadInput for a size that cannot be rendered, StylizerError without OpenGL.
    """

    renders = True

    def __init__(self, settings: Settings) -> None:
        width, height = settings.size
        if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
            raise BadInput(
                f"--size {width}x{height} cannot be rendered: a side has 1 to {LARGEST_SIDE} pixels"
            )
        self.size = (width, height)
        self._sync = settings.sync
        self._scene = DemoScene(self.size, settings.seed)
        self._camera = Camera(self._scene.world.rails, self._scene.world.floor)
        self._number = 0
        self._started_at: float | None = None
        self._last_at = 0.0
        self.capture_method = f"rendered ({self._scene.renderer})"

    def read(self, inputs: InputState) -> Frame:
        """The next frame in lock-step; live, the newest state, paced to 60 a second."""
        scene_s, dt = self._lock_step() if self._sync else self._live()
        captured_at = time.perf_counter()
        pose = self._camera.step(scene_s, dt, inputs)
        frame = Frame(self._scene.render_at(scene_s, pose), "RGBA", captured_at, self._number)
        self._number += 1
        return frame

    def _lock_step(self) -> tuple[float, float]:
        return self._number * FRAME_S, FRAME_S

    def _live(self) -> tuple[float, float]:
        """(scene time, seconds since the last frame) by the clock."""
        wait = self._last_at + LIVE_FRAME_S - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        now = time.perf_counter()
        if self._started_at is None:
            self._started_at = self._last_at = now
        # A long stall (a stopped process, a debugger) must not throw the free camera far away.
        dt = min(now - self._last_at, 0.1)
        self._last_at = now
        return now - self._started_at, dt

    def close(self) -> None:
        """Free the GL context; may be called twice."""
        self._scene.close()
