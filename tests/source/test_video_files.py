"""Videos as a source: every frame once, in its colors, at its time; what is cut or damaged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flat_clips import COLORS, Clip, flat, write_video
from source_frames import frames_before_error, frames_of, off

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import IDLE
from stylizer.settings import Settings
from stylizer.source.video import VideoSource
from stylizer.stages import SourceEnded

# ---- video ----


def test_video_gives_every_frame_once_in_order(clip: Clip) -> None:
    source = VideoSource(Settings(input=clip.path, sync=True))
    assert source.frame_rate == clip.rate
    frames = frames_of(source)
    assert [f.number for f in frames] == list(range(clip.frames))
    assert max(off(f, clip.color(f.number)) for f in frames) <= 3
    times = [f.media_time_s for f in frames]
    assert times == pytest.approx([n / clip.rate for n in range(clip.frames)])


def test_video_live_keeps_its_own_time(clip: Clip) -> None:
    source = VideoSource(Settings(input=clip.path))
    begin = time.perf_counter()
    frames = frames_of(source)
    seconds = time.perf_counter() - begin
    assert len(frames) + source.skipped == clip.frames
    assert frames[-1].number == clip.frames - 1
    assert seconds >= (clip.frames - 1) / clip.rate  # never ahead; how far behind is not asserted
    for frame in frames[2:]:
        assert frame.media_time_s is not None
        assert frame.captured_at - begin >= frame.media_time_s - 0.001


def test_video_live_skips_what_is_late_and_counts_it(clip: Clip) -> None:
    source = VideoSource(Settings(input=clip.path))
    source.read(IDLE)
    source.read(IDLE)  # the clock starts
    time.sleep(0.5)
    late = source.read(IDLE)
    assert late is not None
    assert late.number >= 7
    assert source.skipped == late.number - 1
    assert off(late, clip.color(late.number)) <= 3
    source.close()


def test_video_warm_up_on_the_first_frame_skips_none(clip: Clip) -> None:
    source = VideoSource(Settings(input=clip.path))
    source.read(IDLE)
    time.sleep(1.0)  # warming up: 15 frames long
    while (frame := source.read(IDLE)) is None:
        pass
    assert frame.number < 8, "the first but on a busy machine"
    assert source.skipped == frame.number - 1
    source.close()


@pytest.mark.parametrize("colorspace", [1, 5], ids=["BT.709", "BT.601"])
@pytest.mark.parametrize("color_range", [1, 2], ids=["limited", "full"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("size", [(160, 96), (162, 98), (156, 74)])
def test_video_colors(tmp_path, colorspace, color_range, pix_fmt, size) -> None:
    path = write_video(
        tmp_path / "a.mp4",
        [flat(size, color) for color in COLORS],
        pix_fmt=pix_fmt,
        colorspace=colorspace,
        color_range=color_range,
    )
    frames = frames_of(VideoSource(Settings(input=path, sync=True)))
    assert [off(f, c) <= 3 for f, c in zip(frames, COLORS, strict=True)] == [True] * 5


@pytest.mark.parametrize(("size", "colorspace"), [((160, 96), 5), ((1280, 720), 1)])
def test_video_without_tags_is_read_by_its_size(tmp_path, size, colorspace) -> None:
    path = write_video(
        tmp_path / "a.mp4", [flat(size, COLORS[0])], tagged=False, colorspace=colorspace
    )
    (frame,) = frames_of(VideoSource(Settings(input=path, sync=True)))
    assert off(frame, COLORS[0]) <= 3


@pytest.mark.parametrize("codec", ["libx264", "ffv1"])
def test_video_grayscale(tmp_path: Path, codec: str) -> None:
    gray = [flat((160, 96), (90, 90, 90))] * 2
    path = write_video(tmp_path / "a.mkv", gray, codec=codec, pix_fmt="gray", color_range=2)
    frames = frames_of(VideoSource(Settings(input=path, sync=True)))
    assert [off(f, (90, 90, 90)) <= 3 for f in frames] == [True, True]


def test_video_of_odd_size(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (97, 161, 3), np.uint8)
    path = write_video(
        tmp_path / "a.mkv", [picture], codec="libx264rgb", pix_fmt="rgb24", tagged=False,
        options={"qp": "0"},
    )  # fmt: skip
    (frame,) = frames_of(VideoSource(Settings(input=path, sync=True)))
    assert np.array_equal(frame.rgb(), picture)


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_video_is_turned_upright(tmp_path: Path, degrees: int) -> None:
    picture = flat((160, 96), (0, 0, 0))
    picture[:48, :80] = (200, 200, 200)  # the top left quarter is bright
    path = write_video(tmp_path / "a.mp4", [picture], rotation=degrees)
    source = VideoSource(Settings(input=path, sync=True))
    assert source.size == ((160, 96) if degrees == 180 else (96, 160))
    (frame,) = frames_of(source)
    turned = np.rot90(picture, round(degrees / 90))  # a positive angle turns counterclockwise
    assert np.abs(frame.rgb().astype(int) - turned).mean() < 3


def test_video_of_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 10, 100, 150, 400]
    path = write_video(tmp_path / "a.mkv", [flat((64, 48), c) for c in COLORS], times=times)
    frames = frames_of(VideoSource(Settings(input=path, sync=True)))
    assert [f.media_time_s for f in frames] == pytest.approx([t / 1000 for t in times])


def test_video_whose_size_changes(tmp_path: Path) -> None:
    sizes = [(160, 96), (122, 74)]
    parts = [
        write_video(tmp_path / f"{n}.h264", [flat(size, COLORS[n])] * 3).read_bytes()
        for n, size in enumerate(sizes)
    ]
    both = tmp_path / "both.h264"
    both.write_bytes(b"".join(parts))
    frames = frames_of(VideoSource(Settings(input=both, sync=True)))
    assert [f.size for f in frames] == [sizes[0]] * 3 + [sizes[1]] * 3
    assert [off(f, COLORS[n // 3]) <= 3 for n, f in enumerate(frames)] == [True] * 6


@pytest.mark.parametrize("share", [0.4, 0.7, 0.85])
def test_video_cut_off_gives_what_is_there_then_says_so(clip: Clip, tmp_path, share) -> None:
    cut = tmp_path / "cut.mp4"
    whole = clip.path.read_bytes()
    cut.write_bytes(whole[: int(len(whole) * share)])
    frames, message = frames_before_error(VideoSource(Settings(input=cut, sync=True)))
    assert 0 < len(frames) < clip.frames
    assert [f.number for f in frames] == list(range(len(frames)))
    # By time: a B-frame lost at the cut leaves a gap, and what follows it keeps its own place.
    places = [round((f.media_time_s or 0) * clip.rate) for f in frames]
    assert max(off(f, clip.color(p)) for f, p in zip(frames, places, strict=True)) <= 3
    assert str(cut) in message
    assert f"frame {len(frames) - 1}" in message


def noise_video(path: Path, **options: str) -> Path:
    noise = np.random.default_rng(1).integers(0, 256, (25, 96, 160, 3), np.uint8)
    return write_video(path, list(noise), options=options)


def test_a_cut_transport_stream_gives_its_whole_frames(tmp_path: Path) -> None:
    """It names no length, so a cut between two pictures cannot be told from the end."""
    path = noise_video(tmp_path / "a.ts")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6)])
    source = VideoSource(Settings(input=path, sync=True))
    numbers: list[int] = []

    def read_all() -> None:
        while frame := source.read(IDLE):
            numbers.append(frame.number)

    with pytest.raises((SourceEnded, StylizerError)):
        read_all()
    source.close()
    assert 5 < len(numbers) < 20
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_video_cut_off_in_other_containers(tmp_path: Path, suffix: str) -> None:
    path = noise_video(tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6)])
    frames, message = frames_before_error(VideoSource(Settings(input=path, sync=True)))
    assert 5 < len(frames) < 20
    assert path.name in message


def test_video_damaged_inside(tmp_path: Path) -> None:
    path = noise_video(tmp_path / "a.mp4", bf="0")  # no B-frames: see VideoFile.pictures
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(2).bytes(3000)
    path.write_bytes(data)
    frames, message = frames_before_error(VideoSource(Settings(input=path, sync=True)))
    assert 5 < len(frames) < 20
    assert path.name in message


def bad_videos(folder: Path, clip: Clip) -> Iterator[Path | None]:
    yield None
    yield folder
    yield folder / "missing.mp4"
    text = folder / "text.mp4"
    text.write_text("no video at all\n" * 200)
    yield text
    empty = folder / "empty.mp4"
    empty.touch()
    yield empty
    headless = folder / "headless.mp4"
    headless.write_bytes(clip.path.read_bytes()[:600])
    yield headless


def test_video_bad_input(clip: Clip, tmp_path: Path) -> None:
    for path in bad_videos(tmp_path, clip):
        with pytest.raises(BadInput) as caught:
            VideoSource(Settings(input=path, sync=True))
        assert "\n" not in str(caught.value)
        assert path is None or str(path) in str(caught.value)


def test_video_without_picture_track(tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(BadInput, match="no video"):
        VideoSource(Settings(input=path))
