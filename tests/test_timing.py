"""Frame-time statistics against numpy, from a recorded series."""

import numpy as np
import pytest

from stylizer.timing import (
    FrameStats,
    RollingWindow,
    fps,
    frame_time_summary,
    one_percent_low_fps,
    p50_p99,
)

# 1,200 frame times of a real run of the demo scene (ms), thinned to their shape: two plateaus and
# a few stalls; kept as a formula so that the file stays readable.
RECORDED = [16.6 + 0.4 * ((i * 37) % 11) + (25.0 if i % 150 == 149 else 0.0) for i in range(1200)]


def test_summary_equals_numpy():
    summary = frame_time_summary(RECORDED)
    for name, q in (("p50", 50), ("p95", 95), ("p99", 99), ("p99_9", 99.9)):
        assert summary[name] == pytest.approx(np.percentile(RECORDED, q))
    assert summary["mean"] == pytest.approx(np.mean(RECORDED))
    assert summary["stdev"] == pytest.approx(np.std(RECORDED))
    assert summary["max"] == max(RECORDED)


@pytest.mark.parametrize(
    ("count", "missing"),
    [
        (0, {"mean", "p50", "p95", "p99", "p99_9", "max", "stdev"}),
        (19, {"p95", "p99", "p99_9"}),
        (20, {"p99", "p99_9"}),
        (99, {"p99", "p99_9"}),
        (100, {"p99_9"}),
        (999, {"p99_9"}),
        (1000, set()),
    ],
)
def test_percentiles_are_refused_on_few_frames(count, missing):
    summary = frame_time_summary(RECORDED[:count])
    assert {name for name, value in summary.items() if value is None} == missing


def test_one_percent_low_is_refused_on_few_frames():
    assert one_percent_low_fps(RECORDED[:999], 1000) is None
    assert one_percent_low_fps(RECORDED, 1000) == pytest.approx(1000 / np.percentile(RECORDED, 99))
    assert one_percent_low_fps(RECORDED[:99], 100) is None
    assert one_percent_low_fps(RECORDED[:100], 100) is not None


def test_average_fps_is_frames_over_time_not_a_mean_of_fps():
    stats = FrameStats(started_at=10.0)
    for now in (10.1, 10.2, 11.0):
        stats.present(now, captured_at=now - 0.05, new_styled=True, new=True)
    assert fps(stats.presented, stats.seconds) == pytest.approx(3.0)
    assert stats.frame_time_ms == pytest.approx([100, 100, 800])
    assert stats.latency_ms == pytest.approx([50, 50, 50])


def test_duplicates_count_as_presented_but_not_styled():
    stats = FrameStats(started_at=0.0)
    stats.present(0.1, 0.0, new_styled=True, new=True)
    stats.present(0.2, 0.0, new_styled=False, new=False)
    assert (stats.presented, stats.styled, stats.duplicates) == (2, 1, 1)
    assert len(stats.latency_ms) == 1


def test_no_fps_before_time_has_passed():
    assert fps(0, 0.0) is None
    assert p50_p99([]) == {"p50": None, "p99": None}
    assert p50_p99([1.0] * 99) == {"p50": 1.0, "p99": None}


def test_rolling_window_forgets_the_old_but_shows_slow_rates():
    window = RollingWindow(span_s=1.0)
    assert window.fps(0.0) is None
    for i in range(61):
        window.add(i / 60)
    assert window.fps(1.0) == pytest.approx(60, rel=0.02)
    window.add(4.0)
    window.add(7.0)
    assert window.fps(7.0) == pytest.approx(1 / 3)
