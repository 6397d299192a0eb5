"""Any picture becomes a style of the user's own, found by name like the bundled ones."""

import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, StyledImage
from stylizer.painting import make as making
from stylizer.painting import quilt
from stylizer.painting.make import files_of, free_name, make, mixed, painting_of, parts_of
from stylizer.painting.network import grade_of, tile_of
from stylizer.settings import Settings
from stylizer.style import catalog, inspection
from stylizer.style.opening import open_style


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path / "own" / "styles"))
    monkeypatch.setattr(quilt, "TRIES", 10)  # how well patches fit is test_quilt's matter
    return tmp_path / "own" / "styles"


def picture(path: Path, color=(200, 60, 20), seed: int = 0, size=(160, 120)) -> Path:
    """Dabs of about one color."""
    rng = np.random.default_rng(seed)
    dabs = np.repeat(np.repeat(rng.normal(0, 25, (size[1] // 4, size[0] // 4, 1)), 4, 0), 4, 1)
    pixels = (np.array(color) + dabs).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_a_picture_becomes_a_style_with_all_its_files(tmp_path: Path, own_folder: Path):
    made = make(picture(tmp_path / "My Red_Dabs.png"))
    assert made.style == "my-red-dabs"
    assert made.model == "my-red-dabs-fast"
    assert not made.known
    files = {p.name for p in own_folder.iterdir()}
    assert files == {f"my-red-dabs-fast{p}.onnx" for p in ("", "-int8", "-fp16")}
    assert "my-red-dabs" in catalog.styles()
    assert "my-red-dabs" not in {m.style for m in catalog.bundled(own=False)}
    told = inspection.inspect("my-red-dabs-fast-int8")
    assert told["made_of"]["picture"] == "My Red_Dabs.png"
    assert told["recipe"] is None
    assert inspection.inspect("ink-fast-int8")["made_of"] is None
    assert catalog.resolve("my-red-dabs-fast", "cpu").path == own_folder / (
        "my-red-dabs-fast-int8.onnx"
    )


def test_frames_take_the_pictures_colors(tmp_path: Path):
    gray = np.full((64, 96, 4), 128, np.uint8)
    gray[::8] = 90
    means = {}
    for name, color in (("red", (200, 60, 20)), ("blue", (20, 60, 200))):
        made = make(picture(tmp_path / f"{name}.png", color))
        style = open_style(Settings(provider="cpu"), made.model, (96, 64))
        try:
            image = style.style(Frame(gray, "RGBA", time.perf_counter(), 0)).image
        finally:
            style.close()
        assert isinstance(image, StyledImage)
        means[name] = image.rgb().reshape(-1, 3).mean(axis=0)
    assert means["red"][0] > means["red"][2] + 30
    assert means["blue"][2] > means["blue"][0] + 30


def test_the_same_picture_is_made_once_and_another_beside_it(tmp_path: Path, own_folder: Path):
    file = picture(tmp_path / "dabs.png")
    first = make(file)
    stamp = (own_folder / "dabs-fast-int8.onnx").stat().st_mtime_ns
    again = make(file)
    assert again == first._replace(known=True)
    assert (own_folder / "dabs-fast-int8.onnx").stat().st_mtime_ns == stamp
    assert make(picture(file, seed=1)).style == "dabs-2"


def test_a_bundled_styles_name_stays_its_own(tmp_path: Path):
    assert free_name("the-scream", "mark") == ("the-scream-2", None)
    for name, style in (("!", "painting"), ("星夜", "星夜")):
        assert (
            make(picture(tmp_path / f"{name}.png"), strokes="udnie").style == f"{style}-with-udnie"
        )


def test_strokes_of_another_style(tmp_path: Path):
    made = make(picture(tmp_path / "dabs.png"), strokes="ink")
    assert (made.style, made.network) == ("dabs-with-ink", "ink")
    with pytest.raises(BadInput, match=r"no style 'oil' with strokes; choose one of .*ink"):
        make(tmp_path / "dabs.png", strokes="oil")


def test_what_is_no_painting_is_refused(tmp_path: Path, own_folder: Path):
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(BadInput, match="no picture that Pillow can read: name another"):
        make(tmp_path / "text.png")
    with pytest.raises(BadInput, match=r"160x20 pixels, too few .* 48 pixels"):
        make(picture(tmp_path / "thin.png", size=(160, 20)))
    with pytest.raises(BadInput, match="no picture is there"):
        make(tmp_path / "none.png")
    with pytest.raises(BadInput, match="no picture is there"):
        make(tmp_path)
    assert not own_folder.exists()


def test_a_picture_of_one_color_and_a_very_long_one(tmp_path: Path):
    flat = tmp_path / "flat.png"
    Image.new("RGB", (64, 64), (30, 120, 60)).save(flat)
    assert make(flat).style == "flat"
    Image.new("RGB", (6000, 60), (30, 120, 60)).save(tmp_path / "long.png")
    height, width, _ = painting_of(tmp_path / "long.png").shape
    assert (width, height) == (making.SHORT_SIDE * 3, making.SHORT_SIDE)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, own_folder: Path):
    own_folder.parent.mkdir()
    own_folder.write_text("a file where the folder should be")
    with pytest.raises(StylizerError, match="styles"):
        make(picture(tmp_path / "dabs.png"))


def test_a_style_is_made_whole_or_not_at_all(tmp_path: Path, own_folder: Path):
    (own_folder / "dabs-fast.onnx").mkdir(parents=True)  # where the second file is to be written
    with pytest.raises(StylizerError, match=r"dabs-fast\.onnx"):
        make(picture(tmp_path / "dabs.png"))
    assert [p.name for p in own_folder.iterdir()] == ["dabs-fast.onnx"]
    (own_folder / "dabs-fast.onnx").rmdir()
    assert not make(tmp_path / "dabs.png").known
    assert len(list(own_folder.iterdir())) == 3


def with_metadata(path: Path, **texts: str) -> None:
    proto = onnx.load(path)
    for entry in proto.metadata_props:
        entry.value = texts.get(entry.key.replace(".", "_"), entry.value)
    onnx.save(proto, path)


def test_a_damaged_style_is_told_and_made_anew(tmp_path: Path, own_folder: Path):
    file = picture(tmp_path / "dabs.png")
    make(file)
    whole = (own_folder / "dabs-fast-int8.onnx").read_bytes()
    for number, left in enumerate((b"", b"\x08", b"\x08" + bytes(range(250)), whole[:50_000]), 2):
        for path in own_folder.glob("dabs-fast*"):
            path.write_bytes(left)
        assert make(file).style == f"dabs-{number}", "its name is taken, by a file that is no style"
        assert parts_of("dabs") == ("", "")
        with pytest.raises(BadInput, match=r"dabs-fast|no style 'dabs'"):
            make(file, strokes="dabs")
        with pytest.raises(BadInput, match=r"dabs-fast|no style 'dabs'"):
            mixed("dabs", "ink")
        (own_folder / f"dabs-{number}-fast-int8.onnx").write_bytes(b"\x08")


def test_damaged_notes_and_strokes_are_told(tmp_path: Path, own_folder: Path):
    file = picture(tmp_path / "dabs.png")
    make(file)
    path = own_folder / "dabs-fast-int8.onnx"
    for notes in ("[", "[1]", '{"mark": 3, "of": 5}', '{"of": "../x"}', "{}"):
        with_metadata(path, stylizer_painting=notes)
        assert make(file).style == "dabs-2"
    mark = making._noted(own_folder / "dabs-2-fast-int8.onnx")["mark"]
    with_metadata(path, stylizer_painting=f'{{"mark": "{mark}"}}')
    assert make(file).style == "dabs-2", "of no network that is named"
    with_metadata(path, stylizer_painting="{}", stylizer_contract="{")
    with pytest.raises(BadInput, match=r"dabs-fast-int8\.onnx: its metadata stylizer\.contract"):
        make(file, strokes="dabs")
    for canvas in ("!", "aGVsbG8="):
        with_metadata(path, stylizer_canvas=canvas)
        with pytest.raises(BadInput, match=r"the strokes in .*dabs-fast-int8\.onnx are damaged"):
            make(file, strokes="dabs")


def test_names_grow_no_longer_than_a_file_system_takes(tmp_path: Path, own_folder: Path):
    name = "𠀀" * 50  # four bytes a letter
    assert make(picture(tmp_path / f"{name}.png")).style == name[:30]
    made = mixed("ink", name[:30])
    for _ in range(2):
        made = mixed(made.style, "udnie")
    assert len(made.style.encode()) <= making.LONGEST_NAME_BYTES + 2
    assert catalog.resolve(made.model, "cpu").path is not None


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STYLIZER_STYLES", str(tmp_path / ("x" * 300)))  # by nobody, root neither
    with pytest.raises(BadInput, match=r"folder of your styles, .* cannot be read"):
        make(picture(tmp_path / "dabs.png"))
    assert "mosaic" in catalog.styles()
    with pytest.raises(BadInput, match="cannot be read"):
        catalog.resolve("dabs-fast", "cpu")


def test_the_strokes_of_one_in_the_colors_of_another(tmp_path: Path):
    made = mixed("ink", "great-wave")
    assert (made.style, made.network) == ("ink-with-great-wave", "great-wave")
    assert parts_of("ink-with-great-wave") == ("ink", "great-wave")
    assert parts_of("ink") == ("ink", "ink")
    assert parts_of("nothing") == ("", "")
    files = {style: files_of(style)[0].path for style in ("ink", made.style, "great-wave")}
    ink, both, wave = (onnx.load(path) for path in files.values())
    np.testing.assert_allclose(grade_of(both)[0], grade_of(ink)[0], atol=0.02)
    light = {
        name: tile_of(proto).mean(axis=2).ravel()
        for name, proto in zip(files, (ink, both, wave), strict=True)
    }
    assert np.corrcoef(light[made.style], light["great-wave"])[0, 1] > 0.9
    assert abs(np.corrcoef(light[made.style], light["ink"])[0, 1]) < 0.1
    assert mixed("ink", "ink").known, "nothing is to be made"
    own = make(picture(tmp_path / "dabs.png"))
    again = mixed("udnie", own.style)
    assert again.network == own.network, "strokes of one's own, by the network that it has"
