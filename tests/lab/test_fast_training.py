"""The fast tier trains toward what `painted` makes: alone, in two processes, resumed, refused."""

import contextlib
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from train_words import words
from whole_program import ROOT

torch = pytest.importorskip("torch")

from stylizer.app.cli import main  # noqa: E402
from stylizer.errors import BadInput  # noqa: E402
from stylizer.lab.nets.fast import FastNetwork  # noqa: E402
from stylizer.lab.nets.painter import CanvasFile  # noqa: E402
from stylizer.lab.nets.registry import ARCHS, PAINTED, Recipe, default_recipe  # noqa: E402
from stylizer.lab.training import checkpoint, loop  # noqa: E402
from stylizer.lab.training.checkpoint import TrainState, load_checkpoint, new_state  # noqa: E402
from stylizer.lab.training.data import ContentSet  # noqa: E402
from stylizer.lab.training.losses import at_half_size, inside, pattern, placed, toward  # noqa: E402


@pytest.fixture(scope="module")
def canvas(tmp_path_factory) -> Path:
    """A file of a small tile."""
    rng = np.random.default_rng(4)
    coarse = rng.integers(60, 196, (16, 16, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("canvas") / "tile.png"
    Image.fromarray(coarse.repeat(4, 0).repeat(4, 1)).save(path)
    return path


def test_the_fast_recipe_paints_and_ends_in_integers():
    recipe = default_recipe("fast", "a.jpg", "b")
    assert recipe.paint == PAINTED
    assert recipe.quantize_share > 0
    other = default_recipe("original", "a.jpg", "b")
    assert other.paint == PAINTED
    assert other.quantize_share == 0
    assert default_recipe("original", "a.jpg", "b", perceptual=True).paint is None
    assert "fast" in ARCHS


def test_batch_norm_counts_in_the_first_part_of_the_steps():
    recipe = replace(default_recipe("fast-tiny", "s", "c"), steps=10, norm_share=0.5)
    state = new_state(recipe)
    assert isinstance(state.network, FastNetwork)
    seen = []
    for step in (0, 4, 5, 9):
        state.step = step
        loop.set_precision(state, recipe)
        seen.append(state.network.head.normalizing and state.network.stem.normalizing)
    assert seen == [True, True, False, False]


def test_a_placed_canvas_goes_on_over_its_edges():
    tile = torch.arange(3 * 8 * 8, dtype=torch.uint8).reshape(3, 8, 8)
    seen = placed(tile, left=3, top=6, size=(10, 20))
    assert seen.shape == (1, 3, 10, 20)
    wanted = tile.repeat(1, 4, 4)[:, 6:16, 3:23].float() / 255
    assert torch.equal(seen[0], wanted)
    assert torch.equal(placed(tile, 3 + 8, 6 + 16, (10, 20)), seen)


def test_an_odd_place_of_the_small_canvas_lies_between_its_pixels():
    tile = torch.arange(3 * 8 * 8, dtype=torch.uint8).reshape(3, 8, 8)
    assert torch.equal(at_half_size(tile, 4, 6, (8, 12)), placed(tile, 2, 3, (4, 6)))
    between = (placed(tile, 2, 3, (4, 6)) + placed(tile, 3, 3, (4, 6))) / 2
    assert torch.allclose(at_half_size(tile, 5, 6, (8, 12)), between)


def test_a_pattern_of_the_blocks_is_told_from_what_is_not_tied_to_them():
    grid = torch.zeros(1, 3, 96, 144)
    grid[:, :, ::4] = 0.02
    loose = 0.02 * torch.randn(1, 3, 96, 144, generator=torch.Generator().manual_seed(3))
    assert float(pattern(grid)) > 2 * float(pattern(loose))
    assert float(pattern(torch.full((1, 3, 96, 144), 0.3))) < 1e-4, "the mean is no pattern"
    assert float(pattern(torch.zeros(1, 3, 40, 144))) == 0, "too small to have one"


def test_what_a_crop_does_not_know_is_left_out():
    assert inside(torch.zeros(1, 3, 192, 256)).shape == (1, 3, 144, 208)
    assert inside(torch.zeros(1, 3, 64, 64)).shape == (1, 3, 48, 48)


def tiny_recipe(**changes) -> Recipe:
    recipe = default_recipe("fast-tiny", "0.png", "pictures")
    return replace(recipe, steps=6, batch=2, crop=(64, 64), norm_share=0.0, **changes)


def styled_state(recipe: Recipe, state: TrainState | None = None) -> TrainState:
    """A state whose network has a style, as `train` gives it."""
    state = state or new_state(recipe)
    assert isinstance(state.network, FastNetwork)
    tile = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)
    canvas = CanvasFile.of(tile)
    state.network.take_style(0.8 * torch.eye(3), torch.full((3,), 0.1), canvas)
    return state


def train(recipe, state, content, run_dir, on_step=lambda _: None):
    return loop.train(recipe, state, loop.Goal(), content, run_dir, on_step, 100)


def test_a_killed_training_resumes_to_the_same_weights(pictures, tmp_path, monkeypatch):
    """The style is no part of a checkpoint: whoever resumes gives it again."""
    monkeypatch.setattr(checkpoint, "EVERY_STEPS", 3)
    recipe, content = tiny_recipe(), ContentSet(pictures)
    unbroken = styled_state(recipe)
    train(recipe, unbroken, content, tmp_path / "a")

    def kill(progress):
        if progress.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, styled_state(recipe), content, tmp_path / "b", kill)
    file = tmp_path / "b" / "checkpoint.pt"
    kept = torch.load(file, weights_only=True)["network"]
    assert not {"matrix", "offset", "tile"} & set(kept)
    resumed = styled_state(recipe, load_checkpoint(file, recipe))
    assert resumed.step == 3
    train(recipe, resumed, content, tmp_path / "b")
    fresh = new_state(recipe).network
    pairs = zip(*(s.network.state_dict().items() for s in (unbroken, resumed)), strict=True)
    for (name, a), (_, b) in pairs:
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5, msg=name)
    first, last = (net.get_parameter("stem.weight") for net in (fresh, resumed.network))
    moved = (first - last).detach().abs().max()
    assert float(moved) > 1e-4


def test_a_checkpoint_comes_early_and_by_time(pictures, tmp_path, monkeypatch):
    """A kill in the first 50 steps loses little."""
    recipe, kept = tiny_recipe(), []

    def look(progress) -> None:  # told before the checkpoint of its step is written
        file = tmp_path / "checkpoint.pt"
        kept.append(torch.load(file, weights_only=True)["step"] if file.exists() else 0)
        if progress.step == 3:
            monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)

    train(recipe, styled_state(recipe), ContentSet(pictures), tmp_path, look)
    assert kept == [0, 1, 1, 3, 4, 5]


def test_an_interrupted_training_says_how_it_goes_on(
    pictures, canvas, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "runs" / "t-fast" / "checkpoint.pt"
    write = checkpoint.save_checkpoint

    def write_and_interrupt(*given) -> None:
        write(*given)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(checkpoint, "save_checkpoint", write_and_interrupt)
    argv = words(pictures, Path("t-fast.onnx"), "--canvas", canvas)
    assert main(argv) == 130
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("training t-fast.onnx: 3 steps of 2 crops of 64x64; ")
    assert said[-2] == "stopped after step 1; the same command with --resume goes on"
    assert torch.load(file, weights_only=True)["step"] == 1
    assert not (tmp_path / "t-fast.onnx").exists()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main([*argv, "--resume"]) == 0
    said = capsys.readouterr().err
    assert "from step 1 on" in said
    assert "goes on with the latter" not in said, "the same command"
    assert checkpoint.set_aside(file) == file.with_name("checkpoint-step-3.pt")
    assert checkpoint.set_aside(file) is None


def test_training_comes_nearer_to_what_is_wanted(pictures, tmp_path):
    seen: list[float] = []
    recipe = replace(tiny_recipe(learning_rate=1e-2), steps=80)
    content = ContentSet(pictures)
    train(recipe, styled_state(recipe), content, tmp_path, lambda p: seen.append(p.content))
    assert seen[-1] < 0.8 * seen[2]
    assert list(tmp_path.glob("preview-*.png"))


def test_painting_needs_no_style_picture_for_vgg(pictures):
    goal = loop.Goal()
    content, device = ContentSet(pictures), torch.device("cpu")
    assert toward(tiny_recipe(), goal, content, device) is goal
    plain = tiny_recipe(paint=None, imitate_steps=2)
    with pytest.raises(BadInput, match="--style IMAGE"):
        toward(plain, goal, content, device)


def weights(path: Path) -> dict[str, np.ndarray]:
    return {w.name: onnx.numpy_helper.to_array(w) for w in onnx.load(str(path)).graph.initializer}


def test_the_train_command_quilts_a_canvas_and_goes_on(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "dots-fast.onnx"
    quilt = ["--style-size", 240, "--patch", 240, "--contrast", 1.3]
    assert main(words(pictures, out, *quilt, "--paint", "joints=0.5", "strokes=0.7")) == 0
    tile = weights(out)["canvas_tile"]
    assert tile.shape == (1, 3, 640, 640)
    card = out.with_suffix(".md").read_text()
    for word in ('"joints": 0.5', '"strokes": 0.7', '"patch": 240', "from what is wanted", "none"):
        assert word in card
    on = words(pictures, out, *quilt, "--resume")
    on[on.index("--steps") + 1] = "4"
    capsys.readouterr()
    assert main(on) == 0
    changed = "paint.joints 0.5, here 0.0; paint.strokes 0.7, here 0.65: it goes on with the latter"
    assert f"of a training with {changed}" in capsys.readouterr().err
    assert np.array_equal(weights(out)["canvas_tile"], tile), "the style is given again"
    assert (tmp_path / "runs" / "dots-fast" / "preview-000004.png").is_file()


def test_the_model_is_written_between_steps_where_that_is_asked_for(pictures, tmp_path, capsys):
    out = tmp_path / "dots-fast-tiny.onnx"
    given = words(pictures, out, "--style-size", 240, "--patch", 240, "--export-every", 1e-6)
    with contextlib.chdir(tmp_path):
        assert main(given) == 0
    written = [line for line in capsys.readouterr().out.splitlines() if "written" in line]
    assert len(written) == 3, "after two steps, and at the end"
    assert "unfinished" not in out.with_suffix(".md").read_text()
    for precision in ("", "-int8", "-fp16"):
        onnx.checker.check_model(onnx.load(str(tmp_path / f"dots-fast-tiny{precision}.onnx")))


def test_two_processes_train_the_model_of_one(tmp_path, pictures, canvas, monkeypatch):
    """Three steps change weights by some 1e-3: biases, which begin at 0, show it. Rounding leaves a
    little; half of the batch left out leaves far more. Of the first seed two channels have hardly a
    gradient, and Adam makes whole steps of what rounding left of it."""
    out = Path("t-fast.onnx")
    argv = words(pictures, out, "--canvas", canvas, "--style-size", 64, "--seed", 2)

    def alone_with(*more: str) -> dict[str, np.ndarray]:
        folder = tmp_path / f"alone{len(more)}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert main([*argv, *more]) == 0
        return weights(out)

    alone, half = alone_with(), alone_with("--batch", "1")
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
         str(ROOT / "main.py"), *argv],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    together = weights(out)
    others = ("head", "grade", "luma", "detail", "limit", "taken")
    biases = [n for n in alone if n.endswith(".bias") and not n.startswith(others)]
    assert len(biases) == 6

    def distance(other: dict[str, np.ndarray]) -> float:
        return sum(float(np.abs(other[name] - alone[name]).mean()) for name in biases)

    size = sum(float(np.abs(alone[name]).mean()) for name in biases)
    assert distance(together) < 0.1 * size
    assert distance(together) < 0.3 * distance(half)
