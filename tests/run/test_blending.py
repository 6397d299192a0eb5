"""A second style in whole runs: pictures and the report, masks, the shaders, bad names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from flat_clips import flat
from PIL import Image
from whole_program import fails
from x_game import RED

from stylizer.app.cli import main
from stylizer.run.blending import Blending
from stylizer.run.pipeline import run
from stylizer.settings import Settings

SIZE = (64, 48)
FIRST = tiny_models.mixed(flat((1, 1), RED))[0, 0].astype(int)
SECOND = np.array([0, RED[1], 0])  # keeps green


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("models")
    first = tiny_models.painter(folder / "painter.onnx")
    second = tiny_models.many_styles(folder / "many.onnx")
    return ["--model", str(first), "--blend-with", f"{second}#1", "--provider", "cpu"]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "red.png"
    Image.fromarray(flat(SIZE, RED)).save(path)
    return path


def stylized(picture: Path, out: Path, *argv: str) -> np.ndarray:
    run = ["run", "--input", str(picture), "--present", "offscreen", "--output", str(out)]
    assert main([*run, *argv]) == 0
    return np.asarray(Image.open(out / "red.png")).astype(int)


@pytest.mark.parametrize("share", [0.5, 0.25, 1.0])
def test_a_share_and_what_both_cost(
    picture: Path, models: list[str], tmp_path: Path, share: float
) -> None:
    report = tmp_path / "report.json"
    told = ["--blend", str(share), "--report", str(report)]
    shown = stylized(picture, tmp_path / "out", *models, *told)
    assert np.abs(shown - (FIRST * (1 - share) + SECOND * share)).max() <= 1.5
    made = json.loads(report.read_text())
    assert made["blend"]["with"] == "many#1"
    assert made["blend"]["share"] == share
    assert not made["blend"]["in_masks"]
    assert 0 < made["blend"]["infer_ms"]["p50"] < made["stage_ms"]["infer"]["p50"]


def test_a_style_mixed_with_itself_runs_once(picture: Path, tmp_path: Path) -> None:
    model, report = tiny_models.painter(tmp_path / "painter.onnx"), tmp_path / "report.json"
    words = ["--model", str(model), "--blend-with", str(model), "--blend", "0.5"]
    shown = stylized(
        picture, tmp_path / "out", *words, "--provider", "cpu", "--report", str(report)
    )
    assert np.abs(shown - FIRST).max() <= 1
    assert json.loads(report.read_text())["blend"]["infer_ms"]["p50"] is None


def test_none_of_it_runs_no_second_network(
    picture: Path, models: list[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    told = ["--blend", "0", "--report", str(report)]
    shown = stylized(picture, tmp_path / "out", *models, *told)
    assert np.abs(shown - FIRST).max() <= 1
    assert json.loads(report.read_text())["blend"]["infer_ms"]["p50"] is None


def test_one_that_never_loaded_is_named_all_the_same(
    picture: Path, models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Blending, "current", property(lambda self: None))
    report = tmp_path / "report.json"
    stylized(picture, tmp_path / "out", *models, "--blend", "0", "--report", str(report))
    told = json.loads(report.read_text())["blend"]
    assert told["with"].endswith("many.onnx#1")
    assert told["provider"] is None


def test_the_second_style_inside_a_mask(picture: Path, models: list[str], tmp_path: Path) -> None:
    left = ["--mask-shapes", "rectangle 0,0,0.5,1", "--mask-style", "second"]
    shown = stylized(picture, tmp_path / "a", *models, *left, "--blend", "0")
    assert np.abs(shown[:, :32] - SECOND).max() <= 1
    assert np.abs(shown[:, 32:] - FIRST).max() <= 1
    shown = stylized(picture, tmp_path / "b", *models, *left, "--blend", "0.5")
    assert np.abs(shown[:, :32] - SECOND).max() <= 1
    assert np.abs(shown[:, 32:] - (FIRST + SECOND) / 2).max() <= 1.5
    half = stylized(picture, tmp_path / "c", *models, *left, "--blend", "0", "--strength", "0.5")
    assert np.abs(half[:, :32] - (SECOND + RED) / 2).max() <= 1.5


def test_without_a_second_style_a_mask_stays_as_it_is(
    picture: Path, models: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('mask_style = "second"\nmask_shapes = ["rectangle 0,0,0.5,1"]\n')
    left = ["--settings", str(file)]
    shown = stylized(picture, tmp_path / "out", *models[:2], "--provider", "cpu", *left)
    assert (shown[:, :32] == RED).all()


@pytest.mark.parametrize("provider", ["cpu", "gl"])
def test_two_fast_networks(provider: str, tmp_path: Path) -> None:
    """On the shaders both pictures stay textures."""
    pictures = {}
    for share in (0.0, 0.5, 1.0):
        file = tmp_path / f"{share}.png"
        result = run(Settings(
            source="synthetic", present="offscreen", size=(160, 96), frames=3, provider=provider,
            model="mosaic-fast", blend_with="udnie", blend=share, sync=True, hud="off",
            screenshot=file,
        ))  # fmt: skip
        assert result.facts["provider"] == provider
        second = result.facts["blend"]
        assert second["with"].startswith("udnie")
        if share or second["provider"]:  # of no share, it may still load at the end
            assert second["provider"] == provider
        assert len(result.stats.stage_ms.get("infer_second", ())) == (3 if share else 0)
        pictures[share] = np.asarray(Image.open(file)).astype(int)
    assert np.abs(pictures[0.0] - pictures[1.0]).mean() > 10
    assert np.abs(pictures[0.5] - (pictures[0.0] + pictures[1.0]) / 2).max() <= 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nonsense", ["there is no model 'nonsense'"]),
        ("none-at-all.onnx", ["none-at-all.onnx"]),
        ("none", []),
    ],
)
def test_bad_names(capsys: pytest.CaptureFixture, name: str, words: list[str]) -> None:
    base = ["run", "--source", "synthetic", "--size", "64x48", "--present", "offscreen"]
    argv = [*base, "--sync", "--frames", "1", "--model", "udnie-fast", "--provider", "cpu"]
    if words:
        fails(capsys, [*argv, "--blend-with", name], 2, *words)
    else:
        assert main([*argv, "--blend-with", name]) == 0


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--mask-style", "second"], "needs a second style"),
        (["--mask-style", "second", "--blend-with", "none"], "needs a second style"),
        (["--model", "none", "--blend-with", "ink"], "--model none has none"),
    ],
)
def test_a_style_that_is_missing_is_told(
    capsys: pytest.CaptureFixture, argv: list[str], words: str
) -> None:
    """Asked for by the command line; the panel may have the one before the other."""
    fails(capsys, ["run", "--present", "offscreen", "--frames", "1", *argv], 2, words)
