"""What a recording's own thread meets: a file that is gone, another in its place, its own death."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from whole_program import until

from stylizer.errors import StylizerError
from stylizer.present.record import Recorder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
PICTURE = np.zeros((48, 64, 3), np.uint8)


# ---- the writer's thread ----


def write_until_told(path: Path, change: Callable[[], object]) -> None:
    """Record, change what stands at the path, and go on until that is told."""
    recorder = Recorder(path, (64, 48), 30)
    recorder.add(PICTURE, 0)
    until(path.exists)
    change()

    def go_on() -> None:
        for _ in range(1000):
            recorder.add(PICTURE, 0)

    with pytest.raises(StylizerError, match="removed or replaced"):
        go_on()
    recorder.close()
    assert recorder.frames < 1000


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_recording_removed_while_it_runs_is_told_then(tmp_path, suffix: str):
    """Not at the end only: nothing that is recorded from then on could be kept."""
    path = tmp_path / f"a{suffix}"
    write_until_told(path, path.unlink)
    assert not path.exists()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_took_the_place_of_a_recording_is_not_touched(tmp_path, suffix: str):
    path = tmp_path / f"a{suffix}"

    def put() -> None:
        (tmp_path / "mine").write_text("mine")
        (tmp_path / "mine").rename(path)

    write_until_told(path, put)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_nor_where_that_is_seen_at_the_end_only(tmp_path, suffix: str):
    path = tmp_path / f"a{suffix}"
    recorder = Recorder(path, (64, 48), 30)
    recorder.add(PICTURE, 0)
    until(path.exists)
    path.unlink()
    path.write_text("mine")
    with pytest.raises(StylizerError, match="removed or replaced"):
        recorder.close()
    assert path.read_text() == "mine"


@pytest.mark.parametrize("where", ["add", "rescue"])
def test_nobody_waits_for_a_writer_that_died(tmp_path, monkeypatch, where: str):
    recorder = Recorder(tmp_path / "a.mp4", (64, 48), 30)

    def die(*_: object) -> None:
        raise MemoryError("the test's")

    monkeypatch.setattr(recorder._encoder, "add", die)
    if where == "rescue":
        monkeypatch.setattr(recorder._encoder, "rescue", die)
    done = threading.Event()

    def give() -> None:
        try:
            for _ in range(20):
                recorder.add(PICTURE, 0)
        except StylizerError:
            done.set()

    threading.Thread(target=give, daemon=True).start()
    assert done.wait(5), "the caller waits for ever"
    recorder._told = False
    with pytest.raises(StylizerError, match="the test's") as caught:
        recorder.close()
    assert "a.mp4" in str(caught.value)
