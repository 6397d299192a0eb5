"""Model names, tiers and styles."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_models as tiny

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style import catalog
from stylizer.style.opening import open_style

FILES = (
    "mosaic-original",
    "mosaic-small",
    "mosaic-small-int8",
    "mosaic-fast-int8",
    "mosaic-fast-fp16",
    "starry-night-original",
    "starry-night-small",
    "wave-small",
    "mosaic-fast-pruned",
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setattr(catalog, "models_folder", lambda: models)
    return models


@pytest.fixture
def filled(folder) -> Path:
    for name in FILES:
        (folder / f"{name}.onnx").write_bytes(b"\x08")
    (folder / "notes.txt").write_text("not a model")
    return folder


def stem(name: str, provider: str = "cpu") -> str:
    path = catalog.resolve(name, provider).path
    assert path is not None
    return path.stem


@pytest.mark.parametrize(
    ("name", "provider", "expected"),
    [
        ("mosaic-original", "cpu", "mosaic-original"),
        ("mosaic-small", "cpu", "mosaic-small"),
        ("mosaic-small-int8", "cuda", "mosaic-small-int8"),
        ("mosaic-fast", "cpu", "mosaic-fast-int8"),
        ("mosaic-fast", "openvino", "mosaic-fast-int8"),
        ("mosaic-fast", "cuda", "mosaic-fast-fp16"),
        ("mosaic-fast-pruned", "cpu", "mosaic-fast-pruned"),
        ("starry-night-small", "cpu", "starry-night-small"),
        ("auto", "cpu", "mosaic-fast-int8"),
        ("auto", "cuda", "mosaic-fast-fp16"),
    ],
)
def test_names(filled, name, provider, expected):
    assert stem(name, provider) == expected


def test_auto_without_a_fast_model(filled):
    for path in filled.glob("*fast*"):
        path.unlink()
    assert stem("auto", "cpu") == "mosaic-small"
    assert stem("auto", "cuda") == "mosaic-original"


def test_paths_and_numbers(filled, tmp_path):
    assert catalog.resolve("none", "cpu").path is None
    assert catalog.resolve("some/x.onnx#4", "cpu") == catalog.ModelFile(Path("some/x.onnx"), 4)
    assert catalog.resolve("x.onnx", "cpu") == catalog.ModelFile(Path("x.onnx"))
    odd = tmp_path / "a#1.onnx"
    odd.write_bytes(b"\x08")
    assert catalog.resolve(str(odd), "cpu") == catalog.ModelFile(odd)
    with pytest.raises(BadInput, match="after # comes the style's number"):
        catalog.resolve("x.onnx#four", "cpu")


@pytest.mark.parametrize("name", ["mosaik-small", "mosaic-fast-fp8", "mosaic", "wave-original"])
def test_unknown_name_lists_what_there_is(filled, name):
    with pytest.raises(BadInput, match=f"no model '{name}'; choose one of mosaic-original, ") as e:
        catalog.resolve(name, "cpu")
    assert "wave-small" in str(e.value)


def test_nothing_bundled(folder):
    for name in ("auto", "mosaic-small"):
        with pytest.raises(BadInput, match="bundled in"):
            catalog.resolve(name, "cpu")


def test_tiers_of_a_style(filled):
    assert catalog.sibling("mosaic-small", tier="original") == "mosaic-original"
    assert catalog.sibling("mosaic-fast-int8", tier="fast") == "mosaic-fast-int8"
    assert catalog.other_tiers("mosaic-fast-int8") == ["mosaic-original", "mosaic-small"]
    with pytest.raises(BadInput, match="no fast model of wave"):
        catalog.sibling("wave-small", tier="fast")
    with pytest.raises(BadInput, match="no small model of foreign"):
        catalog.sibling("foreign", tier="small")


def test_walking_the_styles(filled):
    assert catalog.styles() == ["mosaic", "starry-night", "wave"]
    assert catalog.sibling("mosaic-small", step=1) == "starry-night-small"
    assert catalog.sibling("mosaic-small", step=-1) == "wave-small"
    assert catalog.sibling("wave-small", step=1) == "mosaic-small"
    assert catalog.sibling("mosaic-original", step=-1) == "wave-small"  # no original of it
    assert catalog.sibling("foreign", step=1) == "mosaic-original"


def test_one_style_only(folder):
    (folder / "mosaic-small.onnx").write_bytes(b"\x08")
    with pytest.raises(BadInput, match="no other style"):
        catalog.sibling("mosaic-small", step=1)


def test_lists(filled):
    names = [m["name"] for m in catalog.list_models()]
    assert names[0] == "mosaic-original"
    assert set(names) == set(FILES)
    assert catalog.bench_models() == ["mosaic-original", "mosaic-small", "mosaic-fast"]


def test_bundled_model_runs(folder):
    tiny.painter(folder / "mosaic-small.onnx", multiple=4, metadata=tiny.CONTRACT)
    style = open_style(Settings(provider="cpu"), "auto", (30, 20))
    assert style.model == "mosaic-small"
    style.close()


def test_styles_of_the_users_own_stand_beside_the_bundled(filled, tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("STYLIZER_STYLES", str(own))
    for name in ("zebra-fast-int8", "wave-fast-int8"):
        (own / f"{name}.onnx").write_bytes(b"\x08")
    assert catalog.styles() == ["mosaic", "starry-night", "wave", "zebra"]
    assert catalog.resolve("zebra-fast", "cpu").path == own / "zebra-fast-int8.onnx"
    assert catalog.sibling("wave-small", step=1) == "zebra-fast"
    assert catalog.tiers_by_style()["wave"] == ["small"], "a bundled style's name is its own"
    assert "zebra" not in {m.style for m in catalog.bundled(own=False)}


def test_a_mark_in_a_folders_name(tmp_path):
    folder = tmp_path / "a#b"
    folder.mkdir()
    path = folder / "m.onnx"
    assert catalog.resolve(str(path), "cpu") == catalog.ModelFile(path)  # missing: said as such
    path.write_bytes(b"\x08")
    assert catalog.resolve(str(path), "cpu") == catalog.ModelFile(path)
    assert catalog.resolve(f"{path}#2", "cpu") == catalog.ModelFile(path, 2)
