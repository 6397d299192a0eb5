"""The panel's tab of masks: what stays as the game draws it, its list and its figures."""

from __future__ import annotations

from imgui_bundle import ImVec2, imgui

from stylizer.compose.panel_ui import Ui
from stylizer.compose.pen import AMBER, TEXT
from stylizer.frame import Shape

TOOLS = {"rectangle": "Rectangle", "ellipse": "Ellipse", "polygon": "Polygon"}
TAKE = "take"  # the tool that takes what was found
MOST_FEATHER = 0.1  # of the picture's height
INSIDE = {"no style": "none", "a weaker one": "weaker", "the second style": "second"}
HINTS = {
    "rectangle": "Drag a rectangle over the frozen frame.",
    "ellipse": "Drag an ellipse over the frozen frame.",
    "polygon": "Click the corners, the first one again at the end; a right click takes one back.",
    TAKE: "Click what is to be kept as the game draws it.",
}


def masks_tab(ui: Ui) -> None:
    """Drawing and finding above, then what there is, and how strong and soft it is."""
    if ui.state.proposals and not ui.memory.tool:
        _take_up(ui, TAKE)
    elif ui.memory.tool == TAKE and not ui.state.proposals:
        stop_drawing(ui)
    _tools(ui)
    imgui.separator()
    _list(ui)
    s = ui.state
    inside = "second" if s.mask_style == "second" else "weaker" if s.mask_strength > 0 else "none"
    ui.choices("inside", "mask_inside", INSIDE, inside)
    if inside == "second" and not s.blend_with:
        ui.note("There is no second style: choose it in the tab Style, blend with.", AMBER)
    if inside == "weaker":
        ui.percent("style inside", "mask_strength", s.mask_strength)
    ui.label("soft edge")
    ends = 0.0, MOST_FEATHER * 100
    moved = ui.slider(
        "mask_feather", s.mask_feather * 100, ends, lambda shown: f"{shown:.1f} % of the height"
    )
    if moved is not None:
        ui.change("mask_feather", round(moved, 1) / 100)
    ui.label("seen")
    flipped, on = imgui.checkbox(f"tinted  ({s.masks_key})", s.show_masks)
    if flipped:
        ui.change("show_masks", on)


def stop_drawing(ui: Ui) -> None:
    """The picture moves again."""
    if ui.memory.tool:
        ui.memory.tool, ui.memory.corners = "", []
        ui.change("freeze", False)


def _tools(ui: Ui) -> None:
    tool, third = ui.memory.tool, (imgui.get_content_region_avail().x - 2 * ui.px(8)) / 3
    for number, (name, text) in enumerate(TOOLS.items()):
        if number:
            imgui.same_line(0, ui.px(8))
        if _toggle(text, third, name == tool):
            _take_up(ui, "" if name == tool else name)
    if ui.state.finding:
        if ui.wide_button("Stop looking", -1):
            ui.change("find", False)
        ui.note(ui.state.finding, AMBER)
        return
    if tool:
        _while_drawing(ui)
    elif ui.wide_button("Find the HUD", -1):
        ui.change("find", True)
    ui.note(HINTS.get(tool, "Draw over the frozen frame, or let parts that stand still be found."))


def _while_drawing(ui: Ui) -> None:
    found = ui.state.proposals if ui.memory.tool == TAKE else ()
    if found:
        half = (imgui.get_content_region_avail().x - ui.px(8)) / 2
        if ui.wide_button(f"Take all {len(found)}" if len(found) > 1 else "Take it", half):
            ui.change("take", tuple(found))
        imgui.same_line(0, ui.px(8))
    if ui.wide_button("Done", -1):
        stop_drawing(ui)


def _take_up(ui: Ui, tool: str) -> None:
    """Another tool; the frame is frozen while there is one."""
    if not tool:
        stop_drawing(ui)
        return
    if not ui.memory.tool:
        ui.change("freeze", True)
    ui.memory.tool, ui.memory.corners = tool, []


def _toggle(text: str, width: float, on: bool) -> bool:
    if on:
        imgui.push_style_color(
            imgui.Col_.button, imgui.get_style_color_vec4(imgui.Col_.slider_grab)
        )
    pressed = imgui.button(text, ImVec2(width, 0))
    if on:
        imgui.pop_style_color()
    return pressed


def _list(ui: Ui) -> None:
    shapes, s = ui.state.mask_shapes, ui.state
    ui.memory.pointed = -1
    if not shapes and not s.mask:
        ui.note("There is no mask: the whole picture is painted.")
    for number, shape in enumerate(shapes):
        if _row(ui, f"{number + 1}. {_in_words(shape)}", f"shape {number}"):
            ui.change("mask_shapes", (*shapes[:number], *shapes[number + 1 :]))
        if imgui.is_item_hovered():
            ui.memory.pointed = number
    if s.mask and _row(ui, f"file {s.mask}", "file"):
        ui.change("mask", None)
    if len(shapes) > 1 and ui.wide_button("Delete all shapes", -1):
        ui.change("mask_shapes", ())


def _row(ui: Ui, text: str, name: str) -> bool:
    """A line of the list; whether it is to be deleted."""
    imgui.align_text_to_frame_padding()
    width = imgui.calc_text_size("Delete").x + 2 * ui.px(8)
    right = imgui.get_cursor_pos_x() + imgui.get_content_region_avail().x - width
    imgui.push_clip_rect(
        imgui.get_cursor_screen_pos(),
        ImVec2(imgui.get_cursor_screen_pos().x + right - ui.px(16), 1e5),
        True,
    )
    imgui.text_colored(TEXT, text)
    imgui.pop_clip_rect()
    imgui.same_line(right)
    return imgui.button(f"Delete##{name}", ImVec2(width, 0))


def _in_words(shape: Shape) -> str:
    left, top, right, bottom = shape.box
    size = f"{right - left:.0%} × {bottom - top:.0%}"
    corners = f", {len(shape.points)} corners" if shape.kind == "polygon" else ""
    return f"{shape.kind}, {size}{corners}"
