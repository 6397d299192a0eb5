"""The panel: clicks become changes, it keeps to its place, and while it is closed there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from stylizer.compose.panel import Panel
from stylizer.compose.panel_values import Change, PanelFigures, PanelState
from stylizer.frame import UiEvent
from stylizer.hotkeys import DEFAULT_KEYS
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings

SIZE = (1280, 720)
STATE = PanelState(
    style="mosaic",
    tier="fast",
    styles={"mosaic": ["original", "small", "fast"], "great-wave": ["fast"], "ink": ["fast"]},
    scales={1.0: None, 0.5: (640, 360)},
    keys=[(action, text, key) for action, (key, text) in DEFAULT_KEYS.items()],
    panel_key="F2",
)
FIGURES = PanelFigures(
    59.8, 23.1, [16.0] * 200, {"infer": (9.9, 14.1), "upload": None}, 22.0, "cpu",
    "the best that works here", "int8", (640, 360), SIZE, "",
)  # fmt: skip
GREEN = (0, 128, 0)


class Seat:
    """Somebody who sits before a panel."""

    def __init__(self, presenter: OffscreenPresenter, state: PanelState = STATE) -> None:
        self.presenter, self.state, self.scale = presenter, state, 1.0
        self.panel = Panel(presenter.context)
        self.update()
        self.update()

    def update(self, *events: UiEvent) -> list[Change]:
        size = self.presenter.size
        return self.panel.update(events, self.state, lambda: FIGURES, size, self.scale)

    def click(self, x: float, y: float, number: int = 0) -> list[Change]:
        found = self.update(UiEvent("move", x, y))
        found += self.update(*(UiEvent("button", number=number, down=d) for d in (True, False)))
        return found + self.update()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> list[Change]:
        self.update(UiEvent("move", *start), UiEvent("button", down=True))
        found = self.update(UiEvent("move", *end))
        return found + self.update(UiEvent("button", down=False))

    def tab(self, number: int) -> None:
        """Style, Speed and Keys are 0, 1 and 2."""
        scale, area = self.panel.scale, self.panel.area
        self.click(area.x + scale * (40, 100, 160)[number], area.y + scale * 76)

    def drawn(self) -> np.ndarray:
        """RGB of what is shown over a green picture."""
        framebuffer = self.presenter.framebuffer
        framebuffer.use()
        red, green, blue = (v / 255 for v in GREEN)
        framebuffer.clear(red, green, blue, 1.0)
        self.panel.draw(framebuffer)
        return self.presenter.read_back()


@pytest.fixture
def presenter() -> Iterator[OffscreenPresenter]:
    presenter = OffscreenPresenter(Settings(), SIZE)
    yield presenter
    assert presenter.context.error == "GL_NO_ERROR"
    presenter.close()


@pytest.fixture
def seat(presenter: OffscreenPresenter) -> Iterator[Seat]:
    seat = Seat(presenter)
    yield seat
    seat.panel.release()
    seat.panel.release()


def test_clicks_become_changes(seat: Seat) -> None:
    assert seat.click(212, 139) == [Change("style", "great-wave")]
    assert seat.click(233, 242) == [Change("tier", "small")]
    assert seat.click(154, 362) == [Change("keep_colors", True)]
    assert seat.click(266, 392) == [Change("hud", "graph")]
    assert seat.click(232, 422) == [Change("hud_corner", "top-right")]
    assert seat.click(154, 452) == [Change("hud_corner", "bottom-left")], "in a second line"
    assert seat.click(398, 21) == [Change("close")]
    assert seat.click(900, 400) == [], "beside it"


def test_a_slider_follows_the_mouse_and_ends_where_it_ends(seat: Seat) -> None:
    changes = seat.drag((390, 272), (270, 272))
    assert {c.name for c in changes} == {"strength"}
    assert 0.45 < changes[-1].value < 0.55
    changes = seat.drag((270, 332), (2000, 332))
    assert changes[-1] == Change("stabilize", 1.0)


def test_a_sliders_figure_is_never_under_its_grab(seat: Seat) -> None:
    grab = np.array([64, 140, 199])  # its color
    for strength in np.arange(0, 1.001, 0.05):
        seat.state = replace(STATE, strength=float(strength))
        seat.update()
        row = seat.drawn()[263:282, 145:391].astype(int)
        figure = np.nonzero((row.min(axis=2) > 180).any(axis=0))[0]
        held = np.nonzero((abs(row - grab).max(axis=2) < 12).sum(axis=0) > 5)[0]
        assert len(figure), "it says how much"
        assert len(held)
        assert not ((figure >= held.min()) & (figure <= held.max())).any(), strength


def test_a_text_is_chosen_whole_and_typed_anew(seat: Seat) -> None:
    seat.click(270, 212)
    seat.update(UiEvent("text", text="a.jpg"))
    whole, enter = (UiEvent("key", text=key, down=True) for key in ("ctrl+a", "return"))
    seat.update(UiEvent("key", text="ctrl+left ctrl", down=True), whole, replace(whole, down=False))
    seat.update(UiEvent("text", text="b.png"), UiEvent("key", text="left ctrl"))
    assert seat.update(enter, replace(enter, down=False)) == [Change("painting", "b.png")]


def test_a_second_style_and_its_share(seat: Seat) -> None:
    seat.click(270, 302)  # the menu
    assert seat.click(200, 387) == [Change("blend_with", "great-wave")]
    seat.state = replace(STATE, blend_with="great-wave", blend=0.5)
    seat.update()
    changes = seat.drag((270, 332), (145, 332))
    assert changes[-1] == Change("blend", 0.0)
    seat.click(270, 302)
    assert seat.click(200, 335) == [Change("blend_with", None)]


def test_a_picture_of_ones_own_and_colors_apart_from_strokes(seat: Seat) -> None:
    seat.click(270, 212)
    assert seat.panel.typing
    seat.update(UiEvent("text", text="a.jpg"))
    enter = UiEvent("key", text="return", down=True)
    assert seat.update(enter, replace(enter, down=False)) == [Change("painting", "a.jpg")]
    seat.state = replace(STATE, made_of=("mosaic", "great-wave"))
    seat.update()
    seat.click(270, 482)  # the menu of colors
    assert seat.click(200, 537) == [Change("mix", ("great-wave", "great-wave"))]
    seat.click(270, 512)  # of strokes
    assert seat.click(200, 542) == [Change("mix", ("mosaic", "mosaic"))]


def test_the_rate_and_the_size(seat: Seat) -> None:
    seat.tab(1)
    assert seat.click(223, 147) == [Change("inference_size", (640, 360))]
    assert seat.click(154, 116) == [Change("target_fps", 60.0)]
    seat.state = replace(STATE, target_fps=60.0)
    assert seat.click(154, 116) == [Change("target_fps", None)]
    changes = seat.drag((240, 116), (330, 116))
    assert changes[-1].name == "target_fps"
    assert 80 < changes[-1].value < 165


def test_a_key_is_pressed_and_bound(seat: Seat) -> None:
    seat.tab(2)
    assert seat.click(313, 140) == []  # of the first action, model_original
    assert seat.panel.typing
    assert seat.panel.waits_for_key
    assert seat.update(UiEvent("key", text="shift+left shift", down=True)) == [], "more is to come"
    pressed = UiEvent("key", text="shift+k", down=True)
    assert seat.update(pressed) == [Change("key", ("model_original", "shift+k"))]
    assert not seat.panel.typing
    seat.click(313, 140)
    assert seat.update(UiEvent("key", text="escape", down=True)) == []
    assert not seat.panel.typing
    assert seat.click(313, 140, number=1) == [Change("key", ("model_original", ""))]


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 200)])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_it_draws_in_its_place_only(
    presenter: OffscreenPresenter, seat: Seat, size: tuple[int, int], scale: float
) -> None:
    presenter.resize(size)
    seat.scale = scale
    for number in range(3):
        seat.tab(number)
        pixels, a = seat.drawn(), seat.panel.area
        rows, columns = np.nonzero((pixels != GREEN).any(axis=2))
        assert (columns.min(), rows.min()) == (a.x, a.y)
        assert (columns.max() + 1, rows.max() + 1) == (a.x + a.width, a.y + a.height)
        assert a.x + a.width <= size[0]
        assert a.y + a.height <= size[1]


def test_it_is_moved_by_its_title_and_stays_in_a_smaller_window(
    presenter: OffscreenPresenter, seat: Seat
) -> None:
    seat.drag((200, 21), (900, 121))
    assert (seat.panel.area.x, seat.panel.area.y) == (710, 30), "as far as the window goes"
    presenter.resize((800, 700))
    seat.update()
    seat.update()
    area = seat.panel.area
    assert area.x + area.width <= 800


def test_thumbnails_are_shown(seat: Seat) -> None:
    before = seat.drawn()[105:173, 152:272]
    seat.panel.picture("great-wave", np.full((136, 240, 3), (200, 40, 90), np.uint8))
    seat.update()
    after = seat.drawn()[105:173, 152:272]
    assert np.median(before) < 60
    assert (np.median(after, axis=(0, 1)) == (200, 40, 90)).all()
    seat.panel.picture("great-wave", np.full((64, 64, 3), (10, 240, 90), np.uint8))  # another size
    seat.update()
    assert (np.median(seat.drawn()[105:173, 152:272], axis=(0, 1)) == (10, 240, 90)).all()


def test_what_does_not_change_is_not_laid_out_again(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1e9]
    monkeypatch.setattr("stylizer.compose.panel.time.perf_counter", lambda: clock[0])
    seat.update()
    painted = []
    monkeypatch.setattr(seat.panel, "_paint", painted.append)
    for _ in range(60):  # a second at 60 fps
        clock[0] += 1 / 60
        seat.update()
    assert 3 <= len(painted) <= 5
    seat.state = replace(STATE, strength=0.5)
    seat.update()
    assert 4 <= len(painted) <= 6, "what is chosen shows at once"


def test_a_preset_is_saved_reset_and_renamed(seat: Seat) -> None:
    seat.state = replace(
        STATE, preset="Red Game", preset_name="Red", preset_file="/x/settings.toml",
        unsaved=["strength: 50%"],
    )  # fmt: skip
    seat.update()
    seat.click(300, 87)
    assert seat.click(116, 200) == [Change("save")]
    assert seat.click(308, 200) == [Change("reset")]
    seat.click(390, 159)
    assert seat.panel.typing
    assert not seat.panel.waits_for_key
    seat.update(UiEvent("text", text=" one"))
    enter = UiEvent("key", text="return", down=True)
    assert seat.update(enter, replace(enter, down=False))[:1] == [Change("rename", "Red one")]
    seat.state = replace(seat.state, unsaved=())
    seat.update()
    assert seat.click(116, 200) == [], "nothing to save"
