"""A window of the program's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from own_window import SIZE, focus, settle

from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings


@pytest.fixture
def window(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowPresenter]:
    monkeypatch.setenv("DISPLAY", xvfb)
    presenter = WindowPresenter(Settings(size=SIZE), SIZE)
    settle(presenter)
    focus(presenter)
    yield presenter
    presenter.close()
