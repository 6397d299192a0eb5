"""The provider table: what is named is built or refused, `auto` takes what works and says why."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace

import integer_networks
import numpy as np
import onnx
import pytest
import tiny_models as tiny

from stylizer.errors import BadInput, StylizerError
from stylizer.settings import Settings
from stylizer.style import catalog, inspection, opening, providers, webgpu
from stylizer.style.opening import open_style
from stylizer.style.ort import Binding
from stylizer.style.reasons import left_to_the_cpu

SIZE = (48, 32)


def works(name: str) -> bool:
    return inspection.prove_provider(name)[0]


def test_cpu_is_proven():
    assert works("cpu")


def test_openvino_is_proven():
    pytest.importorskip("openvino")
    assert works("openvino")


@pytest.mark.parametrize("name", list(providers.PROVIDERS))
def test_every_provider_runs_or_says_why(tmp_path, name):
    """The proof and a named provider agree: both work, or both give a reason and a fix."""
    works_here, text = inspection.prove_provider(name)
    assert text.startswith(f"{name}: ")
    path = tmp_path / "m.onnx"
    integer_networks.mixer(path) if name == "gl" else tiny.painter(path)
    if works_here:
        assert open_style(Settings(provider=name), str(path), SIZE).provider == name
        return
    with pytest.raises(BadInput) as caught:
        open_style(Settings(provider=name), str(path), SIZE)
    told = str(caught.value)
    assert name in told
    assert "\n" not in told
    assert providers.PROVIDERS[name].install in told or "only" in told


def test_unknown_provider(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="no provider 'gpu'; choose auto or one of cuda, directml"):
        open_style(Settings(provider="gpu"), str(path), SIZE)
    with pytest.raises(BadInput, match="no provider 'gpu'"):
        inspection.prove_provider("gpu")


def test_auto_takes_a_provider_that_works(tmp_path):
    style = open_style(Settings(), str(tiny.painter(tmp_path / "m.onnx")), SIZE)
    assert works(style.provider)
    assert style.provider_reason.startswith(f"{style.provider}: ")
    rows = [row.name for row in providers.candidates("auto")]
    assert rows[-1] == "cpu"
    listed = providers.is_installed(providers.PROVIDERS["cuda"])
    if listed and not works("cuda"):
        assert "no cuda session could be built (" in style.provider_reason


def test_auto_never_takes_a_software_renderer():
    """Here OpenGL is llvmpipe: said, and left alone."""
    style = open_style(Settings(), "mosaic-fast", SIZE)
    style.close()
    _, drawn_by = inspection.prove_provider("gl")
    if "(software" not in drawn_by:
        pytest.skip("needs OpenGL in software")
    assert style.provider != "gl"
    assert "no gl session could be built (OpenGL is software here: " in style.provider_reason


@pytest.mark.parametrize("faster", ["gl", "cpu"])
def test_auto_takes_the_faster_of_shaders_and_the_rest(monkeypatch, faster):
    """As on a machine with a GPU: llvmpipe is taken for one, and both are really run."""
    monkeypatch.setattr("stylizer.style.gl.backend.is_software_gl", lambda renderer: False)
    monkeypatch.setattr(providers, "is_installed", lambda row: row.name in ("gl", "cpu"))
    timed = opening._frame_ms
    times = {"gl": 1.0 if faster == "gl" else 3.0, "cpu": 2.0}
    monkeypatch.setattr(
        opening, "_frame_ms", lambda style, size: timed(style, size) * 0 + times[style.provider]
    )
    style = open_style(Settings(), "mosaic-fast", SIZE)
    assert style.provider == faster
    assert f"gl {times['gl']:.1f} ms a frame, cpu 2.0" in style.provider_reason
    style.close()


@pytest.mark.filterwarnings("ignore:Duplicate provider")
@pytest.mark.parametrize("faster", ["slow", "cpu"])
def test_auto_takes_a_timed_provider_only_where_it_is_faster(monkeypatch, tmp_path, faster):
    """As with WebGPU on whatever GPU: two real sessions, by turns said to be the faster one."""
    timed = replace(providers.PROVIDERS["cpu"], name="slow", timed=True)
    rows = [timed, providers.PROVIDERS["gl"], providers.PROVIDERS["cpu"]]
    monkeypatch.setattr(providers, "candidates", lambda name: rows)
    frame_ms, seen = opening._frame_ms, []

    def told(style, size):
        seen.append(style)
        return frame_ms(style, size) * 0 + (1.0 if style.provider == faster else 2.0)

    monkeypatch.setattr(opening, "_frame_ms", told)
    style = open_style(Settings(), str(tiny.painter(tmp_path / "m.onnx")), SIZE)
    assert style.provider == faster
    assert [s.provider for s in seen] == ["slow", "cpu"]
    times = {name: 1.0 if name == faster else 2.0 for name in ("slow", "cpu")}
    found = f"slow {times['slow']} ms a frame, cpu {times['cpu']}"
    assert found in style.provider_reason
    assert style.provider_reason.startswith(f"{faster}: ")
    closed = [s for s in seen if s is not style]
    with pytest.raises(StylizerError, match="closed"):
        closed[0].style(inspection.textured_frame(SIZE))
    style.close()


def test_a_slow_provider_is_not_timed_for_long(monkeypatch, tmp_path):
    style = open_style(Settings(provider="cpu"), str(tiny.painter(tmp_path / "m.onnx")), SIZE)
    styled, count = style.style, []

    def slow(frame):
        count.append(frame)
        return replace(styled(frame), infer_ms=700.0)

    monkeypatch.setattr(style, "style", slow)
    assert opening._frame_ms(style, SIZE) >= 700
    assert len(count) == 2
    style.close()


def test_a_check_tells_the_size_that_it_timed():
    """Not that of the comparison with the CPU, which comes after."""
    found = inspection.check("mosaic-fast", Settings(provider="gl"), SIZE, runs=1)
    assert found["inference_size"] == list(SIZE)
    assert found["psnr_against_cpu_db"] > 30


def test_no_notice_on_stdout_or_stderr(tmp_path):
    """ONNX Runtime's own fallback notices never reach the user; our sentence does."""
    path = tiny.painter(tmp_path / "m.onnx")
    code = (
        "import sys;from stylizer.settings import Settings;"
        "from stylizer.style.opening import open_style;"
        f"open_style(Settings(), {str(path)!r}, (48, 32)).close();"
        f"open_style(Settings(provider='cpu'), {str(path)!r}, (48, 32)).close()"
    )
    env = os.environ | {"ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER": "1"}  # its drivers print a lot
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_plugin_without_a_device_says_so_each_time(tmp_path, monkeypatch):
    """Each try registered the plugin anew, and ONNX Runtime's refusal became the reason."""
    registered: list[str] = []

    def register(name: str, path: str) -> None:
        if name in registered:
            raise RuntimeError(f"EP library is already registered under {name}")
        registered.append(name)

    plugin = SimpleNamespace(get_ep_name=lambda: "Nothing", get_library_path=lambda: "nothing.so")
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_webgpu", plugin)
    monkeypatch.setattr(webgpu, "_plugin", lru_cache(webgpu._plugin.__wrapped__))
    monkeypatch.setattr(providers, "is_installed", lambda row: True)
    monkeypatch.setattr(webgpu.ort, "register_execution_provider_library", register)
    path = tiny.painter(tmp_path / "m.onnx")
    for _ in range(2):
        with pytest.raises(providers.ProviderProblem, match="plugin offers no device"):
            providers.build_session(providers.PROVIDERS["webgpu"], path.read_bytes())


@pytest.mark.parametrize("device", [None, "cpu"])
def test_io_binding_gives_what_a_plain_run_gives(tmp_path, device):
    path = tiny.painter(tmp_path / "m.onnx")
    session = providers.build_session(providers.PROVIDERS["cpu"], path.read_bytes())
    bound = Binding(session, device, ["picture"], lambda b: b.copy_outputs_to_cpu()[0])
    rng = np.random.default_rng(3)
    for height in (16, 16, 24):
        picture = rng.uniform(0, 255, (1, 3, height, 32)).astype(np.float32)
        expected = np.asarray(session.run(None, {"picture": picture})[0])
        assert np.array_equal(bound(picture), expected)


class Divided:
    """A session whose operators run in two places."""

    def __init__(self, kinds: dict[str, list[str]]) -> None:
        self.kinds = kinds

    def get_provider_graph_assignment_info(self) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(ep_name=name, get_nodes=lambda k=k: [SimpleNamespace(op_type=k)])
            for name, kinds in self.kinds.items()
            for k in kinds
        ]


def test_operators_that_are_left_to_the_cpu_are_told():
    left = ["Pad", "Shape", "Pad", "Cast", "Gather"]
    told = left_to_the_cpu(
        Divided({"CUDAExecutionProvider": ["Conv"] * 15, "CPUExecutionProvider": left})
    )
    assert told == ", 5 of 20 operators on the CPU (Pad, Shape, Cast ...)"
    assert left_to_the_cpu(Divided({"CUDAExecutionProvider": ["Conv"]})) == ""


def test_the_cpus_own_session_leaves_nothing(tmp_path):
    path = tiny.painter(tmp_path / "m.onnx")
    session = providers.build_session(providers.PROVIDERS["cpu"], path.read_bytes())
    assert sum(len(p.get_nodes()) for p in session.get_provider_graph_assignment_info()) > 0
    assert left_to_the_cpu(session) == ""


def test_webgpu_says_what_it_leaves_to_the_cpu():
    """On a software device: see scripts/gpu_proof.py."""
    if not works("webgpu"):
        pytest.skip("onnxruntime-ep-webgpu with a device is not there")
    style = open_style(Settings(provider="webgpu"), "mosaic-small", (64, 48))
    style.close()
    assert re.search(r", \d+ of \d+ operators on the CPU \(", style.provider_reason)


@pytest.mark.parametrize("name", ["mosaic-fast", "mosaic-fast-fp16"])
def test_the_files_for_gpus_have_no_operator_that_webgpu_leaves_to_the_cpu(name):
    """SpaceToDepth and a 1x1 convolution are exported as one 4x4 convolution of stride 4."""
    path = catalog.resolve(name, "webgpu").path
    assert path is not None
    nodes = onnx.load(str(path)).graph.node
    assert "SpaceToDepth" not in {node.op_type for node in nodes}
    first = next(n for n in nodes if n.op_type == "Conv")
    assert [a.ints[:] for a in first.attribute if a.name == "strides"] == [[4, 4]]


def test_wrong_provider_for_a_session_is_noticed(tmp_path):
    """A row whose session turns out to be another provider's is a problem, not a fallback."""
    row = providers.Provider("pretend", "CUDAExecutionProvider", "pip install nothing")
    if not providers.is_installed(row) or works("cuda"):
        pytest.skip("needs onnxruntime-gpu on a machine without a GPU")
    path = tiny.painter(tmp_path / "m.onnx")
    with pytest.raises(providers.ProviderProblem, match="built CPUExecutionProvider instead"):
        providers.build_session(row, path.read_bytes())


def test_threads_are_physical_cores():
    assert providers.session_options().intra_op_num_threads == providers.physical_cores() >= 1
