"""READ FIRST: what each stage promises, and the tables of backends that keep the promise.

    source  ->  style  ->  compose  ->  present
    (frame)     (ONNX)     (moderngl)   (window / overlay / layer / offscreen)

A backend is one file and one row here. Backends are named by strings and imported late, so that
importing this module loads none of torch, onnxruntime, pygame, moderngl or mss.

The contracts say all that the loop asks of a stage. A backend's class derives from its stage's
contract and is marked `@final`: pyright then names every member that it lacks. What has a value or
a body here may be left as it is.
"""

from __future__ import annotations

import importlib
import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState, Rect, StyledFrame, UiEvent

if TYPE_CHECKING:
    import moderngl
    import numpy as np

    from stylizer.hotkeys import Action


class SourceEnded(Exception):
    """Raised by `Source.read` when there will be no more frames."""


class Source(Protocol):
    """Gives frames. Made, read and closed on one thread, its own (a GL context lives there).

    Constructor: (settings); one that draws by OpenGL also takes a function that gives, at the first
    read, a context whose textures the presenter has as well: its frames may stay there. Raises
    BadInput when what the user named cannot be opened.
    """

    capture_method: str  # how frames are got, in words for HUD and report
    size: tuple[int, int]  # (width, height) of the next frame as far as known
    frame_rate: float | None = None  # frames a second of the medium; None: a live or still source
    # Each read costs a rendering: not read at full rate while frames wait for the network.
    renders: bool = False
    state: str = ""  # why no frames come, for the user to read ("minimized"); "" while they do
    skipped: int = 0  # frames due but left out by the source
    title: str = ""  # of the game, scene or file, for the user to read
    window_id: int = 0  # the captured window, for an overlay; 0 while there is none
    sees_all: bool = False  # its frames hold whatever lies over the game, an overlay too
    area: Rect | None = None  # of the X11 screen that it sees, where it is one

    @abstractmethod
    def read(self, inputs: InputState) -> Frame | None:
        """The newest frame; None when nothing is newer (it may wait up to 20 ms for one).

        In lock-step (settings.sync) every read gives the next frame of the medium or scene and
        never None, but for a program that has drawn nothing new yet (window, screen). Raises
        SourceEnded at the end, StylizerError when it breaks.
        """
        ...

    @abstractmethod
    def close(self) -> None:
        """Free everything; may be called twice."""
        ...


class StyleBackend(Protocol):
    """Turns frames into styled images of the frame's or the inference size, on one thread."""

    model: str  # the file's stem, or "none"
    model_bytes: int
    provider: str  # the provider of the session that was really built
    provider_reason: str
    precision: str = ""  # of the model, "int8" for example; "" where it is not known
    # (width, height) that the network sees, padding included; None: the frame's.
    inference_size: tuple[int, int] | None = None
    asked_size: tuple[int, int] | None = None  # the inference size it was told; None: the frame's
    resizable: int | None = None  # the multiple that inference sizes must have; None: one size only
    carries: bool = False  # whether a frame's picture depends on the frames before it

    def set_inference_size(self, inference_size: tuple[int, int] | None) -> None:
        """Let the network see frames at this size from the next one on; None: theirs. For a
        resizable one only; may be called from any thread."""

    def warm_up(self, size: tuple[int, int]) -> None:
        """Run once at a frame size: memory is taken and kernels are chosen before a frame waits."""

    def forget(self) -> None:
        """The next frame is a first one: nothing is carried to it."""

    @abstractmethod
    def style(self, frame: Frame) -> StyledFrame:
        """The picture as pixels, or as a texture of a context that shares with the presenter's, no
        longer drawn into. Raises StylizerError when the session fails."""
        ...

    @abstractmethod
    def close(self) -> None:
        """Free the session; may be called twice."""
        ...


class Presenter(Protocol):
    """Owns the GL context and hands finished images to the display. Main thread only.

    Constructor: (settings, size). `size` is the framebuffer's (width, height) in pixels.
    """

    present_name: str
    reason: str
    context: moderngl.Context
    framebuffer: moderngl.Framebuffer
    size: tuple[int, int]
    is_open: bool
    scale: float = 1.0  # UI scale: 1.0 at 96 DPI
    exposed: bool = False  # the last poll said that what was shown is gone
    hidden: bool = False  # nobody can see it: nothing is presented twice then
    minimized: bool = False  # the window is: nothing is styled then either, but for a recording

    @abstractmethod
    def poll(self) -> list[Action]:
        """Handle events: what the user asked for since the last call."""
        ...

    @abstractmethod
    def inputs(self) -> InputState:
        """Camera input since the last call."""
        ...

    @abstractmethod
    def present(self) -> None:
        """Show what was drawn into `framebuffer`; returns when it is handed over."""
        ...

    @abstractmethod
    def read_back(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB of the framebuffer, row 0 on top."""
        ...

    @abstractmethod
    def close(self) -> None:
        """Free everything; may be called twice."""
        ...

    def resize(self, size: tuple[int, int]) -> None:
        """Take another framebuffer size, where it is not the user who chooses it."""

    def follow(self, window_id: int) -> None:
        """Told each turn which window the source captures; 0: none."""

    def window_place(self) -> Rect | None:
        """Where a window's inside lies on the X11 screen; None where nobody knows."""
        return None

    def take_notices(self) -> list[str]:
        """What the user should read since the last call."""
        return []

    def take_dropped(self) -> list[str]:
        """Paths of the files that were dropped on the window since the last call."""
        return []

    def take_ui_events(self) -> list[UiEvent]:
        """What mouse and keyboard did since the last call, while the panel is open."""
        return []

    def show_panel(self, area: Rect | None, typing: bool, waits_for_key: bool) -> None:
        """Told each turn where the panel lies, None while it is closed, and whether it needs the
        keyboard, for a text or for a new key."""

    def show_parts(self, areas: Sequence[Rect] | None) -> None:
        """Told before `present` which parts of the picture are meant to be seen, in pixels; None:
        all of it. Over a game its own picture is seen in the rest."""

    def show_hud(self, area: Rect | None) -> None:
        """Told each turn where the HUD's figures lie, None while there are none."""

    def take_hud_drag(self) -> tuple[float, float]:
        """By how many pixels the mouse has dragged the HUD's figures since the last call."""
        return 0.0, 0.0

    def name(self, words: str) -> None:
        """What the window's title says from now on, beside "stylizer"."""

    def rebind(self, keys: dict[str, str], global_keys: dict[str, str]) -> None:
        """Other hotkeys from now on, as in settings.keys and settings.global_keys."""

    @property
    def key_names(self) -> Mapping[str, str]:
        """action -> the key that works, where it is not as it is bound."""
        return {}


Stage = TypeVar("Stage", Source, StyleBackend, Presenter)


@dataclass(frozen=True)
class Backend(Generic[Stage]):
    """One row: where the class is, which package it needs and how a user gets that package."""

    module: str
    attribute: str
    install: str = "pip install stylizer"


WINDOWS: dict[str, Backend[Source]] = {  # sys.platform -> how a window is captured there
    "win32": Backend(
        "stylizer.source.window_windows", "WindowSource", 'pip install "stylizer[windows]"'
    ),
    "darwin": Backend(
        "stylizer.source.window_macos", "WindowSource", 'pip install "stylizer[macos]"'
    ),
}
X11_WINDOW: Backend[Source] = Backend("stylizer.source.x11.window", "WindowSource")
SOURCES: dict[str, Backend[Source]] = {
    "demo": Backend("stylizer.source.demo.source", "DemoSource"),
    "video": Backend("stylizer.source.video", "VideoSource"),
    "images": Backend("stylizer.source.images", "ImagesSource"),
    "window": WINDOWS.get(sys.platform, X11_WINDOW),
    "portal": Backend("stylizer.source.wayland.source", "PortalSource", "pip install jeepney"),
    "pipewire": Backend("stylizer.source.wayland.node", "NodeSource"),
    "wlroots": Backend("stylizer.source.wayland.wlroots", "WlrootsSource"),
    "screen": Backend("stylizer.source.screen", "ScreenSource"),
    "synthetic": Backend("stylizer.source.synthetic", "SyntheticSource"),
}
STYLES: dict[str, Backend[StyleBackend]] = {
    "ort": Backend("stylizer.style.ort", "OrtStyle", "pip install onnxruntime-gpu"),
    "openvino": Backend(
        "stylizer.style.openvino", "OpenVinoStyle", 'pip install "stylizer[openvino]"'
    ),
    "gl": Backend("stylizer.style.gl.backend", "GlStyle"),
    "none": Backend("stylizer.style.identity", "IdentityStyle"),
}
PRESENTERS: dict[str, Backend[Presenter]] = {
    "window": Backend("stylizer.present.window", "WindowPresenter"),
    "overlay": Backend("stylizer.present.overlay", "OverlayPresenter"),
    "layer": Backend("stylizer.present.layer", "LayerPresenter"),
    "offscreen": Backend("stylizer.present.offscreen", "OffscreenPresenter"),
}


def open_backend(table: Mapping[str, Backend[Stage]], kind: str, name: str, *args: Any) -> Stage:
    """Import the named backend and build it. Raises BadInput for an unknown or uninstalled one."""
    row = table.get(name)
    if row is None:
        raise BadInput(f"there is no {kind} {name!r}; choose one of {', '.join(table)}")
    return backend_class(row, kind, name)(*args)


def backend_class(row: Backend[Stage], kind: str, name: str) -> type[Stage]:
    """The class of a row. Raises BadInput, with the line that installs it, where it is not."""
    try:
        module = importlib.import_module(row.module)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("stylizer"):
            raise
        raise BadInput(
            f"{kind} {name!r} needs the package {error.name!r}: {row.install}"
        ) from error
    except ImportError as error:
        raise StylizerError(f"{kind} {name!r} cannot be loaded ({error}): {row.install}") from error
    return getattr(module, row.attribute)


def is_software_gl(gl_renderer: str) -> bool:
    """Whether a GL_RENDERER string names a renderer that runs on the CPU."""
    name = gl_renderer.lower()
    return any(word in name for word in ("llvmpipe", "softpipe", "swiftshader", "software", "gdi"))


def software_gl(gl_renderer: str) -> str:
    """That it is one, in words; "" where it is a GPU."""
    return f"OpenGL is software here: {gl_renderer}" if is_software_gl(gl_renderer) else ""


__all__ = [
    "PRESENTERS",
    "SOURCES",
    "STYLES",
    "Backend",
    "Presenter",
    "Source",
    "SourceEnded",
    "StyleBackend",
    "StyledFrame",
    "backend_class",
    "is_software_gl",
    "open_backend",
    "software_gl",
]
