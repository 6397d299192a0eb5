"""The start window: `stylizer` alone, where there is a display. Its answer is a command line."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylizer.errors import BadInput, StylizerError
from stylizer.settings import Settings
from stylizer.stages import software_gl

if TYPE_CHECKING:
    from stylizer.app.ahead import Ahead
    from stylizer.app.previews import Previews
    from stylizer.compose.start import StartScreen, Tile
    from stylizer.present.window import WindowPresenter
    from stylizer.source.x11.window_list import WindowInfo

SIZE = (960, 680)
TURN_S = 1 / 30
PICTURE = "picture"  # the tile of the picture that was given


def has_display() -> bool:
    """Whether a window can be opened, as far as the environment says."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


SettingsOf = Callable[[list[str]], Settings]


def choose(ahead: Ahead, settings_of: SettingsOf) -> list[str] | None:
    """Show what can be painted until something is chosen; the words of the command that paints it,
    None when the window was closed. settings_of: those of a command's words. Raises StylizerError
    where no window can be opened."""
    from stylizer.app.previews import Previews
    from stylizer.compose.start import StartScreen
    from stylizer.present.window import WindowPresenter

    presenter = WindowPresenter(Settings(), SIZE)
    previews = screen = None
    try:
        screen = StartScreen(presenter.context)
        previews = Previews() if os.environ.get("DISPLAY") else None
        return _until_chosen(presenter, screen, previews, ahead, settings_of)
    finally:
        if previews is not None:
            previews.close()
        if screen is not None:
            screen.release()
        presenter.close()


def _until_chosen(
    presenter: WindowPresenter,
    screen: StartScreen,
    previews: Previews | None,
    ahead: Ahead,
    settings_of: SettingsOf,
) -> list[str] | None:
    from stylizer.frame import Rect

    message, painting = "", None
    while True:
        started = time.perf_counter()
        presenter.show_panel(Rect(0, 0, *presenter.size), screen.typing, False)
        if any(action.name in ("quit", "panel") for action in presenter.poll()):
            return None
        _take_pictures(screen, previews, ahead)
        windows = previews.windows if previews else ()
        if windows and not ahead.expects:
            _expect(windows[0], presenter, ahead, settings_of)
        events, tiles = presenter.take_ui_events(), _tiles(painting, windows)
        chosen = screen.draw(presenter.framebuffer, events, tiles, message, presenter.scale)
        presenter.present()
        message = " ".join(presenter.take_notices()) or message
        dropped = presenter.take_dropped()
        if chosen is not None and chosen.kind == "tile":
            return words_of(chosen.value, painting)
        given = dropped[0] if dropped else chosen.value if chosen is not None else ""
        path = Path(given).expanduser()
        if given and not path.exists():
            message = f"There is no {given}: type where a video, a picture or a folder is."
        elif given:
            pixels = small_picture(path)
            if pixels is None:
                return ["run", "--input", str(path)]
            painting, message = path, f"{path.name}: click what shall be painted with it."
            screen.picture(PICTURE, pixels)
        time.sleep(max(0.0, TURN_S - (time.perf_counter() - started)))


def _take_pictures(screen: StartScreen, previews: Previews | None, ahead: Ahead) -> None:
    """Give the tiles the pictures that have come since the last turn."""
    demo = ahead.take_demo()
    if demo is not None:
        screen.picture("demo", demo)
    for window, pixels in (previews.take() if previews else {}).items():
        screen.picture(f"0x{window:x}", pixels)


def _tiles(painting: Path | None, windows: Sequence[WindowInfo]) -> list[Tile]:
    """What can be clicked: the demo, the picture that was given, and each window."""
    from stylizer.compose.start import Tile

    tiles = [Tile("demo", "The demo scene", "an island to fly over")]
    if painting is not None:
        tiles.append(Tile(PICTURE, painting.name, "the picture itself"))
    return tiles + [Tile(f"0x{w.id:x}", w.title or w.window_class, _note(w)) for w in windows]


def _expect(
    window: WindowInfo, presenter: WindowPresenter, ahead: Ahead, settings_of: SettingsOf
) -> None:
    """Have the model opened that the window would be painted by."""
    try:
        settings = settings_of(words_of(f"0x{window.id:x}", None))
    except StylizerError:
        return  # the run says it, of the window that is clicked
    why_no_shaders = software_gl(str(presenter.context.info["GL_RENDERER"]))
    ahead.expect(settings, window.size, why_no_shaders)


def words_of(key: str, painting: Path | None) -> list[str]:
    """The command for what was clicked, with the painting that was given before."""
    if key == PICTURE:
        return ["run", "--input", str(painting)]
    if painting is None:
        return ["run"] if key == "demo" else ["play", key]
    over = [] if key == "demo" else ["--window", key, "--present", "overlay"]
    return ["paint", str(painting), *over]


def small_picture(path: Path) -> np.ndarray | None:
    """A picture file for its tile, uint8 (height, width, 3) RGB; None for a video, a folder or
    what is no picture."""
    from stylizer.app.previews import smaller
    from stylizer.app.run_settings import is_moving
    from stylizer.source.picture_file import load_rgba
    from stylizer.system.pictures import SUFFIXES

    if not path.is_file() or path.suffix.lower() not in SUFFIXES or is_moving(path):
        return None
    try:
        return smaller(load_rgba(path)[..., :3])
    except BadInput:
        return None  # the run says what is wrong with it


def _note(window: WindowInfo) -> str:
    width, height = window.size
    state = "" if window.state == "visible" else f", {window.state}"
    return f"{width} × {height}{state}"
