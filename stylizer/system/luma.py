"""What motion is measured on, of a picture that is on the GPU: little is read back."""

from __future__ import annotations

import moderngl
import numpy as np

from stylizer.frame import Size
from stylizer.system.motion import CELL_PX, ROW_STEP, cell_means
from stylizer.system.resources import shader


class CellLuma:
    """As `motion.cell_luma`, of textures of one size; on the thread of the context.

    Where whole cells fill the picture, only their means come back (14 KB at 1280x720); else the
    gray of every other row does, for OpenCV weighs the parts of cells.
    """

    def __init__(self, context: moderngl.Context, size: Size) -> None:
        self._size = size
        full_cells = not (size[0] % CELL_PX or size[1] % CELL_PX)
        across, down = (CELL_PX, CELL_PX // ROW_STEP) if full_cells else (1, 1)
        self._program = context.program(shader("net.vert"), shader("luma.frag"))
        self._program["part"] = across, down
        self._program["share"] = 1 / (across * down)
        self._program["picture"] = 0
        self._vertices = context.vertex_array(self._program, [])
        rows = -(-size[1] // ROW_STEP) // down
        self._target = context.framebuffer([context.texture((size[0] // across, rows), 1)])
        self._full_cells, self._context = full_cells, context

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
        return gray if self._full_cells else cell_means(gray, self._size)
