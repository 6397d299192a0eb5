"""Pictures larger than graphics drivers and memory take: reduced and said, or refused by name."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from whole_program import ROOT, fails

from stylizer.app.cli import main
from stylizer.errors import StylizerError
from stylizer.source import picture_file
from stylizer.source.picture_file import header_size, load_rgba, shown_size
from stylizer.system.gl import check_size, standalone_context

HUGE = """
import sys
from pathlib import Path
import psutil
from stylizer.source.picture_file import load_rgba
before = psutil.Process().memory_info().rss
assert load_rgba(Path(sys.argv[1])).shape == (8192, 8192, 4)
print(psutil.Process().memory_info().rss - before)
"""


def offline(path: Path, *more: object) -> list[str]:
    words = ["run", "--input", path, "--model", "none", "--present", "offscreen", *more]
    return [str(word) for word in words]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((1280, 720), (1280, 720)),
        ((16384, 16), (16384, 16)),
        ((20000, 200), (16384, 163)),
        ((60000, 4), (16384, 1)),
        ((2, 40000), (1, 16384)),
        ((13000, 13000), (8192, 8192)),
    ],
)
def test_sizes(size, shown):
    assert shown_size(size) == shown


@pytest.mark.parametrize(
    ("size", "shown"), [((20000, 200), (16384, 163)), ((4, 20000), (3, 16384))]
)
def test_a_long_picture_is_reduced_and_said(tmp_path, capsys, size, shown):
    path = tmp_path / "long.png"
    Image.new("RGB", size, (200, 80, 10)).save(path)
    assert main(offline(path, "--output", tmp_path / "out")) == 0
    error = capsys.readouterr().err
    assert f"long.png has {size[0]}x{size[1]} pixels" in error
    assert f"reduced to {shown[0]}x{shown[1]}" in error
    with Image.open(tmp_path / "out" / "long.png") as made:
        assert made.size == shown
        assert np.array_equal(np.unique(np.asarray(made).reshape(-1, 3), axis=0), [[200, 80, 10]])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("turn", [1, 6])
def test_a_reduced_picture_looks_as_it_did(tmp_path, monkeypatch, mode: str, turn: int):
    monkeypatch.setattr(picture_file, "MOST_SIDE", 100)
    monkeypatch.setattr(picture_file, "BAND", 7)
    picture = np.zeros((120, 400), np.uint8)
    picture[:60, 200:] = 255
    big = Image.fromarray(picture)
    if mode == "I;16":
        big = Image.fromarray(picture.astype(np.uint16) * 257)
    elif mode != "L":
        big = big.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = turn
    big.save(tmp_path / "a.png", exif=exif)
    pixels = load_rgba(tmp_path / "a.png")
    assert header_size(tmp_path / "a.png") == (pixels.shape[1], pixels.shape[0])
    wanted = np.rot90(picture[::4, ::4], -1 if turn == 6 else 0)
    assert pixels.shape[:2] == wanted.shape
    assert np.abs(pixels[..., 0].astype(int) - wanted).mean() < 3
    assert (pixels[..., 3] == 255).all()


def test_a_huge_picture_takes_no_gigabytes(tmp_path):
    """In a process of its own: what this one has freed before, it may keep or not."""
    path = tmp_path / "huge.png"
    Image.new("1", (14000, 14000)).save(path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HUGE, str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    # 2 GB and more before; 0.8 to 1.0 GB now.
    assert int(done.stdout) < 1.2e9


def test_what_cannot_be_held_is_refused_with_its_size(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(picture_file, "MOST_FILE_PIXELS", 2_000_000)
    path = tmp_path / "huge.png"
    Image.new("1", (2000, 1001)).save(path)
    error = fails(capsys, offline(path), 2, "2000x1001 pixels", "2 million", "scale it down")
    assert "damaged" not in error


def test_a_drivers_own_limit_is_told():
    context = standalone_context()
    limit = context.info["GL_MAX_TEXTURE_SIZE"]
    check_size(context, (limit, 4))
    with pytest.raises(StylizerError, match=f"{limit + 1}x4 is larger .* limit of {limit} pixels"):
        check_size(context, (limit + 1, 4))
    context.release()


def test_junk_in_a_folder_ends_with_1_and_the_rest_done(tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "c.png"):
        Image.new("RGB", (64, 48), (9, 90, 200)).save(folder / name)
    (folder / "b.png").write_text("junk")
    assert main(offline(folder, "--output", tmp_path / "out", "--report", tmp_path / "r.json")) == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    assert "b.png" in (tmp_path / "r.json").read_text()
    assert "1 of 3 pictures could not be read" in capsys.readouterr().err


def test_what_a_library_logs_is_not_printed(tmp_path):
    """Pillow logs what else it finds wrong with a TIFF of 26,627 samples a pixel."""
    path = tmp_path / "a.tiff"
    Image.new("RGB", (8, 8)).save(path)
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<HHI", 277, 3, 1))  # SamplesPerPixel, one SHORT
    data[at + 8 : at + 10] = struct.pack("<H", 26_627)
    path.write_bytes(data)
    words = ["run", "--input", str(path), "--model", "none", "--present", "offscreen"]
    done = subprocess.run(
        [sys.executable, "main.py", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("stylizer: ")
