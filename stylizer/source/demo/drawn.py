"""Frames of the demo scene that stay textures, in a context that shares with the presenter's."""

from __future__ import annotations

from functools import partial

from stylizer.frame import DrawnPicture
from stylizer.source.demo.camera import Pose
from stylizer.source.demo.scene import DemoScene
from stylizer.system.gl_share import Beside
from stylizer.system.luma import CellLuma
from stylizer.system.spares import Spares


class DrawnFrames:
    """Draws into textures that are lent out. On the scene's thread."""

    def __init__(self, scene: DemoScene, beside: Beside) -> None:
        assert scene.context is not None
        self._scene, self._context, self._beside = scene, scene.context, beside
        self._targets = Spares()
        self._depth = self._context.depth_renderbuffer(scene.size)
        self._luma = CellLuma(self._context, scene.size)

    def draw(self, time_s: float, pose: Pose) -> DrawnPicture:
        """The scene at a time in seconds, finished."""
        target = self._targets.take(self._context, self._scene.size, 4, self._depth)
        self._scene.draw_at(target.framebuffer, time_s, pose)
        self._luma.draw(target.texture)
        self._scene.finish()
        texture = self._targets.lent(target)
        return DrawnPicture(texture, self._luma.read(), partial(self._beside.read, texture))

    def release(self) -> None:
        """Free the textures that nobody holds."""
        self._targets.release()
