"""What the tests of captures under sway look at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from portal_window import RULES, SIZE, Numbered, at_home, portal_source
from sway_desktop import SwayDesktop, end, sway_desktop


@pytest.fixture
def numbered(on_sway: SwayDesktop) -> Iterator[subprocess.Popen[str]]:
    """A native window "Numbered" of 320x180, whose frames have number and time in them."""
    window = on_sway.window("Numbered", (320, 180))
    yield window
    end(window)


@pytest.fixture(scope="module")
def portal_desktop() -> Iterator[SwayDesktop]:
    with sway_desktop(SIZE, RULES) as running:
        yield running


@pytest.fixture
def on_portal(
    portal_desktop: SwayDesktop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> SwayDesktop:
    """The desktop, and this process on it."""
    return at_home(portal_desktop, monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def full_window(portal_desktop: SwayDesktop) -> Numbered:
    return Numbered(portal_desktop)


@pytest.fixture
def playing(on_portal: SwayDesktop, full_window: Numbered) -> Numbered:
    full_window.tell("draw")
    return full_window


@pytest.fixture
def open_portal(on_portal: SwayDesktop):
    """Opens portal sources and closes them."""
    with ExitStack() as opened:
        yield lambda **changes: opened.enter_context(portal_source(**changes))
