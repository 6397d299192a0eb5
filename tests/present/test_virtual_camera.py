"""The camera, on a real PipeWire: a program that looks at it reads the pictures back."""

from __future__ import annotations

import ctypes as c
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from parts_of_desktops import pipewire_alone
from sway_desktop import SwayDesktop, enter
from whole_program import ROOT, fails

from stylizer.present import virtual_camera
from stylizer.present.virtual_camera import NAME, VirtualCamera
from stylizer.source.synthetic import read_frame_number
from stylizer.system import pods
from stylizer.system.pipewire import AUTOCONNECT, INPUT, MAP_BUFFERS, Buffer, Stream, meta_of

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PipeWire")
desktop = [pytest.mark.desktop, linux]
SIZE = (320, 180)
RED, GREEN, BLUE, GRAY = (200, 30, 40), (30, 180, 60), (40, 60, 220), (128, 128, 128)
WAIT_S = 100.0  # a program's start on a busy machine
Color = tuple[int, int, int]


@pytest.fixture
def open_camera(beside_pipewire: SwayDesktop) -> Iterator[Callable[..., VirtualCamera]]:
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


class Webcam(Stream):
    """A program that looks at the camera, as browsers do; rates: those that it takes."""

    def __init__(self, size: tuple[int, int], rates: tuple[int, ...] = virtual_camera.RATES):
        self.size, self.rate = size, 0.0
        self._planes: bytes | None = None
        self.times: list[int] = []  # of all pictures, ns, as the camera gave them
        super().__init__(None)
        formats = pods.offered_formats(size, rates)
        node = until(listed)["id"]
        self._open("media.type=Video", INPUT, node, AUTOCONNECT | MAP_BUFFERS, formats)

    def __enter__(self) -> Webcam:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def next(self, good: Callable[[np.ndarray], bool] = lambda _: True) -> np.ndarray:
        """The next picture of that kind, RGB."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with self._lock:
                if self._planes is None:
                    self._lock.wait(0.5)
                planes, self._planes = self._planes, None
            assert not self.broken, self.broken
            if planes is not None and good(rgb := self.converted(planes)):
                return rgb
        raise AssertionError("no such picture came")

    def converted(self, data: bytes) -> np.ndarray:
        width, height = self.size
        planes = np.frombuffer(data, np.uint8).reshape(height * 3 // 2, width)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        return frame.to_ndarray(
            format="rgb24", src_colorspace=Colorspace.ITU601, src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )  # fmt: skip

    def _on_format(self, param: bytes) -> list[bytes]:
        order, size = pods.chosen_format(param)
        if (order, size) != (pods.I420, self.size):
            raise ValueError(f"{order}, {size}")
        self.rate = pods.chosen_rate(param)
        return pods.wanted_buffers()

    def _on_process(self, _: int) -> None:
        while address := self._pw.pw_stream_dequeue_buffer(self._stream):
            buffer = Buffer.from_address(address).buffer.contents
            header = meta_of(buffer, pods.HEADER, pods.HEADER_BYTES)
            self.times.append(c.c_int64.from_address(header + 8).value)
            data = buffer.datas[0]
            with self._lock:
                self._planes = c.string_at(data.data, data.chunk.contents.size)
                self._lock.notify_all()
            self._pw.pw_stream_queue_buffer(self._stream, address)


def close_to(seen: np.ndarray, *colors: Color) -> bool:
    """Whether the quarters have these colors, or all of them this one."""
    wanted = colors if len(colors) == 4 else colors * 4
    pairs = zip(quarters(seen), wanted, strict=True)
    return all(abs(a - b) <= 4 for pair in pairs for a, b in zip(*pair, strict=True))


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
    assert {f["format"] for f in formats} == {"I420"}
    assert [f["framerate"]["num"] for f in formats] == [30, 60]
    assert all(f["size"] == {"width": 320, "height": 180} for f in formats)


@on_pipewire
@pytest.mark.parametrize("rate", [30, 60])
def test_its_pictures_are_right_and_steady(open_camera, rate):
    open_camera().add(four())
    with Webcam(SIZE, (rate,)) as program:
        assert close_to(program.next(), RED, GREEN, BLUE, GRAY)
        until(lambda: len(program.times) > rate)  # although nothing is new
        assert program.rate == rate
    between_ms = np.diff(program.times) / 1e6
    assert np.median(between_ms) > 0.85 * 1000 / rate, "no more than were asked for"


@on_pipewire
def test_who_looks_comes_and_goes(open_camera):
    camera = open_camera()
    for color in (RED, GREEN, BLUE):
        camera.add(plain(color))
        with Webcam(SIZE) as program, Webcam(SIZE) as another:
            for one in (program, another):
                # Rarely PipeWire still holds one picture of before.
                assert any(close_to(one.next(), color) for _ in range(2)), "the newest at once"
            camera.add(plain(GRAY))
            for one in (program, another):
                one.next(lambda rgb: close_to(rgb, GRAY))
            assert camera._node.is_watched
        until(lambda: not camera._node.is_watched)
    assert camera.failure == ""


@on_pipewire
def test_a_picture_of_another_size_is_letterboxed(open_camera):
    camera = open_camera()
    camera.add(plain(RED))
    with Webcam(SIZE) as program:
        program.next()
        camera.add(plain(GREEN, (180, 180)))
        rgb = program.next(lambda rgb: close_to(rgb, GREEN))
    assert rgb.shape == (180, 320, 3)
    assert rgb[:, :60].max() < 5, "a black bar on the left"
    assert rgb[:, -60:].max() < 5


@on_pipewire
def test_odd_sides_are_padded(open_camera):
    open_camera((321, 181)).add(plain(BLUE, (321, 181)))
    with Webcam((322, 182)) as program:
        rgb = program.next()
    assert abs(rgb.astype(int) - BLUE).max() <= 4, "up to the edges"


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
def test_the_whole_program(beside_pipewire, tmp_path):
    """What a game draws reaches who looks, frame by frame, and the report says so."""
    words = "run --camera --source synthetic --model none --size 640x360 --present offscreen"
    words += " --fps 30 --hud graph --seconds 60 --report r.json"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *words.split()],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with Webcam((640, 360)) as program:
            numbers = [read_frame_number(program.next()) for _ in range(20)]
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
