"""Flags that were given for a model's file and hold for its next run."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylizer.errors import BadInput
from stylizer.style import remembered
from stylizer.style.given import Given


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    config = str(tmp_path / "config")
    monkeypatch.setattr(remembered.platformdirs, "user_config_dir", lambda *a, **k: config)
    return models


def test_flags_beside_the_model(folder):
    path = folder / "x.onnx"
    path.write_bytes(b"a model")
    assert remembered.remember(path, {"order": "BGR"}) == folder / "x.onnx.stylizer.json"
    assert remembered.recall(path) == {"order": "BGR"}
    remembered.remember(path, {"range": "0..1"})
    assert remembered.recall(path) == {"order": "BGR", "range": "0..1"}
    given = remembered.with_remembered(path, {"order": "RGB"})
    assert given.values == {"order": "RGB", "range": "0..1"}
    assert given.how == {"order": "flag", "range": "remembered"}
    remembered.remember(path, {"order": "auto", "range": "auto"})
    assert remembered.recall(path) == {}
    assert list(folder.iterdir()) == [path]


def test_flags_belong_to_a_file_not_to_its_name(folder, capsys):
    path = folder / "x.onnx"
    path.write_bytes(b"a model")
    remembered.remember(path, {"range": "0..1"})
    remembered.say_once.cache_clear()
    assert remembered.with_remembered(path, {}) == Given({"range": "0..1"}, {"range": "remembered"})
    assert "--model-range 0..1 as given in an earlier run" in capsys.readouterr().err
    path.write_bytes(b"another export")
    assert remembered.with_remembered(path, {}) == Given()
    assert capsys.readouterr().err == ""


def test_flags_in_the_users_folder_when_the_models_cannot_be_written(folder, tmp_path):
    path = folder / "x.onnx"
    path.write_bytes(b"a model")
    (folder / "x.onnx.stylizer.json").mkdir()  # stands in the way, for root too
    kept = remembered.remember(path, {"order": "BGR"})
    assert kept is not None
    assert kept.parent == tmp_path / "config" / "models"
    assert remembered.recall(path) == {"order": "BGR"}
    assert remembered.recall(tmp_path / "other" / "x.onnx") == {}


def test_damaged_memory_is_said(folder):
    (folder / "x.onnx").write_bytes(b"a model")
    (folder / "x.onnx.stylizer.json").write_text("{")
    with pytest.raises(BadInput, match="is damaged; delete it"):
        remembered.recall(folder / "x.onnx")
