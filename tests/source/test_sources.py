"""Every source keeps the contract of stages.Source; then what each promises of its own."""

from __future__ import annotations

import importlib.util
import io
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flat_clips import COLORS, Clip, flat, write_video
from PIL import Image

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import IDLE, Frame
from stylizer.settings import Settings
from stylizer.source.images import ImagesSource, picture_paths
from stylizer.source.synthetic import SyntheticSource, read_frame_number
from stylizer.source.video import VideoSource
from stylizer.stages import SOURCES, Source, SourceEnded, open_backend

LIVE = {"window", "screen"}  # in lock-step too they may have nothing yet
ASKING = {"portal", "wlroots", "pipewire"}  # want a desktop or PipeWire: tests/source/wayland
EXISTING = [
    name
    for name, row in SOURCES.items()
    if importlib.util.find_spec(row.module) and name not in ASKING
]


def frames_of(source: Source, limit: int = 1000) -> list[Frame]:
    """Reads to the end (or the limit) and closes."""
    frames: list[Frame] = []
    try:
        while len(frames) < limit:
            frame = source.read(IDLE)
            if frame is not None:
                frames.append(frame)
    except SourceEnded:
        pass
    finally:
        source.close()
    return frames


def frames_before_error(source: Source) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    with pytest.raises(StylizerError) as caught:  # noqa: PT012  the loop is what is tested
        while True:
            frame = source.read(IDLE)
            assert frame is not None
            frames.append(frame)
    source.close()
    assert not isinstance(caught.value, BadInput)
    return frames, str(caught.value)


def off(frame: Frame, color: tuple[int, int, int]) -> int:
    """Largest difference of any pixel from one color."""
    return int(np.abs(frame.rgb().astype(int) - color).max())


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("name", EXISTING)
def test_contract(name: str, sync: bool, settings_for) -> None:
    source = open_backend(SOURCES, "source", name, settings_for(name, sync))
    try:
        assert source.capture_method
        assert source.frame_rate is None or source.frame_rate > 0
        announced, frames, reads = source.size, [], 0
        while len(frames) < 3:
            reads += 1
            assert reads < 5000
            frame = source.read(IDLE)
            assert frame is not None or not sync or name in LIVE
            frames += [frame] if frame else []
        assert frames[0].number == 0
        assert frames[0].size == announced
        assert all(a.number < b.number for a, b in itertools.pairwise(frames))
        assert all(0 <= time.perf_counter() - f.captured_at < 60 for f in frames)
        if sync:
            assert [f.number for f in frames] == [0, 1, 2]
    finally:
        source.close()
        source.close()


@pytest.mark.parametrize("name", EXISTING)
def test_kept_frames_are_not_overwritten(name: str, settings_for) -> None:
    """A frame stays as it was while later ones are read: threads keep several at once."""
    source = open_backend(SOURCES, "source", name, settings_for(name, True))
    try:
        first = None
        while first is None:
            first = source.read(IDLE)
            assert first is not None or name in LIVE
        copy = first.pixels.copy()
        source.read(IDLE)
        source.read(IDLE)
        assert np.array_equal(first.pixels, copy)
    finally:
        source.close()


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


# ---- images ----


def read_images(path: Path) -> list[Frame]:
    return frames_of(ImagesSource(Settings(input=path, sync=True)))


def test_images_come_in_natural_order_with_their_names(tmp_path: Path) -> None:
    for number, name in enumerate(["b10.png", "B2.jpg", "a.webp", "b1.bmp"]):
        Image.fromarray(flat((20 + number, 10), COLORS[number])).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._a.png").write_bytes(b"left by another system")
    source = ImagesSource(Settings(input=tmp_path, sync=True))
    assert source.size == (22, 10)
    frames = frames_of(source)
    assert [f.name for f in frames] == ["a", "b1", "B2", "b10"]
    assert [f.size[0] for f in frames] == [22, 23, 21, 20]


def test_images_single_file_is_exact(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (31, 47, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "x.png")
    (frame,) = read_images(tmp_path / "x.png")
    assert np.array_equal(frame.rgb(), picture)
    assert (frame.pixels[:, :, 3] == 255).all()


def test_images_exif_orientation(tmp_path: Path) -> None:
    picture = flat((40, 20), (0, 0, 0))
    picture[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to show
    Image.fromarray(picture).save(tmp_path / "x.png", exif=exif)
    source = ImagesSource(Settings(input=tmp_path / "x.png"))
    assert source.size == (20, 40)
    (frame,) = frames_of(source)
    assert np.array_equal(frame.rgb(), np.rot90(picture, -1))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("L", (4, 4), 99), (99, 99, 99)),
        (Image.fromarray(np.full((4, 4), 25700, np.uint16)), (100, 100, 100)),
        (Image.new("I", (4, 4), 65535), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (200, 100, 50, 128)), (100, 50, 25)),
        (Image.new("RGBA", (4, 4), (200, 100, 50, 0)), (0, 0, 0)),
        (Image.new("LA", (4, 4), (200, 128)), (100, 100, 100)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("RGB", (4, 4), (9, 8, 7)).quantize(), (9, 8, 7)),
    ],
    ids=["gray", "16-bit", "32-bit", "half", "clear", "gray alpha", "bits", "palette"],
)
def test_images_kinds(tmp_path: Path, picture: Image.Image, expected) -> None:
    path = tmp_path / ("x.tif" if picture.mode == "I" else "x.png")
    picture.save(path)
    (frame,) = read_images(path)
    assert off(frame, expected) <= 1


def test_images_bad_input(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "text.png"
    text.write_text("no picture")
    for path in (None, empty, tmp_path / "missing", text):
        with pytest.raises(BadInput) as caught:
            ImagesSource(Settings(input=path))
        assert path is None or str(path) in str(caught.value)


def test_images_unreadable_one_among_others_is_left_out_and_named(tmp_path: Path, capsys) -> None:
    for name in ("a.png", "c.png"):
        Image.fromarray(flat((8, 8), COLORS[0])).save(tmp_path / name)
    (tmp_path / "b.png").write_text("no picture")
    frames, message = frames_before_error(ImagesSource(Settings(input=tmp_path)))
    assert [f.name for f in frames] == ["a", "c"]
    assert "1 of 3 pictures could not be read" in message
    assert "b.png" in message
    assert "b.png is no picture" in capsys.readouterr().err
    for name in ("a.png", "c.png"):
        (tmp_path / name).unlink()
    with pytest.raises(BadInput, match=r"b\.png"):
        ImagesSource(Settings(input=tmp_path))


def test_images_truncated_one_is_named_when_reached(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for name in ("a.jpg", "b.jpg"):
        Image.fromarray(noise).save(tmp_path / name)
    data = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(data[: len(data) // 2])
    frames, message = frames_before_error(ImagesSource(Settings(input=tmp_path)))
    assert [f.name for f in frames] == ["a"]
    assert "b.jpg" in message


def test_natural_order_of_awkward_names(tmp_path: Path) -> None:
    for name in ("1.png", "01.png", "x.png", "10.png", "2a.png", "²b.png"):
        (tmp_path / name).touch()
    assert [p.name for p in picture_paths(tmp_path)][2:4] == ["2a.png", "10.png"]


# ---- synthetic ----


def test_synthetic_is_deterministic_by_seed_and_number() -> None:
    def pixels(seed: int) -> list[np.ndarray]:
        source = SyntheticSource(Settings(size=(320, 180), seed=seed))
        return [f.pixels for f in frames_of(source, 5)]

    one, again, other = pixels(1), pixels(1), pixels(2)
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[0], one[1])


@pytest.mark.parametrize("size", [(160, 90), (640, 360), (853, 481)])
def test_synthetic_number_reads_back(size: tuple[int, int]) -> None:
    source = SyntheticSource(Settings(size=size))
    for number in (0, 1, 2, 255, 256, 4711, 999_999, (1 << 24) - 1):
        assert read_frame_number(source.draw(number)) == number


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_synthetic_number_survives_scaling_and_jpeg(scale: float) -> None:
    picture = Image.fromarray(SyntheticSource(Settings(size=(640, 360))).draw(77_123)[:, :, :3])
    file = io.BytesIO()
    picture.resize((round(640 * scale), round(360 * scale))).save(file, "JPEG", quality=25)
    assert read_frame_number(np.array(Image.open(file))) == 77_123


def test_synthetic_number_is_refused_where_there_is_none() -> None:
    random = np.random.default_rng(0)
    assert read_frame_number(flat((640, 360), (0, 0, 0))) is None
    assert read_frame_number(flat((640, 360), (255, 255, 255))) is None
    assert read_frame_number(random.integers(0, 256, (360, 640, 3), np.uint8)) is None
    damaged = SyntheticSource(Settings(size=(640, 360))).draw(5)
    damaged[:20, 128:144] = 255 - damaged[:20, 128:144]  # one cell turned over
    assert read_frame_number(damaged) is None


def test_synthetic_moves_smoothly_and_is_rich() -> None:
    source = SyntheticSource(Settings(size=(320, 180)))
    first, second = source.draw(10), source.draw(11)
    lower = slice(60, 70)  # below the digits, above the pane
    assert np.array_equal(first[lower, 3:, :3][1:], second[lower, :-3, :3][:-1])
    colors = np.unique(first[:, :, :3].reshape(-1, 3), axis=0)
    assert len(colors) > 300
