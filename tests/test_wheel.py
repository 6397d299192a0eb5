"""The wheel, built and installed in an empty venv, runs without the checkout."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from stylizer.system.installed import DESKTOP_ID

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def venv(wheel, tmp_path_factory) -> Path:
    """A venv with the wheel alone."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    install = [str(folder / "bin" / "python"), *["-m", "pip", "install", "--quiet", "--no-deps"]]
    subprocess.run([*install, "--no-index", str(wheel)], check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def outside(venv) -> dict[str, str]:
    """The environment for programs of the venv: they see this one's libraries (a gigabyte) but not
    the checkout, as a plain folder on the path does not run the editable install's .pth file."""
    site = next((venv / "lib").glob("python*/site-packages"))
    libraries = Path(sys.prefix) / "lib" / site.parent.name / "site-packages"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return env | {"PYTHONPATH": str(libraries)}


def test_all_shaders_and_models_are_inside(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("shaders", "models"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        inside = {f"stylizer/_{path.relative_to(ROOT).as_posix()}" for path in files}
        assert inside, folder
        assert inside <= set(names)
    assert not [n for n in names if "/tests/" in n or n.startswith("tests/")]


def test_it_runs_in_a_venv_of_its_own(venv, outside, tmp_path):
    argv = ["run", "--source", "demo", "--size", "160x96", "--present", "offscreen", "--sync"]
    argv += ["--frames", "2", "--model", "mosaic-small", "--provider", "cpu", "--report", "r.json"]
    done = subprocess.run(
        [str(venv / "bin" / "stylizer"), *argv],
        cwd=tmp_path, env=outside, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.json").exists()
    code = "import stylizer; print(stylizer.__file__)"
    assert str(venv) in run_python(venv, code, outside, tmp_path)


def test_what_is_missing_is_installed_by_the_line_that_is_told(wheel, venv, outside, tmp_path):
    """pip itself takes the line, for the same wheel and the same venv."""
    outside = {k: v for k, v in outside.items() if k != "PYTHONPATH"}  # no library is needed
    code = f"from stylizer.system.installed import fitting; print(fitting({LAB!r}))"
    told = run_python(venv, code, outside, tmp_path)
    words = shlex.split(told)
    assert words == [str(venv / "bin" / "pip"), "install", f"{wheel}[lab]"]
    tried = [*words, *["--dry-run", "--no-deps", "--no-index", "--force-reinstall"]]
    done = subprocess.run(tried, capture_output=True, text=True, timeout=60)
    assert "Would install stylizer" in done.stdout, done.stderr
    beside = {"VIRTUAL_ENV": str(venv)}  # activated: plain pip is the same
    assert run_python(venv, code, outside | beside, tmp_path).startswith("pip install ")
    (venv / "pipx_metadata.json").touch()
    told = run_python(venv, code, outside, tmp_path)
    (venv / "pipx_metadata.json").unlink()
    assert told.startswith(f"pipx runpip {venv.name} install ")
    code = code.replace(repr(LAB), repr("pip uninstall -y a && pip install b"))
    for pip in (venv / "bin").glob("pip*"):
        pip.unlink()  # as uv makes it
    told = run_python(venv, code, outside, tmp_path)
    assert told == f"uv pip uninstall --python {venv} a && uv pip install --python {venv} b\n"


def test_the_flatpaks_commands_put_all_where_a_flatpak_has_it(wheel, outside, tmp_path):
    """No runtime is here to build it: its commands are carried out with another folder as /app."""
    path = ROOT / "scripts" / "flatpak" / f"{DESKTOP_ID}.json"
    if shutil.which("flatpak-builder"):
        shown = ["flatpak-builder", "--show-manifest", str(path)]
        subprocess.run(shown, check=True, capture_output=True, timeout=60)
    manifest = json.loads(path.read_text())
    assert manifest["id"] == DESKTOP_ID
    app, build, tools = (tmp_path / name for name in ("app", "build", "tools"))
    build.mkdir()
    tools.mkdir()
    shutil.copy(wheel, build)
    pip = tools / "pip3"
    pip.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pip "$@"\n')
    pip.chmod(0o755)
    site = app / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    env = outside | {
        "FLATPAK_DEST": str(app), "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": f"{site}:{outside['PYTHONPATH']}",
        "PIP_IGNORE_INSTALLED": "1",  # else pip would take this checkout's own out of its venv
    }  # fmt: skip
    for command in manifest["modules"][0]["build-commands"]:
        done = subprocess.run(
            ["sh", "-c", command], cwd=build, env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
    entry = (app / "share" / "applications" / f"{DESKTOP_ID}.desktop").read_text()
    assert f"Exec={app}/bin/{manifest['command']}\n" in entry
    assert (app / "share" / "metainfo" / f"{DESKTOP_ID}.metainfo.xml").exists()
    assert list((app / "share" / "icons").rglob(f"{DESKTOP_ID}.png"))
    assert list(site.glob("stylizer/_models/*.onnx"))
    assert metadata.version("stylizer"), "what this checkout runs by is still there"


LAB = 'pip install "stylizer[lab]"'


def run_python(venv: Path, code: str, env: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        [str(venv / "bin" / "python"), "-c", code],
        cwd=folder, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout
