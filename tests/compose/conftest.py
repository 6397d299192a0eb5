"""A framebuffer and a HUD of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stylizer.compose.hud import Hud
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings


@pytest.fixture
def presenter() -> Iterator[OffscreenPresenter]:
    presenter = OffscreenPresenter(Settings(), (1280, 720))
    yield presenter
    assert presenter.context.error == "GL_NO_ERROR"
    presenter.close()


@pytest.fixture
def hud(presenter: OffscreenPresenter) -> Iterator[Hud]:
    hud = Hud(presenter.context, 1.0)
    yield hud
    hud.release()
