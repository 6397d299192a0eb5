"""The demo source: a small island world, rendered offscreen, as a captured game would arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, final

import numpy as np

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import DrawnPicture, Frame, InputState
from stylizer.settings import Settings
from stylizer.source.demo.camera import FRAME_S, Camera, Pose
from stylizer.source.demo.scene import DemoScene
from stylizer.source.demo.world import World
from stylizer.stages import Source

if TYPE_CHECKING:
    from stylizer.source.demo.drawn import DrawnFrames
    from stylizer.system.gl_share import Beside

LIVE_FRAME_S = 1 / 60  # a live scene renders no faster: the cores are for the network
LARGEST_SIDE = 8192


@final
class DemoSource(Source):
    """Frames of the demo scene (stages.Source); made, read and closed on one thread.

    shared: gives, at the first read, what is needed to draw frames into textures that the presenter
    has as well, or None: then the scene has a context of its own, and frames are read back. In
    lock-step frame n shows scene time n / 30 s whatever the clock says; live, the scene runs
    by the clock from the first read on. `settings.size` is (width, height), `settings.seed` the
    world. Raises BadInput for a size that cannot be rendered, StylizerError without OpenGL.
    """

    renders = True

    def __init__(
        self, settings: Settings, shared: Callable[[], Beside | None] | None = None
    ) -> None:
        width, height = settings.size
        if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
            raise BadInput(
                f"--size {width}x{height} cannot be rendered: a side has 1 to {LARGEST_SIDE} pixels"
            )
        self.size = (width, height)
        self._sync = settings.sync
        self._world = World(settings.seed)
        self._camera = Camera(self._world.rails, self._world.floor)
        self._shared, self._beside = shared, None
        self._scene: DemoScene | None = None
        self._drawn: DrawnFrames | None = None
        self.capture_method = "rendered"
        if shared is None:
            self._open_scene(None)
        self._number = 0
        self._started_at: float | None = None
        self._last_at = 0.0

    def read(self, inputs: InputState) -> Frame:
        """The next frame in lock-step; live, the newest state, paced to 60 a second."""
        if self._scene is None:
            self._open_scene(self._shared() if self._shared else None)
        scene_s, dt = self._lock_step() if self._sync else self._live()
        captured_at = time.perf_counter()
        pose = self._camera.step(scene_s, dt, inputs)
        frame = Frame(self._picture(scene_s, pose), "RGBA", captured_at, self._number)
        self._number += 1
        return frame

    def _open_scene(self, beside: Beside | None) -> None:
        context = beside.context.open() if beside else None
        self._beside = beside
        self._scene = DemoScene(self.size, world=self._world, context=context)
        if beside is not None:
            from stylizer.source.demo.drawn import DrawnFrames  # OpenCV: 0.1 s

            self._drawn = DrawnFrames(self._scene, beside)
        into = " into a texture" if beside else ""
        self.capture_method = f"rendered ({self._scene.renderer}){into}"

    def _picture(self, scene_s: float, pose: Pose) -> np.ndarray | DrawnPicture:
        if self._drawn is not None:
            return self._drawn.draw(scene_s, pose)
        if self._scene is None:
            raise StylizerError("the demo was closed: open it again")
        return self._scene.render_at(scene_s, pose)

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
        if self._drawn is not None:
            self._drawn.release()
        if self._scene is not None:
            self._scene.close()
        if self._beside is not None:
            self._beside.context.close()
        self._drawn = self._beside = None
