"""The command `mosaic-picture`: what it writes, and what it refuses in one sentence."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("scipy")

from stylizer.app.cli import main


@pytest.fixture
def image(tmp_path) -> Path:
    path = tmp_path / "in.png"
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    coarse.resize((120, 90), Image.Resampling.BICUBIC).save(path)
    return path


def command(*words: object) -> int:
    return main(["mosaic-picture", *(str(word) for word in words)])


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return picture.size


def test_it_writes_the_mosaic_and_its_canvas(image, tmp_path, capsys):
    out, canvas = tmp_path / "m.png", tmp_path / "c.png"
    before = image.read_bytes()
    options = ["--tile", 30, "--short-side", 120, "--seed", 2]
    assert command(image, "--out", out, "--canvas", canvas, *options) == 0
    assert size_of(out) == (160, 120)
    assert size_of(canvas) == (1280, 1280)
    assert image.read_bytes() == before
    assert f"{out}: written, 160x120" in capsys.readouterr().out
    again = tmp_path / "again.png"
    assert command(image, "--out", again, *options) == 0
    assert again.read_bytes() == out.read_bytes()


def test_a_turned_photograph_is_laid_upright(image, tmp_path):
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(image) as picture:
        picture.save(turned, exif=exif)
    out = tmp_path / "m.png"
    assert command(turned, "--out", out, "--tile", 24, "--short-side", 96) == 0
    assert size_of(out) == (96, 128)


def test_it_never_writes_over_its_input(image, tmp_path, capsys):
    before = image.read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(image)
    hard = tmp_path / "hard.png"
    hard.hardlink_to(image)
    other = tmp_path / "o.png"
    for options in (
        ("--out", image),
        ("--out", link),
        ("--out", hard),
        ("--out", tmp_path / "." / "x" / ".." / "in.png"),
        ("--out", other, "--canvas", image),
    ):
        (tmp_path / "x").mkdir(exist_ok=True)
        assert command(image, *options, "--overwrite") == 2
        assert "is the input itself" in capsys.readouterr().err
    assert command(image, "--out", other, "--canvas", other) == 2
    assert "is named for two outputs" in capsys.readouterr().err
    assert image.read_bytes() == before
    assert not other.exists()


def test_only_its_own_pictures_are_replaced(image, tmp_path, capsys):
    out = tmp_path / "m.png"
    options = ["--tile", 24, "--short-side", 96, "--out", out]
    out.write_bytes(image.read_bytes())
    assert command(image, *options) == 2
    assert "no picture of ours" in capsys.readouterr().err
    assert command(image, *options, "--overwrite") == 0
    assert command(image, *options) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["missing.png", "--out", "m.png"], "missing.png"),
        (["text.png", "--out", "m.png"], "text.png: not a readable picture"),
        (["cut.png", "--out", "m.png"], "cut.png: not a readable picture"),
        (["in.png", "--out", "m.jpg"], "ends in .png"),
        (["in.png", "--out", "nowhere/m.png"], "there is no folder nowhere"),
        (["in.png", "--out", "m.png", "--canvas", "nowhere/c.png"], "there is no folder nowhere"),
        (["in.png", "--out", "m.png", "--short-side", "6000"], "over 40 megapixels"),
        (["strip.png", "--out", "m.png"], "3000x1 becomes 2880000x960, over 40 megapixels"),
        (["in.png", "--out", "m.png", "--tile", "3"], "--tile 3: a pane is 8 to 160"),
        (["in.png", "--out", "m.png", "--short-side", "100"], "four panes across"),
        (["in.png"], "--out"),
    ],
)
def test_bad_use_is_one_sentence(image, tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(image.read_bytes()[:400])
    Image.new("RGB", (3000, 1)).save(tmp_path / "strip.png")
    there = sorted(p.name for p in tmp_path.iterdir())
    assert command(*options) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.strip().count("\n") == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == there
