"""The house's plan: which room may import which, held by walking the real imports."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "stylizer"
HERE = ""  # the package's root: the values that all rooms share
ROOT_MODULES = {"errors", "frame", "hotkeys", "rules", "settings", "stages", "timing"}
SOURCES = {"source", "source/demo", "source/x11", "source/wayland"}
STAGES = {"style", "style/gl", "style/export", "compose", "present"}
LAB = {"lab/nets", "lab/onnx", "lab/training", "lab/compress"}
# Every folder, and the rooms it may import beside itself; late imports and those for types count.
ROWS: dict[str, set[str]] = {
    HERE: set(),
    "system": {HERE},
    "source": {HERE, "system"},
    "source/demo": {HERE, "system"},
    "source/x11": {HERE, "system"},
    "source/wayland": {HERE, "system"},
    "style": {HERE, "system"},
    "style/gl": {HERE, "system", "style"},
    "style/export": {HERE, "system", "style", "style/gl"},
    "painting": {HERE, "system", "source", "style"},
    "compose": {HERE, "system"},
    "present": {HERE, "system"},
    "run": {HERE, "system", "painting"} | SOURCES | STAGES,
    "measure": {HERE, "system", "run"} | SOURCES | STAGES,
    "lab": set(),
    "lab/nets": {HERE},
    "lab/onnx": {HERE, "system", "style", "lab/nets"},
    "lab/training": {HERE, "system", "painting", "source/demo", "lab/nets", "lab/onnx"},
    "lab/compress": {HERE, "system", "style", "lab/nets", "lab/onnx", "lab/training"},
    "lab/commands": {HERE, "system", "painting", "style", "run", "measure"} | LAB,
    "app/settings_file": {HERE, "system", "source/x11"},
    # The lab's commands are named by a string there: torch is an optional package.
    "app": {HERE, "system", "painting", "run", "measure", "app/settings_file"} | SOURCES | STAGES,
}


def module_name(path: Path) -> str:
    """ "source.demo.camera" below the package; "source" for the __init__.py of a folder."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def room_of(module: str) -> str:
    """The folder of a module below the package, "" for its root."""
    room = MODULES[module].parent.relative_to(PACKAGE).as_posix()
    return HERE if room == "." else room


def imports_of(path: Path) -> set[str]:
    """Modules of the package that a file imports anywhere, functions included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {module_meant(name.split(".", 1)[1]) for name in names if name.startswith(OURS)}
    return found


OURS = "stylizer."


def module_meant(name: str) -> str:
    """The module of a dotted name below the package: itself, or what holds the thing it names."""
    return name if name in MODULES else name.rpartition(".")[0]


Arrows = set[tuple[str, str]]


@pytest.fixture(scope="module")
def arrows() -> Arrows:
    """(importing module, imported module) of the whole package."""
    found = {(m, target) for m, path in MODULES.items() for target in imports_of(path)}
    assert len(found) > 300
    return {(a, b) for a, b in found if a != b}


def circles(arrows: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Groups of nodes of which each reaches every other."""
    targets: dict[str, set[str]] = {}
    for a, b in arrows:
        targets.setdefault(a, set()).add(b)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            new = targets.get(ahead.pop(), set()) - seen
            seen |= new
            ahead += new
        return seen

    reach = {node: reached(node) for node in targets}
    groups = {
        frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in reach if a in reach[a]
    }
    return sorted((set(group) for group in groups), key=sorted)


def test_every_folder_has_its_row():
    assert {room_of(m) for m in MODULES} == set(ROWS)


def test_no_new_module_stands_at_the_packages_root():
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT_MODULES | {"__init__"}


def test_rooms_import_what_their_row_allows(arrows: Arrows):
    bad = sorted(
        f"{a} imports {b}"
        for a, b in arrows
        if room_of(b) != room_of(a) and room_of(b) not in ROWS[room_of(a)]
    )
    assert not bad


def test_rooms_form_no_circle(arrows: Arrows):
    rooms = {(room_of(a), room_of(b)) for a, b in arrows}
    assert not circles((a, b) for a, b in rooms if a != b)
    assert not circles((a, b) for a, row in ROWS.items() for b in row), "the rows themselves"


def test_modules_form_no_circle(arrows: Arrows):
    assert circles(arrows) == []


def test_circles_are_found():
    assert circles([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]) == [{"a", "b", "c"}]
    assert circles([("a", "b"), ("a", "c"), ("b", "c")]) == []


def test_modules_named_by_strings_exist_and_only_tables_name_them():
    """Backends (stages.py), the lab's commands (app) and what keeps a helper quiet (vetting), which
    acts when it is imported, are imported late, by name."""
    named = []
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.split(".")
                if words[0] == "stylizer" and "/".join(words[1:-1]) in set(ROWS) - {HERE}:
                    named.append((module, ".".join(words[1:])))
    assert {module for module, _ in named} == {
        "stages", "app.model_commands", "app.ahead", "style.vetting",
    }  # fmt: skip
    assert not [name for _, name in named if name and name.rstrip(".") not in MODULES]


def test_tests_stand_in_the_rooms_folders():
    tests = ROOT / "tests"
    rooms = {p.parent.relative_to(tests).as_posix() for p in tests.rglob("test_*.py")}
    assert rooms - {"."} <= set(ROWS)


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_pipeline_imports_no_heavy_library():
    heavy = ("torch", "onnxruntime", "onnx", "pygame", "moderngl", "mss", "av", "imgui_bundle")
    code = f"import stylizer.run.pipeline, sys; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_a_run_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from stylizer.app.cli import main\n"
        "sys.exit(main(['run', '--source', 'synthetic', '--size', '64x64', '--present', "
        "'offscreen',"
        " '--sync', '--frames', '2', '--model', 'mosaic-small', '--provider', 'cpu']))"
    )
    assert "mosaic-small" in run_python(code)


def test_no_shader_source_in_python():
    assert not [p for p in PACKAGE.rglob("*.py") if "#version" in p.read_text(encoding="utf-8")]
