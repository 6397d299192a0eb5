"""The panel's tab Export: a file painted as the game is now."""

from __future__ import annotations

from imgui_bundle import ImVec2, imgui

from stylizer.compose.panel_ui import Ui
from stylizer.compose.pen import TEXT


def export_tab(ui: Ui) -> None:
    """A file painted as the game is now."""
    s, memory = ui.state, ui.memory
    ui.note(
        "A video, a picture or a folder of pictures, painted as the game is now. It goes to your "
        "Videos or Pictures; the game goes first, so that it may take a while."
    )
    imgui.begin_disabled(bool(s.exporting))
    ui.label("paint this")
    entered, memory.export = imgui.input_text_with_hint(
        "##export", "its path", memory.export, imgui.InputTextFlags_.enter_returns_true
    )
    pressed = ui.wide_button("Paint it", imgui.get_content_region_avail().x)
    imgui.end_disabled()
    if (entered or pressed) and memory.export.strip():
        ui.change("export", memory.export.strip())
    if s.exporting:
        imgui.dummy(ImVec2(0, ui.px(4)))
        ui.note(s.exporting, TEXT)
        imgui.progress_bar(s.exported, ImVec2(-1, ui.px(18)), f"{s.exported:.0%}")
        if ui.wide_button("Stop", imgui.get_content_region_avail().x):
            ui.change("stop_export")
