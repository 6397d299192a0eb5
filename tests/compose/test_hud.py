"""The HUD's pixels: where it draws, that it stays readable, that it is cheap to draw again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from drawn_hud import BRIGHT, DARK, DATA, covered, drawn
from imgui_bundle import imgui

from stylizer.compose import hud as hud_module
from stylizer.compose import more_fonts
from stylizer.compose.hud import Hud, HudData
from stylizer.compose.pen import Pen
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.present.window import WindowPresenter
from stylizer.settings import Settings
from stylizer.system.fontconfig import font_with


def test_off_draws_nothing_and_lays_nothing_out(presenter: OffscreenPresenter, hud: Hud) -> None:
    pixels = drawn(presenter, hud, replace(DATA, mode="off"))
    assert (pixels == BRIGHT).all()
    assert hud.layouts == 0


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (1920, 1080)])
@pytest.mark.parametrize("mode", ["fps", "graph"])
def test_the_panel_is_at_the_top_left_and_off_the_middle(
    presenter: OffscreenPresenter, hud: Hud, mode: str, size: tuple[int, int]
) -> None:
    presenter.resize(size)
    left, top, right, bottom = covered(drawn(presenter, hud, replace(DATA, mode=mode)))
    assert 0 < left < 20
    assert 0 < top < 20
    assert right < size[0] / 2
    assert bottom < size[1]
    assert bottom < 100 or mode == "graph"


@pytest.mark.parametrize("gray", [BRIGHT, DARK, 128])
@pytest.mark.parametrize("mode", ["fps", "graph"])
def test_text_contrasts_with_the_panel_on_any_picture(
    presenter: OffscreenPresenter, hud: Hud, mode: str, gray: int
) -> None:
    pixels = drawn(presenter, hud, replace(DATA, mode=mode), gray)
    left, top, right, bottom = covered(pixels, gray)
    panel = pixels[top + 8 : bottom - 8, left + 8 : right - 8].mean(axis=2)
    assert np.median(panel) < 60
    assert (panel > 200).mean() > 0.005


@pytest.mark.parametrize("size", [(1280, 720), (640, 360)])
def test_the_gpus_time_is_a_line_of_the_graph(
    presenter: OffscreenPresenter, hud: Hud, size: tuple[int, int]
) -> None:
    presenter.resize(size)
    *_, bottom = covered(drawn(presenter, hud, DATA))
    shared = ("every 2nd frame", "keeps 87% of its 44 fps")
    gpu_ms = {"infer": 0.9, "compose": 0.31}
    more = replace(DATA, gpu_ms=gpu_ms, target_text="60 fps", shared=shared)
    other = Hud(presenter.context, 1.0)  # the first one's text stays a while
    *_, lower = covered(drawn(presenter, other, more))
    other.release()
    assert bottom < lower or size[1] < 400
    assert lower < size[1]


def test_everything_fits_at_twice_the_dpi(presenter: OffscreenPresenter, hud: Hud) -> None:
    once = covered(drawn(presenter, hud, DATA))
    presenter.resize((2560, 1440))
    hud.scale = 2.0
    twice = covered(drawn(presenter, hud, DATA))
    assert np.abs(np.array(twice) - 2 * np.array(once)).max() <= 4


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 180)])
def test_help_is_centered_and_inside(
    presenter: OffscreenPresenter, hud: Hud, size: tuple[int, int]
) -> None:
    presenter.resize(size)
    left, top, right, bottom = covered(drawn(presenter, hud, replace(DATA, show_help=True)))
    assert left > 0
    assert top > 0
    assert abs((left + right) - size[0]) <= 3
    assert abs((top + bottom) - size[1]) <= 3


def test_a_message_shows_without_the_panel(presenter: OffscreenPresenter, hud: Hud) -> None:
    data = replace(DATA, mode="off", message="model original is loading…")
    left, top, right, bottom = covered(drawn(presenter, hud, data))
    assert abs((left + right) - 1280) <= 3
    assert 600 < top < bottom < 720
    data = replace(data, message="a very long message " * 40)
    left, _, right, _ = covered(drawn(presenter, hud, data))
    assert left > 0
    assert right < 1280


def test_recording_has_its_sign_at_the_top_right(presenter: OffscreenPresenter, hud: Hud) -> None:
    data = replace(DATA, mode="fps", recording=True, recorded_s=71)
    pixels = drawn(presenter, hud, data)
    corner = pixels[:60, 1000:].astype(int)
    assert ((corner[..., 0] > 200) & (corner[..., 1] < 130)).sum() > 40  # the red dot


def test_few_frames_and_no_values_are_no_error(presenter: OffscreenPresenter, hud: Hud) -> None:
    for series in ([], [16.0], [16.0] * 5, [0.0] * 300):
        drawn(
            presenter, hud, replace(HudData(mode="graph"), frame_time_ms=series, model=str(series))
        )
    assert hud.layouts == 4


def test_both_fonts_have_every_sign_that_is_used(hud: Hud) -> None:
    signs = "·–—×…←↑→↓°µ≤%/[](),.:+éüß" + "".join(text for _, text in DEFAULT_KEYS.values())
    assert hud._surface is not None
    hud._surface.use()
    for font in (hud._surface.fonts.regular, hud._surface.fonts.bold):
        assert [sign for sign in signs if not font.is_glyph_in_font(ord(sign))] == []


def test_layouts_are_rare_but_follow_the_user_at_once(
    presenter: OffscreenPresenter, hud: Hud, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(hud_module.time, "perf_counter", lambda: clock[0])
    first = drawn(presenter, hud, DATA)
    for step in range(60):  # one second at 60 fps, another number each frame
        clock[0] = 100.0 + step / 60
        drawn(presenter, hud, replace(DATA, presented_fps=float(step)))
    assert 8 <= hud.layouts <= 11
    clock[0] += 1
    assert np.array_equal(drawn(presenter, hud, DATA), first)
    before = hud.layouts
    assert np.array_equal(drawn(presenter, hud, DATA), first)  # drawn again from what is there
    assert hud.layouts == before
    drawn(presenter, hud, replace(DATA, mode="fps"))
    drawn(presenter, hud, replace(DATA, mode="fps", message="hello"))
    presenter.resize((800, 600))
    drawn(presenter, hud, replace(DATA, mode="fps", message="hello"))
    assert hud.layouts == before + 3


def test_numbers_change_four_times_a_second(
    presenter: OffscreenPresenter, hud: Hud, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(hud_module.time, "perf_counter", lambda: clock[0])
    data = replace(DATA, mode="fps")
    first = drawn(presenter, hud, data)
    clock[0] = 100.15
    assert np.array_equal(drawn(presenter, hud, replace(data, presented_fps=11.1)), first)
    clock[0] = 100.3
    assert not np.array_equal(drawn(presenter, hud, replace(data, presented_fps=11.1)), first)


def test_two_huds_do_not_mix_and_release_twice_is_fine(presenter: OffscreenPresenter) -> None:
    one, other = Hud(presenter.context, 1.0), Hud(presenter.context, 1.5)
    first = drawn(presenter, one, DATA)
    second = drawn(presenter, other, DATA)
    assert not np.array_equal(first, second)
    other.release()
    other.release()
    assert np.array_equal(drawn(presenter, one, replace(DATA, presented_fps=59.8)), first)
    drawn(presenter, other, DATA)  # after its end: nothing
    one.release()


def test_the_framebuffers_alpha_stays(presenter: OffscreenPresenter, hud: Hud) -> None:
    drawn(presenter, hud, DATA)
    raw = np.frombuffer(presenter.framebuffer.read(components=4), np.uint8).reshape(-1, 4)
    assert (raw[:, 3] == 255).all()


def test_a_window_shows_the_same_pixels(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setenv("DISPLAY", xvfb)
    for kind in (OffscreenPresenter, WindowPresenter):
        presenter = kind(Settings(), (640, 360))
        hud = Hud(presenter.context, 1.0)
        shown.append(drawn(presenter, hud, DATA).astype(int))
        hud.release()
        presenter.close()
    assert np.abs(shown[0] - shown[1]).max() <= 2


def test_the_hud_needs_no_pygame() -> None:
    code = "import stylizer.compose.hud, sys; sys.exit('pygame' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert imgui.get_version() >= "1.92"


def test_wrapped_text_loses_nothing(hud: Hud) -> None:
    found: list[list[str]] = []

    def lay_out() -> None:
        pen = Pen(imgui.get_background_draw_list(), hud._surface.fonts, 1.0)  # type: ignore
        found.extend(pen.wrapped(text, 120) for text in ("a b", "word " * 9, "x" * 99, "", "i"))
        assert all(pen.width(line) <= 120 for lines in found for line in lines)

    assert hud._surface is not None
    hud._surface.lay_out((640, 360), 0.1, lay_out)
    assert found[0] == ["a b"]
    assert " ".join(found[1]).split() == ["word"] * 9
    assert "".join(found[2]) == "x" * 99
    assert found[3:] == [[""], ["i"]]


def test_a_long_name_is_broken_behind_its_hyphens(hud: Hud) -> None:
    found: list[list[str]] = []

    def lay_out() -> None:
        pen = Pen(imgui.get_background_draw_list(), hud._surface.fonts, 1.0)  # type: ignore
        name = "rembrandt-fast-int8"
        found.append(pen.wrapped(name, pen.width("rembrandt-fast-in") + 1))
        found.append(pen.wrapped("a-" + "x" * 40, pen.width("a-" + "x" * 30) + 1))

    assert hud._surface is not None
    hud._surface.lay_out((640, 360), 0.1, lay_out)
    assert found == [["rembrandt-fast-", "int8"], ["a-" + "x" * 30, "x" * 10]]


@pytest.mark.parametrize("words", [("日日日", "本本本"), ("ああ", "ゆゆ"), ("가가", "힣힣")])
def test_signs_of_other_scripts_are_those_of_a_font_of_the_system(
    presenter: OffscreenPresenter, hud: Hud, words: tuple[str, str]
) -> None:
    """What no font has is drawn as one and the same mark."""
    if any(font_with(word[0]) is None for word in words):
        pytest.skip("no font here has them: fonts-noto-cjk")
    data = replace(DATA, mode="off")
    one, other = (drawn(presenter, hud, replace(data, message=f"saved {word}")) for word in words)
    assert (one != other).any(axis=2).sum() > 30
    again = drawn(presenter, hud, replace(data, message=f"saved {words[0]}"))
    assert (again == one).all()


def test_a_sign_that_no_font_has_is_told_once(
    presenter: OffscreenPresenter, hud: Hud, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(more_fonts, "_told", set())
    monkeypatch.setattr(more_fonts, "font_with", lambda sign: None)
    for message in ("日", "本"):
        drawn(presenter, hud, replace(DATA, message=message))
    said = capsys.readouterr().err
    assert said.count("no font here has") == 1
    assert "fonts-noto-cjk" in said
