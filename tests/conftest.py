"""Fixtures that several tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flat_clips import COLORS, Clip, flat, write_video
from parts_of_desktops import pipewire_alone
from PIL import Image
from sway_desktop import SwayDesktop, enter
from x_display import managed, x_server
from x_game import RED, Game
from x_overlay import Overlay

from stylizer.compose.compositor import Compositor
from stylizer.settings import Settings

# One thread for PyTorch, here and in what the tests start: the networks are tiny, and
# threads that wait for each other on busy cores took one training from 3 s to 300.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A suite that a shell started in the background inherits an ignored SIGINT, and so would every
# program it tests.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def no_settings_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the user's own settings file, in this process or another, or leaves
    anything in the user's own folders."""
    for name in ("VIDEOS", "PICTURES"):
        os.environ[f"XDG_{name}_DIR"] = str(tmp_path_factory.mktemp(name.title()))
    os.environ["STYLIZER_SETTINGS"] = str(tmp_path_factory.mktemp("settings") / "settings.toml")
    os.environ["STYLIZER_STYLES"] = str(tmp_path_factory.mktemp("styles"))
    os.environ["STYLIZER_VETTED"] = str(tmp_path_factory.mktemp("vetted"))


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


@pytest.fixture(scope="module", params=["no manager", "openbox", "icewm"])
def each_manager(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A display of a file's own, since a window manager leaves its properties on the root.

    icewm starts programs by keys, Ctrl+Alt+B among them where there is xdg-open: not here.
    """
    config = tmp_path_factory.mktemp("icewm")
    (config / "keys").touch()
    manager = request.param
    if manager == "no manager":
        with x_server() as display:
            yield display
        return
    with managed(manager, ICEWM_PRIVCFG=str(config)) as display:
        yield display


@pytest.fixture(scope="module")
def pipewire() -> Iterator[SwayDesktop]:
    """A PipeWire of a file's own, without a desktop."""
    with pipewire_alone() as running:
        yield running


@pytest.fixture
def beside_pipewire(pipewire: SwayDesktop, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    """PipeWire, and this process beside it."""
    return enter(pipewire, monkeypatch)


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
def overlay(game, xvfb: str) -> Iterator[Callable[..., Overlay]]:
    """Opens an overlay that covers the red game."""
    opened: list[Overlay] = []

    def open_overlay(**changes: object) -> Overlay:
        opened.append(Overlay(xvfb, replace(Settings(present="overlay"), **changes)))  # type: ignore[arg-type]
        opened[-1].until(opened[-1].covers)
        return opened[-1]

    yield open_overlay
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
