"""What motion is measured on, of a picture that is on the GPU: little is read back."""

from __future__ import annotations

import moderngl
import numpy as np

from stylizer.frame import Size
from stylizer.system.motion import LOOK_PX, ROW_STEP, part_means
from stylizer.system.resources import shader


class PartLuma:
    """As `motion.part_luma`, of textures of one size; on the thread of the context.

    Where whole parts of cells fill the picture, only their means come back (57 KB at 1280x720);
    else the gray of every other row does, for OpenCV weighs what is cut.
    """

    def __init__(self, context: moderngl.Context, size: Size) -> None:
        self._size = size
        whole_parts = not (size[0] % LOOK_PX or size[1] % LOOK_PX)
        across, down = (LOOK_PX, LOOK_PX // ROW_STEP) if whole_parts else (1, 1)
        self._program = context.program(shader("net.vert"), shader("luma.frag"))
        self._program["part"] = across, down
        self._program["share"] = 1 / (across * down)
        self._program["picture"] = 0
        self._vertices = context.vertex_array(self._program, [])
        rows = -(-size[1] // ROW_STEP) // down
        self._target = context.framebuffer([context.texture((size[0] // across, rows), 1)])
        self._whole_parts, self._context = whole_parts, context

    def draw(self, picture: moderngl.Texture) -> None:
        """Issue the draw; `read` waits for it."""
        self._context.enable_only(moderngl.NOTHING)
        self._target.use()
        picture.use(0)
        self._vertices.render(moderngl.TRIANGLES, vertices=3)

    def read(self) -> np.ndarray:
        """uint8 (rows, columns)."""
        width, height = self._target.size
        gray = np.empty((height, width), np.uint8)
        self._target.read_into(gray, components=1, alignment=1)
        return gray if self._whole_parts else part_means(gray, self._size)
