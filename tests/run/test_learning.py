"""A style that is trained while it is painted with: what takes over, what is told, what is left.

The training is a stand-in without torch, in a real process of its own.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from stylizer.errors import StylizerError
from stylizer.frame import Frame
from stylizer.painting.make import make
from stylizer.run.blending import Blending
from stylizer.run.learning import Learning, Lesson, new_folder
from stylizer.run.models import ModelBank
from stylizer.run.recent_frames import LARGEST, MOST, RecentFrames
from stylizer.run.switching import Switching
from stylizer.run.thumbnails import Thumbnails
from stylizer.settings import Settings
from stylizer.style.opening import open_style
from stylizer.system.resources import own_styles_folder

FRAME = Frame(np.full((64, 96, 4), 128, np.uint8), "RGBA", 0.0, 0)


def rewrite(style: str) -> None:
    """The style's files as another training would leave them."""
    for path in own_styles_folder().glob(f"{style}-fast*.onnx"):
        path.write_bytes((own_styles_folder().parent / "other" / path.name).read_bytes())


def learns(style: str, folder: Path, steps: int, every_s: float, tell: Callable) -> None:
    tell("step", (1, steps, 65.0))
    rewrite(style)
    tell("exported", 1)
    while not (folder / "seen-00.jpg").exists():
        time.sleep(0.02)


def learns_for_ever(style: str, folder: Path, steps: int, every_s: float, tell: Callable) -> None:
    tell("step", (1, steps, 65.0))
    rewrite(style)
    tell("exported", 1)
    (own_styles_folder() / f".half.onnx.{os.getpid()}-7.part").touch()
    time.sleep(1000)


def finds_the_disk_full(style: str, *_: Any) -> None:
    raise StylizerError("the disk is full: x could not be written; free some space")


class Scene:
    """A run's parts around a training."""

    def __init__(self, work: Callable[..., object], missing: str = "") -> None:
        settings = Settings(provider="cpu")
        self.bank, self.second = (
            ModelBank(lambda name: open_style(settings, name, (96, 64))) for _ in range(2)
        )
        self.bank.use("dots-fast")
        self.first = self.bank.active()
        self.blending = Blending(settings, self.bank, lambda: self.second)
        stylist = SimpleNamespace(newest=SimpleNamespace(frame=FRAME))
        opened: Any = SimpleNamespace(
            stylist=stylist, bank=self.bank, blending=self.blending, closes=lambda _: None
        )
        self.switching = Switching(self.bank)
        lesson = Lesson("dots", 9, 60.0, work, missing)
        self.learning, self.said = Learning(lesson, opened, self.switching), list[str]()

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + 200
        while not done():
            assert time.monotonic() < deadline, self.said
            self.said += self.learning.turn(time.monotonic())
            time.sleep(0.02)

    def renewed(self) -> bool:
        return self.bank.active() is not self.first

    def close(self) -> None:
        self.learning.close()
        self.bank.close()
        self.second.close()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Scene]]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pictures = [tmp_path / name / "dots.png" for name in ("a", "b")]
    for seed, picture in enumerate(pictures):
        picture.parent.mkdir()
        dabs = np.random.default_rng(seed).integers(0, 255, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(dabs.repeat(6, 0).repeat(6, 1)).save(picture)
    for picture, folder in zip(pictures, ("styles", "other"), strict=True):
        monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path / folder))
        make(picture, "ink")
        for path in (tmp_path / folder).iterdir():
            path.rename(path.with_name(path.name.replace("dots-with-ink", "dots")))
    monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path / "styles"))
    opened: list[Scene] = []

    def start(*given: Any) -> Scene:
        opened.append(Scene(*given))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
    assert not list((tmp_path / "cache").rglob("training-*")), "no folder is left"
    assert not list((tmp_path / "styles").glob(".*")), "no half file is left"
    children = [c for c in psutil.Process().children(recursive=True) if is_helper(c)]
    assert not psutil.wait_procs(children, timeout=60)[1], "no process is left"


def is_helper(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # just gone
        return "spawn_main" in " ".join(process.cmdline())
    return False


def files() -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in own_styles_folder().iterdir()}


def test_what_was_learned_takes_over_and_may_be_discarded(scene: Callable[..., Scene]) -> None:
    before, one = files(), scene(learns)
    one.until(lambda: one.learning.over and one.renewed())
    assert one.said[0] == "dots: a training begins beside the picture"
    assert "dots: what it learned until step 1 is shown" in one.said
    assert "the panel keeps or discards it" in one.said[-1]
    assert one.learning.text == "ended; 1 steps are in the picture"
    assert one.bank.active() is not one.first
    assert files() != before
    learned = one.bank.active()
    assert one.learning.discard(1.0) == "dots: as it was before the training"
    assert files() == before
    one.until(lambda: one.bank.active() is not learned)
    assert one.learning.text == ""


def test_it_takes_over_as_a_second_style_too(scene: Callable[..., Scene]) -> None:
    one = scene(learns)
    one.blending.choose("dots-fast")
    before = one.second.active()
    one.until(lambda: one.second.active() is not before)


def test_a_thumbnail_is_made_anew_where_the_style_was_trained(scene: Callable[..., Scene]) -> None:
    scene(learns)
    thumbnails = Thumbnails()
    thumbnails.add({"dots": "dots-fast"})
    thumbnails.look(FRAME)
    pictures = list[np.ndarray]()

    def made(done: Callable[[], bool]) -> None:
        while not done():
            pictures.extend(thumbnails.take().values())
            time.sleep(0.02)

    made(lambda: bool(pictures))
    rewrite("dots")
    made(lambda: not np.array_equal(pictures[0], pictures[-1]))
    thumbnails.close()
    thumbnails.join()


def test_stopped_it_stays_as_it_was_exported_last(scene: Callable[..., Scene]) -> None:
    one = scene(learns_for_ever)
    one.until(lambda: one.renewed())
    assert one.learning.text == "step 1 of 9, 1:05 left"
    learned = files()
    assert "stopped, what it learned until step 1 is kept" in one.learning.stop()
    assert one.learning.over
    assert {n: b for n, b in files().items() if not n.startswith(".")} == {
        n: b for n, b in learned.items() if not n.startswith(".")
    }
    assert "kept as it was trained" in one.learning.keep()


def test_the_end_of_the_run_ends_it(scene: Callable, capfd: pytest.CaptureFixture) -> None:
    one = scene(learns_for_ever)
    one.until(lambda: one.renewed())
    one.learning.close()
    assert "dots: what it learned until step 1 is kept in" in capfd.readouterr().err


def test_a_killed_training_is_told(scene: Callable[..., Scene]) -> None:
    one = scene(learns_for_ever)
    one.until(lambda: one.renewed())
    [child] = [c for c in psutil.Process().children() if "spawn_main" in " ".join(c.cmdline())]
    os.kill(child.pid, signal.SIGKILL)
    one.until(lambda: one.learning.over)
    assert "ended from outside, what it learned until step 1 is kept" in one.said[-1]


def test_a_full_disk_is_told(scene: Callable[..., Scene]) -> None:
    before, one = files(), scene(finds_the_disk_full)
    one.until(lambda: one.learning.over)
    assert "had written nothing yet: the disk is full" in one.said[-1]
    assert files() == before


def test_what_is_missing_is_told_and_nothing_begins(scene: Callable[..., Scene]) -> None:
    one = scene(learns, "training needs the package torch: pip install x")
    one.until(lambda: one.said)
    assert one.said == ["training needs the package torch: pip install x"]
    assert one.learning.turn(1.0) == []
    assert one.learning.text == ""


def test_seen_frames_are_bounded_in_number_and_size(tmp_path: Path) -> None:
    large = Frame(np.full((2000, 1000, 4), 90, np.uint8), "RGBA", 0.0, 0)
    seen = RecentFrames(tmp_path)
    for second in range(MOST + 5):
        seen.look(large, second / 2)  # every second one is too soon
        seen.look(large, float(second))
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("*.jpg"))) < min(second + 1, MOST):
            assert time.monotonic() < deadline
            time.sleep(0.005)
    seen.close()
    assert len(list(tmp_path.iterdir())) == MOST
    with Image.open(tmp_path / "seen-00.jpg") as image:
        assert image.size == (LARGEST[1] // 2, LARGEST[1])


def test_folders_of_processes_that_are_gone_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept, gone = (tmp_path / "stylizer" / f"training-{n}" for n in (os.getppid(), 4194304))
    for folder in (kept, gone):
        folder.mkdir(parents=True)
    mine = new_folder()
    assert {p.name for p in mine.parent.iterdir()} == {kept.name, mine.name}
