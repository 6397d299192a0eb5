"""Models with a canvas, one of each kind."""

from __future__ import annotations

from pathlib import Path

import canvas_networks
import pytest
from canvas_files import KINDS


@pytest.fixture(params=list(KINDS))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return KINDS[request.param](tmp_path / "m.onnx", canvas_networks.tile())
