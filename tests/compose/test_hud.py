"""The HUD's pixels: where it draws, that it stays readable, that it is cheap to draw again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from imgui_bundle import imgui

from stylizer.compose import hud as hud_module
from stylizer.compose import more_fonts
from stylizer.compose.hud import Hud, HudData
from stylizer.compose.pen import Pen
from stylizer.frame import Rect
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.present.window import WindowPresenter
from stylizer.settings import HudCorner, HudMode, Settings
from stylizer.system.fontconfig import font_with

DATA = HudData(
    mode="graph",
    presented_fps=59.8,
    styled_fps=23.1,
    frame_time_ms=[16.7, 17.2, 15.9, 40.1] * 60,
    model="mosaic-small",
    provider="cpu",
    provider_reason="no other provider is installed",
    source="demo",
    capture_method="rendered, read back",
    present="offscreen",
    present_reason="llvmpipe",
    size=(1280, 720),
    inference_size=(640, 360),
    stage_ms={"capture": 6.2, "preprocess": 2.4, "infer": 41.0, "upload": 0.1, "present": None},
    latency_ms=63.0,
    bindings=tuple(DEFAULT_KEYS.values()),
)
BRIGHT, DARK = 255, 0


@pytest.fixture
def presenter() -> Iterator[OffscreenPresenter]:
    presenter = OffscreenPresenter(Settings(), (1280, 720))
    yield presenter
    assert presenter.context.error == "GL_NO_ERROR"
    presenter.close()


@pytest.fixture
def hud(presenter: OffscreenPresenter) -> Iterator[Hud]:
    hud = Hud(presenter.context, 1.0)
    yield hud
    hud.release()


def drawn(
    presenter: OffscreenPresenter | WindowPresenter, hud: Hud, data: HudData, gray: int = BRIGHT
) -> np.ndarray:
    """The HUD over a plain picture, RGB."""
    presenter.framebuffer.use()
    presenter.framebuffer.clear(gray / 255, gray / 255, gray / 255, 1.0)
    hud.draw(presenter.framebuffer, data)
    return presenter.read_back()


def covered(pixels: np.ndarray, gray: int = BRIGHT) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what differs from the plain picture."""
    rows, columns = np.nonzero((pixels != gray).any(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


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
    more = replace(DATA, gpu_ms={"infer": 0.9, "compose": 0.31}, held="60 fps", shared=shared)
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


@pytest.mark.parametrize("mode", ["fps", "graph"])
@pytest.mark.parametrize("corner", get_args(HudCorner))
def test_it_stands_in_any_corner(
    presenter: OffscreenPresenter, hud: Hud, mode: HudMode, corner: HudCorner
) -> None:
    usual = covered(drawn(presenter, hud, replace(DATA, mode=mode)))
    placed = covered(drawn(presenter, hud, replace(DATA, mode=mode, corner=corner)))
    width, height = usual[2] - usual[0], usual[3] - usual[1]
    left = 1280 - usual[0] - width if corner.endswith("right") else usual[0]
    top = 720 - usual[1] - height if corner.startswith("bottom") else usual[1]
    assert np.abs(np.array(placed) - (left, top, left + width, top + height)).max() <= 1
    recording = replace(DATA, mode=mode, corner=corner, recording=True)
    both = drawn(presenter, hud, recording)
    red = (both[:40, :, 0] > 200) & (both[:40, :, 1] < 130) & (both[:40, :, 2] < 130)
    dot = np.nonzero(red)[1]
    assert dot.max() < 60 if corner == "top-right" else dot.min() > 1100


FULL = replace(
    DATA, precision="int8", provider="openvino", capture_method="X11 window (XComposite, MIT-SHM)",
    provider_reason="no cuda session could be built (no CUDA-capable device is detected), the "
    "fastest of cpu 8.2 ms and openvino 5.1 ms",
    held="60 fps wanted, network at 25%: smaller is no faster",
    shared=("every 2nd frame", "keeps 86% of its 44 fps"),
    blended=("40% great-wave-fast-int8", "9.0 + 11.4 ms"),
)  # fmt: skip


@pytest.mark.parametrize("size", [(160, 120), (320, 180), (640, 360), (2560, 1440)])
@pytest.mark.parametrize("mode", ["fps", "graph"])
@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 1.0), (0.3, 0.7)])
def test_it_stands_where_it_was_dragged_to_whole_at_any_size(
    presenter: OffscreenPresenter,
    hud: Hud,
    size: tuple[int, int],
    mode: HudMode,
    place: tuple[float, float],
) -> None:
    presenter.resize(size)
    usual = covered(drawn(presenter, hud, replace(FULL, mode=mode)))
    assert (np.array(usual) >= 0).all()
    left, top, right, bottom = covered(drawn(presenter, hud, replace(FULL, mode=mode, place=place)))
    assert (right - left, bottom - top) == (usual[2] - usual[0], usual[3] - usual[1])
    free = size[0] - (right - left), size[1] - (bottom - top)
    assert abs(left - place[0] * free[0]) <= 1
    assert abs(top - place[1] * free[1]) <= 1
    area = hud.area
    assert area is not None
    assert (area.x, area.y) == (left, top)
    assert min(free) >= 0


@pytest.mark.parametrize(
    ("size", "label_px"), [((320, 180), 0), ((560, 315), 8), ((1280, 720), 10), ((2560, 1440), 13)]
)
def test_text_is_as_large_as_can_be_read(
    presenter: OffscreenPresenter, hud: Hud, size: tuple[int, int], label_px: int
) -> None:
    """Lines that would be too small to read are left out: first the notes, then all of them."""
    presenter.resize(size)
    sizes: list[tuple[float, str]] = []
    write = Pen.text

    def noted(pen: Pen, x: float, y: float, text: str, *more, **named) -> float:
        sizes.append((pen.px(15), text))
        return write(pen, x, y, text, *more, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Pen, "text", noted)
        drawn(presenter, hud, FULL)
    assert min(px for px, _ in sizes) >= 9
    said = " ".join(text for _, text in sizes)
    assert ("every 2nd frame" in said) == (label_px > 0)
    assert ("fastest of cpu 8.2" in said) == (label_px >= 10)
    assert "…" not in said


def test_it_is_out_of_the_panels_way(presenter: OffscreenPresenter, hud: Hud) -> None:
    data = replace(DATA, mode="fps", covered=Rect(10, 10, 404, 690))
    assert (drawn(presenter, hud, data) == BRIGHT).all()
    assert hud.area is None
    beside = covered(drawn(presenter, hud, replace(data, place=(0.9, 0.5))))
    assert beside[0] > 414


def test_beyond_full_hd_it_grows_with_the_window(presenter: OffscreenPresenter, hud: Hud) -> None:
    presenter.resize((1920, 1080))
    once = covered(drawn(presenter, hud, DATA))
    presenter.resize((3840, 2160))
    twice = covered(drawn(presenter, hud, DATA))
    assert np.abs(np.array(twice) - 2 * np.array(once)).max() <= 4
    hud.scale = 2.0  # a display that asks for it already: not once more
    assert np.abs(np.array(covered(drawn(presenter, hud, DATA))) - twice).max() <= 4


def test_a_long_message_is_shown_whole(presenter: OffscreenPresenter, hud: Hud) -> None:
    presenter.resize((480, 360))
    path = "/home/somebody/Pictures/" + "a-very-long-name-of-a-game-" * 6 + ".png"
    one = replace(DATA, mode="off", message="saved")
    data = replace(DATA, mode="off", message=f"saved {path} in this folder")
    low = covered(drawn(presenter, hud, one))
    left, top, right, bottom = covered(drawn(presenter, hud, data))
    assert left > 0
    assert right < 480
    assert bottom - top > 2.5 * (low[3] - low[1])


def test_a_message_stands_beside_the_panel_or_over_it(
    presenter: OffscreenPresenter, hud: Hud
) -> None:
    presenter.resize((960, 540))
    data = replace(DATA, mode="off", message="a message that is somewhat longer " * 3)
    left, _, right, _ = covered(
        drawn(presenter, hud, replace(data, covered=Rect(10, 10, 404, 500)))
    )
    assert 414 < left < right < 960
    left, _, right, _ = covered(drawn(presenter, hud, replace(data, covered=Rect(540, 10, 404, 5))))
    assert 0 < left < right < 540
    left, _, right, _ = covered(
        drawn(presenter, hud, replace(data, covered=Rect(90, 10, 800, 500)))
    )
    assert abs(left + right - 960) <= 3


def test_a_message_stands_beside_figures_that_reach_down_to_it(
    presenter: OffscreenPresenter, hud: Hud
) -> None:
    presenter.resize((800, 600))
    lines = {
        "held": "30 fps wanted",
        "training": "step 1",
        "shared": ("every 2nd frame", "keeps 90%"),
    }
    data = replace(DATA, present_reason="a long reason " * 9, **lines, message="saved " * 20)
    data = replace(data, capture_method="in many words " * 9, provider_reason="why it is " * 20)
    drawn(presenter, hud, data)
    figures, message = hud.covered
    assert figures.y + figures.height > message.y
    assert figures.x + figures.width <= message.x
    assert message.x + message.width < 800


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
