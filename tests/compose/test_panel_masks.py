"""The panel's tab of masks: what the mouse draws on the frozen frame, deletes and takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from test_panel import SIZE, STATE, Seat

from stylizer.compose.panel_values import Change
from stylizer.frame import Rect, Shape
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings

# Places in the tab, at scale 1: x, y.
TAB, RECTANGLE, ELLIPSE, POLYGON = (237, 87), (84, 117), (212, 117), (340, 117)
FIND = DONE = (212, 147)
TAKE_ALL, DONE_BESIDE = (116, 147), (308, 147)
FRAME = np.full((360, 640, 3), (60, 90, 120), np.uint8)  # shown twice as large
BOX = Shape("rectangle", ((0.5, 0.25), (0.75, 0.5)))


class Desk(Seat):
    """Somebody in the tab of masks, and a run that does what the panel asks for."""

    def click(self, x: float, y: float, number: int = 0) -> list[Change]:
        return self.obeyed(super().click(x, y, number))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> list[Change]:
        return self.obeyed(super().drag(start, end))

    def obeyed(self, changes: list[Change]) -> list[Change]:
        for change in changes:
            if change.name == "freeze":
                self.panel.freeze(FRAME if change.value else None)
                self.state = replace(self.state, proposals=())
            elif change.name == "take":
                left = tuple(s for s in self.state.proposals if s not in change.value)
                shapes = (*self.state.mask_shapes, *change.value)
                self.state = replace(self.state, proposals=left, mask_shapes=shapes)
            elif change.name == "mask_inside":
                strength = 0.5 if change.value == "weaker" else 0.0
                style = "second" if change.value == "second" else "first"
                self.state = replace(self.state, mask_strength=strength, mask_style=style)
            elif change.name in ("mask_shapes", "mask_strength", "mask_feather", "show_masks"):
                self.state = replace(self.state, **{change.name: change.value})
        later = [*self.update(), *self.update()] if changes else []
        return changes + (self.obeyed(later) if later else [])


@pytest.fixture
def desk() -> Iterator[Desk]:
    presenter = OffscreenPresenter(Settings(), SIZE)
    desk = Desk(presenter)
    desk.click(*TAB)
    yield desk
    desk.panel.release()
    desk.panel.release()
    assert presenter.context.error == "GL_NO_ERROR"
    presenter.close()


def at(shape: Shape) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two corners of a shape in the window."""
    left, top, right, bottom = shape.box
    return (left * SIZE[0], top * SIZE[1]), (right * SIZE[0], bottom * SIZE[1])


def test_a_rectangle_is_drawn_on_the_frozen_frame(desk: Desk) -> None:
    before = desk.panel.area
    assert desk.click(*RECTANGLE) == [Change("freeze", True)]
    assert desk.panel.area == Rect(0, 0, *SIZE), "the mouse is the panel's everywhere"
    shown = desk.drawn()
    assert (shown[300, 700] == (60, 90, 120)).all(), "the frozen frame"
    assert shown[600, 200].max() < 40, "the panel over it"
    assert desk.drag(*at(BOX)) == [Change("mask_shapes", (BOX,))]
    inside = desk.drawn()[270, 800].astype(int)
    assert inside[0] > 90, "tinted"
    assert desk.drag((900, 300), (902, 301)) == [], "a slip is no shape"
    assert desk.click(*DONE) == [Change("freeze", False)]
    assert desk.panel.area == before
    assert (desk.drawn()[300, 700] == (0, 128, 0)).all(), "the picture again"


def test_drawn_from_any_corner_and_over_the_edge(desk: Desk) -> None:
    desk.click(*RECTANGLE)
    (change,) = desk.drag((1270, 700), (640, 360))
    assert change.value[0].box == (0.5, 0.5, pytest.approx(0.9922), pytest.approx(0.9722))
    (change,) = desk.drag((960, 360), (2000, 2000))
    assert change.value[1].box == (0.75, 0.5, 1.0, 1.0)


def test_an_ellipse_and_a_polygon(desk: Desk) -> None:
    desk.click(*ELLIPSE)
    ellipse = replace(BOX, kind="ellipse")
    assert desk.drag(*at(BOX)) == [Change("mask_shapes", (ellipse,))]
    assert desk.click(*POLYGON) == [], "still frozen"
    for x, y in [(640, 400), (960, 400), (1000, 640), (1100, 700)]:
        assert desk.click(x, y) == []
    desk.click(900, 500, number=1)  # takes the last corner back
    (change,) = desk.click(643, 397)  # near the first one
    triangle = Shape("polygon", ((0.5, 0.5556), (0.75, 0.5556), (0.7812, 0.8889)))
    assert change == Change("mask_shapes", (ellipse, triangle))
    assert desk.drawn()[450, 900].astype(int)[0] > 90, "it is tinted"
    assert (desk.drawn()[450, 700] == (60, 90, 120)).all()


def test_shapes_are_deleted_one_by_one(desk: Desk) -> None:
    other = Shape("ellipse", ((0.1, 0.1), (0.2, 0.2)))
    desk.state = replace(STATE, mask_shapes=(BOX, other))
    desk.update()
    desk.update()
    assert desk.click(368, 205) == [Change("mask_shapes", (other,))]
    assert desk.click(368, 205) == [Change("mask_shapes", ())]
    desk.state = replace(STATE, mask="hud.png")
    desk.update()
    desk.update()
    assert desk.click(368, 205) == [Change("mask", None)]


def test_how_strong_and_how_soft(desk: Desk) -> None:
    assert desk.click(245, 225) == [Change("mask_inside", "weaker")]
    changes = desk.drag((270, 285), (396, 285))
    assert changes[-1] == Change("mask_strength", 1.0)
    changes = desk.drag((154, 315), (271, 315))
    assert changes[-1].name == "mask_feather"
    assert 0.045 < changes[-1].value < 0.055
    assert desk.click(154, 345) == [Change("show_masks", True)]
    assert desk.click(154, 255) == [Change("mask_inside", "second")]
    assert desk.click(154, 225) == [Change("mask_inside", "none")]


def test_what_was_found_is_taken_by_a_click(desk: Desk) -> None:
    assert desk.click(*FIND) == [Change("find", True)]
    desk.state = replace(STATE, finding="Looking: 40%")
    desk.update()
    assert desk.click(*FIND) == [Change("find", False)], "the button stops it"
    small = Shape("rectangle", ((0.6, 0.3), (0.7, 0.4)))
    third = Shape("rectangle", ((0.8, 0.8), (0.9, 0.9)))
    desk.state = replace(STATE, proposals=(BOX, small, third))
    assert desk.update() == [Change("freeze", True)], "shown on a frozen frame by itself"
    desk.panel.freeze(FRAME)
    desk.update()
    green = desk.drawn()[340, 800].astype(int)
    assert green[1] > 110, "tinted in green"
    assert desk.click(0.65 * 1280, 0.35 * 720) == [Change("take", (small,))]
    assert desk.click(1000, 80) == [], "beside all of them"
    changes = desk.click(*TAKE_ALL)
    assert changes == [Change("take", (BOX, third)), Change("freeze", False)]
    assert desk.state.mask_shapes == (small, BOX, third)


def test_another_tab_ends_the_drawing(desk: Desk) -> None:
    desk.click(*POLYGON)
    desk.click(900, 300)
    assert Change("freeze", False) in desk.click(40, 87)
    desk.click(*TAB)
    assert desk.click(*POLYGON) == [Change("freeze", True)]


def test_a_letterboxed_frame(desk: Desk) -> None:
    desk.presenter.resize((1280, 1000))
    desk.update()
    desk.click(*RECTANGLE)
    (change,) = desk.drag((640, 140 + 180), (960, 140 + 360))
    assert change.value == (BOX,)
    assert desk.drawn()[60, 900].max() == 0, "bars are black"
