"""How far the training of the style is, and what may be done with it; on the tab Style."""

from __future__ import annotations

from imgui_bundle import ImVec2, imgui

from stylizer.compose.panel_ui import Ui


def training(ui: Ui) -> None:
    """Nothing where nothing is trained."""
    s = ui.state
    if not s.training:
        return
    ui.label("training")
    imgui.align_text_to_frame_padding()
    imgui.text_wrapped(s.training)
    if not s.training_over:
        imgui.progress_bar(s.trained, ImVec2(-1, ui.px(18)), f"{s.trained:.0%}")
    wide = (imgui.get_content_region_avail().x - imgui.get_style().item_spacing.x) / 2
    first = ("Keep", "keep_training") if s.training_over else ("Stop", "stop_training")
    for number, (text, change) in enumerate((first, ("Discard", "discard_training"))):
        if number:
            imgui.same_line()
        if ui.wide_button(text, wide):
            ui.change(change)
