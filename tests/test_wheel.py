"""The wheel, built and installed in an empty venv, runs without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


def test_shaders_and_models_are_inside(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "stylizer/_shaders/compose.frag" in names
    assert "stylizer/_models/mosaic-small.onnx" in names
    assert not [n for n in names if "/tests/" in n or n.startswith("tests/")]


def test_it_runs_in_a_venv_of_its_own(wheel, tmp_path):
    """The venv sees this one's libraries (they are a gigabyte) but not the checkout."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=120)
    python = venv / "bin" / "python"
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(install, check=True, timeout=120)
    site = next((venv / "lib").glob("python*/site-packages"))
    libraries = Path(sys.prefix) / "lib" / site.parent.name / "site-packages"
    # Only the libraries: a plain folder on the path does not run the editable install's .pth file.
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env["PYTHONPATH"] = str(libraries)
    argv = ["run", "--source", "demo", "--size", "160x96", "--present", "offscreen", "--sync"]
    argv += ["--frames", "2", "--model", "mosaic-small", "--provider", "cpu", "--report", "r.json"]
    done = subprocess.run(
        [str(venv / "bin" / "stylizer"), *argv],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.json").exists()
    where = subprocess.run(
        [str(python), "-c", "import stylizer; print(stylizer.__file__)"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(venv) in where.stdout
