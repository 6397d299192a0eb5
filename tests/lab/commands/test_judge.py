"""The judge's own figures, on features that a test can work out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_models as tiny

torch = pytest.importorskip("torch")

from stylizer.app.cli import main  # noqa: E402
from stylizer.lab.commands import judge  # noqa: E402
from stylizer.lab.training.perceptual import STYLE_LAYERS, gram  # noqa: E402


def test_a_busy_cell_cannot_pay_for_an_empty_one():
    painted = {n: torch.ones(1, 2, 48 >> i, 96 >> i) for i, n in enumerate(STYLE_LAYERS)}
    targets = {n: gram(y) for n, y in painted.items()}
    assert judge.cell_style_losses(painted, targets).tolist() == [0.0] * 9
    for i, name in enumerate(STYLE_LAYERS):
        painted[name] = painted[name].clone()
        painted[name][:, :, : 16 >> i, : 32 >> i] = 0
    losses = judge.cell_style_losses(painted, targets)
    assert losses[0].item() == pytest.approx(len(STYLE_LAYERS))
    assert losses[1:].max().item() == 0


def test_correlation_does_not_see_the_channels_means():
    y = torch.rand(1, 4, 8, 8)
    lifted = 3 * y + torch.arange(4).view(1, 4, 1, 1)
    assert judge.correlation(y, lifted).item() == pytest.approx(1, abs=1e-5)
    assert judge.correlation(y, -y).item() == pytest.approx(-1, abs=1e-5)
    assert judge.correlation(y, torch.zeros_like(y)).item() == 0


@pytest.mark.parametrize(
    ("recipe", "size"),
    [({"style_size": 640}, 640), ({"parent_recipe": {"style_size": 48}}, 48), ({}, 512)],
)
def test_the_style_picture_is_scaled_as_in_training(tmp_path, recipe, size):
    from stylizer.settings import Settings
    from stylizer.style.opening import open_style

    told = tiny.CONTRACT | {"stylizer.recipe": recipe}
    path = tiny.painter(tmp_path / "dots-small.onnx", multiple=4, metadata=told)
    backend = open_style(Settings(provider="cpu"), str(path), (64, 64))
    try:
        assert judge.style_size_of(backend) == size
        assert judge.style_of(backend) == "mosaic"
    finally:
        backend.close()


def test_the_command_prints_all_figures(vgg_file, pictures, capsys):
    words = ["judge", "--model", "none", "--style", pictures / "0.png", "--frames", pictures]
    argv = [str(w) for w in (*words, "--vgg", vgg_file, "--style-size", "64")]
    assert main(argv) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["style_size_px"] == 64
    assert verdict["content"] == 0
    assert verdict["style"] == verdict["untouched_style"]
    assert verdict["cells_mean"] == pytest.approx(1)
    assert verdict["cells_worst"] >= verdict["cells_mean"]
    assert verdict["style_ratio"] == verdict["relu4_3"] == pytest.approx(1)
    assert verdict["lowest_grad4"] == verdict["grad4"] == pytest.approx(1)
    assert "style_ratio" in verdict["missed"]
    assert np.isfinite([v for v in verdict.values() if isinstance(v, float)]).all()


@pytest.mark.parametrize(("style", "frames"), [("missing.png", "."), (None, "empty")])
def test_what_is_named_is_looked_at_before_vgg_is_asked_for(
    pictures, tmp_path, monkeypatch, capsys, style, frames
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr("stylizer.lab.commands.train.load_vgg", lambda _: pytest.fail("asked"))
    named = style or str(pictures / "0.png")
    assert main(["judge", "--model", "none", "--style", named, "--frames", frames]) == 2
    assert (style or frames) in capsys.readouterr().err
