"""A window over all of a sway desktop, each frame with its number and time burned in, and the
portal that captures it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sway_desktop import SwayDesktop, enter

from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.source.synthetic import read_age_ms, read_frame_number

SIZE = (640, 360)
WINDOW = '[app_id="wayland_window"]'
RULES = f"for_window {WINDOW} fullscreen enable"


def at_home(desktop: SwayDesktop, monkeypatch: pytest.MonkeyPatch, folder: Path) -> SwayDesktop:
    """On the desktop, in its home, remembering nothing of other tests."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("HOME", str(desktop.home))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return enter(desktop, monkeypatch)


class Numbered:
    """A window over all of the output, each frame with its number and time burned in."""

    def __init__(self, desktop: SwayDesktop) -> None:
        self.process = desktop.window("Numbered", SIZE)

    def tell(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()


@contextmanager
def portal_source(**changes: object) -> Iterator:
    """A portal source that is closed with the block."""
    from stylizer.source.wayland.source import PortalSource

    made = PortalSource(replace(Settings(source="portal"), **changes))  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()


def numbered_frame(frame: Frame) -> bool:
    return read_frame_number(frame.rgb()) is not None


def number_of(frame: Frame) -> int:
    number = read_frame_number(frame.rgb())
    assert number is not None
    return number


def age_ms(frame: Frame, now_s: float) -> float:
    age = read_age_ms(frame.rgb(), now_s)
    assert age is not None
    return age
