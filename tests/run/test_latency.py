"""Frames with number and time burned in, through a real window and the whole loop: nothing comes
out of order, and the times tell one story. Speed is measured in bench/capture_latency.py."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stylizer.run.outputs import Outputs
from stylizer.run.pipeline import Given, Run
from stylizer.settings import Settings
from stylizer.source.synthetic import SyntheticSource, burn_time, read_age_ms, read_frame_number

ROOT = Path(__file__).parents[2]
TITLE = "Numbered frames"
GRAB_MS = 16.0  # far more than a grab of 320x180 takes on a busy machine, less than a frame


@pytest.fixture
def numbered(xvfb: str, monkeypatch: pytest.MonkeyPatch):
    """The synthetic picture in a window of another process, 60 frames a second."""
    monkeypatch.setenv("DISPLAY", xvfb)
    script = Path(__file__).parents[1] / "synthetic_window.py"
    process = subprocess.Popen(
        [sys.executable, str(script), TITLE, "20", "20", "320", "180", "60"],
        stdout=subprocess.PIPE, text=True,
        env=os.environ | {"SDL_VIDEODRIVER": "x11", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11 only")
def test_no_frame_is_shown_out_of_order_and_times_agree(numbered):
    settings = Settings(
        source="window", window=TITLE, model="none", present="offscreen", frames=90, hud="off"
    )
    numbers, captured_late, presented_late = [], [], []
    last = None
    with Run(settings, Given(), Outputs(settings)) as active:
        while active.step():
            shown = active.shown
            if shown is None or shown is last or shown.warmup:
                continue
            last, frame = shown, shown.styled.frame
            numbers.append(read_frame_number(frame.rgb()))
            captured_late.append(read_age_ms(frame.rgb(), frame.captured_at))
            presented_late.append(read_age_ms(frame.rgb(), active.stats.last_at))
        latencies = active.result(None).stats.latency_ms
    assert len(numbers) >= 90
    assert None not in numbers + captured_late + presented_late, "every code is read"
    assert all(a <= b for a, b in itertools.pairwise(numbers)), "never backwards"
    assert len(set(numbers)) > 80, "hardly a picture twice"
    # A grab is stamped when it begins: what the game draws before the pixels are copied is in it
    # already; a busy machine may stop one in its middle. 0.2 ms: codes are rounded to 0.1 ms.
    assert np.quantile(captured_late, 0.1) > -GRAB_MS, "captured after it was drawn"
    assert statistics.median(captured_late) > 0
    assert all(age > -0.2 for age in presented_late), "presented after it was drawn"
    assert all(c <= p for c, p in zip(captured_late, presented_late, strict=True))
    assert all(ms > 0 for ms in latencies)


@pytest.mark.parametrize("size", [(160, 96), (320, 180), (1280, 720)])
def test_a_burned_time_is_read_to_a_tenth_of_a_millisecond(size):
    pixels = SyntheticSource(Settings(size=size)).draw(1234)
    for at in (0.0, 12.3456, 1677.7, 1_000_000.25):
        burn_time(pixels, at)
        assert read_frame_number(pixels) == 1234
        for later in (0.0, 0.0167, 2.5, -0.004):
            age = read_age_ms(pixels, at + later)
            assert age is not None
            assert abs(age - later * 1000) <= 0.11
    assert read_age_ms(np.zeros_like(pixels), 1.0) is None
