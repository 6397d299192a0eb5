"""The panel's tab of speed: the rate to hold, what the network sees, and where the time goes."""

from __future__ import annotations

from imgui_bundle import ImVec2, imgui

from stylizer.compose.frame_graph import frame_graph
from stylizer.compose.panel_ui import Ui
from stylizer.compose.pen import AMBER, BLUE, DIM, GREEN, RED, TEXT, WHITE
from stylizer.settings import USUAL_SHARE
from stylizer.timing import p50_p99

USUAL_FPS, LOWEST_FPS, HIGHEST_FPS = 60, 10, 165
GRAPH_HEIGHT = 96


def speed_tab(ui: Ui) -> None:
    """The rate and the size above, measured times below."""
    _target(ui)
    _size(ui)
    if ui.state.global_keys:  # over a game
        _share(ui)
    imgui.separator()
    _provider(ui)
    _stages(ui)
    _frame_times(ui)


def _target(ui: Ui) -> None:
    target = ui.state.target_fps
    ui.label("target")
    flipped, on = imgui.checkbox("##hold", target is not None)
    if flipped:
        ui.change("target_fps", float(USUAL_FPS) if on else None)
    imgui.same_line()
    imgui.begin_disabled(target is None)
    imgui.set_next_item_width(-1)
    ends = LOWEST_FPS, HIGHEST_FPS
    moved = ui.slider("target", target or USUAL_FPS, ends, lambda fps: f"{fps:.0f} fps")
    imgui.end_disabled()
    if moved is not None and target is not None:
        ui.change("target_fps", float(round(moved)))


def _size(ui: Ui) -> None:
    s, f = ui.state, ui.figures
    if not s.resizable:
        ui.label("network sees")
        imgui.align_text_to_frame_padding()
        imgui.text_wrapped("one size only, that the model has")
        return
    if s.target_fps is None:
        sizes = {f"{share:.0%}": size for share, size in s.scales.items()}
        ui.choices("network sees", "inference_size", sizes, s.inference_size)
    sees = f.sees or f.size
    if sees and f.size:
        text = f"{sees[0]} × {sees[1]} of {f.size[0]} × {f.size[1]}"
        ui.label("network sees" if s.target_fps else "")
        imgui.align_text_to_frame_padding()
        imgui.text(text)
    if s.target_fps is not None:
        ui.note(f.target_text or "The size follows the target: smaller is faster and coarser.")


def _share(ui: Ui) -> None:
    """What the game keeps of its own rate."""
    share = ui.state.game_share
    ui.label("game keeps")
    flipped, on = imgui.checkbox("##share", share is not None)
    if flipped:
        ui.change("game_share", USUAL_SHARE if on else None)
    imgui.same_line()
    imgui.begin_disabled(share is None)
    imgui.set_next_item_width(-1)
    moved = ui.slider(
        "game_share", 100 * (share or USUAL_SHARE), (50, 95), lambda s: f"{s:.0f} % of its own rate"
    )
    imgui.end_disabled()
    if moved is not None and share is not None:
        ui.change("game_share", round(moved) / 100)
    if ui.figures.shared:
        ui.note(ui.figures.shared[:1].upper() + ui.figures.shared[1:])


def _provider(ui: Ui) -> None:
    f = ui.figures
    ui.label("runs on")
    imgui.align_text_to_frame_padding()
    kind = {"int8": "8-bit integers", "fp16": "half floats", "fp32": "floats"}.get(f.precision, "")
    imgui.text_colored(WHITE, f"{f.provider or '–'}{f', {kind}' if kind else ''}")
    if f.provider_reason:
        ui.note(f.provider_reason[:1].upper() + f.provider_reason[1:])


def _stages(ui: Ui) -> None:
    """A line a stage: p50, p99 and a bar of its p50 beside the longest."""
    found = ui.figures.stage_ms
    longest = max((times[0] for times in found.values() if times), default=0.0)
    if not imgui.begin_table("stages", 4, imgui.TableFlags_.row_bg):
        return
    fixed = imgui.TableColumnFlags_.width_fixed
    imgui.table_setup_column("stage", fixed, ui.px(92))
    imgui.table_setup_column("p50", fixed, ui.px(52))
    imgui.table_setup_column("p99", fixed, ui.px(52))
    imgui.table_setup_column("bar", imgui.TableColumnFlags_.width_stretch)
    _row(("stage, ms", "p50", "p99"), (DIM, GREEN, RED))
    for name, times in found.items():
        texts = (name, *(f"{ms:.1f}" for ms in times)) if times else (name, "–", "–")
        _row(texts, (TEXT, WHITE, TEXT))
        if times and longest > 0:
            _bar(ui, times[0] / longest, AMBER if name == "infer" else BLUE)
    latency = ui.figures.latency_ms
    _row(("latency", "–" if latency is None else f"{latency:.1f}", ""), (TEXT, WHITE, TEXT))
    imgui.end_table()


def _row(texts: tuple[str, ...], colors: tuple) -> None:
    imgui.table_next_row()
    for number, (text, color) in enumerate(zip(texts, colors, strict=True)):
        imgui.table_next_column()
        if number:
            room = imgui.get_content_region_avail().x - imgui.calc_text_size(text).x
            imgui.set_cursor_pos_x(imgui.get_cursor_pos_x() + max(0.0, room))
        imgui.text_colored(color, text)


def _bar(ui: Ui, share: float, color: tuple) -> None:
    imgui.table_next_column()
    place, height = imgui.get_cursor_screen_pos(), imgui.get_text_line_height()
    x, y = place.x + ui.px(6), place.y + round(height * 0.3)
    width = max(1.0, (imgui.get_content_region_avail().x - ui.px(10)) * share)
    high = ImVec2(x + width, y + round(height * 0.45))
    imgui.get_window_draw_list().add_rect_filled(
        ImVec2(x, y), high, imgui.get_color_u32((*color[:3], 0.75)), ui.px(2)
    )


def _frame_times(ui: Ui) -> None:
    p50, p99 = p50_p99(ui.figures.frame_time_ms).values()
    parts = [("frame time", TEXT)]
    parts += [(f"p50 {p50:.1f}", GREEN)] if p50 is not None else []
    parts += [(f"p99 {p99:.1f} ms", RED)] if p99 is not None else []
    for number, (text, color) in enumerate(parts):
        if number:
            imgui.same_line(0, ui.px(10))
        imgui.text_colored(color, text)
    imgui.push_font(ui.fonts.regular, ui.px(11))
    frame_graph(ImVec2(-1, ui.px(GRAPH_HEIGHT)), ui.figures.frame_time_ms, ui.scale)
    imgui.pop_font()
