"""Recordings that do not end well: killed, on a full disk, without a frame."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import pytest
from flat_clips import Clip
from recorded import SIZE, SUFFIXES, noise, pictures_of

from stylizer.errors import StylizerError
from stylizer.present.encode import Encoder, playable
from stylizer.present.record import Recorder
from stylizer.system.files import write_png

KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from stylizer.present.encode import Encoder, playable
from stylizer.present.record import Recorder
sound = Path(sys.argv[2]) if len(sys.argv) > 2 else None
recorder = Recorder(Path(sys.argv[1]), (320, 180), 30, sound)
random = np.random.default_rng(0)
for number in range(10_000):
    recorder.add(random.integers(0, 256, (180, 320, 3), np.uint8), 0)
    if number == 75:
        print("now", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("sound", [False, True], ids=["silent", "sound"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_playable_after_kill(tmp_path: Path, clip: Clip, suffix: str, sound: bool) -> None:
    path = tmp_path / f"a{suffix}"
    arguments = [sys.executable, "-c", KILLED, str(path)] + [str(clip.path)] * sound
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"now\n"
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    frames = 0
    with av.open(str(path)) as container:
        try:
            for _ in container.decode(video=0):
                frames += 1
        except av.error.InvalidDataError:
            pass  # the fragment that the kill cut in two
    assert frames >= 40  # 76 given; 3 wait, 15 are in the open fragment, sound holds back 15 more


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_playable_from_the_second_picture_on(tmp_path: Path, suffix: str) -> None:
    """However soon the program is killed or its disk is full."""
    path = tmp_path / f"a{suffix}"
    encoder = Encoder(path, SIZE, 30, None)
    for picture in noise(2):
        encoder.add(picture, 0)
    assert playable(path)
    encoder.close()
    with av.open(str(path)) as container:
        assert [frame.key_frame for frame in container.decode(video=0)] == [True, True]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A 300 kB file system; skips where it cannot be mounted."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("a small tmpfs needs root on Linux")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_full_disk_while_recording(small_disk: Path, suffix: str) -> None:
    path = small_disk / f"a{suffix}"
    recorder = Recorder(path, (64, 48), 30)
    with pytest.raises(StylizerError, match="disk is full") as caught:  # noqa: PT012
        for picture in noise(400, (64, 48)):
            recorder.add(picture, 0)
        recorder.close()
    recorder.close()  # tells it once
    assert str(path) in str(caught.value)
    assert "can be played" in str(caught.value)
    assert len(pictures_of(path)) >= 30


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_full_disk_seen_only_at_the_end(small_disk: Path, suffix: str) -> None:
    """libavformat loses this one: four frames wait in the open fragment until close."""
    (small_disk / "other").write_bytes(bytes(300 * 1024 - 8192))
    path = small_disk / f"a{suffix}"
    recorder = Recorder(path, SIZE, 30)
    with pytest.raises(StylizerError, match="disk is full"):  # noqa: PT012
        for picture in noise(4):
            recorder.add(picture, 0)
        recorder.close()
    assert not path.exists() or pictures_of(path)


def test_full_disk_leaves_no_picture(small_disk: Path) -> None:
    (small_disk / "other").write_bytes(bytes(300 * 1024 - 8192))
    with pytest.raises(StylizerError, match="disk is full"):
        write_png(small_disk / "a.png", noise(1)[0])
    assert os.listdir(small_disk) == ["other"]


def test_no_frames_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", SIZE, 30)
    recorder.close()
    recorder.close()
    assert os.listdir(tmp_path) == []


def test_thread_is_joined(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", SIZE, 30)
    recorder.add(noise(1)[0], 0)
    assert "record" in {t.name for t in threading.enumerate()}
    recorder.close()
    assert "record" not in {t.name for t in threading.enumerate()}
