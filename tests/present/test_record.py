"""Recordings and pictures on disk: colors, times, sound, places that are refused."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import av
import av.error
import numpy as np
import pytest
from flat_clips import COLORS, Clip, flat, write_video
from PIL import Image
from recorded import SIZE, SUFFIXES, noise, off, pictures_of, record, times_of

from stylizer.errors import BadInput
from stylizer.present.record import Recorder, check_recordable
from stylizer.system import files
from stylizer.system.files import check_writable, write_png
from stylizer.system.outputs import OutputFolder


def sound_of(path: Path) -> tuple[np.ndarray, int, float]:
    """float samples of one channel, rate, time of the first sample."""
    with av.open(str(path)) as container:
        blocks, rate, begin = [], 0, None
        for frame in container.decode(audio=0):
            begin = frame.time if begin is None else begin
            rate = frame.sample_rate
            block = frame.to_ndarray()[0].astype(float)
            blocks.append(block / 32768 if frame.format.name.startswith("s16") else block)
        return np.concatenate(blocks), rate, float(begin or 0)


def pitch(samples: np.ndarray, rate: int) -> float:
    """Hz of the strongest tone."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("channels", [3, 4])
def test_colors_order_and_tags(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"a{suffix}"
    pictures = [flat(SIZE, c) for c in COLORS]
    if channels == 4:  # transparent: alpha is not looked at
        pictures = [np.dstack([p, np.zeros_like(p[:, :, :1])]) for p in pictures]
    record(path, pictures, rate=30)
    assert [off(p, c) <= 3 for p, c in zip(pictures_of(path), COLORS, strict=True)] == [True] * 5
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range, frame.color_primaries) == (1, 1, 1)
        assert frame.format.name == "yuv420p"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_constant_rate_ignores_the_clock(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    rate = 30000 / 1001
    record(path, noise(40), times=[5.0 + n % 3 for n in range(40)], rate=rate)
    assert times_of(path) == pytest.approx([n / rate for n in range(40)], abs=0.001)
    with av.open(str(path)) as container:
        assert float(container.streams.video[0].average_rate or 0) == pytest.approx(rate, rel=0.001)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_variable_rate_keeps_times_and_their_order(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    times = [100.0, 100.1, 100.1, 100.9, 102.5, 102.6, 109.0]
    record(path, noise(7), times=times)
    found = times_of(path)
    assert found == pytest.approx([t - 100 for t in times], abs=0.002)
    with av.open(str(path)) as container:
        stamps = [p.pts for p in container.demux(video=0) if p.pts is not None]
    assert all(a < b for a, b in itertools.pairwise(stamps))
    assert len(stamps) == 7


@pytest.mark.parametrize("size", [(161, 97), (160, 97), (161, 96), (3, 3), (1, 1)])
def test_odd_sizes_are_padded_by_their_edge(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.mp4"
    record(path, [flat(size, c) for c in COLORS], rate=10)
    pictures = pictures_of(path)
    width, height = size[0] + size[0] % 2, size[1] + size[1] % 2
    assert pictures[0].shape == (height, width, 3)
    with av.open(str(path)) as container:  # planes, not RGB: swscale blackens some odd edges
        luma = [np.asarray(f.to_ndarray()[:height]) for f in container.decode(video=0)]
    assert all(int(p.max()) - int(p.min()) <= 2 for p in luma)


def test_another_size_is_letterboxed_into_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    record(path, [flat(SIZE, (200, 0, 0)), flat((320, 96), (0, 200, 0))], rate=10)
    wide = pictures_of(path)[1]
    assert wide.shape == (96, 160, 3)
    assert off(wide[26:70], (0, 200, 0)) <= 3
    assert wide[:20].max() <= 3
    assert wide[76:].max() <= 3


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("codec", "container"), [("aac", ".mp4"), ("pcm_s16le", ".mkv")])
def test_sound_goes_along(tmp_path: Path, suffix: str, codec: str, container: str) -> None:
    source = write_video(tmp_path / f"in{container}", noise(30), sound=codec)
    path = tmp_path / f"out{suffix}"
    record(path, noise(30), times=[n / 15 for n in range(30)], audio=source)
    samples, rate, begin = sound_of(path)
    assert abs(begin) < 0.03
    assert len(samples) / rate == pytest.approx(2.0, abs=0.05)
    assert pitch(samples, rate) == pytest.approx(440, abs=2)
    assert len(pictures_of(path)) == 30


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_sound_is_cut_at_the_end_and_starts_with_the_picture(clip: Clip, tmp_path, suffix) -> None:
    path = tmp_path / f"out{suffix}"
    record(path, noise(12), rate=clip.rate, audio=clip.path)
    samples, rate, begin = sound_of(path)
    assert abs(begin) < 0.03
    assert len(samples) / rate == pytest.approx(12 / clip.rate, abs=0.05)
    assert times_of(path)[0] == pytest.approx(0, abs=0.001)


def test_sound_shorter_than_the_picture(clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    record(path, noise(60), rate=clip.rate, audio=clip.path)
    assert len(pictures_of(path)) == 60
    samples, rate, _ = sound_of(path)
    assert len(samples) / rate == pytest.approx(2.0, abs=0.05)


def test_silent_source_makes_a_silent_recording(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", noise(3))
    record(tmp_path / "out.mp4", noise(3), rate=10, audio=source)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio


def test_buffers_may_be_reused(tmp_path: Path) -> None:
    buffer = flat(SIZE, COLORS[0])
    with Recorder(tmp_path / "a.mp4", SIZE, 30) as recorder:
        for color in COLORS:
            buffer[:] = color
            recorder.add(buffer[:, :, ::-1], 0)  # a view, as Frame.rgb() gives of BGRA
    swapped = [(b, g, r) for r, g, b in COLORS]
    found = pictures_of(tmp_path / "a.mp4")
    assert [off(p, c) <= 3 for p, c in zip(found, swapped, strict=True)] == [True] * 5


def test_wrong_pictures_are_refused_at_the_door(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.mp4", SIZE, 30) as recorder:
        for wrong in (noise(1)[0].astype(float), noise(1)[0][:, :, 0]):
            with pytest.raises(ValueError, match="takes uint8"):
                recorder.add(wrong, 0)


def test_bad_places(tmp_path: Path, clip: Clip) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    bad = [
        tmp_path / "a.avi",
        tmp_path / "a",
        tmp_path / "missing" / "a.mp4",
        tmp_path / "file" / "a.mp4",
        tmp_path / "folder.mp4",
    ]
    for path in bad:
        for refuse in (check_recordable, lambda p: Recorder(p, SIZE, 30)):
            with pytest.raises(BadInput) as caught:
                refuse(path)
            assert path.name in str(caught.value)
            assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match="video being read"):
        Recorder(clip.path, SIZE, 30, clip.path)


def test_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:  # root may write anywhere: ask the question as another user would
        monkeypatch.setattr(files.os, "access", lambda path, mode: False)
    else:
        tmp_path.chmod(0o500)
    with pytest.raises(BadInput, match="not writable"):
        check_writable(tmp_path / "a.png")
    with pytest.raises(BadInput, match="not writable"):
        Recorder(tmp_path / "a.mp4", SIZE, 30)


# ---- pictures ----


@pytest.mark.parametrize("channels", [3, 4])
def test_png_is_exact_and_alone(tmp_path: Path, channels: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (31, 47, channels), np.uint8)
    write_png(tmp_path / "a.png", picture)
    write_png(tmp_path / "a.png", picture)  # over the first
    assert os.listdir(tmp_path) == ["a.png"]
    read = Image.open(tmp_path / "a.png")
    assert read.mode == "RGB"
    assert np.array_equal(np.array(read), picture[:, :, :3])


def test_png_bad_places(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "a.png"):
        with pytest.raises(BadInput):
            write_png(path, noise(1)[0])


def test_output_folder_counts_or_takes_names(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "new" / "deep")
    picture = flat((8, 8), COLORS[0])
    names = [folder.write(picture, name).name for name in ("", "", "cat", "cat", "")]
    assert names == ["000001.png", "000002.png", "cat.png", "cat-2.png", "000005.png"]
    assert sorted(os.listdir(folder.folder)) == sorted(names)


def test_output_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="cannot be made"):
        OutputFolder(tmp_path / "file")
    with pytest.raises(BadInput, match="cannot be made"):
        OutputFolder(tmp_path / "file" / "deeper")


def test_a_sound_track_of_an_unknown_codec_is_left_out(tmp_path: Path) -> None:
    """As a damaged file has it: FFmpeg gives such a track no codec at all."""
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000)
        sound.layout = "mono"
        container.mux(
            video.encode(
                av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            )
        )
        container.mux(video.encode())
        samples = np.zeros((1, 800), np.int16)
        block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        block.sample_rate, block.pts = 8000, 0
        container.mux(sound.encode(block))
    whole = path.read_bytes()
    assert b"A_PCM/INT/LIT" in whole
    path.write_bytes(whole.replace(b"A_PCM/INT/LIT", b"A_XXX/INT/LIT"))
    recorder = Recorder(tmp_path / "a.mp4", (64, 48), 10, path)
    recorder.add(np.zeros((48, 64, 3), np.uint8), 0)
    recorder.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert not container.streams.audio
        assert sum(1 for _ in container.decode(video=0)) == 1
