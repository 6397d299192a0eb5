"""Sound videos that other programs play to their end, and what is said of those that look wrong."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flat_clips import COLORS, flat, write_video
from odd_videos import SIZE, colors, joined, late_picture, two_sounds
from PIL import Image
from whole_program import fails

from stylizer.app.cli import main
from stylizer.frame import IDLE, Frame
from stylizer.settings import Settings
from stylizer.source.video import VideoSource
from stylizer.stages import SourceEnded

pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")


def frames_of(path: Path) -> list[Frame]:
    source, frames = VideoSource(Settings(input=path, sync=True)), []
    try:
        while True:
            frame = source.read(IDLE)
            assert frame is not None
            frames.append(frame)
    except SourceEnded:
        return frames
    finally:
        source.close()


def offline(path: Path, *more: object) -> list[str]:
    words = ["run", "--input", path, "--model", "none", "--present", "offscreen", *more]
    return [str(word) for word in words]


def check_colors(frames: list[Frame]) -> None:
    for number, frame in enumerate(frames):
        expected = COLORS[number % 30 % len(COLORS)]
        assert np.abs(frame.rgb().astype(int) - expected).max() <= 4, number


@pytest.mark.parametrize("late_s", [0.05, 0.5])
def test_a_picture_that_begins_late_is_whole(tmp_path, late_s: float):
    frames = frames_of(late_picture(tmp_path / "late.mkv", late_s))
    assert len(frames) == 30
    check_colors(frames)


def test_a_cut_file_whose_picture_begins_late_is_still_told(tmp_path, capsys):
    path = late_picture(tmp_path / "late.mkv", 0.05)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6)])
    fails(capsys, offline(path), 1, "damaged or cut off")


def test_joined_transport_streams_play_through(tmp_path):
    frames = frames_of(joined(tmp_path / "joined.ts"))
    assert len(frames) == 60
    check_colors(frames)
    times = [f.media_time_s for f in frames]
    assert times == pytest.approx([n / 15 for n in range(60)], abs=0.002)


def test_joined_streams_are_recorded_with_all_their_sound(tmp_path):
    path, out = joined(tmp_path / "joined.ts"), tmp_path / "out.mp4"
    assert main(offline(path, "--record", out)) == 0
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 60
    with av.open(str(out)) as container:
        samples = sum(f.samples for f in container.decode(audio=0))
    assert samples / 48000 == pytest.approx(4.0, abs=0.15)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize(("default", "pitch"), [(0, 440), (1, 880)])
def test_the_default_sound_track_goes_along(tmp_path, suffix: str, default: int, pitch: int):
    path, out = two_sounds(tmp_path / f"two{suffix}", default), tmp_path / "out.mkv"
    assert main(offline(path, "--record", out)) == 0
    with av.open(str(out)) as container:
        blocks = [f.to_ndarray()[0] for f in container.decode(audio=0)]
    samples = np.concatenate(blocks)[4800:52800]
    strongest = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax()
    assert strongest * 48000 / len(samples) == pytest.approx(pitch, abs=3)


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_an_animated_picture_gives_all_its_frames(tmp_path, suffix: str):
    path, record = tmp_path / f"moving{suffix}", tmp_path / "out.mkv"
    frames = [Image.new("RGBA", (64, 48), (n * 40, 90, 255 - n * 40, 255)) for n in range(5)]
    frames[3].putalpha(0)  # black shows through
    save: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {"blend": 0, "disposal": 1}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=200, **save)
    argv = ["run", "--input", str(path), "--model", "none", "--present", "offscreen"]
    assert main([*argv, "--record", str(record)]) == 0
    with av.open(str(record)) as container:
        shown = [(f.to_ndarray(format="rgb24"), f.time) for f in container.decode(video=0)]
    assert [round(time, 2) for _, time in shown] == [0.0, 0.2, 0.4, 0.6, 0.8]
    for number, (picture, _) in enumerate(shown):
        wanted = (0, 0, 0) if number == 3 else (number * 40, 90, 255 - number * 40)
        assert abs(picture[24, 32].astype(int) - wanted).max() <= 6, number


def test_a_damaged_animation_is_told(tmp_path, capsys):
    path = tmp_path / "moving.webp"
    rng = np.random.default_rng(3)
    frames = [Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8)) for _ in range(4)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 5 // 8] + bytes(len(whole) - len(whole) * 5 // 8))
    argv = ["run", "--input", str(path), "--model", "none", "--present", "offscreen"]
    assert main(argv) in (1, 2)
    error = capsys.readouterr().err
    assert "moving.webp" in error
    assert "unforeseen" not in error


def test_an_animated_gif_is_a_video_and_a_still_one_a_picture(tmp_path):
    pictures = [Image.fromarray(p) for p in colors(10)]
    moving, still = tmp_path / "moving.gif", tmp_path / "still.gif"
    pictures[0].save(moving, save_all=True, append_images=pictures[1:], duration=100)
    pictures[0].save(still)
    for path, frames, source in ((moving, 10, "video"), (still, 1, "images")):
        report = tmp_path / f"{path.stem}.json"
        assert main(offline(path, "--output", tmp_path / path.stem, "--report", report)) == 0
        told = json.loads(report.read_text())
        assert (told["frames"], told["source"]) == (frames, source)
        assert len(list((tmp_path / path.stem).iterdir())) == frames


def test_high_dynamic_range_is_said(tmp_path, capsys):
    params = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    path = write_video(
        tmp_path / "hdr.mp4", colors(3), pix_fmt="yuv420p10le", colorspace=9,
        options={"x264-params": params},
    )  # fmt: skip
    source = VideoSource(Settings(input=path, sync=True))
    source.close()
    assert "high dynamic range (PQ), not tone-mapped" in capsys.readouterr().err
    assert "high dynamic range (PQ)" in source.capture_method


def test_interlacing_is_said(tmp_path, capsys):
    path = write_video(
        tmp_path / "tv.mp4", colors(3),
        options={"flags": "+ilme+ildct", "x264-params": "interlaced=1:tff=1"},
    )  # fmt: skip
    VideoSource(Settings(input=path, sync=True)).close()
    assert "tv.mp4 is interlaced" in capsys.readouterr().err
    plain = write_video(tmp_path / "a.mp4", [flat(SIZE, COLORS[0])] * 3)
    VideoSource(Settings(input=plain, sync=True)).close()
    assert capsys.readouterr().err == ""


@pipes
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_recording_goes_into_a_pipe(tmp_path, suffix: str):
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    words = ["run", "--source", "synthetic", "--size", "64x48", "--model", "none", "--sync"]
    words += ["--present", "offscreen", "--frames", "20", "--record", str(pipe)]
    assert main(words) == 0
    reader.join(20)
    (tmp_path / "got").write_bytes(got[0])
    with av.open(str(tmp_path / "got")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20


@pipes
def test_a_pipe_that_nobody_reads_is_told(tmp_path, capsys, monkeypatch):
    from stylizer.system import files

    monkeypatch.setattr(files, "PIPE_WAIT_S", 0.3)
    pipe = tmp_path / "pipe.mkv"
    os.mkfifo(pipe)
    words = ["run", "--source", "synthetic", "--size", "64x48", "--model", "none", "--sync"]
    words += ["--present", "offscreen", "--frames", "20", "--record", str(pipe)]
    fails(capsys, words, 1, "nobody reads that pipe")
    assert pipe.is_fifo()
