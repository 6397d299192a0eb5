"""How the panel's widgets look: colors and sizes of Dear ImGui, in the HUD's own palette."""

from __future__ import annotations

from imgui_bundle import ImVec2, imgui

from stylizer.compose.pen import BLUE, BODY, DIM, TEXT, Color

GROUND: Color = (0.065, 0.072, 0.09, 1.0)  # opaque: shown by a plain copy, and readable on anything
FIELD: Color = (0.14, 0.155, 0.19, 1.0)
FIELD_HOVER: Color = (0.19, 0.21, 0.26, 1.0)
FIELD_ACTIVE: Color = (0.24, 0.27, 0.34, 1.0)
ACCENT: Color = (0.20, 0.46, 0.66, 1.0)
ACCENT_HOVER: Color = (0.25, 0.55, 0.78, 1.0)


def dress(scale: float) -> None:
    """Colors and sizes for a user interface scale, on the current ImGui context."""
    style = imgui.get_style()
    for part, color in _colors().items():
        style.set_color_(part, color)

    def px(*units: float) -> ImVec2:
        return ImVec2(*(float(round(unit * scale)) for unit in units))

    style.font_size_base = round(BODY * scale)
    style.window_padding, style.frame_padding = px(14, 12), px(8, 4)
    style.item_spacing, style.item_inner_spacing = px(8, 7), px(7, 4)
    style.cell_padding = px(4, 3)
    style.scrollbar_size, style.grab_min_size = round(11 * scale), round(12 * scale)
    style.frame_rounding = style.grab_rounding = round(4 * scale)
    style.tab_rounding = style.scrollbar_rounding = round(4 * scale)
    style.window_border_size = style.frame_border_size = style.tab_bar_border_size = 0.0
    style.tab_bar_overline_size = 0.0
    style.window_title_align = ImVec2(0.0, 0.5)
    style.window_min_size = px(120, 80)


def _colors() -> dict[imgui.Col_, Color]:
    c = imgui.Col_
    return {
        c.text: TEXT, c.text_disabled: DIM,
        c.window_bg: (0.0, 0.0, 0.0, 0.0),  # the picture is cleared to its color
        c.popup_bg: GROUND,
        c.title_bg: (0.04, 0.045, 0.06, 1.0), c.title_bg_active: (0.04, 0.045, 0.06, 1.0),
        c.frame_bg: FIELD, c.frame_bg_hovered: FIELD_HOVER, c.frame_bg_active: FIELD_ACTIVE,
        c.button: FIELD, c.button_hovered: FIELD_HOVER, c.button_active: FIELD_ACTIVE,
        c.header: FIELD, c.header_hovered: FIELD_HOVER, c.header_active: FIELD_ACTIVE,
        c.tab: GROUND, c.tab_hovered: FIELD_HOVER, c.tab_selected: FIELD_ACTIVE,
        c.tab_dimmed: GROUND, c.tab_dimmed_selected: FIELD_ACTIVE,
        c.slider_grab: ACCENT_HOVER, c.slider_grab_active: BLUE, c.check_mark: BLUE,
        c.separator: (1.0, 1.0, 1.0, 0.10), c.scrollbar_bg: GROUND,
        c.scrollbar_grab: FIELD_ACTIVE, c.scrollbar_grab_hovered: ACCENT,
        c.scrollbar_grab_active: ACCENT_HOVER, c.text_selected_bg: ACCENT,
        c.table_row_bg_alt: (1.0, 1.0, 1.0, 0.03), c.plot_histogram: ACCENT,
    }  # fmt: skip
