"""The real loop, headless: counts, lock-step, live drops and duplicates under a slow style."""

import json
import threading
import time

import numpy as np
import pytest
from whole_program import until

from stylizer.app.cli import main
from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, StyledFrame, StyledImage
from stylizer.run.models import ModelBank
from stylizer.run.opened import Opened
from stylizer.run.outputs import Outputs
from stylizer.run.pipeline import run
from stylizer.run.report import make_report
from stylizer.settings import Settings
from stylizer.source.synthetic import read_frame_number
from stylizer.stages import StyleBackend, open_backend

SIZE = (320, 180)
HEADLESS = Settings(
    source="synthetic", present="offscreen", size=SIZE, hud="off", sync=True, provider="cpu"
)


class InvertingStyle(StyleBackend):
    """A style backend that inverts the picture and takes `seconds` for it."""

    model, model_bytes, provider, provider_reason = "invert", 0, "test", "made by the test"

    def __init__(self, seconds: float = 0.0, fail_at: int | None = None) -> None:
        self.seconds, self.fail_at, self.numbers = seconds, fail_at, []
        self.closed = False

    def style(self, frame: Frame) -> StyledFrame:
        if self.fail_at is not None and len(self.numbers) >= self.fail_at:
            raise StylizerError("the test's style broke")
        self.numbers.append(frame.number)
        time.sleep(self.seconds)
        image = StyledImage(np.ascontiguousarray(255 - frame.rgb()))
        return StyledFrame(frame, image, self.model, 0.0, self.seconds * 1000, time.perf_counter())

    def close(self) -> None:
        self.closed = True


def settings(**changes: object) -> Settings:
    from dataclasses import replace

    return replace(HEADLESS, **changes)


def test_lock_step_styles_every_frame_once_in_order():
    style = InvertingStyle()
    result = run(settings(frames=7, warmup=3), style)
    assert style.numbers == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]  # warm-up repeats the first frame
    stats = result.stats
    assert (stats.presented, stats.styled, stats.dropped, stats.duplicates) == (7, 7, 0, 0)
    assert stats.warmup == 3
    assert not style.closed  # it was lent


def test_a_report_holds_together():
    report = make_report(run(settings(frames=25), InvertingStyle(0.002)))
    assert report["frames"] == report["styled_frames"] == 25
    assert report["presented_fps"] == pytest.approx(25 / report["seconds"])
    assert report["frame_time_ms"]["p95"] is not None
    assert report["frame_time_ms"]["p99"] is None
    assert report["one_percent_low_fps"] is None
    assert report["size"] == list(SIZE)
    assert report["stage_ms"]["infer"]["p50"] == pytest.approx(2.0)
    assert report["latency_ms"]["p50"] >= 2.0
    assert report["machine"]["gl_renderer"]
    assert set(report["stage_ms"]) == {
        "capture", "preprocess", "infer", "upload", "compose", "present"
    }  # fmt: skip
    json.dumps(report)


def test_live_frames_are_dropped_under_a_slow_style(clip):
    """A video of 15 fps under a style of 5 fps: every frame is either styled or dropped."""
    style = InvertingStyle(0.2)
    result = run(settings(source="video", input=clip.path, sync=False, warmup=1), style)
    stats = result.stats
    assert stats.styled == stats.presented == len(style.numbers) - 1  # less the warm-up
    assert stats.duplicates == 0
    assert stats.dropped > stats.styled
    assert stats.styled + stats.dropped == clip.frames
    assert style.numbers == sorted(style.numbers)


def test_starting_up_is_no_frame_time(monkeypatch):
    """A fast network has warmed up before the presenter is there: its frames are not counted."""
    from stylizer.run import opened

    def slowly(table, kind, *args):
        if kind == "presenter":
            time.sleep(1.0)
        return open_backend(table, kind, *args)

    monkeypatch.setattr(opened, "open_backend", slowly)
    stats = run(settings(sync=False, frames=5, warmup=1), InvertingStyle(0.02)).stats
    assert stats.presented == 5
    assert stats.seconds < 1
    assert stats.frame_time_ms[0] < 1000


def test_a_rendered_source_is_not_read_at_full_rate_for_a_slow_network():
    style = InvertingStyle(0.4)
    run(settings(sync=False, frames=3, warmup=1), style)
    assert max(style.numbers) < 30  # at full rate it would be thousands


def test_a_paced_presenter_repeats_frames_and_says_so():
    result = run(settings(sync=False, fps=50.0, frames=20, warmup=1), InvertingStyle(0.1))
    stats = result.stats
    assert stats.presented == 20
    assert stats.styled + stats.duplicates == 20
    assert stats.duplicates > stats.styled > 0
    assert len(stats.latency_ms) == stats.styled


def test_model_none_shows_the_source_bit_for_bit(tmp_path):
    from PIL import Image

    shot = tmp_path / "shot.png"
    result = run(settings(model="none", frames=3, screenshot=shot))
    assert result.stats.styled == 0
    with Image.open(shot) as image:
        assert read_frame_number(np.asarray(image.convert("RGB"))) == 2


def test_the_bundled_model_runs_and_paints():
    result = run(settings(model="mosaic-small", frames=2, warmup=1))
    assert result.facts["model"] == "mosaic-small"
    assert result.facts["provider"] == "cpu"
    assert result.stats.styled == 2


def test_stops_after_seconds():
    result = run(settings(frames=None, seconds=0.4), InvertingStyle(0.01))
    assert 0.35 < result.stats.seconds < 5
    assert result.stats.presented > 2


@pytest.mark.parametrize("sync", [True, False])
def test_an_error_of_the_style_ends_the_run_with_its_own_message(sync):
    before = threading.active_count()
    with pytest.raises(StylizerError, match="the test's style broke"):
        run(settings(sync=sync, frames=50), InvertingStyle(fail_at=3))
    assert threading.active_count() == before


def test_an_error_of_the_source_ends_the_run_with_its_own_message(tmp_path, clip):
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.path.read_bytes()[: clip.path.stat().st_size * 2 // 3])
    before = threading.active_count()
    with pytest.raises((StylizerError, BadInput), match=r"cut\.mp4"):
        run(settings(source="video", input=cut), InvertingStyle())
    assert threading.active_count() == before


def test_a_missing_model_ends_the_run_and_its_threads():
    before = threading.active_count()
    for sync in (True, False):
        with pytest.raises(BadInput, match="no-such"):
            run(settings(model="no-such-model", sync=sync, frames=3))
    assert threading.active_count() == before


def test_same_seed_same_demo_frames(tmp_path):
    from PIL import Image

    pictures = []
    for name in ("a", "b"):
        run(settings(source="demo", model="none", frames=3, seed=5, output=tmp_path / name))
        files = sorted((tmp_path / name).iterdir())
        assert [f.name for f in files] == ["000001.png", "000002.png", "000003.png"]
        pictures.append([np.asarray(Image.open(f)) for f in files])
    for a, b in zip(*pictures, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_video_keeps_its_frames_rate_and_sound(tmp_path, clip):
    import av

    out = tmp_path / "out.mp4"
    result = run(settings(source="video", input=clip.path, record=out), InvertingStyle())
    assert result.stats.styled == clip.frames
    with av.open(str(out)) as container:
        video = container.streams.video[0]
        assert float(video.average_rate or 0) == pytest.approx(clip.rate, rel=0.05)
        assert container.streams.audio
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(frames) == clip.frames
    for number in (0, clip.frames - 1):
        expected = 255 - np.array(clip.color(number))
        assert np.abs(frames[number].mean(axis=(0, 1)) - expected).max() < 6


def test_images_keep_their_names_and_sizes(tmp_path):
    from PIL import Image

    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (90, 50), (10, 20, 30)).save(folder / "first.png")
    Image.new("RGB", (50, 90), (200, 100, 0)).save(folder / "second.jpg", quality=95)
    run(settings(source="images", input=folder, output=tmp_path / "out"), InvertingStyle())
    first = np.asarray(Image.open(tmp_path / "out" / "first.png"))
    second = np.asarray(Image.open(tmp_path / "out" / "second.png"))
    assert first.shape == (50, 90, 3)
    assert second.shape == (90, 50, 3)
    assert tuple(first[0, 0]) == (245, 235, 225)


def test_the_command_line_writes_the_report(tmp_path, capsys):
    report = tmp_path / "r.json"
    words = "--source synthetic --size 320x180 --present offscreen --sync --frames 4 --model none"
    assert main(["run", *words.split(), "--report", str(report)]) == 0
    data = json.loads(report.read_text())
    assert data["frames"] == 4
    assert data["source"] == "synthetic"
    assert "4 presented" in capsys.readouterr().out


def test_loading_gives_way_to_the_display_where_there_is_one():
    import os
    import sys

    if not sys.platform.startswith("linux"):
        pytest.skip("niceness belongs to the process here")
    seen = {}

    def load(name):
        me = threading.get_native_id()
        seen[name] = os.getpriority(os.PRIO_PROCESS, me)
        return InvertingStyle()

    before = os.getpriority(os.PRIO_PROCESS, 0)
    for name, gives_way in (("alone", False), ("shown", True)):
        bank = ModelBank(load, gives_way=gives_way)
        bank.use(name)
        bank.active()
        bank.close()
    assert seen["alone"] == before
    assert seen["shown"] > before
    assert os.getpriority(os.PRIO_PROCESS, 0) == before, "the display's own thread stays"


def test_a_model_that_takes_over_sees_what_the_last_one_saw():
    """At the frame's own size its first picture would come late, and the next be planned anew."""
    given = settings(model="mosaic-fast")
    opened = Opened(given, None, Outputs(given))
    try:
        first = opened.bank.active()
        first.set_inference_size((96, 64))
        opened.bank.use("ink-fast")
        until(lambda: not opened.bank.loading)
        second = opened.bank.active()
        assert second.model == "ink-fast-int8"
        assert second.inference_size == (96, 64), "it was proven at that size"
        second.set_inference_size((64, 48))
        opened.bank.use("mosaic-fast")
        assert opened.bank.active() is first
        assert first.asked_size == (64, 48)
    finally:
        opened.close()


def test_only_a_model_that_was_asked_for_is_missed():
    """The other tiers are loaded on the quiet: some providers have no way to run them."""

    def load(name):
        if name != "good":
            raise StylizerError("no such thing here")
        return InvertingStyle()

    bank = ModelBank(load)
    bank.use("good")
    bank.active()
    bank.load_also(["bad"])
    deadline = time.monotonic() + 20
    while bank._wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bank.take_failures() == []
    bank.use("bad")
    while bank._wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bank.take_failures() == ["bad: no such thing here"]
    assert bank.loading == ""
    bank.close()
