"""The training beside a running picture, on a few frames: what is written when."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from stylizer.errors import BadInput  # noqa: E402
from stylizer.lab.commands import learn as module  # noqa: E402
from stylizer.lab.commands.learn import ENOUGH_SEEN, RecentContent, learn  # noqa: E402
from stylizer.painting.make import make  # noqa: E402
from stylizer.style.kin import is_kin, made_of  # noqa: E402
from stylizer.system.resources import own_styles_folder  # noqa: E402


def see(folder: Path, count: int) -> None:
    """Frames of a game, as another process writes them."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (27, 48, 3), np.uint8)
        Image.fromarray(pixels).resize((480, 270)).save(folder / f"seen-{number:02d}.jpg")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows when the demo's frames are drawn."""
    calls: list[str] = []

    def demo_frames() -> list[Image.Image]:
        calls.append("demo")
        return [Image.new("RGB", (640, 360), "teal")]

    monkeypatch.setattr(module, "demo_frames", demo_frames)
    return calls


def test_the_first_network_comes_early(
    drawn: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few steps, and before the demo's frames are drawn: the player waits for it."""
    monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path / "styles"))
    monkeypatch.setattr(module, "FIRST_STEP", 2)
    dabs = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(dabs.repeat(6, 0).repeat(6, 1)).save(tmp_path / "dots.png")
    style = make(tmp_path / "dots.png", "ink").style
    files = sorted(own_styles_folder().glob("*.onnx"))
    before = [path.read_bytes() for path in files]
    see(tmp_path / "seen", ENOUGH_SEEN)
    told = drawn  # in one list, for their order

    def tell(kind: str, value: Any) -> None:
        told.append(f"{kind} {value[0] if kind == 'step' else value}")

    learn(style, tmp_path / "seen", 4, 1000.0, tell)
    assert told == ["step 0", "step 1", "step 2", "exported 2", "demo", "step 3", "step 4",
                    "exported 4"]  # fmt: skip
    assert sorted(own_styles_folder().glob("*.onnx")) == files
    for path, was in zip(files, before, strict=True):
        assert path.read_bytes() != was
        proto = onnx.load(path)
        assert made_of(proto)["strokes"] == "ink"
        assert is_kin(proto), "it is taken over without being looked at as a stranger"


def test_where_nothing_was_seen_it_begins_on_the_demo(drawn: list[str], tmp_path: Path) -> None:
    see(tmp_path, ENOUGH_SEEN - 1)
    content = RecentContent(tmp_path)
    assert len(content) == ENOUGH_SEEN
    see(tmp_path, ENOUGH_SEEN)
    content.look()
    assert len(content) == ENOUGH_SEEN + 1
    content.draw_demo()
    assert drawn == ["demo"], "once"


def test_without_any_frame_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "demo_frames", list)
    with pytest.raises(BadInput, match="no frame to train on"):
        RecentContent(tmp_path)
