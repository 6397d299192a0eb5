"""The demo scene on the GPU: draws a frame, or its depth and motion, and reads it back."""

from __future__ import annotations

import moderngl
import numpy as np

from stylizer.errors import StylizerError
from stylizer.source.demo.camera import FRAME_S, Pose, view_projection
from stylizer.source.demo.world import Mesh, World
from stylizer.system.gl import finisher, standalone_context
from stylizer.system.installed import GL_LIBRARIES
from stylizer.system.resources import shader

CLEAR = (0.80, 0.86, 0.90, 1.0)
WAVE_SPEEDS = np.array([0.85, -1.05, 1.5])  # radians a second
# pass -> vertex shader, fragment shader of the picture, vertex format
PASSES = {
    "ground": ("demo_static.vert", "demo_flat.frag", "3f 4f1", ("position", "color")),
    "water": ("demo_water.vert", "demo_flat.frag", "3f 3f", ("position", "extra")),
    "moving": (
        "demo_mover.vert",
        "demo_flat.frag",
        "3f 3f 4f1 1i",
        ("position", "normal", "color", "part"),
    ),
    "sky": ("demo_sky.vert", "demo_smooth.frag", "3f 2f", ("direction", "disc")),
}


def new_context() -> moderngl.Context:
    """A GL context without a window, current on this thread. Raises StylizerError without GL."""
    try:
        return standalone_context()
    except Exception as error:  # moderngl and glcontext raise plain Exception
        raise StylizerError(
            f"the demo scene needs OpenGL 3.3 and none could be opened ({error}): install a "
            f"graphics driver, on Debian {GL_LIBRARIES}"
        ) from error


class DemoScene:
    """A small island world; frame n shows scene time n / 30 s.

    Use it on one thread, the one that made it. size: (width, height) in pixels. The same seed and
    frame give the same picture bit for bit on one machine and driver.
    """

    def __init__(
        self,
        size: tuple[int, int],
        seed: int = 0,
        context: moderngl.Context | None = None,
        world: World | None = None,
    ) -> None:
        """context: current on this thread; None: one of its own. world: of this seed, where it is
        made already."""
        self.size = size
        self.world = world or World(seed)
        self.context = ctx = context or new_context()
        self.renderer = str(ctx.info["GL_RENDERER"])
        self.finish = finisher(ctx)
        ctx.includes["demo_light.glsl"] = shader("demo_light.glsl")
        self._buffers = {name: self._upload(getattr(self.world, name)) for name in PASSES}
        self._picture_passes = {name: self._build(name, None) for name in PASSES}
        self._motion_passes: dict[str, moderngl.VertexArray] = {}
        self._picture: moderngl.Framebuffer | None = None
        self._motion: moderngl.Framebuffer | None = None

    def render(self, frame_number: int, pose: Pose | None = None) -> np.ndarray:
        """The picture of a frame from the rails, or from `pose`: uint8 RGBA (height, width, 4)."""
        return self.render_at(frame_number * FRAME_S, pose)

    def render_at(self, time_s: float, pose: Pose | None = None) -> np.ndarray:
        """As `render`, at any scene time in seconds."""
        pose = pose or self.world.rails.pose(time_s)
        with self._open_context():
            self._picture = self._picture or self._target("f1")
            self.draw_at(self._picture, time_s, pose)
            return self._read(self._picture, np.uint8)

    def draw_at(self, target: moderngl.Framebuffer, time_s: float, pose: Pose) -> None:
        """Issue the draws of the picture into a framebuffer of its size, with a depth buffer, row 0
        first; where the context is current."""
        self._draw(target, self._picture_passes, time_s, pose, time_s, pose)

    def render_motion(
        self,
        frame_number: int,
        next_frame_number: int,
        pose: Pose | None = None,
        next_pose: Pose | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Depth and motion of a frame toward the next one, camera and objects both moving.

        Returns (depth float32 (h, w): meters along the view axis, the sky very large;
        motion float32 (h, w, 2): pixels, +x right, +y down, from the pixel's center to where the
        same surface point lies in the next frame, whether or not it is hidden or outside there).
        """
        now, then = frame_number * FRAME_S, next_frame_number * FRAME_S
        pose, next_pose = (
            pose or self.world.rails.pose(now),
            next_pose or self.world.rails.pose(then),
        )
        with self._open_context():
            if self._motion is None:
                self._motion = self._target("f4")
                passes = {name: self._build(name, "demo_motion.frag") for name in PASSES}
                self._motion_passes = passes
            self._draw(self._motion, self._motion_passes, now, pose, then, next_pose)
            data = self._read(self._motion, np.float32)
        return np.ascontiguousarray(data[..., 2]), np.ascontiguousarray(data[..., :2])

    def close(self) -> None:
        """Free the GL context; may be called twice."""
        if self.context is not None:
            self.context.release()
            self.context = None
            self._buffers, self._picture_passes, self._motion_passes = {}, {}, {}

    def _open_context(self) -> moderngl.Context:
        """The context, for `with`: another scene's may be current on this thread."""
        if self.context is None:
            raise StylizerError("the demo scene was closed: make a new one to render")
        return self.context

    def _upload(self, mesh: Mesh) -> tuple[moderngl.Buffer, moderngl.Buffer]:
        assert self.context is not None
        indices = mesh.indices.astype(np.int32).tobytes()
        return self.context.buffer(mesh.vertices.tobytes()), self.context.buffer(indices)

    def _build(self, name: str, fragment: str | None) -> moderngl.VertexArray:
        assert self.context is not None
        vertex, picture_fragment, layout, attributes = PASSES[name]
        program = self.context.program(
            vertex_shader=shader(vertex), fragment_shader=shader(fragment or picture_fragment)
        )
        vertices, indices = self._buffers[name]
        used = [a if a in program else None for a in attributes]
        sizes = {"3f": "12x", "2f": "8x", "4f1": "4x1", "1i": "4x"}
        parts = [p if a else sizes[p] for p, a in zip(layout.split(), used, strict=True)]
        content = [(vertices, " ".join(parts), *[a for a in used if a])]
        return self.context.vertex_array(program, content, indices, index_element_size=4)

    def _target(self, dtype: str) -> moderngl.Framebuffer:
        assert self.context is not None
        color = self.context.renderbuffer(self.size, 4, dtype=dtype)
        return self.context.framebuffer([color], self.context.depth_renderbuffer(self.size))

    def _read(self, target: moderngl.Framebuffer, dtype: type) -> np.ndarray:
        width, height = self.size
        pixels = np.empty((height, width, 4), dtype)
        self.finish()  # else read_into waits, with the interpreter's lock in hand
        target.read_into(pixels, components=4, dtype="f1" if dtype is np.uint8 else "f4")
        return pixels

    def _draw(
        self,
        target: moderngl.Framebuffer,
        passes: dict[str, moderngl.VertexArray],
        time_s: float,
        pose: Pose,
        next_time_s: float,
        next_pose: Pose,
    ) -> None:
        ctx = self.context
        assert ctx is not None
        target.use()
        ctx.viewport = (0, 0, *self.size)
        ctx.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        ctx.front_face = "cw"  # the projection is flipped
        target.clear(*CLEAR, depth=1.0)
        now, turn_now = view_projection(pose, self.size)
        then, turn_then = view_projection(next_pose, self.size)
        eye = np.array([pose.x, pose.y, pose.z])
        parts = self.world.movers.part_matrices(time_s)
        for name, vao in passes.items():
            sky = name == "sky"
            values = {"view_projection": turn_now if sky else now, "eye": eye}
            values["next_view_projection"] = turn_then if sky else then
            values["size"] = np.array(self.size)
            if name == "water":
                values["phase"] = np.mod(time_s * WAVE_SPEEDS, 2 * np.pi)
                values["next_phase"] = np.mod(next_time_s * WAVE_SPEEDS, 2 * np.pi)
            if name == "moving":
                values["parts"] = parts
                if "next_parts" in vao.program:
                    values["next_parts"] = self.world.movers.part_matrices(next_time_s)
            set_uniforms(vao.program, values)
        self._draw_passes(passes, now, eye, parts)

    def _draw_passes(
        self,
        passes: dict[str, moderngl.VertexArray],
        matrix: np.ndarray,
        eye: np.ndarray,
        parts: np.ndarray,
    ) -> None:
        """Near things first, so that the depth test spares hidden pixels; the sky last."""
        assert self.context is not None
        ground, water, moving = self.world.ground, self.world.water, self.world.moving
        in_view = visible(matrix, *moved_boxes(moving, parts))
        draws = {"moving": runs(moving.chunks[in_view])}
        for name, mesh in (("ground", ground), ("water", water)):
            in_view = np.nonzero(visible(matrix, mesh.low, mesh.high))[0]
            gap = np.maximum(np.maximum(mesh.low[in_view] - eye, eye - mesh.high[in_view]), 0)
            draws[name] = mesh.chunks[in_view[np.argsort((gap**2).sum(axis=1), kind="stable")]]
        for name, chunks in draws.items():
            for first, count in chunks.tolist():
                passes[name].render(vertices=3 * count, first=3 * first)
        self.context.disable(moderngl.CULL_FACE)
        passes["sky"].render()


def set_uniforms(program: moderngl.Program, values: dict[str, np.ndarray]) -> None:
    """Write what the linked program kept; matrices (..., 4, 4) are turned to GL's column order."""
    for name, value in values.items():
        if name not in program:
            continue
        member = program[name]
        assert isinstance(member, moderngl.Uniform)
        data = np.asarray(value, np.float32)
        if data.ndim >= 2:
            data = np.swapaxes(data, -1, -2)
        if member.array_length > 1:
            full = np.zeros((member.array_length, 4, 4), np.float32)
            full[: len(data)] = data
            data = full
        member.write(np.ascontiguousarray(data).tobytes())


def visible(matrix: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which boxes (k, 3), (k, 3) touch the view of a view-projection matrix: bool (k,)."""
    planes = matrix[3] + np.stack([matrix[0], -matrix[0], matrix[1], -matrix[1], matrix[2]])
    reach = np.where(planes[:, None, :3] > 0, high, low)  # (5, k, 3) the furthest corners
    return ((reach * planes[:, None, :3]).sum(-1) + planes[:, 3:] >= 0).all(axis=0)


def moved_boxes(mesh: Mesh, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (low, high) of the moving parts where their matrices (k, 4, 4) put them."""
    middle, half = (mesh.low + mesh.high) / 2, (mesh.high - mesh.low) / 2
    turn = parts[:, :3, :3]
    at = np.einsum("kij,kj->ki", turn, middle) + parts[:, :3, 3]
    reach = np.einsum("kij,kj->ki", np.abs(turn), half)
    return at - reach, at + reach


def runs(chunks: np.ndarray) -> np.ndarray:
    """Neighboring chunks (first, count) joined, for fewer draw calls."""
    if not len(chunks):
        return chunks
    starts = np.concatenate([[True], chunks[1:, 0] != chunks[:-1].sum(axis=1)])
    counts = np.add.reduceat(chunks[:, 1], np.nonzero(starts)[0])
    return np.stack([chunks[starts, 0], counts], 1)
