"""The settings file of a test's own."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes the settings file that this test's runs read."""
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("STYLIZER_SETTINGS", str(path))

    def write(text: str | bytes) -> Path:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write
