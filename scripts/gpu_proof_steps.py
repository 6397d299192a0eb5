"""The steps of gpu_proof.py: each gives what json can write, or raises Missing, or fails."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
Size = tuple[int, int]
Result = dict[str, Any]
FAST = "mosaic-fast"
VGG_SHAPES = {
    0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256),
    14: (256, 256), 17: (512, 256), 19: (512, 512), 21: (512, 512),
}  # fmt: skip


GL_FACTS = (
    "GL_VENDOR", "GL_RENDERER", "GL_VERSION", "GL_MAX_TEXTURE_SIZE", "GL_MAX_UNIFORM_BLOCK_SIZE",
    "GL_MAX_DRAW_BUFFERS", "GL_MAX_TEXTURE_IMAGE_UNITS", "GL_MAX_SHADER_STORAGE_BLOCK_SIZE",
    "GL_MAX_COMPUTE_WORK_GROUP_INVOCATIONS",
)  # fmt: skip


class Missing(Exception):
    """What the step needs is not here: nothing was tried."""


class Partly(Exception):
    """Some of it failed; `result` is what was found all the same."""

    def __init__(self, why: str, result: Result) -> None:
        super().__init__(why)
        self.result = result


@dataclass(frozen=True)
class Scale:
    """How much is asked of the machine."""

    small: bool
    rehearse: bool
    vgg: Path | None = None
    slow: bool = False

    @property
    def sizes(self) -> list[Size]:
        if self.slow:
            return [(96, 64)]
        return [(160, 96), (320, 184)] if self.small else [(1280, 720), (1920, 1080), (3840, 2160)]

    @property
    def governed(self) -> list[Size]:
        """Seven sizes that a governor could choose."""
        width, height = self.sizes[0]
        return [(round(width * k / 64) * 8, round(height * k / 64) * 8) for k in range(8, 1, -1)]

    @property
    def frames(self) -> int:
        return 5 if self.small else 100

    @property
    def run_frames(self) -> int:
        return 3 if self.slow else 10 if self.small else 300

    @property
    def run_size(self) -> str:
        return "{}x{}".format(*self.sizes[-1 if self.small else 0])

    @property
    def slower(self) -> Scale:
        """For a provider that takes seconds a frame on a software device."""
        return replace(self, slow=self.small)


# --- the machine ------------------------------------------------------------------------------


def machine(scale: Scale) -> Result:
    import onnxruntime

    from stylizer.app.doctor import examine
    from stylizer.style.gl.thread import GlThread
    from stylizer.system.machine import machine as described

    thread = GlThread()
    try:
        info = thread.run(lambda: dict(thread.context.info))
    finally:
        thread.close()
    return {
        "machine": described(thread.renderer),
        "gl": {name: info.get(name) for name in GL_FACTS},
        "nvidia": nvidia("name,driver_version,memory.total,compute_cap"),
        "onnxruntime": [onnxruntime.__version__, *onnxruntime.get_available_providers()],
        "doctor": [finding.as_dict() for finding in examine()],
    }


def nvidia(what: str) -> str:
    """An answer of nvidia-smi; "" without it."""
    if not shutil.which("nvidia-smi"):
        return ""
    words = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader"]
    return subprocess.run(words, capture_output=True, text=True, timeout=30).stdout.strip()


# --- the shaders ------------------------------------------------------------------------------


def gl_exact(scale: Scale) -> Result:
    """Every bundled fast model at two sizes against whole numbers in numpy, by both variants."""
    from stylizer.settings import Settings
    from stylizer.style import catalog
    from stylizer.style.gl import drawing
    from stylizer.style.opening import open_style

    reference = importlib.import_module("integer_reference")  # tests/, put on the path there
    models = catalog.bundled(own=False)
    names = [m.name for m in models if (m.tier, m.precision) == ("fast", "int8")]
    found: Result = {}
    for name in names[:2] if scale.small else names:
        for size, way in product(((104, 56), (43, 29)), ("fragment", "compute")):
            drawing.fastest = only(way)  # type: ignore[assignment]
            style: Any = open_style(Settings(provider="gl"), name, size)
            try:
                frame = frame_of(size)
                image = style.style(frame).image.rgb()
                feeds = {"input": style._packer.pack(frame), "canvas": style._canvas.tensor}
                wanted = reference.run(catalog.resolve(name, "gl").path, feeds)
                wanted = style._packer.unpack(wanted).rgb()
            finally:
                style.close()
            wrong = np.abs(image.astype(int) - wanted[: size[1], : size[0]])
            found[f"{name} {size[0]}x{size[1]} {way}"] = int(wrong.max())
    if any(found.values()):
        raise RuntimeError(f"the largest difference of a byte: {found}")
    return {"largest_difference": found}


def only(way: str) -> Callable[..., Any]:
    """In place of `variants.fastest`: this variant, whichever is faster."""
    from stylizer.style.gl.network import Network

    return lambda context, steps, *rest: (Network(context, steps, way == "compute"), way)


def gl_variants(scale: Scale) -> Result:
    """Milliseconds of all passes, at each size, by the GPU's own clock."""
    import onnx

    from stylizer.style import catalog
    from stylizer.style.gl.network import Network
    from stylizer.style.gl.reading import read_steps
    from stylizer.style.gl.variants import Trial
    from stylizer.system.gl import standalone_context

    context = standalone_context()
    steps = read_steps(onnx.load(str(catalog.resolve(FAST, "gl").path)))
    both = {way: Network(context, steps, way == "compute") for way in ("fragment", "compute")}
    found: Result = {}
    for size in scale.sizes:
        trial = Trial(context, steps, (size[0] // 4, size[1] // 4))
        times_ms = trial.best_ms(list(both.values()))
        found[f"{size[0]}x{size[1]}"] = {w: round(times_ms[n], 3) for w, n in both.items()}
        trial.release()
    context.release()
    return found


def gl_times(scale: Scale) -> Result:
    """The faster passes; pictures that stay on the GPU, and pictures that are read back."""
    from stylizer.style.gl.thread import GlThread
    from stylizer.system.gl import standalone_context

    context = standalone_context()
    shared = GlThread.beside_current()
    found: Result = {"shared": shared.apart or "yes"}
    try:
        for size in scale.sizes:
            found[f"{size[0]}x{size[1]} on the GPU"] = style_times(scale, "gl", size, shared)
            found[f"{size[0]}x{size[1]} read back"] = style_times(scale, "gl", size)
    finally:
        shared.close()
        context.release()
    return found


def style_times(scale: Scale, provider: str, size: Size, thread: Any = None) -> Result:
    """Milliseconds of a frame through a style backend, packing and copies included."""
    from stylizer.settings import Settings
    from stylizer.style.opening import open_style

    started = time.perf_counter()
    style = open_style(Settings(provider=provider), FAST, size, lambda: thread)
    opened_s = time.perf_counter() - started
    try:
        frame = frame_of(size)
        styled = [style.style(frame) for _ in range(scale.frames + 2)][2:]
        times = spread([s.preprocess_ms + s.infer_ms for s in styled])
        gpu = [s.gpu_ms for s in styled if s.gpu_ms is not None]
        reason = style.provider_reason
    finally:
        style.close()
    opened = {"opened_s": round(opened_s, 2), "model": style.model, "reason": reason}
    return {"ms": times, "gpu_ms": spread(gpu) if gpu else None, **opened}


# --- ONNX Runtime -----------------------------------------------------------------------------

CUDA_KINDS: dict[str, dict[str, str]] = {
    "plain": {},
    "nhwc": {"prefer_nhwc": "1"},
    "graphs": {"enable_cuda_graph": "1"},
    "nhwc, graphs": {"prefer_nhwc": "1", "enable_cuda_graph": "1"},
}
FILES = {
    "fp32": FAST,
    "fp16": f"{FAST}-fp16",
    "int8": f"{FAST}-int8",
    "original": "mosaic-original",
}


class Bound:
    """A session whose inputs and output stay where they are on the device, as graphs need it."""

    def __init__(self, scale: Scale, file: str, size: Size, **options: str) -> None:
        import onnxruntime as ort

        from stylizer.style import catalog, providers, wrapping
        from stylizer.style.canvas import Canvas
        from stylizer.style.contract import Packer
        from stylizer.style.probe import load_model

        row = providers.PROVIDERS["cpu" if scale.rehearse else "cuda"]
        device = "cpu" if scale.rehearse else "cuda"
        if not scale.rehearse:
            given = row.options() | options
            row = replace(row, options=lambda: given)
        path = next(m.path for m in catalog.bundled() if m.name == file)
        self.model, proto = load_model(path)
        try:
            self.session = providers.build_session(row, wrapping.wrap(proto, self.model))
        except providers.ProviderProblem as problem:
            raise Missing(str(problem)) from problem
        packer = Packer(self.model, size, None)
        tensors = [packer.pack(frame_of(size))]
        if self.model.canvas:
            tensors.append(Canvas(self.model, packer.padded).tensor)
        self.tensor = tensors[0].copy()  # a value on the CPU lies in the array it was made from
        values = [ort.OrtValue.ortvalue_from_numpy(t, device, 0) for t in tensors]
        self.given = values[0]
        binding = self.session.io_binding()
        for name, value in zip(wrapping.fed(self.model), values, strict=True):
            binding.bind_ortvalue_input(name, value)
        output = self.session.get_outputs()[0].name
        feeds = dict(zip(wrapping.fed(self.model), tensors, strict=True))
        once: Any = ort.RunOptions()
        once.add_run_config_entry("gpu_graph_id", "-1")  # a graph of it would hold other buffers
        first: Any = self.session.run(None, feeds, once)
        self.wanted, shape = first[0], first[0].shape
        self.result = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, device, 0)
        binding.bind_ortvalue_output(output, self.result)
        self.binding = binding

    def whole(self) -> None:
        """A frame: there, through, back."""
        self.given.update_inplace(self.tensor)
        self.session.run_with_iobinding(self.binding)
        self.result.numpy()

    def check(self) -> None:
        """That a frame comes out as it did without a graph, after another one."""
        self.given.update_inplace(255 - self.tensor)
        self.session.run_with_iobinding(self.binding)
        self.whole()
        worst = int(np.abs(self.result.numpy().astype(int) - self.wanted).max())
        if worst > 1:
            raise RuntimeError(f"a picture differs by {worst} of 255 from the one without a graph")

    def inside(self) -> None:
        self.session.run_with_iobinding(self.binding)


def cuda(kind: str) -> Callable[[Scale], Result]:
    """Every file with some options of the provider."""

    def step(scale: Scale) -> Result:
        found, failed = {}, []
        for told, file in FILES.items():
            for size in scale.sizes[:1] if told == "original" else scale.sizes:
                name = f"{told} {size[0]}x{size[1]}"
                try:
                    bound = Bound(scale, file, size, **CUDA_KINDS[kind])
                    frame = timed(bound.whole, scale.frames)
                    found[name] = {"frame_ms": frame, "run_ms": timed(bound.inside, scale.frames)}
                    bound.check()
                except Missing:
                    raise
                except Exception as error:  # one file that cannot be run leaves the others
                    found[name] = f"{type(error).__name__}: {error}"[:300]
                    failed.append(name)
        if failed:
            raise Partly(f"failed: {', '.join(failed)}", found)
        return found

    return step


def governor(scale: Scale) -> Result:
    """The first and a later run at seven sizes, twice: does a size seen again plan anew?"""
    found: Result = {}
    from stylizer.settings import Settings
    from stylizer.style.opening import open_style

    bound = Bound(scale, FAST, scale.governed[0])
    del bound
    provider = "cpu" if scale.rehearse else "cuda"
    style = open_style(Settings(provider=provider), FAST, scale.governed[0])
    frame = frame_of(scale.governed[0])
    try:
        for turn in ("first", "second"):
            for size in scale.governed:
                style.see(size)
                times = [style.style(frame).infer_ms for _ in range(5)]
                name = f"{turn} {size[0]}x{size[1]}"
                found[name] = {"first_ms": times[0], "later_ms": float(np.median(times[1:]))}
    finally:
        style.close()
    return found


def copies(scale: Scale) -> Result:
    """A picture of four bytes a pixel over the bus and back: OpenGL's way and ONNX Runtime's."""
    from stylizer.system.gl import standalone_context

    context, found = standalone_context(), {}
    for size in scale.sizes:
        pixels = frame_of(size).pixels
        texture = context.texture(size, 4, alignment=1)
        into = np.empty_like(pixels)
        name = f"{size[0]}x{size[1]}"

        def up(texture: Any = texture, pixels: np.ndarray = pixels) -> None:
            texture.write(pixels, alignment=1)
            context.finish()

        found[f"{name} gl up"] = timed(up, scale.frames)
        found[f"{name} gl down"] = timed(
            lambda t=texture, b=into: t.read_into(b, alignment=1), scale.frames
        )
    context.release()
    return found | cuda_copies(scale)


def cuda_copies(scale: Scale) -> Result:
    found: Result = {}
    for size in scale.sizes:
        try:
            bound = Bound(scale, f"{FAST}-int8", size)
        except Missing as reason:
            return {"cuda": str(reason)}
        name = f"{size[0]}x{size[1]}"
        found[f"{name} cuda up"] = timed(
            lambda b=bound: b.given.update_inplace(b.tensor), scale.frames
        )
        found[f"{name} cuda down"] = timed(lambda b=bound: b.result.numpy(), scale.frames)
        found |= {} if scale.rehearse else page_locked_copies(scale, bound, name)
    return found


def page_locked_copies(scale: Scale, bound: Bound, name: str) -> Result:
    """The same by memory that CUDA copies directly, and that what arrives is what was sent."""
    from stylizer.system.page_locked import PageLocked

    memory = PageLocked()
    given = memory.empty(bound.tensor.shape)
    given[...] = bound.tensor
    there, shape = bound.given.data_ptr(), bound.tensor.shape
    found = {
        f"{name} cuda up, page-locked": timed(
            lambda: bound.given.update_inplace(given), scale.frames
        ),
        f"{name} cuda down, page-locked": timed(lambda: memory.fetch(there, shape), scale.frames),
    }
    if not np.array_equal(memory.fetch(there, shape), bound.tensor):
        raise RuntimeError("what came back by page-locked memory is not what was sent")
    return found


def vram(scale: Scale) -> Result:
    """Memory of the GPU with one model loaded, by nvidia-smi."""
    if not nvidia("memory.used") and not scale.rehearse:
        raise Missing("there is no nvidia-smi to ask")
    found: Result = {"before": nvidia("memory.used")}
    for told, file in FILES.items():
        bound = Bound(scale, file, scale.sizes[0])
        bound.whole()
        found[told] = nvidia("memory.used")
        del bound
    return found


def webgpu(scale: Scale) -> Result:
    """Times, and how far its picture is from the CPU's: of the same file, and of the CPU's own."""
    from stylizer.settings import Settings
    from stylizer.style.opening import open_style
    from stylizer.style.providers import PROVIDERS, is_installed
    from stylizer.system.pictures import psnr_db
    from stylizer.system.resources import models_folder

    if not is_installed(PROVIDERS["webgpu"]):
        raise Missing(f"not installed: {PROVIDERS['webgpu'].install}")
    scale = scale.slower
    size, pictures, file = scale.sizes[0], [], FAST
    for provider, name in (("webgpu", FAST), ("cpu", FAST), ("cpu", "the same")):
        style = open_style(Settings(provider=provider), file if name == "the same" else name, size)
        pictures.append(style.style(frame_of(size)).image.rgb())  # type: ignore[union-attr]
        if provider == "webgpu":
            file = str(models_folder() / f"{style.model}.onnx")
        style.close()
    mine, own, same = pictures
    worst = int(np.abs(mine.astype(int) - same).max())
    found: Result = {"psnr_against_cpu_db": psnr_db(mine, own), "largest_difference": worst}
    for size in scale.sizes:
        found["{}x{}".format(*size)] = style_times(scale, "webgpu", size)
    return found


# --- whole runs -------------------------------------------------------------------------------

KEPT = (
    "model", "provider", "provider_reason", "present", "size", "frames", "styled_frames", "seconds",
    "presented_fps", "styled_fps", "frame_time_ms", "stage_ms", "latency_ms", "gpu_ms",
    "peak_rss_mb",
)  # fmt: skip


def run_of(provider: str) -> Callable[[Scale], Result]:
    """A run of the demo in lock-step, off screen, through EGL."""
    words = ["--present", "offscreen", "--sync"]
    slow = provider == "webgpu"
    return lambda scale: reported(scale.slower if slow else scale, provider, words)


def window(scale: Scale) -> Result:
    """The demo in a window, drawn by the shaders."""
    with display() as name:
        return reported(scale, "gl", ["--present", "window"], DISPLAY=name)


def reported(scale: Scale, provider: str, words: list[str], **env: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [*words, "--provider", provider, "--model", FAST, "--size", scale.run_size]
        words += ["--frames", str(scale.run_frames), "--report", str(report)]
        words += ["--warmup", "1"] if scale.slow else []
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "run", *words],
            env=os.environ | env | {"PYTHONPATH": os.pathsep.join(sys.path[:2] + user_path())},
            capture_output=True,
            text=True,
        )
        if done.returncode == 2:
            raise Missing(done.stderr.strip()[-500:])
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()[-1000:]}")
        told = json.loads(report.read_text())
    return {key: told[key] for key in KEPT}


def user_path() -> list[str]:
    return [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]


@contextmanager
def display() -> Iterator[str]:
    """The display that there is, else an Xvfb."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    if not shutil.which("Xvfb"):
        raise Missing("there is no display and no Xvfb")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-noreset"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert server.stdout is not None
        yield f":{server.stdout.readline().decode().strip()}"
    finally:
        server.terminate()
        server.wait()


def training(scale: Scale) -> Result:
    """Steps a second: two trainings from random weights, one longer; the difference counts."""
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    steps = (2, 6) if scale.small else (20, 120)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "content").mkdir()
        for n in range(8):
            Image.fromarray(frame_of((512, 320), n).pixels[..., :3]).save(
                folder / f"content/{n}.png"
            )
        weights = {}
        for index, shape in VGG_SHAPES.items():
            scale_of = (2 / (shape[1] * 9)) ** 0.5
            weights[f"features.{index}.weight"] = torch.randn(*shape, 3, 3) * scale_of
            weights[f"features.{index}.bias"] = torch.zeros(shape[0])
        save_file(weights, str(folder / "vgg.safetensors"))
        vgg = scale.vgg or folder / "vgg.safetensors"
        times = [trained_s(folder, vgg, count, scale.small) for count in steps]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    each = (times[1] - times[0]) / (steps[1] - steps[0])
    return {"device": device, "steps": steps, "seconds": times, "step_ms": round(each * 1000, 1)}


def trained_s(folder: Path, vgg: Path, steps: int, small: bool) -> float:
    words = ["--style", str(folder / "content/0.png"), "--content", str(folder / "content")]
    words += [
        "--arch",
        "small",
        "--vgg",
        str(vgg),
        "--out",
        str(folder / f"made-{steps}-small.onnx"),
    ]
    words += ["--steps", str(steps), "--style-size", "96" if small else "512", "--init", "none"]
    words += ["--batch", "1" if small else "4", "--crop", "64x64" if small else "256x256"]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "train", *words],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-1000:])
    return round(time.perf_counter() - started, 2)


# --- shared -----------------------------------------------------------------------------------


def frame_of(size: Size, seed: int = 0) -> Any:
    """A frame with flat places, edges and noise."""
    from stylizer.frame import Frame

    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size[1] // 16 + 1, size[0] // 16 + 1, 4))
    whole = coarse.repeat(16, 0).repeat(16, 1)[: size[1], : size[0]]
    noisy = np.clip(whole + rng.integers(-20, 21, whole.shape), 0, 255).astype(np.uint8)
    noisy[..., 3] = 255
    return Frame(noisy, "RGBA", time.perf_counter(), 0)


def timed(work: Callable[[], Any], count: int) -> Result:
    """Two runs to warm up, then `count`."""
    times = []
    for _ in range(count + 2):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return spread(times[2:])


def spread(times_ms: list[float]) -> Result:
    p50, p99 = np.percentile(times_ms, (50, 99))
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "count": len(times_ms)}


@dataclass(frozen=True)
class Step:
    run: Callable[[Scale], Result]
    limit_s: float


STEPS: dict[str, Step] = {
    "machine": Step(machine, 60),
    "gl_exact": Step(gl_exact, 60),
    "gl_variants": Step(gl_variants, 60),
    "gl_times": Step(gl_times, 90),
    **{f"cuda {kind}": Step(cuda(kind), 75) for kind in CUDA_KINDS},
    "governor": Step(governor, 60),
    "copies": Step(copies, 45),
    "vram": Step(vram, 45),
    "webgpu": Step(webgpu, 60),
    "window": Step(window, 60),
    **{f"run {name}": Step(run_of(name), 60) for name in ("auto", "gl", "cuda", "webgpu", "cpu")},
    "training": Step(training, 150),
}
