"""What the panel shows: a header, and the tabs Style, Speed, Keys, Masks, Preset. No GL here."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from imgui_bundle import ImVec2, imgui

from stylizer.compose.panel_export import export_tab
from stylizer.compose.panel_masks import masks_tab, stop_drawing
from stylizer.compose.panel_speed import speed_tab
from stylizer.compose.panel_theme import GROUND
from stylizer.compose.panel_training import training
from stylizer.compose.panel_ui import Ui, shortened, words
from stylizer.compose.pen import AMBER, BLUE, DIM, GREEN, LARGE, RED, SMALL, TEXT, WHITE, figure
from stylizer.frame import Rect
from stylizer.settings import HudCorner

WIDTH, HEIGHT, MARGIN = 404, 690, 10
LOW = 300  # high enough to work in; what is longer is scrolled
SMALLEST = 0.5  # scale below which nobody can read
COLUMNS, GAP = 3, 8


def fitting_scale(scale: float, window: tuple[int, int]) -> float:
    """The user interface's scale, or less where the window is too small for it."""
    fit = min(window[0] / (WIDTH + 2 * MARGIN), window[1] / LOW)
    return max(SMALLEST, min(scale, fit))


def lay_out_panel(ui: Ui, window: tuple[int, int]) -> Rect:
    """The whole panel in the current ImGui frame; returns where it lies in the window (pixels)."""
    margin = ui.px(MARGIN)
    wide = min(ui.px(WIDTH), window[0] - 2 * margin)
    tall = min(ui.px(HEIGHT), window[1] - 2 * margin)
    imgui.set_next_window_pos(ImVec2(margin, margin), imgui.Cond_.first_use_ever)
    imgui.set_next_window_size(ImVec2(wide, tall))
    flags = imgui.WindowFlags_.no_resize | imgui.WindowFlags_.no_collapse
    imgui.push_font(ui.fonts.regular, ui.px(15))
    over_frozen = bool(ui.memory.tool)
    if over_frozen:
        imgui.push_style_color(imgui.Col_.window_bg, GROUND)
    shown, open_still = imgui.begin("stylizer###panel", True, flags)
    _stay_inside(window, wide, tall)
    place = imgui.get_window_pos()
    if shown:
        _header(ui)
        if imgui.begin_tab_bar("tabs"):
            for name, tab in TABS.items():
                if name == "Preset" and not ui.state.preset_file:
                    continue
                if imgui.begin_tab_item_simple(f" {name} "):
                    if name != "Masks":
                        stop_drawing(ui)
                    _tab(ui, tab)
                    imgui.end_tab_item()
            imgui.end_tab_bar()
        _footer(ui)
    imgui.end()
    imgui.pop_font()
    if over_frozen:
        imgui.pop_style_color()
    if not open_still:
        ui.change("close")
    return Rect(int(place.x), int(place.y), int(wide), int(tall))


def _tab(ui: Ui, tab: Callable[[Ui], None]) -> None:
    """A tab's content, scrolled where it is too long, above the footer."""
    foot = 1.5 * imgui.get_text_line_height_with_spacing()
    if imgui.begin_child("content", ImVec2(0, -foot)):
        tab(ui)
    imgui.end_child()


def _stay_inside(window: tuple[int, int], wide: float, tall: float) -> None:
    """A window that was made smaller takes its panel with it."""
    place = imgui.get_window_pos()
    x = min(max(place.x, 0), max(0, window[0] - wide))
    y = min(max(place.y, 0), max(0, window[1] - tall))
    if (x, y) != (place.x, place.y):
        imgui.set_window_pos(ImVec2(x, y))


def _header(ui: Ui) -> None:
    f = ui.figures
    parts = [
        (figure(f.presented_fps), BLUE, LARGE), ("fps presented", DIM, SMALL),
        (figure(f.styled_fps), AMBER, LARGE), ("styled", DIM, SMALL),
    ]  # fmt: skip
    for number, (text, color, size) in enumerate(parts):
        if number:
            imgui.same_line(0, ui.px(6 if number % 2 else 14))
        place = imgui.get_cursor_pos()
        imgui.set_cursor_pos(ImVec2(place.x, place.y + ui.px(0.86 * (LARGE - size))))
        imgui.push_font(ui.fonts.bold if size == LARGE else ui.fonts.regular, ui.px(size))
        imgui.text_colored(color, text)
        imgui.pop_font()
    if ui.state.recording:
        imgui.same_line(0, ui.px(14))
        imgui.text_colored(RED, "● REC")


def _footer(ui: Ui) -> None:
    imgui.separator()
    s = ui.state
    loading = f"loading {words(s.loading)} …" if s.loading else ""
    ui.note(
        loading or f"{s.panel_key} closes the panel · drag it by its title",
        AMBER if loading else DIM,
    )


def style_tab(ui: Ui) -> None:
    """Styles as pictures of the frame, and how the picture is shown."""
    _styles(ui, ui.state.style)
    _own(ui)
    training(ui)
    tiers = {tier: tier for tier in ui.state.styles.get(ui.state.style, ())}
    if tiers:
        ui.choices("model", "tier", tiers, ui.state.tier)
    ui.percent("strength", "strength", ui.state.strength)
    _blend(ui)
    ui.percent("stabilizer", "stabilize", ui.state.stabilize)
    ui.label("colors")
    flipped, keep = imgui.checkbox("keep the game's", ui.state.keep_colors)
    if flipped:
        ui.change("keep_colors", keep)
    ui.choices("HUD", "hud", {"off": "off", "fps": "fps", "graph": "graph"}, ui.state.hud)
    corners = {name.replace("-", " "): name for name in get_args(HudCorner)}
    ui.choices("its corner", "hud_corner", corners, ui.state.hud_corner)
    _parts(ui)


def _blend(ui: Ui) -> None:
    """A second style, and how much of it."""
    s = ui.state
    taken = ui.menu("blend with", ["none", *s.styles], s.blend_with or "none")
    if taken is not None:
        ui.change("blend_with", None if taken == "none" else taken)
    if s.blend_with:
        ui.percent("its share", "blend", s.blend)
        what, cost = ui.figures.blended
        if what:
            ui.note(f"Both networks run: {cost}" if cost else what[:1].upper() + what[1:])


def _own(ui: Ui) -> None:
    """A picture of the user's own to paint with."""
    ui.label("your own")
    entered, ui.memory.path = imgui.input_text_with_hint(
        "##path",
        "drop a picture here, or its path",
        ui.memory.path,
        imgui.InputTextFlags_.enter_returns_true,
    )
    if entered and ui.memory.path.strip():
        ui.change("painting", ui.memory.path.strip())
        ui.memory.path = ""


def _parts(ui: Ui) -> None:
    """Colors and strokes apart."""
    colors, strokes = ui.state.made_of
    if not colors or not strokes:
        return
    taken = ui.menu("colors of", list(ui.state.styles), colors)
    if taken is not None:
        ui.change("mix", (taken, strokes))
    taken = ui.menu("strokes of", list(ui.state.styles), strokes)
    if taken is not None:
        ui.change("mix", (colors, taken))


def _styles(ui: Ui, current: str) -> None:
    room = imgui.get_content_region_avail().x
    width = (room - (COLUMNS - 1) * ui.px(GAP)) // COLUMNS
    size = ImVec2(width, round(width * 9 / 16))
    for number, style in enumerate(ui.state.styles):
        if number % COLUMNS:
            imgui.same_line(0, ui.px(GAP))
        imgui.begin_group()
        _style(ui, style, size, style == current)
        imgui.end_group()


def _style(ui: Ui, style: str, size: ImVec2, chosen: bool) -> None:
    """One style: its picture, or its name alone while that is being made."""
    if imgui.invisible_button(f"style {style}", size):
        ui.change("style", style)
    low, high = imgui.get_item_rect_min(), imgui.get_item_rect_max()
    target, hovered = imgui.get_window_draw_list(), imgui.is_item_hovered()
    picture = ui.pictures.get(style)
    if picture is None:
        target.add_rect_filled(low, high, imgui.get_color_u32(imgui.Col_.frame_bg), ui.px(4))
    else:
        target.add_image_rounded(
            picture, low, high, ImVec2(0, 0), ImVec2(1, 1), 0xFFFFFFFF, ui.px(4)
        )
    if chosen or hovered:
        color = imgui.get_color_u32(BLUE if chosen else (1.0, 1.0, 1.0, 0.7))
        target.add_rect(low, high, color, ui.px(4), max(2.0, ui.px(2)))
    imgui.push_font(ui.fonts.bold if chosen else ui.fonts.regular, ui.px(SMALL))
    imgui.text_colored(WHITE if chosen else TEXT, shortened(words(style), size.x))
    imgui.pop_font()


def keys_tab(ui: Ui) -> None:
    """Every action with its key, which a click changes."""
    waiting = ui.memory.waiting
    ui.note(
        "Press the new key; Esc keeps the old one."
        if waiting
        else "Click a key to change it, right click for the default."
        + (" These work while the game has the keyboard." if ui.state.global_keys else "")
    )
    flags = imgui.TableFlags_.row_bg | imgui.TableFlags_.sizing_stretch_prop
    if not imgui.begin_table("keys", 2, flags):
        return
    imgui.table_setup_column("action", imgui.TableColumnFlags_.width_stretch)
    imgui.table_setup_column("key", imgui.TableColumnFlags_.width_fixed, ui.px(150))
    for action, text, key in ui.state.keys:
        imgui.table_next_row()
        imgui.table_next_column()
        imgui.align_text_to_frame_padding()
        imgui.text_wrapped(text)
        imgui.table_next_column()
        _key(ui, action, key, action == waiting)
    imgui.end_table()


def _key(ui: Ui, action: str, key: str, waits: bool) -> None:
    if waits:
        imgui.push_style_color(imgui.Col_.text, AMBER)
    pressed = imgui.button(f"{'press a key' if waits else key}##{action}", ImVec2(-1, 0))
    if waits:
        imgui.pop_style_color()
    if pressed:
        ui.memory.waiting = "" if waits else action
    elif imgui.is_item_clicked(imgui.MouseButton_.right):
        ui.memory.waiting = ""
        ui.change("key", (action, ""))


def preset_tab(ui: Ui) -> None:
    """Keeping the settings: for this game, or for all."""
    s, memory = ui.state, ui.memory
    ui.note("These settings are kept for")
    imgui.text_wrapped(s.preset or "everything that no game's own preset changes")
    if s.preset:
        if memory.named != s.preset_name:
            memory.name = memory.named = s.preset_name
        ui.label("name")
        done, memory.name = imgui.input_text(
            "##name", memory.name, imgui.InputTextFlags_.enter_returns_true
        )
        if done or (memory.name != memory.named and imgui.is_item_deactivated_after_edit()):
            ui.change("rename", memory.name)
    imgui.dummy(ImVec2(0, ui.px(4)))
    imgui.begin_disabled(not s.unsaved)
    half = (imgui.get_content_region_avail().x - ui.px(8)) / 2
    if ui.wide_button("Save", half):
        ui.change("save")
    imgui.same_line(0, ui.px(8))
    if ui.wide_button("Reset", half):
        ui.change("reset")
    imgui.end_disabled()
    imgui.dummy(ImVec2(0, ui.px(4)))
    if s.unsaved:
        ui.note("Not saved yet:", AMBER)
        for line in s.unsaved:
            ui.note("   " + line, TEXT)
    else:
        ui.note("Everything is saved.", GREEN)
    imgui.dummy(ImVec2(0, ui.px(4)))
    if s.preset_file:
        ui.note(f"File: {s.preset_file}")


TABS: dict[str, Callable[[Ui], None]] = {
    "Style": style_tab,
    "Speed": speed_tab,
    "Keys": keys_tab,
    "Masks": masks_tab,
    "Preset": preset_tab,
    "Export": export_tab,
}
