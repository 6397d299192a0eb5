"""The thread that shaders draw on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stylizer.style.gl.thread import GlThread


@pytest.fixture(scope="module")
def gl() -> Iterator[GlThread]:
    thread = GlThread()
    yield thread
    thread.close()
