"""Where the shaders and models lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

STYLES_VARIABLE = "STYLIZER_STYLES"
_PACKAGE = Path(__file__).resolve().parents[1]


def _folder(name: str) -> Path:
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


def shader(name: str, *defines: str, number: int | None = None) -> str:
    """Source of `shaders/NAME`, with `#define`s behind its first line, the version, of which the
    number may be another one."""
    source = (_folder("shaders") / name).read_text(encoding="utf-8")
    version, body = source.split("\n", 1)
    if number is not None:
        version = f"{version.rpartition(' ')[0]} {number}"
    return "\n".join([version, *(f"#define {define}" for define in defines), body])


def models_folder() -> Path:
    """The folder of the bundled models."""
    return _folder("models")


def own_styles_folder() -> Path:
    """The folder of the styles that the user made, which may not be there yet."""
    folder = os.environ.get(STYLES_VARIABLE)
    data = platformdirs.user_data_path("stylizer", appauthor=False)
    return Path(folder) if folder else data / "styles"
