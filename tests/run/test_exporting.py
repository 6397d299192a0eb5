"""An export that is stopped: the picture goes on meanwhile, and the terminal says what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from stylizer.run.exporting import Exporting
from stylizer.settings import Settings


def does_not_listen(settings: Settings, on_present: Callable) -> None:
    """A run that cannot be interrupted."""
    Path(settings.recordings or ".", "begun").touch()
    while True:
        try:
            time.sleep(1000)
        except KeyboardInterrupt:
            continue


def test_stopping_waits_for_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    settings = Settings(recordings=tmp_path, screenshots=tmp_path)
    exporting = Exporting(settings, does_not_listen)
    try:
        exporting.start(tmp_path / "a.png", {})
        assert exporting.text == "a.png: being started"
        while not (tmp_path / "begun").exists():
            assert not exporting.turn()
            time.sleep(0.02)
        exporting.stop()
        assert exporting.text == "a.png: being stopped"
        while not (message := exporting.turn()):
            time.sleep(0.02)
    finally:
        exporting.close()
    assert message == "a.png: stopped, nothing was painted"
    assert exporting.text == ""
    said = capfd.readouterr().err
    assert f"painting a.png: {tmp_path / 'a-painted'}" in said
    assert message in said
