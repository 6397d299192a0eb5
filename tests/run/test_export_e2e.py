"""A file painted from the panel, beside the game: real keys and clicks, and the file that comes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import tiny_models
from flat_clips import flat
from PIL import Image
from recorded import frames_of
from whole_program import OnScreen, until, xdotool
from x_display import managed
from x_game import RED

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed"),
]
PLACE = (150, 60, 900, 660)  # of the game: x, y, width, height
TAB, PATH, STOP = (371, 87), (270, 162), (210, 279)  # in the window
FRAMES, LONG, FPS = 40, 20_000, 20
PAINTED = tiny_models.mixed(flat((1, 1), RED))[0, 0].astype(int)


@pytest.fixture(scope="module")
def xvfb() -> Iterator[str]:
    with managed("openbox") as display:
        yield display


@pytest.fixture
def panel(xvfb: str, tmp_path: Path, game: Callable) -> Iterator[OnScreen]:
    """The program on the red game, its panel open at the tab Export, the path's field chosen."""
    game(place=PLACE)
    model = tiny_models.painter(tmp_path / "painter.onnx")
    words = ["--window", "Red Game", "--hud", "off", "--model", str(model), "--provider", "cpu"]
    own = ["--recordings", str(tmp_path / "videos"), "--screenshots", str(tmp_path / "pictures")]
    one = OnScreen(xvfb, "stylizer", tmp_path, "run", *words, *own)
    try:
        until(one.window)
        until(lambda: abs(one.spot(800, 500) - PAINTED).max() <= 6)
        xdotool("windowfocus", "--sync", one.window())
        xdotool("key", "F2")
        until(lambda: one.spot(20, 600).max() < 40)
        one.click(*TAB)
        until(lambda: one.spot(TAB[0] - 22, TAB[1] + 6)[2] > 50)  # this tab is in front
        one.click(*PATH)
        time.sleep(1)
        yield one
    finally:
        one.close()


def write_video(path: Path, frames: int) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(frames):
            frame = av.VideoFrame.from_ndarray(flat((64, 48), RED), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def given(name: str) -> None:
    """A path in the program's own folder: keys of a long one are doubled on a busy machine."""
    xdotool("type", "--delay", 40, name)
    xdotool("key", "Return")


def test_a_video_is_painted_beside_the_game(panel: OnScreen, tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", FRAMES)
    given("clip.mp4")
    painted = tmp_path / "videos" / "clip-painted.mp4"

    until(lambda: frames_of(painted) == FRAMES, seconds=240)
    with av.open(str(painted)) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert abs(shown.astype(int) - PAINTED).max() <= 8
    assert panel.process.poll() is None


def test_a_folder_is_painted_beside_the_game(panel: OnScreen, tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    for name in "ab":
        Image.fromarray(flat((64, 48), RED)).save(folder / f"{name}.png")
    given("shots")
    made = tmp_path / "pictures" / "shots-painted"
    until(lambda: len(list(made.glob("*.png"))) == 2, seconds=240)
    pixels = np.asarray(Image.open(made / "a.png"))[..., :3].astype(int)
    assert abs(pixels - PAINTED).max() <= 1
    assert panel.process.poll() is None


def test_stopped_it_keeps_what_was_painted(panel: OnScreen, tmp_path: Path) -> None:
    write_video(tmp_path / "long.mp4", LONG)
    given("long.mp4")
    painted = tmp_path / "videos" / "long-painted.mp4"
    until(lambda: frames_of(painted) > 5, seconds=240)
    panel.click(*STOP)
    time.sleep(3)
    size = painted.stat().st_size
    time.sleep(3)
    assert painted.stat().st_size == size, "it has ended"
    assert 5 < frames_of(painted) < LONG
