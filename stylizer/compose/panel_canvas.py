"""The frozen frame under the panel, on which masks are drawn and what was found is taken."""

from __future__ import annotations

from collections.abc import Sequence

from imgui_bundle import ImVec2, imgui

from stylizer.compose.panel_masks import TAKE
from stylizer.compose.panel_ui import Ui
from stylizer.compose.pen import AMBER, GREEN, WHITE, Color
from stylizer.frame import Rect, Shape, ShapeKind, Size, letterbox
from stylizer.rules import MOST_CORNERS

Point = tuple[float, float]
LEAST = 4  # units that a drawn shape is wide and high
NEAR = 10  # units around the first corner that close a polygon
FLAGS = (
    imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_background
    | imgui.WindowFlags_.no_move | imgui.WindowFlags_.no_bring_to_front_on_focus
    | imgui.WindowFlags_.no_nav
)  # fmt: skip


def lay_out_canvas(ui: Ui, picture: imgui.ImTextureRef, size: Size, window: Size) -> None:
    """The frozen frame of `size` over the whole window, its masks, and the mouse on it."""
    imgui.set_next_window_pos(ImVec2(0, 0))
    imgui.set_next_window_size(ImVec2(*window))
    imgui.push_style_var(imgui.StyleVar_.window_padding, ImVec2(0, 0))
    imgui.begin("canvas", None, FLAGS)
    imgui.pop_style_var()
    rect = letterbox(size, window)
    target = imgui.get_window_draw_list()
    target.add_rect_filled(ImVec2(0, 0), ImVec2(*window), 0xFF000000)
    target.add_image(
        picture, ImVec2(rect.x, rect.y), ImVec2(rect.x + rect.width, rect.y + rect.height)
    )
    imgui.invisible_button("canvas", ImVec2(*window))
    for number, shape in enumerate(ui.state.mask_shapes):
        _draw(ui, shape, rect, WHITE if number == ui.memory.pointed else AMBER)
    if ui.memory.tool == TAKE:
        _take(ui, rect)
    elif ui.memory.tool == "polygon":
        _polygon(ui, rect)
    else:
        _drag(ui, rect)
    imgui.end()


def _take(ui: Ui, rect: Rect) -> None:
    """A click takes the smallest of what was found under the mouse."""
    x, y = _mouse(rect)
    under = [s for s in ui.state.proposals if _contains(s, x, y)] if imgui.is_item_hovered() else []
    chosen = min(under, key=_area, default=None)
    for shape in ui.state.proposals:
        _draw(ui, shape, rect, WHITE if shape is chosen else GREEN)
    if chosen is not None and imgui.is_item_clicked():
        ui.change("take", (chosen,))


def _drag(ui: Ui, rect: Rect) -> None:
    """From corner to corner."""
    m, kind = ui.memory, ui.memory.tool
    if imgui.is_item_activated():
        m.corners = [_mouse(rect)]
    if not m.corners:
        return
    shape = Shape(_KINDS[kind], (m.corners[0], _mouse(rect)))
    _draw(ui, shape, rect, WHITE)
    if imgui.is_item_deactivated():
        m.corners = []
        _add(ui, shape, rect)


def _polygon(ui: Ui, rect: Rect) -> None:
    """A corner a click."""
    corners, at = ui.memory.corners, _mouse(rect)
    closing = len(corners) > 2 and _distance(corners[0], at, rect) < ui.px(NEAR)
    if corners:
        target, line = imgui.get_window_draw_list(), imgui.get_color_u32(WHITE)
        path = _pixels([*corners, corners[0] if closing else at], rect)
        target.add_polyline([*path], line, max(1.5, ui.px(2)), 0)
        for number, point in enumerate(path[:-1]):
            radius = ui.px(6 if closing and not number else 4)
            target.add_circle_filled(point, radius, line)
    if imgui.is_item_clicked(imgui.MouseButton_.right):
        ui.memory.corners = corners[:-1]
    elif imgui.is_item_clicked():
        if closing:
            ui.memory.corners = []
            _add(ui, Shape("polygon", tuple(corners)), rect)
        elif at not in corners and len(corners) < MOST_CORNERS:
            ui.memory.corners = [*corners, at]


def _add(ui: Ui, shape: Shape, rect: Rect) -> None:
    """Into the list, but for a slip of the mouse."""
    left, top, right, bottom = shape.box
    if min((right - left) * rect.width, (bottom - top) * rect.height) >= ui.px(LEAST):
        ui.change("mask_shapes", (*ui.state.mask_shapes, shape))


def _mouse(rect: Rect) -> Point:
    """Where it is, as shares of the picture."""
    at = imgui.get_mouse_pos()
    x, y = (at.x - rect.x) / rect.width, (at.y - rect.y) / rect.height
    return round(min(1.0, max(0.0, x)), 4), round(min(1.0, max(0.0, y)), 4)


def _pixels(points: Sequence[Point], rect: Rect) -> list[ImVec2]:
    return [ImVec2(rect.x + x * rect.width, rect.y + y * rect.height) for x, y in points]


def _distance(a: Point, b: Point, rect: Rect) -> float:
    return max(abs(a[0] - b[0]) * rect.width, abs(a[1] - b[1]) * rect.height)


def _contains(shape: Shape, x: float, y: float) -> bool:
    left, top, right, bottom = shape.box
    return left <= x <= right and top <= y <= bottom


def _area(shape: Shape) -> float:
    left, top, right, bottom = shape.box
    return (right - left) * (bottom - top)


def _draw(ui: Ui, shape: Shape, rect: Rect, color: Color) -> None:
    """Tinted, with its outline, which a shade lets see on snow."""
    _outlined(ui, shape, rect, (*color[:3], 0.3), (0.0, 0.0, 0.0, 0.6), max(3.0, ui.px(4)))
    _outlined(ui, shape, rect, (0.0, 0.0, 0.0, 0.0), color, max(1.5, ui.px(2)))


def _outlined(
    ui: Ui, shape: Shape, rect: Rect, inside: Color, outline: Color, thick: float
) -> None:
    target = imgui.get_window_draw_list()
    tint, line = imgui.get_color_u32(inside), imgui.get_color_u32(outline)
    if shape.kind == "polygon":
        corners = _pixels(shape.points, rect)
        target.add_concave_poly_filled([*corners], tint)
        target.add_polyline([*corners, corners[0]], line, thick, 0)
        return
    left, top, right, bottom = shape.box
    low, high = _pixels([(left, top), (right, bottom)], rect)
    if shape.kind == "rectangle":
        target.add_rect_filled(low, high, tint)
        target.add_rect(low, high, line, 0.0, thick)
        return
    middle = ImVec2((low.x + high.x) / 2, (low.y + high.y) / 2)
    radii = ImVec2((high.x - low.x) / 2, (high.y - low.y) / 2)
    target.add_ellipse_filled(middle, radii, tint)
    target.add_ellipse(middle, radii, line, 0.0, 0, thick)


_KINDS: dict[str, ShapeKind] = {"rectangle": "rectangle", "ellipse": "ellipse"}
