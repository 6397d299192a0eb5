"""Presents to nobody: an EGL context of its own and a framebuffer, for benchmarks and files."""

from __future__ import annotations

import time
from typing import final

import moderngl
import numpy as np

from stylizer.errors import StylizerError
from stylizer.frame import IDLE, InputState
from stylizer.hotkeys import Action
from stylizer.settings import Settings
from stylizer.stages import Presenter
from stylizer.system.gl import check_size, finisher, leave_egl, read_rgb, standalone_context
from stylizer.system.installed import GL_LIBRARIES


@final
class OffscreenPresenter(Presenter):
    """A `Presenter` without a display. `settings.fps` paces it; without it, it never waits.

    size: (width, height) of the framebuffer in pixels. Raises StylizerError without OpenGL 3.3.
    """

    present_name = "offscreen"

    def __init__(self, settings: Settings, size: tuple[int, int]) -> None:
        try:
            self.context = standalone_context()
        except Exception as error:  # moderngl raises bare Exceptions
            raise StylizerError(
                f"no OpenGL 3.3 without a display ({error}): install a driver, on Debian "
                f"{GL_LIBRARIES}"
            ) from error
        self._period_s = 1.0 / settings.fps if settings.fps else 0.0
        pace = f"{settings.fps:g} fps" if settings.fps else "as fast as frames come"
        self.reason = f"{self.context.info['GL_RENDERER']}, {pace}"
        self._finish = finisher(self.context)
        self._due = 0.0
        self.is_open = True
        self.size = size
        self.framebuffer = self._make_framebuffer(size)

    def resize(self, size: tuple[int, int]) -> None:
        """Take another framebuffer size (pictures of different sizes); what was drawn is lost."""
        if size != self.size:
            old, self.framebuffer = self.framebuffer, self._make_framebuffer(size)
            self.size = size
            _free(old)

    def poll(self) -> list[Action]:
        """Nobody presses keys here."""
        return []

    def inputs(self) -> InputState:
        """The camera goes its own way."""
        return IDLE

    def present(self) -> None:
        """Wait until everything is drawn, so that frame times are true, then until it is due."""
        self._finish()
        if not self._period_s:
            return
        now = time.perf_counter()
        if self._due > now:
            time.sleep(self._due - now)
        # A late frame starts a new beat: catching up would present frames faster than asked.
        self._due = max(self._due, now) + self._period_s

    def read_back(self) -> np.ndarray:
        """uint8 (height, width, 3) RGB of what was drawn, row 0 on top."""
        return read_rgb(self.framebuffer)

    def close(self) -> None:
        """Free the context; may be called twice."""
        if self.is_open:
            self.is_open = False
            _free(self.framebuffer)
            self.context.release()
            leave_egl()

    def _make_framebuffer(self, size: tuple[int, int]) -> moderngl.Framebuffer:
        check_size(self.context, size)
        framebuffer = self.context.framebuffer([self.context.renderbuffer(size, 4)])
        framebuffer.use()
        return framebuffer


def _free(framebuffer: moderngl.Framebuffer) -> None:
    for attachment in framebuffer.color_attachments:
        attachment.release()
    framebuffer.release()
