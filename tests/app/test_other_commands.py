"""The commands beside `run`: models, bench."""

import tiny_models
from whole_program import fails

from stylizer.app.cli import main


def test_models_commands(capsys, tmp_path):
    assert main(["models", "list", "--json"]) == 0
    assert '"mosaic-small"' in capsys.readouterr().out
    assert main(["models", "inspect", "mosaic-small", "--json"]) == 0
    assert "metadata" in capsys.readouterr().out
    assert main(["models", "check", "mosaic-small", "--provider", "cpu", "--size", "320x180"]) == 0
    fails(capsys, ["models", "inspect"], 2, "needs a model")
    classifier = tmp_path / "classifier.onnx"
    tiny_models.classifier(classifier)
    fails(capsys, ["models", "check", classifier], 2, "classifier.onnx")


def test_bench_prints_the_table_and_writes_json(capsys, tmp_path):
    import json

    path = tmp_path / "bench.json"
    argv = ["bench", "--models", "mosaic-small", "--sizes", "160x96,96x64", "--frames", "4"]
    argv += ["--rounds", "2", "--provider", "cpu", "--json", str(path)]
    assert main([*argv, "--html", str(tmp_path / "b.html")]) == 0
    out = capsys.readouterr().out
    assert "mosaic-small" in out
    assert "160x96" in out
    data = json.loads(path.read_text())
    assert [row["size"] for row in data["rows"]] == [[160, 96], [96, 64]]
    assert all(row["frames"] == 4 and row["sync"] for row in data["rows"])
    assert data["machine"]["cores"]
    assert "mosaic-small" in (tmp_path / "b.html").read_text()
