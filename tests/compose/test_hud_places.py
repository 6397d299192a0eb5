"""Where the HUD stands and how large it is: corners, dragged, beside the panel, long messages."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from drawn_hud import BRIGHT, DATA, covered, drawn

from stylizer.compose.hud import Hud
from stylizer.compose.pen import Pen
from stylizer.frame import Rect
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import HudCorner, HudMode


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
    target_text="60 fps wanted, network at 25%: smaller is no faster",
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
        "target_text": "30 fps wanted",
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
