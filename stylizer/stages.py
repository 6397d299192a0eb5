"""READ FIRST: what each stage promises, and the tables of backends that keep the promise.

    source  ->  style  ->  compose  ->  present
    (frame)     (ONNX)     (moderngl)   (window / overlay / offscreen)

A backend is one file and one row here. Backends are named by strings and imported late, so that
importing this module loads none of torch, onnxruntime, pygame, moderngl or mss.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, InputState, StyledFrame

if TYPE_CHECKING:
    import moderngl
    import numpy as np

    from stylizer.hotkeys import Action


class SourceEnded(Exception):
    """Raised by `Source.read` when there will be no more frames."""


class Source(Protocol):
    """Gives frames. Made, read and closed on one thread, its own (a GL context lives there).

    Constructor: (settings). Raises BadInput when what the user named cannot be opened.
    """

    capture_method: str  # how frames are got, in words for HUD and report
    size: tuple[int, int]  # (width, height) of the next frame as far as known
    frame_rate: float | None  # frames a second of the medium; None for a live or still source
    # Optional: `renders = True`, each read costs a rendering; it is then not read at full rate
    # while frames wait for the network. `state`, a word when no frames come for a reason the user
    # should read ("minimised"). `skipped`, an int: frames due but left out by the source.
    # `window_id`, the captured window for an overlay, 0 while there is none.

    def read(self, inputs: InputState) -> Frame | None:
        """The newest frame; None when nothing is newer (it may wait up to 20 ms for one).

        In lock-step (settings.sync) every read gives the next frame of the medium or scene and
        never None, but for a program that has drawn nothing new yet (window, screen). Raises
        SourceEnded at the end, StylizerError when it breaks.
        """
        ...

    def close(self) -> None:
        """Free everything; may be called twice."""
        ...


class StyleBackend(Protocol):
    """Turns frames into styled images of the frame's or the inference size, on one thread."""

    model: str  # the file's stem, or "none"
    model_bytes: int
    provider: str  # the provider of the session that was really built
    provider_reason: str

    @property
    def resizable(self) -> int | None:
        """The multiple that inference sizes must have; None: one size only."""
        ...

    def see(self, inference_size: tuple[int, int] | None) -> None:
        """Let the network see frames at this size from the next one on; None: theirs."""
        ...

    def style(self, frame: Frame) -> StyledFrame:
        """Raises StylizerError when the session fails."""
        ...

    def close(self) -> None: ...


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
    scale: float  # UI scale: 1.0 at 96 DPI
    # Optional: `follow(window_id)`, told each turn which window the source captures (0: none).
    # `hidden`, True while nobody can see it: nothing is presented twice then. `minimized`, True
    # while the window is: nothing is styled then either, but for a recording. `take_notices()`,
    # what the user should read, once. `exposed`, True when the last poll said that what was shown
    # is gone.

    def poll(self) -> list[Action]:
        """Handle events: what the user asked for since the last call."""
        ...

    def inputs(self) -> InputState:
        """Camera input since the last call."""
        ...

    def present(self) -> None:
        """Show what was drawn into `framebuffer`; returns when it is handed over."""
        ...

    def read_back(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB of the framebuffer, row 0 on top."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Backend:
    """One row: where the class is, which package it needs and how a user gets that package."""

    module: str
    attribute: str
    install: str = "pip install stylizer"


WINDOWS = {  # sys.platform -> how a window is captured there
    "win32": Backend(
        "stylizer.source.window_windows", "WindowSource", 'pip install "stylizer[windows]"'
    ),
    "darwin": Backend(
        "stylizer.source.window_macos", "WindowSource", 'pip install "stylizer[macos]"'
    ),
}
X11_WINDOW = Backend("stylizer.source.x11.window", "WindowSource")
SOURCES = {
    "demo": Backend("stylizer.source.demo.source", "DemoSource"),
    "video": Backend("stylizer.source.video", "VideoSource"),
    "images": Backend("stylizer.source.images", "ImagesSource"),
    "window": WINDOWS.get(sys.platform, X11_WINDOW),
    "portal": Backend(
        "stylizer.source.window_wayland", "PortalSource", 'pip install "stylizer[wayland]"'
    ),
    "screen": Backend("stylizer.source.screen", "ScreenSource"),
    "synthetic": Backend("stylizer.source.synthetic", "SyntheticSource"),
}
STYLES = {
    "ort": Backend("stylizer.style.ort", "OrtStyle", "pip install onnxruntime-gpu"),
    "openvino": Backend(
        "stylizer.style.openvino", "OpenVinoStyle", 'pip install "stylizer[openvino]"'
    ),
    "none": Backend("stylizer.style.identity", "IdentityStyle"),
}
PRESENTERS = {
    "window": Backend("stylizer.present.window", "WindowPresenter"),
    "overlay": Backend("stylizer.present.overlay", "OverlayPresenter"),
    "offscreen": Backend("stylizer.present.offscreen", "OffscreenPresenter"),
}


def open_backend(table: dict[str, Backend], kind: str, name: str, *args: Any) -> Any:
    """Import the named backend and build it. Raises BadInput for an unknown or uninstalled one."""
    row = table.get(name)
    if row is None:
        raise BadInput(f"there is no {kind} {name!r}; choose one of {', '.join(table)}")
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
    return getattr(module, row.attribute)(*args)


def is_software_gl(gl_renderer: str) -> bool:
    """Whether a GL_RENDERER string names a renderer that runs on the CPU."""
    name = gl_renderer.lower()
    return any(word in name for word in ("llvmpipe", "softpipe", "swiftshader", "software", "gdi"))


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
    "is_software_gl",
    "open_backend",
]
