"""Every source keeps the contract of stages.Source; then what the synthetic one promises."""

from __future__ import annotations

import importlib.util
import io
import itertools
import time

import numpy as np
import pytest
from flat_clips import flat
from PIL import Image
from source_frames import frames_of

from stylizer.frame import IDLE
from stylizer.settings import Settings
from stylizer.source.synthetic import SyntheticSource, read_frame_number
from stylizer.stages import SOURCES, open_backend

LIVE = {"window", "screen"}  # in lock-step too they may have nothing yet
ASKING = {"portal", "wlroots", "pipewire"}  # want a desktop or PipeWire: tests/source/wayland
EXISTING = [
    name
    for name, row in SOURCES.items()
    if importlib.util.find_spec(row.module) and name not in ASKING
]


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("name", EXISTING)
def test_contract(name: str, sync: bool, settings_for) -> None:
    source = open_backend(SOURCES, "source", name, settings_for(name, sync))
    try:
        assert source.capture_method
        assert source.frame_rate is None or source.frame_rate > 0
        announced, frames, reads = source.size, [], 0
        while len(frames) < 3:
            reads += 1
            assert reads < 5000
            frame = source.read(IDLE)
            assert frame is not None or not sync or name in LIVE
            frames += [frame] if frame else []
        assert frames[0].number == 0
        assert frames[0].size == announced
        assert all(a.number < b.number for a, b in itertools.pairwise(frames))
        assert all(0 <= time.perf_counter() - f.captured_at < 60 for f in frames)
        if sync:
            assert [f.number for f in frames] == [0, 1, 2]
    finally:
        source.close()
        source.close()


@pytest.mark.parametrize("name", EXISTING)
def test_kept_frames_are_not_overwritten(name: str, settings_for) -> None:
    """A frame stays as it was while later ones are read: threads keep several at once."""
    source = open_backend(SOURCES, "source", name, settings_for(name, True))
    try:
        first = None
        while first is None:
            first = source.read(IDLE)
            assert first is not None or name in LIVE
        copy = first.pixels.copy()
        source.read(IDLE)
        source.read(IDLE)
        assert np.array_equal(first.pixels, copy)
    finally:
        source.close()


# ---- synthetic ----


def test_synthetic_is_deterministic_by_seed_and_number() -> None:
    def pixels(seed: int) -> list[np.ndarray]:
        source = SyntheticSource(Settings(size=(320, 180), seed=seed))
        return [f.pixels for f in frames_of(source, 5)]

    one, again, other = pixels(1), pixels(1), pixels(2)
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[0], one[1])


@pytest.mark.parametrize("size", [(160, 90), (640, 360), (853, 481)])
def test_synthetic_number_reads_back(size: tuple[int, int]) -> None:
    source = SyntheticSource(Settings(size=size))
    for number in (0, 1, 2, 255, 256, 4711, 999_999, (1 << 24) - 1):
        assert read_frame_number(source.draw(number)) == number


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_synthetic_number_survives_scaling_and_jpeg(scale: float) -> None:
    picture = Image.fromarray(SyntheticSource(Settings(size=(640, 360))).draw(77_123)[:, :, :3])
    file = io.BytesIO()
    picture.resize((round(640 * scale), round(360 * scale))).save(file, "JPEG", quality=25)
    assert read_frame_number(np.array(Image.open(file))) == 77_123


def test_synthetic_number_is_refused_where_there_is_none() -> None:
    random = np.random.default_rng(0)
    assert read_frame_number(flat((640, 360), (0, 0, 0))) is None
    assert read_frame_number(flat((640, 360), (255, 255, 255))) is None
    assert read_frame_number(random.integers(0, 256, (360, 640, 3), np.uint8)) is None
    damaged = SyntheticSource(Settings(size=(640, 360))).draw(5)
    damaged[:20, 128:144] = 255 - damaged[:20, 128:144]  # one cell turned over
    assert read_frame_number(damaged) is None


def test_synthetic_moves_smoothly_and_is_rich() -> None:
    source = SyntheticSource(Settings(size=(320, 180)))
    first, second = source.draw(10), source.draw(11)
    lower = slice(60, 70)  # below the digits, above the pane
    assert np.array_equal(first[lower, 3:, :3][1:], second[lower, :-3, :3][:-1])
    colors = np.unique(first[:, :, :3].reshape(-1, 3), axis=0)
    assert len(colors) > 300
