"""Training, resuming, exporting and judging, on a tiny network and a VGG-16 of random weights."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch")


from stylizer.app.cli import main  # noqa: E402
from stylizer.errors import BadInput, StylizerError  # noqa: E402
from stylizer.lab.nets.johnson import JOHNSON_ARCHS as ARCHS  # noqa: E402
from stylizer.lab.nets.johnson import Arch, StyleNetwork, parameter_count  # noqa: E402
from stylizer.lab.onnx import export  # noqa: E402
from stylizer.lab.training import checkpoint, loop  # noqa: E402
from stylizer.lab.training.checkpoint import load_checkpoint, new_state  # noqa: E402
from stylizer.lab.training.data import ContentSet  # noqa: E402
from stylizer.lab.training.distributed import ProcessGroup  # noqa: E402
from stylizer.lab.training.perceptual import (  # noqa: E402
    STYLE_LAYERS,
    content_loss,
    gram,
    load_vgg,
    style_loss,
    style_targets,
    within,
)


def recipe(**changes: Any) -> loop.Recipe:
    made = loop.Recipe(
        "tiny", "0.png", "pictures", steps=6, batch=1, crop=(64, 64), style_size=64,
        imitate_steps=2, learning_rate=1e-2,
    )  # fmt: skip
    return replace(made, **changes)


def train(recipe, state, vgg_file, pictures, run_dir, on_step=lambda _: None):
    style = loop.load_style(pictures / "0.png", 64)
    content = ContentSet(pictures)
    goal = loop.Goal(load_vgg(vgg_file), style)
    return loop.train(recipe, state, goal, content, run_dir, on_step, 100)


def test_the_original_has_the_layers_of_fast_neural_style():
    canvas, share = 3 * 81 * 32, 81 * 32 + 1  # how strongly that lies, how far texture is smoothed
    assert parameter_count(StyleNetwork(ARCHS["original"])) == 1_679_235 + canvas + 2 * share


@pytest.mark.parametrize("size", [(64, 64), (72, 100)])
def test_the_network_keeps_the_size(size):
    x = torch.rand(2, 3, size[1], size[0])
    assert StyleNetwork(ARCHS["tiny"])(x).shape == x.shape


def test_losses_are_zero_for_the_target_and_one_for_nothing(vgg_file):
    vgg = load_vgg(vgg_file)
    style = torch.rand(1, 3, 64, 64)
    features = vgg(style)
    targets = style_targets(vgg, style)
    assert style_loss(features, targets).item() == pytest.approx(0, abs=1e-6)
    y = features["relu2_2"]
    assert content_loss(y, y).item() == 0
    assert content_loss(torch.zeros_like(y), y).item() == pytest.approx(1)
    nothing = {name: torch.zeros_like(features[name]) for name in STYLE_LAYERS}
    assert style_loss(nothing, targets).item() == pytest.approx(len(STYLE_LAYERS))


def test_what_lies_at_the_edge_does_not_count_as_painted():
    features = {n: torch.rand(1, 2, 64 >> i, 96 >> i) for i, n in enumerate(STYLE_LAYERS)}
    inner = within(features, 8)
    assert [tuple(inner[n].shape[2:]) for n in STYLE_LAYERS] == [
        (48, 80),
        (24, 40),
        (12, 20),
        (6, 10),
    ]
    assert torch.equal(inner["relu2_2"], features["relu2_2"][:, :, 4:28, 4:44])
    assert all(torch.equal(within(features, 0)[n], features[n]) for n in STYLE_LAYERS)
    small = {n: torch.rand(1, 2, 32 >> i, 32 >> i) for i, n in enumerate(STYLE_LAYERS)}
    assert within(small, 16)["relu1_2"].shape[2:] == (24, 24)
    assert within(small, 16)["relu4_3"].shape[2:] == (4, 4)


def test_gram_equals_its_definition():
    y = torch.rand(2, 5, 7, 3)
    flat = y.numpy().reshape(2, 5, 21)
    expected = np.einsum("bcn,bdn->bcd", flat, flat) / 21
    np.testing.assert_allclose(gram(y).numpy(), expected, rtol=1e-5)


def test_a_killed_training_resumes_to_the_same_result(vgg_file, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_STEPS", 3)
    wanted = recipe(style_share=0.2)
    unbroken = new_state(wanted)
    train(wanted, unbroken, vgg_file, pictures, tmp_path / "a")

    def kill(progress):
        if progress.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(wanted, new_state(wanted), vgg_file, pictures, tmp_path / "b", kill)
    resumed = load_checkpoint(tmp_path / "b" / "checkpoint.pt", wanted)
    assert resumed.step == 3
    train(wanted, resumed, vgg_file, pictures, tmp_path / "b")
    pairs = zip(unbroken.network.parameters(), resumed.network.parameters(), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert resumed.balance.gain == pytest.approx(unbroken.balance.gain, rel=1e-4)
    assert resumed.balance.gain != 1, "the style weight followed"


def test_the_checkpoint_of_another_network_is_refused_in_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save_checkpoint(path, new_state(recipe()), recipe())
    with pytest.raises(BadInput, match="not a checkpoint of --arch fast-tiny") as caught:
        load_checkpoint(path, recipe(arch="fast-tiny"))
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(torch, "load", lambda *_args, **_named: next(iter([])))
    with pytest.raises(BadInput, match=r"\(StopIteration\)"):
        load_checkpoint(path, recipe())


def test_training_changes_the_network_and_lowers_the_loss(vgg_file, pictures, tmp_path):
    seen = []
    long = recipe(steps=20, imitate_steps=0)
    train(long, new_state(long), vgg_file, pictures, tmp_path, lambda p: seen.append(p.style))
    assert seen[-1] < seen[2]
    assert list(tmp_path.glob("preview-*.png"))


def test_steps_without_a_finite_loss_are_skipped_then_refused(
    vgg_file, pictures, tmp_path, monkeypatch
):
    nan = np.full((1, 3, 64, 64), np.nan, np.float32)
    monkeypatch.setattr(ContentSet, "batch", lambda *_: nan)
    monkeypatch.setattr(loop, "MAX_BAD_STEPS", 4)
    long = recipe(steps=50)
    state = new_state(long)
    before = [p.clone() for p in state.network.parameters()]
    with pytest.raises(StylizerError, match="no finite loss"):
        train(long, state, vgg_file, pictures, tmp_path)
    assert state.skipped == loop.MAX_BAD_STEPS
    for a, b in zip(before, state.network.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_crops_depend_on_seed_and_step_only(pictures):
    content = ContentSet(pictures)
    first = content.batch(1, 5, 2, (64, 48))
    assert first.shape == (2, 3, 48, 64)
    assert 0 <= first.min() <= first.max() <= 1
    np.testing.assert_array_equal(first, content.batch(1, 5, 2, (64, 48)))
    assert not np.array_equal(first, content.batch(1, 6, 2, (64, 48)))
    assert not np.array_equal(first, content.batch(2, 5, 2, (64, 48)))


def test_crops_together_are_places_of_one_picture():
    colors = np.array([(200, 30, 30), (30, 200, 30), (30, 30, 200)], np.uint8)
    plain = [np.broadcast_to(c, (96, 96, 3)).copy() for c in colors]
    content = ContentSet.of(plain)

    def kinds(together: bool) -> list[int]:
        batches = [content.batch(2, k, 4, (48, 48), False, together) for k in range(24)]
        return [len(set(b.mean(axis=(2, 3)).argmax(axis=1).tolist())) for b in batches]

    assert max(kinds(together=True)) == 1
    assert max(kinds(together=False)) > 1


def test_crops_of_the_style_match_it_together_though_not_alone(vgg_file):
    vgg = load_vgg(vgg_file)
    style = torch.rand(1, 3, 64, 64)
    style[:, :, :, 32:] *= 0.2  # a light and a dark half
    targets = style_targets(vgg, style)
    halves = vgg(torch.cat([style[:, :, :, :32], style[:, :, :, 32:]]))
    alone = style_loss(halves, targets).mean().item()
    together = style_loss(halves, targets, processes=ProcessGroup()).mean().item()
    assert together < 0.3 * alone  # what is left comes from the edge between the halves


def test_content_may_be_a_video(clip):
    assert len(ContentSet(clip.path.parent)) >= clip.frames // clip.rate


def test_whatever_runs_as_a_picture_trains_as_one(tmp_path):
    from PIL import Image

    Image.new("P", (40, 30), 3).save(tmp_path / "a.gif")
    Image.new("RGB", (40, 30)).save(tmp_path / "b.tiff")
    assert len(ContentSet(tmp_path)) == 2


def test_the_exported_model_keeps_its_promises(tmp_path):
    network = StyleNetwork(ARCHS["tiny"])
    path = tmp_path / "made-tiny.onnx"
    difference = export.export_onnx(network, path, {"layout": "NCHW"}, {"seed": 3})
    assert difference <= 0.5
    assert [p.name for p in tmp_path.iterdir()] == ["made-tiny.onnx"]
    model = onnx.load(str(path))
    assert model.opset_import[0].version in (17, 18)
    kinds = [node.op_type for node in model.graph.node]
    norms = sum(isinstance(m, torch.nn.InstanceNorm2d) for m in network.modules())
    assert kinds.count("InstanceNormalization") == norms
    assert not {"ReduceMean", "Constant"} & set(kinds)
    assert len(model.graph.input) == len(model.graph.output) == 1
    texts = {p.key: p.value for p in model.metadata_props}
    assert base64.b64decode(texts.pop("stylizer.canvas"))[8:12] == b"WEBP"
    told = {"layout": "NCHW", "roles": {"canvas": "canvas"}, "canvas_step": 2}
    metadata = {key: json.loads(value) for key, value in texts.items()}
    assert metadata == {"stylizer.contract": told, "stylizer.recipe": {"seed": 3}}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for height, width in ((32, 48), (100, 36)):
        x = np.zeros((1, 3, height, width), np.float32)
        assert np.asarray(session.run(None, {"input": x})[0]).shape == x.shape


def test_an_export_that_differs_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "MAX_DIFFERENCE", -1.0)
    with pytest.raises(StylizerError, match="differs from PyTorch"):
        export.export_onnx(StyleNetwork(ARCHS["tiny"]), tmp_path / "m.onnx", {}, {})
    assert not list(tmp_path.iterdir())


def test_weights_come_back_from_onnx(tmp_path):
    network = StyleNetwork(ARCHS["tiny"])
    export.export_onnx(network, tmp_path / "m-tiny.onnx", {"tier": "tiny"}, {})
    again = export.load_network(tmp_path / "m-tiny.onnx")
    for a, b in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    other = StyleNetwork(Arch("other", (4, 8, 8), blocks=2))
    with pytest.raises(StylizerError, match="not a model of this architecture"):
        export.load_weights(other, tmp_path / "m-tiny.onnx")
    with pytest.raises(BadInput, match="not a model that `train` wrote"):
        export.load_network(Path(__file__))


def test_the_train_and_judge_commands(vgg_file, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    argv = ["train", "--style", pictures / "0.png", "--content", pictures, "--arch", "tiny"]
    argv += ["--vgg", vgg_file, "--steps", "4", "--crop", "64x64", "--style-size", "64"]
    out = tmp_path / "dots-tiny.onnx"
    assert main([str(a) for a in (*argv, "--batch", "1", "--out", out)]) == 0
    assert out.is_file()
    card = out.with_suffix(".md").read_text()
    for word in ("0.png", "final training losses", "torch", '"seed": 1', '"steps": 4'):
        assert word in card
    assert (tmp_path / "runs" / "dots-tiny" / "preview-000004.png").is_file()
    assert "differs from PyTorch" in capsys.readouterr().out

    words = ["judge", "--model", out, "--style", pictures / "0.png", "--frames", pictures]
    assert main([str(w) for w in (*words, "--vgg", vgg_file, "--provider", "cpu")]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["frames"] == 4
    assert verdict["content"] > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--style": "missing.jpg"}, "missing.jpg"),
        ({"--content": "missing"}, "missing"),
        ({"--arch": "huge"}, "huge"),
        ({"--vgg": "missing.pth"}, "missing.pth"),
        ({"--crop": "63x64"}, "--crop"),
        ({"--out": "model.pt"}, "model.pt"),
        ({"--resume": None}, "checkpoint"),
        ({"--teacher": "missing.onnx"}, "missing.onnx"),
    ],
)
def test_bad_training_input(vgg_file, pictures, tmp_path, monkeypatch, capsys, changes, words):
    monkeypatch.chdir(tmp_path)
    options = {"--style": pictures / "0.png", "--content": pictures, "--arch": "tiny"}
    options |= {"--vgg": vgg_file, "--crop": "64x64", "--out": tmp_path / "x-tiny.onnx"} | changes
    argv = ["train"]
    for name, value in options.items():
        argv += [name] if value is None else [name, str(value)]
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.strip().count("\n") == 0
    assert not list(tmp_path.glob("*.onnx"))


def test_tone_is_kept_by_the_source_and_lost_by_gray():
    from stylizer.lab.training.perceptual import tone_loss

    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64).contiguous()
    assert tone_loss(ramp, ramp).item() == 0
    assert tone_loss(ramp * 0.5 + 0.2, ramp).item() == pytest.approx(0.25, rel=1e-3)
    assert tone_loss(torch.full_like(ramp, 0.5), ramp).item() == pytest.approx(1, rel=1e-3)
