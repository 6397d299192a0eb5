"""The camera, on a real PipeWire: a program that looks at it reads the pictures back."""

from __future__ import annotations

import ctypes as c
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from sway_desktop import SwayDesktop, pipewire_alone
from whole_program import ROOT, fails

from stylizer.present import virtual_camera
from stylizer.present.virtual_camera import NAME, VirtualCamera
from stylizer.source.synthetic import read_frame_number
from stylizer.source.wayland.pipewire import VideoStream
from stylizer.system import pods
from stylizer.system.pipewire import AUTOCONNECT, INPUT, MAP_BUFFERS, Buffer, Stream

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PipeWire")
desktop = [pytest.mark.desktop, linux]
SIZE = (320, 180)
RED, GREEN, BLUE, GRAY = (200, 30, 40), (30, 180, 60), (40, 60, 220), (128, 128, 128)
WAIT_S = 30.0
Color = tuple[int, int, int]


@pytest.fixture(scope="module")
def pipewire() -> Iterator[SwayDesktop]:
    with pipewire_alone() as running:
        yield running


@pytest.fixture
def here(pipewire: SwayDesktop, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    """PipeWire, and this process beside it."""
    return enter(pipewire, monkeypatch)


def enter(pipewire: SwayDesktop, monkeypatch: pytest.MonkeyPatch) -> SwayDesktop:
    for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, pipewire.env[name])
    return pipewire


@pytest.fixture
def open_camera(here: SwayDesktop) -> Iterator[Callable[..., VirtualCamera]]:
    cameras = []

    def opened(size: tuple[int, int] = SIZE) -> VirtualCamera:
        cameras.append(VirtualCamera(size))
        return cameras[-1]

    yield opened
    for camera in cameras:
        camera.close()


def plain(color: Color, size: tuple[int, int] = SIZE) -> np.ndarray:
    pixels = np.full((size[1], size[0], 4), 255, np.uint8)
    pixels[..., :3] = color
    return pixels


def four(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A color in each quarter: red, green; blue, gray."""
    pixels, (width, height) = plain(RED, size), size
    pixels[: height // 2, width // 2 :, :3] = GREEN
    pixels[height // 2 :, : width // 2, :3] = BLUE
    pixels[height // 2 :, width // 2 :, :3] = GRAY
    return pixels


def quarters(rgb: np.ndarray) -> list[tuple[int, ...]]:
    """Colors in the middle of each quarter."""
    height, width = rgb.shape[:2]
    places = [(y, x) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [tuple(map(int, rgb[y, x, :3])) for y, x in places]


def until(take: Callable[[], Any]) -> Any:
    """The first that is something."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if one := take():
            return one
        time.sleep(0.02)
    raise AssertionError(f"not within {WAIT_S:.0f} s")


def listed() -> dict[str, Any] | None:
    """The camera, as programs find it; None: there is none."""
    done = subprocess.run(["pw-dump"], capture_output=True, text=True, check=True, timeout=20)
    for one in json.loads(done.stdout):
        info = one.get("info") or {}
        if (info.get("props") or {}).get("node.name") == "stylizer.camera":
            return {"id": one["id"], **info}
    return None


@contextmanager
def looking(here: SwayDesktop) -> Iterator[VideoStream]:
    """A program that looks at the camera, in RGB."""
    node = until(listed)["id"]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(here.runtime / "pipewire-0"))
    stream = VideoStream(connection.detach(), node)
    try:
        yield stream
    finally:
        stream.close()


def seen(stream: VideoStream, good: Callable[[np.ndarray], bool] = lambda _: True) -> np.ndarray:
    def one() -> np.ndarray | None:
        picture = stream.take(0.5)
        assert not stream.broken, stream.broken
        assert picture is None or picture.order == "RGBA"
        return picture.pixels if picture is not None and good(picture.pixels) else None

    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if (pixels := one()) is not None:
            return pixels
    raise AssertionError("no such picture came")


class Webcam420(Stream):
    """A program that takes only I420, as browsers do."""

    def __init__(self, size: tuple[int, int], node: int) -> None:
        self.size, self.told, self.newest = size, b"", None
        super().__init__(None)
        formats = [pods.offered_formats(size, (60,))[0]]
        self._open("media.type=Video", INPUT, node, AUTOCONNECT | MAP_BUFFERS, formats)

    def _on_format(self, param: bytes) -> list[bytes]:
        self.told = param
        return pods.wanted_buffers()

    def _on_process(self, _: int) -> None:
        address = self._pw.pw_stream_dequeue_buffer(self._stream)
        if address:
            data = Buffer.from_address(address).buffer.contents.datas[0]
            self.newest = c.string_at(data.data, data.chunk.contents.size)
            self._pw.pw_stream_queue_buffer(self._stream, address)

    def rgb(self) -> np.ndarray:
        width, height = self.size
        planes = np.frombuffer(self.newest or b"", np.uint8).reshape(height * 3 // 2, width)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        return frame.to_ndarray(
            format="rgb24", src_colorspace=Colorspace.ITU601, src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )  # fmt: skip


def on_pipewire(function: Callable) -> Callable:
    for mark in desktop:
        function = mark(function)
    return function


@on_pipewire
def test_programs_list_it_as_a_camera(open_camera):
    open_camera()
    node = until(listed)
    props = node["props"]
    assert props["media.class"] == "Video/Source"
    assert props["media.role"] == "Camera", "else the portal does not give it to browsers"
    assert props["node.description"] == NAME
    formats = until(lambda: (listed() or {}).get("params", {}).get("EnumFormat"))
    assert {f["format"] for f in formats} == {"I420", "RGBx"}
    assert {f["framerate"]["num"] for f in formats} == {30, 60}
    assert all(f["size"] == {"width": 320, "height": 180} for f in formats)


@on_pipewire
def test_its_pictures_are_right_and_steady(here, open_camera):
    open_camera().add(four())
    with looking(here) as stream:
        pixels = seen(stream)
        assert pixels.shape == (180, 320, 4)
        assert quarters(pixels) == [RED, GREEN, BLUE, GRAY]
        assert (pixels[..., :3] == four()[..., :3]).all()
        times = []
        while len(times) < 40:
            if picture := stream.take(1.0):
                times.append(picture.at_s)
    between_ms = np.diff(times) * 1000
    assert np.median(between_ms) == pytest.approx(1000 / 30, rel=0.15), "although nothing is new"


@on_pipewire
def test_a_program_that_takes_420_and_60_a_second(open_camera):
    open_camera().add(four())
    browser = Webcam420(SIZE, until(listed)["id"])
    try:
        until(lambda: browser.newest is not None)
        assert pods.chosen_rate(browser.told) == 60
        assert len(browser.newest or b"") == 320 * 180 * 3 // 2
        colors = quarters(browser.rgb())
    finally:
        browser.close()
    for color, wanted in zip(colors, (RED, GREEN, BLUE, GRAY), strict=True):
        assert color == pytest.approx(wanted, abs=4)


@on_pipewire
def test_who_looks_comes_and_goes(here, open_camera):
    camera = open_camera()
    for color in (RED, GREEN, BLUE):
        camera.add(plain(color))
        with looking(here) as stream, looking(here) as another:
            for one in (stream, another):
                assert quarters(seen(one)) == [color] * 4, "the newest, from the first on"
            camera.add(plain(GRAY))
            for one in (stream, another):
                seen(one, lambda pixels: quarters(pixels) == [GRAY] * 4)
            assert camera._node.is_watched
        until(lambda: not camera._node.is_watched)
    assert camera.failure == ""


@on_pipewire
def test_a_picture_of_another_size_is_letterboxed(here, open_camera):
    camera = open_camera()
    camera.add(plain(RED))
    with looking(here) as stream:
        seen(stream)
        camera.add(plain(GREEN, (180, 180)))
        pixels = seen(stream, lambda pixels: quarters(pixels) != [RED] * 4)
    assert pixels.shape == (180, 320, 4)
    assert tuple(pixels[90, 160, :3]) == GREEN
    assert tuple(pixels[90, 30, :3]) == tuple(pixels[90, 290, :3]) == (0, 0, 0)


@on_pipewire
def test_odd_sides_are_padded(here, open_camera):
    open_camera((321, 181)).add(plain(BLUE, (321, 181)))
    with looking(here) as stream:
        pixels = seen(stream)
    assert pixels.shape == (182, 322, 4)
    assert (pixels[..., :3] == BLUE).all()


@on_pipewire
def test_pipewire_that_ends_is_told_and_the_run_goes_on(monkeypatch):
    with pipewire_alone() as running:
        enter(running, monkeypatch)
        camera = VirtualCamera(SIZE)
        camera.add(plain(RED))
        until(listed)
        running.end_part("pipewire")
        until(lambda: camera.failure)
        camera.add(plain(GREEN))
        camera.close()
        camera.close()
    assert camera.failure == "the camera ended, the picture goes on: PipeWire ended the connection"


@on_pipewire
def test_the_whole_program(here, tmp_path):
    """What a game draws reaches who looks, frame by frame, and the report says so."""
    words = "run --camera --source synthetic --model none --size 640x360 --present offscreen"
    words += " --fps 30 --hud graph --seconds 60 --report r.json"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *words.split()],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with looking(here) as stream:
            numbers = [read_frame_number(seen(stream)) for _ in range(20)]
    finally:
        process.terminate()
        _, error = process.communicate(timeout=30)
    read = [number for number in numbers if number is not None]
    assert len(read) == 20, "the HUD lies over no picture"
    assert read == sorted(read)
    assert read[-1] > read[0]
    assert 'stylizer: the camera "Stylizer" is there, 640x360\n' in error
    assert "Traceback" not in error
    assert json.loads((tmp_path / "r.json").read_text())["camera"] is True


@linux
def test_without_pipewire_one_sentence_says_what_is_needed(capsys, tmp_path, monkeypatch):
    for name in ("XDG_RUNTIME_DIR", "PIPEWIRE_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    argv = ["run", "--camera", "--present", "offscreen", "--frames", "1"]
    fails(capsys, argv, 2, "--camera needs PipeWire", "apt-get install pipewire")


def test_elsewhere_one_sentence_says_that_it_is_not_there(capsys, monkeypatch):
    monkeypatch.setattr(virtual_camera.sys, "platform", "win32")
    argv = ["run", "--camera", "--present", "offscreen", "--frames", "1"]
    fails(capsys, argv, 2, "on Linux", "let OBS capture the window")
