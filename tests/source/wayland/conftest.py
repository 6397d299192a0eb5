"""What the tests of captures under sway look at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from sway_desktop import SwayDesktop, end


@pytest.fixture
def numbered(on_sway: SwayDesktop) -> Iterator[subprocess.Popen[str]]:
    """A native window "Numbered" of 320x180, whose frames have number and time in them."""
    window = on_sway.window("Numbered", (320, 180))
    yield window
    end(window)
