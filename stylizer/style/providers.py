"""ONNX Runtime's providers, OpenVINO and our shaders: how each is built, proven and installed.

A provider counts only when the session that was really built says so: onnxruntime-gpu lists CUDA
on every machine and falls back to the CPU with a notice. ONNX Runtime's own notices are silenced;
the reason is found out here instead and goes into one sentence. TensorRT is no row: it wants
libraries that no package brings, and its engines take minutes to build for each size.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import onnxruntime as ort
import psutil

from stylizer.errors import BadInput, StylizerError
from stylizer.style import webgpu
from stylizer.style.reasons import first_line
from stylizer.system.installed import GL_LIBRARIES
from stylizer.system.nvidia import DRIVER_NEEDED, nvidia_driver

_EXTRA = 'pip install "stylizer[cuda]"'  # the driver is there: CUDA and cuDNN, some 2 GB, are not
_NVIDIA = f"install the NVIDIA driver {DRIVER_NEEDED} or newer, then {_EXTRA}"
MEMORY_SHARE = 0.5  # of a GPU that a game draws on, too


class ProviderProblem(StylizerError):
    """A provider that cannot be built here; the message is the reason, without a full stop. fix:
    what helps against this reason, where that is not the row's `install`."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


class WrongModel(ProviderProblem):
    """A model that a provider cannot run, whatever is installed."""


@dataclass(frozen=True)
class Provider:
    """One row of the table. `session_name` is what a built session calls it."""

    name: str
    session_name: str
    install: str
    platforms: tuple[str, ...] = ("linux", "win32", "darwin")
    auto: bool = True  # False: only when named
    gpu: bool = True
    device: str | None = None  # OrtValue device for IOBinding; None binds CPU memory
    options: Callable[[], dict[str, Any]] = dict
    backend: str = "ort"  # row of stages.STYLES
    software: bool = True  # whether a renderer on the CPU will do
    plans: bool = False  # a new size is worth a session of its own, see sizes.py
    capture: str = ""  # option that records the work of a frame, see captured.py
    page_locked: bool = False  # frames and pictures lie in such memory, see page_locked.py
    rgba_output: bool = False  # RGBA pixels come out of the graph, see wrapping.py
    timed: bool = False  # `auto` takes it only where it is faster than the next one that works


def _cuda_options() -> dict[str, Any]:
    # HEURISTIC picks convolution algorithms in milliseconds; the default, EXHAUSTIVE, times every
    # one of them for each new shape.
    options = {"cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"}
    driver = nvidia_driver()
    # A session's own limit; beyond it a model fails and goes on on the CPU, and the game keeps its.
    limit = int(driver.memory_bytes * MEMORY_SHARE) if driver else 0
    return options | ({"gpu_mem_limit": str(limit)} if limit else {})


def _coreml() -> dict[str, Any]:
    return {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}


_ROWS = (
    Provider(
        "cuda",
        "CUDAExecutionProvider",
        _NVIDIA,
        ("linux", "win32"),
        device="cuda",
        options=_cuda_options,
        plans=True,
        capture="enable_cuda_graph",
        page_locked=True,
    ),
    Provider(
        "directml",
        "DmlExecutionProvider",
        # The newest; the others are at 1.31, and 1.24.4 of those runs all that we ask of it.
        "pip uninstall -y onnxruntime-gpu onnxruntime && pip install onnxruntime-directml==1.24.4",
        ("win32",),
    ),
    # On any vendor's GPU, the slowest in a notebook among them, and on a software one.
    Provider(
        "webgpu",
        "WebGpuExecutionProvider",
        'pip install "stylizer[webgpu]"',
        capture="enableGraphCapture",
        rgba_output=True,  # it lays tensors out that way: for planes, the CPU would turn its bytes
        timed=True,
    ),
    Provider(
        "coreml", "CoreMLExecutionProvider", "pip install onnxruntime", ("darwin",), options=_coreml
    ),
    Provider(
        "openvino", "openvino", 'pip install "stylizer[openvino]"', gpu=False, backend="openvino"
    ),
    Provider(
        "gl",
        "",
        f"install the graphics driver; on Debian {GL_LIBRARIES}",
        backend="gl",
    ),
    Provider("cpu", "CPUExecutionProvider", "pip install onnxruntime", gpu=False),
)
PROVIDERS: dict[str, Provider] = {row.name: row for row in _ROWS}


def candidates(name: str) -> list[Provider]:
    """The rows to try, best first. Raises BadInput for an unknown name."""
    if name == "auto":
        return [row for row in _ROWS if row.auto and sys.platform in row.platforms]
    row = PROVIDERS.get(name)
    if row is None:
        raise BadInput(
            f"there is no provider {name!r}; choose auto or one of {', '.join(PROVIDERS)}"
        )
    if sys.platform not in row.platforms:
        raise BadInput(
            f"provider {name!r} exists on {' and '.join(row.platforms)} only; use --provider auto"
        )
    return [row]


def is_installed(row: Provider) -> bool:
    """Whether the package is there at all; whether it works is only known from a session."""
    if row.name == "gl":
        return True  # moderngl is always there
    if row.name == "openvino":
        return importlib.util.find_spec("openvino") is not None
    if row.name == "webgpu":
        return importlib.util.find_spec("onnxruntime_ep_webgpu") is not None
    return row.session_name in ort.get_available_providers()


def session_options() -> ort.SessionOptions:
    """Threads for a program whose display and capture threads need the cores too."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = physical_cores()
    # A spinning pool keeps every core busy between frames, and the compositor waits for one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The pattern allocates one block for all activations beside the arena of the first run: with
    # our small layout at 1280x720 621 MB instead of 478, the original 1154 instead of 866, and
    # 352 ms a run instead of 351 (640x360, interleaved). DirectML cannot use it at all.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options


def physical_cores() -> int:
    """Physical cores that this process may use (at least 1)."""
    process = psutil.Process()
    allowed = len(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else None
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return max(1, min(cores, allowed or cores))


def build_session(row: Provider, model: bytes, capture: bool = False) -> ort.InferenceSession:
    """A session of a serialized model on this provider, or ProviderProblem with the reason.

    Nodes that the provider lacks run on the CPU, as ONNX Runtime does it; not with capture, for
    which see captured.py.
    """
    if not is_installed(row):
        raise ProviderProblem("not installed")
    ort.set_default_logger_severity(4)
    if row.name == "cuda":
        _load_cuda()
    try:
        options = row.options() | ({row.capture: "1"} if capture else {})
        session = (_webgpu_session if row.name == "webgpu" else _session)(row, model, options)
    except ProviderProblem:
        raise
    except Exception as error:  # each provider raises classes of its own
        raise ProviderProblem(first_line(error)) from error
    built = session.get_providers()[0]
    if built != row.session_name:
        missing = _missing_library(row.name)
        raise ProviderProblem(
            missing or f"ONNX Runtime built {built} instead", _EXTRA if missing else ""
        )
    session.disable_fallback()
    return session


def _session(row: Provider, model: bytes, given: dict[str, Any]) -> ort.InferenceSession:
    providers: list[Any] = [(row.session_name, given)]
    if row.name != "cpu":
        providers.append("CPUExecutionProvider")
    options = session_options()
    if row.name == "directml":  # it supports no other
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    return ort.InferenceSession(model, options, providers=providers, enable_fallback=0)


def _webgpu_session(row: Provider, model: bytes, given: dict[str, Any]) -> ort.InferenceSession:
    session = webgpu.session(model, session_options(), given)
    if session is None:
        raise ProviderProblem("the WebGPU plugin offers no device")
    return session


def _load_cuda() -> None:
    """Find CUDA as pip installs it. Raises ProviderProblem without a driver and a GPU for it.

    Without this look ONNX Runtime would load 250 MB of provider only to fall back in silence.
    """
    driver = nvidia_driver()
    if driver is None:
        raise ProviderProblem("no NVIDIA driver was found")
    if driver.unfit:
        raise ProviderProblem(driver.unfit, driver.fix)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints; what is missing shows below
        ort.preload_dlls()


def _missing_library(name: str) -> str | None:
    """Why ONNX Runtime could not load its provider library, from the system's loader."""
    if sys.platform not in ("linux", "win32") or name != "cuda":
        return None
    folder = Path(ort.__file__).parent / "capi"
    pattern = (
        "onnxruntime_providers_{}.dll"
        if sys.platform == "win32"
        else "libonnxruntime_providers_{}.so"
    )
    try:
        ctypes.CDLL(str(folder / pattern.format("shared")))
        ctypes.CDLL(str(folder / pattern.format(name)))
    except OSError as error:
        return first_line(error)
    return None


def not_built(row: Provider, problem: ProviderProblem) -> BadInput:
    """The error for a provider the user named."""
    if isinstance(problem, WrongModel):
        return BadInput(
            f"{problem}; name an integer fast model (STYLE-fast), or use --provider cpu"
        )
    fix = problem.fix or row.install
    return BadInput(f"no {row.name} session could be built ({problem}); to fix it: {fix}")


def chosen_because(row: Provider, asked: str, problems: dict[str, ProviderProblem]) -> str:
    """The reason in words for HUD and report; `problems`: of better providers."""
    if asked != "auto":
        return f"{row.name}: asked for"
    reasons = [f"no {name} session could be built ({p})" for name, p in problems.items()]
    return f"{row.name}: {'; '.join(reasons) or 'the best provider installed here'}"


def package_conflict() -> str | None:
    """A warning with the pip line when several onnxruntime packages are installed at once."""
    names = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
    found = []
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            metadata.version(name)
            found.append(name)
    return conflict_text(found)


def conflict_text(found: list[str]) -> str | None:
    """The warning for these installed packages; None when there is at most one."""
    if len(found) < 2:
        return None
    keep = next(name for name in (*found[1:], found[0]) if name != "onnxruntime")
    return (
        f"{' and '.join(found)} are installed together and overwrite each other's files; "
        f"run: pip uninstall -y {' '.join(found)} && pip install {keep}"
    )
