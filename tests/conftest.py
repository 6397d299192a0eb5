"""Fixtures that several tests share: a small video with sound, and a display of our own."""

from __future__ import annotations

import ctypes as c
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.container.output import OutputContainer
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from PIL import Image
from sway_desktop import SwayDesktop, enter

from stylizer.compose.compositor import Compositor
from stylizer.settings import Settings
from stylizer.system.foreign import Signatures, declare
from stylizer.system.x11 import Display

# Flat colors whose BT.709 and BT.601 readings differ by 20 of 255 and more.
COLORS = ((200, 40, 40), (40, 180, 60), (30, 80, 210), (220, 200, 40), (128, 128, 128))

# One thread for PyTorch, here and in what the tests start: the networks are tiny, and
# threads that wait for each other on busy cores took one training from 3 s to 300.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A suite that a shell started in the background inherits an ignored SIGINT, and so would every
# program it tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@pytest.fixture(scope="session", autouse=True)
def no_settings_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the user's own settings file, in this process or another, or leaves
    anything in the user's own folders."""
    for name in ("VIDEOS", "PICTURES"):
        os.environ[f"XDG_{name}_DIR"] = str(tmp_path_factory.mktemp(name.title()))
    os.environ["STYLIZER_SETTINGS"] = str(tmp_path_factory.mktemp("settings") / "settings.toml")
    os.environ["STYLIZER_STYLES"] = str(tmp_path_factory.mktemp("styles"))
    os.environ["STYLIZER_VETTED"] = str(tmp_path_factory.mktemp("vetted"))


@dataclass(frozen=True)
class Clip:
    """A generated video: frame n is filled with COLORS[n % 5]."""

    path: Path
    frames: int = 30
    rate: int = 15
    size: tuple[int, int] = (160, 96)

    def color(self, number: int) -> tuple[int, int, int]:
        """RGB of frame `number`."""
        return COLORS[number % len(COLORS)]


def flat(size: tuple[int, int], color: tuple[int, int, int]) -> np.ndarray:
    """uint8 (height, width, 3) filled with one RGB color."""
    return np.full((size[1], size[0], 3), color, np.uint8)


def write_video(
    path: Path,
    pictures: list[np.ndarray],
    *,
    rate: int = 15,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    colorspace: int = 1,
    color_range: int = 1,
    tagged: bool = True,
    times: list[int] | None = None,
    rotation: int = 0,
    sound: str | None = None,
    container_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode RGB pictures; times are time stamps in 1/1000 s, else frame n is at n / rate.

    colorspace, color_range: libavutil's numbers (1 BT.709, 5 BT.601; 1 limited, 2 full).
    """
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = pictures[0].shape[1], pictures[0].shape[0]
        stream.pix_fmt = pix_fmt
        unit = Fraction(1, 1000) if times else Fraction(1, rate)
        stream.time_base = stream.codec_context.time_base = unit
        if tagged:
            stream.codec_context.colorspace = colorspace
            stream.codec_context.color_range = color_range
        if rotation:
            stream.set_display_rotation(rotation)
        tone = _add_tone(container, sound) if sound else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            if not pix_fmt.startswith(("rgb", "bgr", "gbr")):
                frame = frame.reformat(
                    format=pix_fmt,
                    src_color_range=2,
                    dst_colorspace=colorspace,
                    dst_color_range=color_range,
                    interpolation=EXACT,
                )
            frame.pts, frame.time_base = (times[number] if times else number), unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _write_tone(container, tone, len(pictures) / rate)
    return path


def _add_tone(container: OutputContainer, codec: str) -> AudioStream:
    stream = container.add_stream(codec, rate=48000)
    assert isinstance(stream, AudioStream)
    stream.layout = "mono"
    return stream


def _write_tone(container: OutputContainer, stream: AudioStream, seconds: float):
    """A 440 Hz sine at half volume."""
    rate, block = 48000, stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format, stream.layout, rate)
    for start in range(0, int(seconds * rate), block):
        phase = np.arange(start, start + block) * (2 * np.pi * 440 / rate)
        samples = (np.sin(phase) * 16000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for converted in resampler.resample(frame):
            container.mux(stream.encode(converted))
    container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A 2 s H.264 video of known flat colors with a sine tone (AAC)."""
    made = Clip(tmp_path_factory.mktemp("clip") / "clip.mp4")
    pictures = [flat(made.size, made.color(n)) for n in range(made.frames)]
    # The index stands in front, so that a cut-off copy can still be opened.
    fast = {"movflags": "faststart"}
    write_video(made.path, pictures, rate=made.rate, sound="aac", container_options=fast)
    return made


@pytest.fixture(scope="session")
def xvfb() -> Iterator[str]:
    """The DISPLAY of an X server of our own, 1280x800; skips where Xvfb is not installed."""
    with x_server() as display:
        yield display


@contextmanager
def x_server(*options: str) -> Iterator[str]:
    """The DISPLAY of an Xvfb that ends with the block; skips where Xvfb is not installed."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed")
    read_fd, write_fd = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb",
            "-noreset",
            "-displayfd",
            str(write_fd),
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
            *options,
        ],
        pass_fds=[write_fd],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write_fd)
    try:
        with os.fdopen(read_fd) as answer:  # Xvfb writes the number once it accepts connections
            number = answer.readline().strip()
        if not number:
            pytest.fail("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def wait_for_manager(name: str | None = None) -> None:
    """Until a window manager runs on a display (DISPLAY unless named), and takes windows.

    openbox says that it runs before it does: now and then a window opened at once was never mapped
    (3 of some 100 runs on a busy machine), and SDL waits for that without end.
    """
    display, deadline = Display(name), time.monotonic() + 30
    declare(display.x, SIMPLE_WINDOW)
    while not (display.numbers(display.root, "_NET_SUPPORTING_WM_CHECK") and is_managed(display)):
        assert time.monotonic() < deadline, "the window manager did not start"
        time.sleep(0.01)
    display.close()


SIMPLE_WINDOW: Signatures = {
    "XCreateSimpleWindow": (
        c.c_ulong, [c.c_void_p, c.c_ulong, c.c_int, c.c_int, c.c_uint, c.c_uint, c.c_uint,
                    c.c_ulong, c.c_ulong]),
    "XDestroyWindow": (c.c_int, [c.c_void_p, c.c_ulong]),
}  # fmt: skip


def is_managed(display: Display) -> bool:
    """Whether a window that is opened now is taken by a manager, by its WM_STATE (ICCCM 4.1.3.1),
    which must also let it go again."""
    window = display.x.XCreateSimpleWindow(display.pointer, display.root, 0, 0, 9, 9, 0, 0, 0)
    display.x.XMapWindow(display.pointer, window)
    deadline = time.monotonic() + 0.5
    while not (taken := display.numbers(window, "WM_STATE")) and time.monotonic() < deadline:
        time.sleep(0.01)
    display.x.XDestroyWindow(display.pointer, window)
    while display.numbers(display.root, "_NET_CLIENT_LIST") and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(taken)


@contextmanager
def managed(manager: str, **env: str) -> Iterator[str]:
    """The DISPLAY of an Xvfb on which this window manager runs; skips where it is not installed."""
    if not shutil.which(manager):
        pytest.skip(f"{manager} is not installed")
    with x_server() as display:
        process = subprocess.Popen(
            [manager],
            env=os.environ | {"DISPLAY": display} | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_manager(display)
            yield display
        finally:
            process.terminate()
            process.wait()


VGG_SHAPES = {
    0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128), 10: (256, 128), 12: (256, 256),
    14: (256, 256), 17: (512, 256), 19: (512, 512), 21: (512, 512),
}  # fmt: skip


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory) -> Path:
    """The shapes of VGG-16 with He-initialized weights: enough to train toward."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(0)
    weights = {}
    for index, (out, inp) in VGG_SHAPES.items():
        scale = (2 / (inp * 9)) ** 0.5
        weight = torch.randn((out, inp, 3, 3), generator=generator) * scale
        weights[f"features.{index}.weight"] = weight.half()
        weights[f"features.{index}.bias"] = torch.zeros(out).half()
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    save_file(weights, str(path))
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """A folder of four small pictures to train on."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i in range(4):
        coarse = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC).save(
            folder / f"{i}.png"
        )
    return folder


RED = (200, 30, 40)


class Game:
    """One painted window."""

    def __init__(self, title: str, place: tuple[int, int, int, int], color: tuple) -> None:
        script = Path(__file__).with_name("painted_window.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), title, *map(str, (*place, *color))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"SDL_VIDEODRIVER": "x11"},
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        time.sleep(0.2)

    def tell(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def heard(one: Game) -> list[str]:
    """The clicks and keys that a game got so far."""
    assert one.process.stdout is not None
    pipe, said = one.process.stdout.fileno(), getattr(one, "said", "")
    while select.select([pipe], [], [], 0)[0] and (data := os.read(pipe, 4096)):
        said += data.decode()
    one.said = said  # type: ignore[attr-defined]
    return said.splitlines()


@pytest.fixture
def game(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Game]]:
    """Opens painted windows on a display of the tests' own."""
    monkeypatch.setenv("DISPLAY", xvfb)
    opened: list[Game] = []

    def open_game(title="Red Game", place=(40, 30, 200, 120), color=RED) -> Game:
        opened.append(Game(title, place, color))
        return opened[-1]

    yield open_game
    for one in opened:
        one.close()


@pytest.fixture
def settings_for(
    clip: Clip, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[str, bool], Settings]:
    """Settings with which each source has something to read, in lock-step or not."""

    def make(name: str, sync: bool) -> Settings:
        if name == "window":
            request.getfixturevalue("game")(title="Contract")
            return Settings(source=name, window="Contract", sync=sync)
        if name == "screen":
            request.getfixturevalue("game")(title="Contract")  # at (40, 30), 200x120
            return Settings(source=name, region=(40, 30, 200, 120), sync=sync)
        if name == "video":
            return Settings(source=name, input=clip.path, sync=sync)
        if name == "images":
            for number in range(3):
                Image.fromarray(flat((40, 30), COLORS[number])).save(tmp_path / f"{number}.png")
            return Settings(source=name, input=tmp_path, sync=sync)
        return Settings(source=name, size=(160, 96), sync=sync)

    return make


@pytest.fixture(params=[False, True], ids=["packed", "planes"])
def compositor(request: pytest.FixtureRequest) -> Iterator[Compositor]:
    """On the offscreen presenter of a file's own, by both ways that planes are packed."""
    context = request.getfixturevalue("presenter").context
    compositor = Compositor(context, planar_on_gpu=request.param)
    yield compositor
    compositor.release()
    assert context.error == "GL_NO_ERROR"


@pytest.fixture
def on_sway(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    """The desktop of a file's own, and this process on it."""
    return enter(request.getfixturevalue("desktop"), monkeypatch)
