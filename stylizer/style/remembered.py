"""What --model-layout, --model-range and --model-order said of a file, kept for its next run."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import platformdirs

from stylizer.errors import BadInput, StylizerError
from stylizer.settings import Settings
from stylizer.style.contract import How
from stylizer.style.given import Given
from stylizer.system.files import write_text
from stylizer.system.terminal import tell

FLAGS = {"layout": "model_layout", "range": "model_range", "order": "model_order"}
FLAG_WORDS = {key: "--" + name.replace("_", "-") for key, name in FLAGS.items()}
HASH = "sha256"  # of the file that they were given for
FORGET = "auto"  # --model-range auto drops what was remembered


def flags(settings: Settings) -> dict[str, str]:
    """The --model-layout, --model-range and --model-order of these settings, as given."""
    values = {key: getattr(settings, name) for key, name in FLAGS.items()}
    return {key: value for key, value in values.items() if value is not None}


@cache
def say_once(sentence: str) -> None:
    """To the terminal, once a process: providers ask for the same file one after another."""
    tell(sentence)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def with_remembered(path: Path, given: dict[str, str]) -> Given:
    """Flags first, then what was remembered for this very file, by its hash; that is said on the
    terminal, because it wins over what the file says."""
    stored = {k: v for k, v in recall(path).items() if k not in given}
    if stored:
        say_once(
            f"{path.name}: "
            + ", ".join(f"{FLAG_WORDS[k]} {v}" for k, v in stored.items())
            + " as given in an earlier run; the value auto forgets it"
        )
    values = {**stored, **{k: v for k, v in given.items() if v != FORGET}}
    how: dict[str, How] = {k: "remembered" if k in stored else "flag" for k in values}
    return Given(values, how)


def recall(path: Path) -> dict[str, str]:
    """Flags remembered for a model file. Raises BadInput when the file is not what we wrote."""
    for place in _places(path):
        if not place.is_file():
            continue
        try:
            stored = json.loads(place.read_text(encoding="utf-8"))
            if stored.get(HASH) != file_hash(path):
                continue  # of another export under this name
            return {key: str(stored[key]) for key in FLAGS if key in stored}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BadInput(f"{place} is damaged; delete it and give the flags again") from error
    return {}


def remember(path: Path, given: dict[str, str]) -> Path | None:
    """Keep flags for the next run, beside the model or in the user's config folder.

    Call it once the model has run with them. Returns where they lie; None when nothing is kept.
    """
    before = recall(path)
    after = {k: v for k, v in {**before, **given}.items() if v != FORGET}
    if after == before:
        return next((p for p in _places(path) if p.is_file()), None)
    for place in _places(path):
        if not after:
            place.unlink(missing_ok=True)
            continue
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_text(place, json.dumps({HASH: file_hash(path)} | after, indent=1) + "\n")
        except (OSError, StylizerError):
            continue  # a read-only folder: the next place is the user's own
        return place
    return None


def _places(path: Path) -> tuple[Path, Path]:
    """Beside the model, and the user's config folder (told apart by the model's full path)."""
    name = f"{path.name}.stylizer.json"
    key = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    config = Path(platformdirs.user_config_dir("stylizer", appauthor=False)) / "models"
    return path.with_name(name), config / f"{key}-{name}"
