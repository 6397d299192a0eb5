"""The documents: their tables are the program's, their links lead on, their commands parse."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from stylizer.app.cli import parse
from stylizer.run.report import DEFINITIONS, make_report
from stylizer.run.result import unopened
from stylizer.settings import Settings

ROOT = Path(__file__).parents[1]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
by_name = pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)


@pytest.fixture(scope="module")
def reference():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import reference
    finally:
        sys.path.pop(0)
    return reference


@pytest.mark.parametrize("file", ["settings.md", "report.md"])
def test_the_tables_are_current(reference, file):
    text = (ROOT / "docs" / file).read_text(encoding="utf-8")
    assert reference.with_tables(file, text) == text, "run `python scripts/reference.py`"


def test_every_figure_of_the_report_is_defined():
    made = make_report(unopened(Settings(), KeyboardInterrupt()))
    assert set(made) - set(DEFINITIONS) == {"definitions"}
    assert set(made["stage_ms"]) <= set(DEFINITIONS)


def anchors(path: Path) -> set[str]:
    """Names of the headings, as they are linked to."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@by_name
def test_links_lead_to_files_of_the_repository(path):
    known = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if known.returncode:
        pytest.skip("no git repository here")
    files = set(known.stdout.splitlines())
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        assert not place or os.path.relpath(target, ROOT) in files, link
        assert not anchor or anchor in anchors(target), link


def commands(path: Path) -> list[str]:
    """Every line of a code block that calls the stylizer, joined where it goes on."""
    blocks = re.findall(r"^```sh\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("stylizer ")]


@by_name
def test_the_commands_in_the_text_are_understood(path):
    for line in commands(path):
        words = shlex.split(line, comments=True)[1:]
        if words:
            parse(words)  # raises BadInput for what there is not


def test_the_readme_is_short_and_names_the_command_in_one_way():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 160, "the rest belongs into docs/"
    assert text.count("main.py") == 1
    assert len(commands(ROOT / "README.md")) > 10


ENDINGS = "py|md|sh|toml|json|frag|vert|glsl|hlsl|fx|jpg|webp|png"
NAMED = re.compile(
    rf"(?<![\w/~.<*-])(?:docs|tests|scripts|bench|stylizer|shaders|typings)/[\w./-]+\.(?:{ENDINGS})\b"
    rf"|`[\w-]+/[\w./-]+\.py`"  # in a text also from the package on: `style/drift.py`
)


def sources() -> list[Path]:
    """Every file of ours that may send its reader to another."""
    folders = ("stylizer", "tests", "bench", "scripts", "shaders")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    kinds = {".py", ".sh", ".toml", ".frag", ".vert", ".glsl", ".hlsl", ".fx"}
    return [path for path in found if path.suffix in kinds]


def test_files_that_are_named_exist():
    """A text or comment that sends the reader to a file which is not here helps nobody."""
    missing = []
    for path in [*TEXTS, *(ROOT / "models").glob("*.md"), *sources(), ROOT / "Makefile"]:
        for name in NAMED.findall(path.read_text(encoding="utf-8")):
            name = name.strip("`")
            if not any((base / name).exists() for base in (ROOT, ROOT / "stylizer", path.parent)):
                missing.append(f"{path.relative_to(ROOT)} names {name}")
    assert not missing
