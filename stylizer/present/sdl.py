"""SDL's display and its window with OpenGL 3.3, as the live window and the overlay open them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pygame

from stylizer.errors import StylizerError, one_sentence
from stylizer.system.own_windows import NAME
from stylizer.system.x11 import watch_server

_GL_ATTRIBUTES = (
    (pygame.GL_CONTEXT_MAJOR_VERSION, 3),
    (pygame.GL_CONTEXT_MINOR_VERSION, 3),
    (pygame.GL_CONTEXT_PROFILE_MASK, pygame.GL_CONTEXT_PROFILE_CORE),
    (pygame.GL_CONTEXT_FLAGS, pygame.GL_CONTEXT_FORWARD_COMPATIBLE_FLAG),  # macOS insists
    (pygame.GL_DEPTH_SIZE, 0),
    (pygame.GL_STENCIL_SIZE, 0),
)
_NO_DISPLAY = "set DISPLAY to a running X server, or use --present offscreen"


def open_display() -> str:
    """Start SDL's video; returns the name of its driver. Raises StylizerError."""
    wanted = os.environ.get("SDL_VIDEODRIVER")
    x11, wayland = (os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    linux = sys.platform.startswith("linux")
    if linux and not (wanted or x11 or wayland):
        raise StylizerError(f"no display to open a window on: {_NO_DISPLAY}")
    if sys.platform == "win32":
        os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")
    # WM_CLASS and app id: how desktops and OBS know a program. Importing pygame set argv[0], which
    # has to stay for what we start: a game that bore our class would never be captured.
    try:
        with (
            sdl_hint("SDL_VIDEO_X11_WMCLASS", NAME),
            sdl_hint("SDL_VIDEO_WAYLAND_WMCLASS", NAME),
            sdl_hint("SDL_VIDEODRIVER", "x11" if linux and not (wanted or wayland) else wanted),
        ):
            # Only this driver while SDL starts: trying Wayland without one prints a complaint.
            pygame.display.init()
    except pygame.error as error:
        why = one_sentence(error).rstrip(".")
        raise StylizerError(
            f"the display {x11 or wayland or wanted!r} does not answer ({why}): {_NO_DISPLAY}"
        ) from error
    driver = pygame.display.get_driver()
    if driver == "x11":
        watch_server()
    # Left alone, SDL falls back to drivers that show nothing.
    if driver in ("dummy", "offscreen") and not wanted:
        pygame.display.quit()
        raise StylizerError(f"no display to open a window on: {_NO_DISPLAY}")
    return driver


@contextmanager
def sdl_hint(name: str, value: str | None) -> Iterator[None]:
    """SDL's hint `name` by the environment while the block runs; None leaves it as it is."""
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def open_window(size: tuple[int, int], flags: int) -> bool:
    """Open it; returns whether with vsync. Raises pygame.error."""
    for attribute, value in _GL_ATTRIBUTES:
        pygame.display.gl_set_attribute(attribute, value)
    try:
        pygame.display.set_mode(size, flags, vsync=1)
        return True
    except pygame.error:  # Xvfb: "regular vsync for OpenGL not available"
        pygame.display.set_mode(size, flags, vsync=0)
        return False
