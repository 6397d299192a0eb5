"""The packages behind the providers: what installs them, what clashes, what they tell others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from stylizer.style import providers

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "scripts" / "setup.sh", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_line_that_installs_something_names_an_extra_that_there_is():
    """Of the table, of set-up (which offers CUDA where libcuda is) and of the pages."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [row.install for row in providers.PROVIDERS.values()] + [providers._EXTRA]
    texts += [page.read_text(encoding="utf-8") for page in PAGES]
    found = {e for text in texts for e in re.findall(r"(?:stylizer|\.)\[([a-z,]+)\]", text)}
    assert {"cuda", "webgpu", "openvino"} <= found
    assert {e for many in found for e in many.split(",")} <= set(known["optional-dependencies"])


def test_directml_is_a_version_that_there_is():
    """Its package stops at 1.24: with ONNX Runtime 1.24.4 the tests of the style have passed."""
    assert providers.PROVIDERS["directml"].install.endswith("onnxruntime-directml==1.24.4")


def test_package_conflict():
    assert providers.conflict_text(["onnxruntime-gpu"]) is None
    text = providers.conflict_text(["onnxruntime", "onnxruntime-gpu"])
    assert text is not None
    assert "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu" in text


def test_openvino_tells_nobody():
    """Its telemetry forks this process, display and all, and reports what was run."""
    pytest.importorskip("openvino")
    code = "import stylizer.style.openvino, sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "'openvino'" in done.stdout
    assert "openvino_telemetry." not in done.stdout


def test_onnx_runtime_tells_nobody(tmp_path):
    """Its wheels keep a number of this computer and send figures of the models that are run."""
    code = "import stylizer, onnxruntime as ort; ort.get_available_providers()"
    hidden = ("ORT_DISABLE_TELEMETRY", "CI", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    env = {k: v for k, v in os.environ.items() if k not in hidden} | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=60)
    assert not list(tmp_path.iterdir())
