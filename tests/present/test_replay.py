"""The last seconds are kept and saved: their pictures, their times, and nothing else."""

import os
import tempfile
from pathlib import Path

import av
import numpy as np
import pytest

from stylizer.present import replay as module
from stylizer.present.replay import PREFIX, Replay

SIZE = (64, 48)
FPS = 10


@pytest.fixture(autouse=True)
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def shown(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Two grays, tens and ones: frames can be told apart after encoding."""
    pixels = np.full((size[1], size[0], 3), 30 + 20 * (number % 10), np.uint8)
    pixels[:, : size[0] // 2] = 30 + 20 * (number // 10 % 10)
    return pixels


def play(replay: Replay, numbers: range) -> None:
    for number in numbers:
        replay.add(shown(number), 100 + number / FPS)


def read(path: Path) -> list[tuple[float, int]]:
    """(time, number of the frame) of each picture."""
    with av.open(str(path)) as container:
        frames = [(f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    digits = [[round((float(p[:, x].mean()) - 30) / 20) for x in (16, 48)] for _, p in frames]
    return [(t, 10 * tens + ones) for (t, _), (tens, ones) in zip(frames, digits, strict=True)]


def test_the_last_seconds_are_saved_in_order_and_in_time(tmp_path: Path) -> None:
    replay, path = Replay(5.0, SIZE), tmp_path / "replay.mp4"
    play(replay, range(95))
    replay.save(path)
    play(replay, range(95, 99))
    replay.close()
    assert len(replay.saved) == 1
    assert replay.saved[0].startswith("saved the last ")
    pictures = read(path)
    numbers = [n for _, n in pictures]
    assert numbers == list(range(numbers[0], 95)), "none lost, none twice, none later"
    assert 5 * FPS <= len(numbers) <= (5 + 2 * module.PART_S) * FPS
    for time_s, number in pictures:
        assert time_s == pytest.approx((number - numbers[0]) / FPS, abs=0.003)


def test_it_goes_on_after_a_save(tmp_path: Path) -> None:
    replay = Replay(3.0, SIZE)
    play(replay, range(20))
    replay.save(tmp_path / "first.mp4")
    play(replay, range(20, 60))
    replay.save(tmp_path / "second.mp4")
    replay.close()
    assert [n for _, n in read(tmp_path / "first.mp4")] == list(range(20))
    assert [n for _, n in read(tmp_path / "second.mp4")][-1] == 59


def test_only_so_much_is_kept_and_nothing_stays(own_temporary: Path) -> None:
    replay = Replay(3.0, SIZE)
    [folder] = own_temporary.iterdir()
    play(replay, range(200))
    while not replay._waiting._queue.empty():
        pass
    assert len(list(folder.glob("*.mkv"))) <= 3 / module.PART_S + 3
    replay.close()
    replay.close()
    assert not list(own_temporary.iterdir())


def test_a_picture_of_another_size_is_letterboxed(tmp_path: Path) -> None:
    replay = Replay(3.0, SIZE)
    play(replay, range(10))
    replay.add(shown(10, (128, 48)), 101.0)
    replay.save(tmp_path / "r.mp4")
    replay.close()
    with av.open(str(tmp_path / "r.mp4")) as container:
        assert {(f.width, f.height) for f in container.decode(video=0)} == {SIZE}


def test_a_save_without_pictures_or_place_is_said(tmp_path: Path) -> None:
    replay = Replay(3.0, SIZE)
    replay.save(tmp_path / "r.mp4")
    play(replay, range(5))
    replay.save(tmp_path / "nowhere" / "r.mp4")
    replay.save(tmp_path / "good.mp4")
    replay.close()
    empty, nowhere, good = replay.saved
    assert "nothing was shown yet" in empty
    assert "could not be saved" in nowhere
    assert good.startswith("saved")
    assert not (tmp_path / "r.mp4").exists()


def test_a_lost_folder_ends_it_in_words_and_nobody_waits(
    own_temporary: Path, tmp_path: Path
) -> None:
    replay = Replay(3.0, SIZE)
    [folder] = own_temporary.iterdir()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    play(replay, range(40))
    replay.close()
    assert replay.failure.startswith("the replay ended: ")


def test_a_full_disk_is_said_and_emptied(own_temporary: Path, tmp_path: Path) -> None:
    replay = Replay(3.0, SIZE)
    [folder] = own_temporary.iterdir()
    (folder / "0.mkv").symlink_to("/dev/full")
    play(replay, range(40))
    replay._thread.join(20)
    assert replay.failure == f"the replay ended: the disk that holds {own_temporary} is full"
    assert not folder.exists(), "what it wrote so far may be what fills it"
    full = tmp_path / "full.mp4"
    full.symlink_to("/dev/full")
    replay = Replay(3.0, SIZE)
    play(replay, range(40))
    replay.save(full)
    replay.close()
    assert replay.saved == [
        f"the replay could not be saved: the disk that holds {tmp_path} is full"
    ]


def test_saves_that_wait_when_it_ends_leave_no_empty_file(
    own_temporary: Path, tmp_path: Path
) -> None:
    replay = Replay(3.0, SIZE)
    [folder] = own_temporary.iterdir()
    folder.rmdir()
    reserved = tmp_path / "replay.mp4"
    reserved.touch()
    replay.add(shown(0), 100.0)
    replay.save(reserved)
    replay.close()
    assert replay.failure
    assert replay.saved == [f"the replay could not be saved: {replay.failure}"]
    assert not reserved.exists()


def test_folders_of_killed_programs_are_removed(own_temporary: Path) -> None:
    dead, alive = own_temporary / f"{PREFIX}999999999-x", own_temporary / f"{PREFIX}{os.getpid()}-y"
    dead.mkdir()
    alive.mkdir()
    Replay(3.0, SIZE).close()
    assert not dead.exists()
    assert alive.exists()
