"""A picture given to a run becomes a style beside it, and the run switches to it."""

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylizer.frame import Frame, StyledImage
from stylizer.hotkeys import Action
from stylizer.run.models import ModelBank
from stylizer.run.paintings import Paintings
from stylizer.run.switching import Switching
from stylizer.settings import Settings
from stylizer.style.opening import open_style


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path / "styles"))
    settings = Settings(provider="cpu")
    bank = ModelBank(lambda name: open_style(settings, name, (96, 64)))
    bank.use("ink-fast")
    bank.active()
    yield bank
    bank.close()


def turned(paintings: Paintings) -> list[str]:
    """What it says once the style is made."""
    deadline = time.monotonic() + 60
    while not (said := paintings.turn(1.0)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return said


def test_a_picture_is_painted_with(bank: ModelBank, tmp_path: Path) -> None:
    picture, changes = tmp_path / "Leaves.png", []
    dabs = np.random.default_rng(0).integers(0, 60, (20, 20, 3)) + np.array([10, 120, 20])
    Image.fromarray(np.repeat(np.repeat(dabs, 6, 0), 6, 1).astype(np.uint8)).save(picture)
    paintings = Paintings(Switching(bank), lambda: changes.append(1))
    assert paintings.take(picture) == "Leaves.png: making a style of it"
    assert "still being made" in paintings.take(picture)
    assert turned(paintings) == ["leaves: one of your styles now, kept as leaves-fast"]
    assert changes == [1]
    deadline = time.monotonic() + 60
    while bank.loading:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert bank.active().model == "leaves-fast-int8"
    frame = Frame(np.full((64, 96, 4), 128, np.uint8), "RGBA", 0.0, 0)
    image = bank.active().style(frame).image
    assert isinstance(image, StyledImage)
    red, green, blue = image.rgb().reshape(-1, 3).mean(axis=0)
    assert green > max(red, blue) + 20
    paintings.close()


def test_what_is_no_picture_is_said_and_the_run_goes_on(bank: ModelBank, tmp_path: Path) -> None:
    wrong = tmp_path / "notes.txt"
    wrong.write_text("no picture")
    paintings = Paintings(Switching(bank), lambda: pytest.fail("nothing was made"))
    paintings.take(wrong)
    [said] = turned(paintings)
    assert "notes.txt" in said
    assert "no picture" in said
    assert bank.active().model == "ink-fast-int8"
    assert paintings.turn(2.0) == [], "once"
    paintings.close()


def loaded(bank: ModelBank) -> str:
    deadline = time.monotonic() + 60
    while bank.loading:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return bank.active().model


def test_a_damaged_style_is_said_and_walked_past(bank: ModelBank, tmp_path: Path) -> None:
    (tmp_path / "styles").mkdir()
    for name in ("ink-2", "ink-3"):
        (tmp_path / "styles" / f"{name}-fast-int8.onnx").write_bytes(b"\x08 no model")
    switching, on, back = Switching(bank), Action("next_style"), Action("previous_style")
    for name in ("ink-2", "ink-3"):
        assert switching.carry_out(on, 0.0) == f"{name}-fast: loading"
        assert loaded(bank) == "ink-fast-int8"
        [failure] = bank.take_failures()
        assert f"{name}-fast-int8.onnx" in failure
    switching.carry_out(on, 0.0)
    assert loaded(bank) == "mosaic-fast-int8"
    switching.carry_out(back, 0.0)
    assert loaded(bank) == "mosaic-fast-int8"
    switching.use("ink-fast", 0.0)
    assert switching.carry_out(on, 0.0) == "ink-2-fast: loading", "it may have been mended"
    assert loaded(bank) == "ink-fast-int8"
