"""Pictures as a source: order, kinds, turned ones, and those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flat_clips import COLORS, flat
from PIL import Image
from source_frames import frames_before_error, frames_of, off

from stylizer.errors import BadInput
from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.source.images import ImagesSource, picture_paths

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
