"""A node of PipeWire by its name: one of gamescope's kind, among cameras, on a real PipeWire."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from drawn_frames import is_what_was_drawn, next_frame
from gamescope_node import GamescopeNode
from sway_desktop import SwayDesktop
from whole_program import fails, until

from stylizer.app.cli import main
from stylizer.frame import IDLE
from stylizer.settings import Settings
from stylizer.source.synthetic import SyntheticSource, burn_time, read_age_ms, read_frame_number
from stylizer.source.wayland.node import NodeSource
from stylizer.stages import SourceEnded
from stylizer.system.pipewire_nodes import video_nodes

pytestmark = [
    pytest.mark.desktop,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PipeWire"),
]
SIZE = (320, 180)


class Game:
    """The node, and a thread that draws into it, 60 times a second, number and time burned in."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self.size, self.draws = size, True
        self._node = GamescopeNode(size, name)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def with_modifier(self) -> bool:
        return self._node.with_modifier

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._node.close()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(1 / 60):
            if self.draws:
                picture = SyntheticSource(Settings(size=self.size)).draw(number)
                pixels = np.ascontiguousarray(picture[:, :, [2, 1, 0, 3]])
                burn_time(pixels, time.perf_counter())
                self._node.show(pixels)
                number += 1


@pytest.fixture
def game(beside_pipewire: SwayDesktop) -> Iterator[Callable[..., Game]]:
    games: list[Game] = []

    def opened(name: str = "gamescope", size: tuple[int, int] = SIZE) -> Game:
        games.append(Game(name, size))
        until(lambda: any(node.name == name for node in video_nodes()), f"{name} is not listed")
        return games[-1]

    yield opened
    for one in games:
        one.close()


@pytest.fixture
def source(beside_pipewire: SwayDesktop) -> Iterator[Callable[..., NodeSource]]:
    sources: list[NodeSource] = []

    def opened(node: str = "gamescope") -> NodeSource:
        sources.append(NodeSource(Settings(source="pipewire", node=node)))
        return sources[-1]

    yield opened
    for one in sources:
        one.close()
        one.close()


def test_frames_are_what_it_drew_and_another_size_is_followed(game, source, capsys):
    game("another", (200, 120))
    shown, captured = game(), source()
    assert captured.capture_method.endswith("node gamescope")
    frames, ages = [], []
    while len(frames) < 40:
        frames.append(next_frame(captured, is_what_was_drawn))
        ages.append(read_age_ms(frames[-1].rgb(), time.perf_counter()))
    assert not shown.with_modifier, "DMA-BUF was not asked for"
    numbers = [read_frame_number(frame.rgb()) or 0 for frame in frames]
    assert numbers == sorted(set(numbers))
    assert captured.size == frames[-1].size == SIZE
    with capsys.disabled():
        p50, p99 = np.percentile(ages, [50, 99])
        print(f"\na node of PipeWire, drawn to captured: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    for size in ((400, 240), SIZE):
        shown.size = size
        frame = next_frame(captured, lambda f, s=size: f.size == s and is_what_was_drawn(f))
        assert frame.size == captured.size


def test_a_still_one_gives_no_frames_and_its_end_is_said(game, source, capsys):
    shown, captured = game(), source()
    next_frame(captured, is_what_was_drawn)
    shown.draws = False
    time.sleep(0.3)
    while captured.read(IDLE) is not None:
        pass
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert captured.read(IDLE) is None
    shown.draws = True
    next_frame(captured, is_what_was_drawn)
    shown.close()
    with pytest.raises(SourceEnded, match="has ended"):
        next_frame(captured, lambda _: False)
    assert "has ended" in capsys.readouterr().err


def test_the_whole_program_paints_it(game, tmp_path):
    game()
    report = tmp_path / "r.json"
    argv = ["run", "--source", "pipewire", "--model", "mosaic-fast", "--provider", "cpu"]
    argv += ["--present", "offscreen", "--frames", "5", "--report", str(report)]
    assert main(argv) == 0
    found = json.loads(report.read_text())
    assert found["source"] == "pipewire"
    assert found["size"] == list(SIZE)
    assert found["styled_frames"] >= 5


def test_a_node_that_is_not_there_is_said_and_no_other_is_taken(game, capsys, monkeypatch):
    game("another")
    argv = ["run", "--source", "pipewire", "--model", "none", "--present", "offscreen"]
    fails(capsys, argv, 2, "no video node 'gamescope'", "another")
    fails(capsys, ["run", "--source", "demo", "--node", "x"], 2, "--node", "pipewire")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    fails(capsys, argv, 1, "is it running?")
