"""What `train` refuses before anything is trained."""

import numpy as np
import onnx
import pytest
from train_words import words

torch = pytest.importorskip("torch")

from stylizer.app.cli import main  # noqa: E402

NUMBERS = (
    "--style-weight", "--style-share", "--style-ramp", "--local-share", "--content-limit",
    "--tv-weight", "--tone-weight", "--grid-weight", "--imitate-steps",
)  # fmt: skip


@pytest.mark.parametrize(
    ("arch", "options", "wanted"),
    [
        *(("fast", [name, "1"], f"{name}: of no use to --arch fast") for name in NUMBERS),
        ("fast-tiny", ["--teacher", "t.onnx", "--tv-weight", "0"], "--tv-weight, --teacher: of no"),
        ("small", ["--paint", "strokes=1", "--style-weight", "5"], "--paint: of no use beside"),
        ("small", ["--canvas", "t.png", "--tv-weight", "1"], "--canvas: of no use beside"),
        ("small", ["--patch", "192", "--contrast", "1", "--vgg", "v.pth"], "--patch, --contrast: "),
        ("small", ["--patch", "100"], "--patch 100: two thirds"),
        ("fast", ["--patch", "100"], "--patch 100: two thirds"),
        ("fast", ["--patch", "240", "--style-size", "200"], "larger than the style picture"),
        ("fast", ["--style-size", "128"], "--patch 384 is larger"),
        ("fast", ["--patch", "96", "--canvas", "t.png"], "leave it or --canvas out"),
        ("fast", ["--canvas-part", "0,0,1,1", "--canvas", "t.png"], "--canvas-part: of the canvas"),
        ("fast", ["--canvas-part", "0.5,0,0.2,1"], "write LEFT,TOP,RIGHT,BOTTOM"),
        ("fast", ["--canvas-part", "0,0,nan,1"], "write LEFT,TOP,RIGHT,BOTTOM"),
        ("fast", ["--canvas-part", "0,0,1"], "write LEFT,TOP,RIGHT,BOTTOM"),
        ("fast", ["--canvas-fine", "0"], "must lie between 0.1 and 10"),
        ("fast", ["--canvas-coarse", "5"], "must lie between 15 and 150"),
        ("fast", ["--canvas-coarse", "50", "--canvas", "t.png"], "--canvas-coarse: of the canvas"),
        ("fast", ["--canvas-part", "0,0,0.1,1", "--style-size", "500"], "or the part"),
        ("fast", ["--paint", "edge=0"], "edge above 0"),
        ("fast", ["--paint", "smooth=0"], "smooth above 0"),
        ("fast", ["--paint", "burn=-1"], "burn must be 0 or more"),
        ("fast", ["--paint", "line=-0.1"], "line must be 0 or more"),
        ("fast", ["--paint", "strokes=nan"], "must be finite"),
        ("fast", ["--paint", "glitter=1"], "write NAME=VALUE"),
        ("fast", ["--paint", "texture"], "has no value: write texture=NUMBER"),
        ("fast-tiny", ["--canvas", "none.png"], "--canvas none.png: not a readable picture"),
    ],
)
def test_options_that_do_not_fit(pictures, tmp_path, monkeypatch, capsys, arch, options, wanted):
    monkeypatch.chdir(tmp_path)
    argv = ["--arch", arch, "--style", pictures / "0.png", "--content", pictures, "--init", "none"]
    argv += ["--out", tmp_path / "x-fast.onnx", *options]
    assert main(["train", *(str(a) for a in argv)]) == 2
    error = capsys.readouterr().err
    assert wanted in error
    assert error.strip().count("\n") == 0
    assert not list(tmp_path.glob("*.onnx"))


def test_an_old_fast_model_starts_nothing(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    old = tmp_path / "old-fast.onnx"
    argv = ["--canvas", pictures / "0.png"]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [], "old", [], [], [onnx.numpy_helper.from_array(np.zeros(1), "stem.weight")]
        )
    )
    entry = model.metadata_props.add()
    entry.key, entry.value = "stylizer.contract", '{"tier": "fast-tiny"}'
    onnx.save(model, str(old))
    assert main(words(pictures, tmp_path / "new-fast.onnx", *argv, "--init", old)) == 2
    error = capsys.readouterr().err
    assert "old-fast.onnx: a fast model of an older kind" in error
    assert error.strip().count("\n") == 0
