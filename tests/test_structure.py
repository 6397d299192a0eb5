"""The house's table of imports, held by walking the real imports."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "stylizer"
LEAVES = {"errors", "frame", "timing", "settings", "hotkeys", "resources", "x11", "gl"}
STAGES = {"source", "style", "compose", "present"}


def imports_of(path: Path) -> set[str]:
    """Modules of the package that a file imports anywhere, as dotted names below `stylizer`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {n.removeprefix("stylizer.") for n in names if n.startswith("stylizer.")}
    return found


def area(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def all_imports() -> list[tuple[str, str, str]]:
    """(importing area, file, imported area)."""
    rows = []
    for path in PACKAGE.rglob("*.py"):
        for name in imports_of(path):
            rows.append((area(path), str(path.relative_to(PACKAGE)), name.split(".")[0]))
    assert len(rows) > 50
    return rows


def test_a_stage_imports_no_other_stage_and_nothing_above():
    allowed = LEAVES | {"stages"}
    bad = [
        (file, target)
        for place, file, target in all_imports()
        if place in STAGES and target not in allowed | {place}
    ]
    assert not bad


def test_leaves_import_leaves_only():
    bad = [(f, t) for place, f, t in all_imports() if place in LEAVES and t not in LEAVES]
    assert not bad


def test_only_the_command_line_imports_the_lab():
    bad = [(f, t) for place, f, t in all_imports() if t == "lab" and place not in {"lab", "cli"}]
    assert not bad


def test_nothing_imports_the_command_line():
    assert not [f for place, f, t in all_imports() if t == "cli"]


def test_only_the_command_line_reads_the_settings_file():
    allowed = {"presets", "cli", "arguments"}
    bad = [(f, t) for place, f, t in all_imports() if t == "presets" and place not in allowed]
    assert not bad


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_pipeline_imports_no_heavy_library():
    heavy = ("torch", "onnxruntime", "onnx", "pygame", "moderngl", "mss", "av", "imgui_bundle")
    code = f"import stylizer.pipeline, sys; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_a_run_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from stylizer.cli import main\n"
        "sys.exit(main(['run', '--source', 'synthetic', '--size', '64x64', '--present', "
        "'offscreen',"
        " '--sync', '--frames', '2', '--model', 'mosaic-small', '--provider', 'cpu']))"
    )
    assert "mosaic-small" in run_python(code)


def test_no_shader_source_in_python():
    assert not [p for p in PACKAGE.rglob("*.py") if "#version" in p.read_text(encoding="utf-8")]
