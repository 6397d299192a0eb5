"""The values that all stages share: frames, styled images, shapes, camera and panel input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

ChannelOrder = Literal["RGB", "RGBA", "BGRA"]
Layout = Literal["hwc", "chw"]
Size = tuple[int, int]  # (width, height)
LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601: how bright red, green and blue are
CANVAS_MIDDLE, CANVAS_MIDDLE_BYTE = 0.5, 128  # of a canvas, in 0..1 or bytes: asks for nothing
WEIGHT_LEVELS = 63  # largest integer weight: CPUs without VNNI add u8 x s8 in pairs, in 16 bits


@dataclass(frozen=True, eq=False)
class GpuPicture:
    """A texture that the presenter's context has as well: RGBA of `size`, row 0 first; `name` is
    OpenGL's number for it."""

    name: int
    size: Size


@dataclass(frozen=True, eq=False)
class DrawnPicture:
    """A frame that was drawn on the GPU, finished. It is drawn over once nobody holds `texture`.

    luma: as `system.motion.cell_luma` has it. read: gives uint8 (height, width, 4) RGBA, from any
    thread but the one whose context reads it; it waits for the GPU.
    """

    texture: GpuPicture
    luma: np.ndarray
    read: Callable[[], np.ndarray]

    @cached_property
    def pixels(self) -> np.ndarray:
        return self.read()


@dataclass(frozen=True, eq=False)
class Frame:
    """One captured image; row 0 on top, checked once, here.

    picture: uint8 (height, width, channels), C-contiguous, in `channel_order` (alpha is ignored),
    or what was drawn on the GPU (RGBA), of which `pixels` is read back when somebody asks.
    captured_at: `time.perf_counter()` seconds. number: counts up from 0 within a source.
    name: stem of the picture file it came from, else "". media_time_s: its place in a video.
    Raises ValueError on anything else.
    """

    picture: np.ndarray | DrawnPicture
    channel_order: ChannelOrder
    captured_at: float
    number: int
    name: str = ""
    media_time_s: float | None = None

    def __post_init__(self) -> None:
        p = self.picture
        if isinstance(p, DrawnPicture):
            return
        if p.dtype != np.uint8 or p.ndim != 3:
            raise ValueError(f"a frame is uint8 (height, width, channels), not {p.dtype} {p.shape}")
        if self.channel_order not in ("RGB", "RGBA", "BGRA"):
            raise ValueError(f"channel order is RGB, RGBA or BGRA, not {self.channel_order!r}")
        if p.shape[2] != len(self.channel_order):
            raise ValueError(f"{self.channel_order} does not fit {p.shape[2]} channels")
        if not p.size:
            raise ValueError(f"a frame has pixels, not the shape {p.shape}")
        if not p.flags.c_contiguous:
            raise ValueError("a frame's pixels are C-contiguous: copy the view first")

    @property
    def drawn(self) -> DrawnPicture | None:
        """Where it is a texture."""
        return self.picture if isinstance(self.picture, DrawnPicture) else None

    @property
    def pixels(self) -> np.ndarray:
        """uint8 (height, width, channels) in `channel_order`."""
        return self.picture.pixels if isinstance(self.picture, DrawnPicture) else self.picture

    @property
    def size(self) -> Size:
        """(width, height) in pixels."""
        if isinstance(self.picture, DrawnPicture):
            return self.picture.texture.size
        return self.picture.shape[1], self.picture.shape[0]

    def rgb(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB view or copy, for files and tests (slow on big frames)."""
        if self.channel_order == "BGRA":
            return self.pixels[:, :, 2::-1]
        return self.pixels[:, :, :3]


@dataclass(frozen=True, eq=False)
class StyledImage:
    """What a style model gave for one frame, of that frame's size or of the inference size.

    pixels: uint8 RGB, "hwc" (height, width, 3 or 4) or "chw" (3, height, width): planar is what
    most networks give, and the compositor's shader reads it without a transpose on the CPU.
    model_input: what the network saw where that was not the frame itself: uint8 (height, width,
    3 or 4) of the same size as pixels, in the frame's channel order.
    bottom_up: the last row comes first, as OpenGL has it: such a picture is copied, not drawn.
    """

    pixels: np.ndarray
    layout: Layout = "hwc"
    model_input: np.ndarray | None = None
    bottom_up: bool = False

    def __post_init__(self) -> None:
        p = self.pixels
        axis, counts = (0, (3,)) if self.layout == "chw" else (2, (3, 4))
        if p.dtype != np.uint8 or p.ndim != 3 or p.shape[axis] not in counts:
            raise ValueError(f"a styled image is uint8 {self.layout}, not {p.dtype} {p.shape}")
        if not p.flags.c_contiguous:
            raise ValueError("a styled image's pixels are C-contiguous: copy the view first")
        seen = self.model_input
        if seen is not None and (seen.shape[1], seen.shape[0]) != self.size:
            raise ValueError(f"what was seen is {seen.shape}, the styled image {self.size}")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        shape = self.pixels.shape
        return (shape[1], shape[0]) if self.layout == "hwc" else (shape[2], shape[1])

    def rgb(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB view, row 0 on top."""
        rgb = self.pixels[:, :, :3] if self.layout == "hwc" else self.pixels.transpose(1, 2, 0)
        return rgb[::-1] if self.bottom_up else rgb


@dataclass(frozen=True, eq=False)
class StyledTexture:
    """A styled image on the GPU, finished. It is drawn over once nobody holds this object.

    model_input: what the network saw where that was not the frame itself. source: the frame, where
    it was uploaded for the network. read: gives uint8 (height, width, 3), for tests: it waits for
    the GPU.
    """

    picture: GpuPicture
    model_input: GpuPicture | None
    source: GpuPicture | None
    read: Callable[[], np.ndarray]
    bottom_up = False

    @property
    def size(self) -> Size:
        """(width, height) in pixels."""
        return self.picture.size

    def rgb(self) -> np.ndarray:
        """uint8 RGB (height, width, 3), row 0 on top."""
        return self.read()


Styled = StyledImage | StyledTexture


@dataclass(frozen=True, eq=False)
class StyledFrame:
    """A source frame and the picture made from it: the only pair that blends may use.

    image is None with the model "none": then there is nothing but the source. second: what a
    second style made of the same frame, where two are mixed.
    """

    frame: Frame
    image: Styled | None
    model: str
    preprocess_ms: float
    infer_ms: float
    finished_at: float
    gpu_ms: float | None = None  # of the network's draws on the GPU, where it is drawn by shaders
    second: StyledFrame | None = None

    @property
    def style_ms(self) -> float:
        """What it cost in all, of both networks where there are two."""
        more = 0.0 if self.second is None else self.second.style_ms
        return self.preprocess_ms + self.infer_ms + more


@dataclass(frozen=True)
class InputState:
    """Camera input of one tick, handed by the pipeline to every source; the demo uses it.

    Axes in -1..1 (right, up, forward), held keys; look_x, look_y in pixels moved since last tick.
    """

    right: float = 0.0
    up: float = 0.0
    forward: float = 0.0
    look_x: float = 0.0
    look_y: float = 0.0

    @property
    def idle(self) -> bool:
        return self == IDLE


IDLE = InputState()


@dataclass(frozen=True)
class UiEvent:
    """What mouse or keyboard did over the panel, in pixels of the window.

    "move" to (x, y); "button" number (0 left, 1 right, 2 middle) went down or up; "wheel" by (x, y)
    notches; "key" went down or up, name as pygame has it, "ctrl+", "alt+", "shift+" and "super+" in
    front where they are held; "text" was typed.
    """

    kind: Literal["move", "button", "wheel", "key", "text"]
    x: float = 0.0
    y: float = 0.0
    number: int = 0
    down: bool = False
    text: str = ""


ShapeKind = Literal["rectangle", "ellipse", "polygon"]


@dataclass(frozen=True)
class Shape:
    """A part of the picture where the style is weaker. Points (x, y) are shares of its width and
    height, 0..1 from the top left: two opposite corners (an ellipse has those of its box), or
    those of a polygon; where its sides cross, every second part is inside."""

    kind: ShapeKind
    points: tuple[tuple[float, float], ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom), as shares."""
        xs, ys = zip(*self.points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True)
class Rect:
    """Pixels, origin at the top left."""

    x: int
    y: int
    width: int
    height: int

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def meets(self, other: Rect) -> bool:
        """Whether the two have a pixel in common."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height


def letterbox(content: tuple[int, int], window: tuple[int, int]) -> Rect:
    """The largest centered rectangle of the content's aspect inside the window; sizes (w, h)."""
    (cw, ch), (ww, wh) = content, window
    if min(cw, ch, ww, wh) <= 0:
        raise ValueError(f"sizes must be positive, not {content} in {window}")
    if cw * wh >= ch * ww:
        width, height = ww, max(1, round(ww * ch / cw))
    else:
        width, height = max(1, round(wh * cw / ch)), wh
    return Rect((ww - width) // 2, (wh - height) // 2, width, height)
