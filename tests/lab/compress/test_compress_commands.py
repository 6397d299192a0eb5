"""quantize, prune and the comparison by the command line: what they write, refuse, and never half
write."""

import json
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import onnx
import pytest
from onnx import helper

torch = pytest.importorskip("torch")

from dots_network import FRAMES, TINY, run  # noqa: E402
from tiny_models import painter  # noqa: E402

from stylizer.app.cli import main  # noqa: E402
from stylizer.compose.hud_layout import HudData, _names, _precision  # noqa: E402
from stylizer.lab.compress.prune import (  # noqa: E402
    zeros_share,
)
from stylizer.lab.compress.static_quant import (  # noqa: E402
    Plan,
    quantized,
)
from stylizer.lab.nets.johnson import JOHNSON_ARCHS as ARCHS  # noqa: E402
from stylizer.lab.nets.johnson import StyleNetwork  # noqa: E402
from stylizer.lab.onnx import export  # noqa: E402
from stylizer.system.pictures import psnr_db  # noqa: E402

ROOT = Path(__file__).parents[3]


def command(*argv: object) -> int:
    return main([str(a) for a in argv])


def metadata(path: Path, key: str = "stylizer.contract") -> dict:
    return json.loads({p.key: p.value for p in onnx.load(str(path)).metadata_props}[key])


def test_the_quantize_command(parent, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = parent.read_bytes()
    out = tmp_path / "dots-tiny-int8.onnx"
    words = ["--frames", folder, "--frame-size", "96x64", "--out", out, "--psnr", "30"]
    assert command("quantize", parent, *words, "--finetune", 2, "--crop", "64x64") == 0
    printed = capsys.readouterr().out
    for word in ("MinMax", "Entropy", "Percentile", "it alone quantized", "deconv3", "x parent"):
        assert word in printed
    assert parent.read_bytes() == before
    contract = metadata(out)
    assert (contract["precision"], contract["parent"]) == ("int8", parent.stem)
    card = out.with_suffix(".md").read_text()
    for word in (parent.stem, "calibration", "PSNR to the parent", "Entropy", "static QDQ"):
        assert word in card
    assert psnr_db(run(out, FRAMES[1]), run(parent, FRAMES[1])) > 26
    assert command("quantize", out, "--frames", folder) == 2, "quantized already"
    assert "int8 already" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["structured", "unstructured"])
def test_the_prune_command(parent, folder, tmp_path, monkeypatch, capsys, method):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / f"dots-tiny-{method}.onnx"
    words = ["--ratio", "0.5", "--method", method, "--content", folder, "--out", out]
    words += ["--finetune", 3, "--crop", "64x64", "--batch", 1]
    assert command("prune", parent, *words) == 0
    assert "written" in capsys.readouterr().out
    made = export.load_network(out)
    assert isinstance(made, StyleNetwork)
    if method == "structured":
        assert made.arch.widths == (2, 4, 4)
    else:
        assert made.arch == ARCHS["tiny"]
        assert zeros_share(made) == pytest.approx(0.5, abs=0.01), "fine-tuning kept the zeros"
    assert metadata(out)["method"].startswith(method)
    assert "PSNR to the parent" in out.with_suffix(".md").read_text()


def foreign(path: Path) -> Path:
    return painter(path)


def external(path: Path, parent: Path) -> Path:
    model = onnx.load(str(parent))
    onnx.save(model, str(path), save_as_external_data=True, location="w.bin", size_threshold=16)
    return path


def other_opset(path: Path, parent: Path) -> Path:
    model = onnx.load(str(parent))
    model.opset_import.append(helper.make_opsetid("com.example", 3))
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path, _: foreign(path), "not a model that `train` wrote"),
        (external, "external data"),
        (other_opset, "com.example 3"),
        (lambda path, _: path.write_bytes(b"no onnx") and path, "not an ONNX file"),
        (lambda path, _: path, "does not exist"),
    ],
)
@pytest.mark.parametrize("name", ["quantize", "prune"])
def test_what_is_refused_and_why(parent, folder, tmp_path, capsys, make, words, name):
    path = make(tmp_path / "given.onnx", parent)
    there = sorted(p.name for p in tmp_path.iterdir())
    options = ["--frames", folder] if name == "quantize" else ["--ratio", 0.5, "--content", folder]
    assert command(name, path, *options) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.strip().count("\n") == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["prune", "PARENT", "--ratio", "0"], "between 0 and 1"),
        (["quantize", "PARENT", "--frames", "missing"], "missing"),
        (["quantize", "none", "--frames", "FOLDER"], "nothing to compress"),
        (["quantize", "PARENT", "--frames", "FOLDER", "--out", "PARENT"], "never touched"),
        (["quantize", "PARENT", "--frames", "FOLDER", "--out", "x.pt"], "ends in .onnx"),
        (["bench", "--md", "x.md"], "--compression"),
        (["bench", "--compression", "--style", "x.jpg"], "--content"),
    ],
)
def test_bad_use_is_one_sentence(parent, folder, tmp_path, monkeypatch, capsys, argv, words):
    monkeypatch.chdir(tmp_path)
    named = {"PARENT": parent, "FOLDER": folder}
    assert command(*(named.get(a, a) for a in argv)) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("argv", "when"),
    [
        (["quantize", "--frames", "FOLDER", "--frame-size", "96x64"], "quantizing blocks.0.conv1"),
        (
            [
                "prune",
                "--ratio",
                "0.5",
                "--content",
                "FOLDER",
                "--crop",
                "64x64",
                "--finetune",
                "100000",
                "--batch",
                "1",
            ],
            "step 20/",
        ),
    ],
)
def test_an_interrupted_command_leaves_no_half_model(parent, folder, tmp_path, argv, when):
    model = tmp_path / parent.name
    shutil.copy(parent, model)
    words = [str(folder) if a == "FOLDER" else a for a in argv]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), words[0], str(model), *words[1:]],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        # A shell starts its background jobs with the signal ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if when in line:
                process.send_signal(signal.SIGINT)
                break
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    left = {p.name for p in tmp_path.iterdir() if p.name != "runs"}
    assert left == {model.name}
    assert model.read_bytes() == parent.read_bytes()


def test_the_comparison(parent, graph, ranges, folder, tmp_path, monkeypatch, capsys):
    from stylizer.lab.compress.parent import write_child

    shutil.copy(parent, tmp_path / parent.name)
    child = tmp_path / "dots-tiny-int8.onnx"
    told = TINY | {"precision": "int8", "parent": parent.stem, "method": "static QDQ"}
    write_child(child, quantized(graph, Plan(ranges)), told, {}, {})
    monkeypatch.chdir(tmp_path)
    words = ["--models", f"{parent.name},{child.name}".replace("dots", "./dots")]
    words += ["--sizes", "96x64", "--frames", 2, "--rounds", 2, "--warmup", 1, "--provider", "cpu"]
    words += ["--content", folder, "--html", "r.html", "--md", "r.md", "--json", "r.json"]
    assert command("bench", "--compression", *words) == 0
    assert child.stem in capsys.readouterr().out
    found = json.loads((tmp_path / "r.json").read_text())
    row = found["rows"][1]
    assert row["ratio_spread"][0] <= row["ratio"] * 1.001
    assert found["variants"][1]["psnr"] > 28
    assert found["variants"][0]["psnr"] is None
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2 * 3
    assert "http" not in page, "self-contained"
    text = (tmp_path / "r.md").read_text()
    assert "| dots-tiny-int8 | 96x64 |" in text
    assert "losses" in text.lower() or "left out" in text
    assert (tmp_path / "r-frames.jpg").is_file()
    assert (tmp_path / "r-crops.jpg").is_file()


def test_the_hud_tells_quantized_from_float():
    names = [
        _names(HudData(model=m, precision=p))[0]
        for m, p in (("a-small", "fp32"), ("a-small-int8", "int8"), ("mine", "int8"), ("x", ""))
    ]
    assert names == ["a-small", "a-small-int8", "mine (int8)", "x"]
    assert [_precision(HudData(precision=p)) for p in ("fp32", "int8", "")] == [
        "float (fp32)", "quantized (int8)", "",
    ]  # fmt: skip
