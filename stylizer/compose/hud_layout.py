"""What the HUD says and where: panels made of HudData with a Pen. No GL here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imgui_bundle import ImVec2, imgui

from stylizer.compose.frame_graph import frame_graph
from stylizer.compose.hud_values import HudData
from stylizer.compose.pen import (
    AMBER,
    BLUE,
    BODY,
    DIM,
    GREEN,
    KEY,
    LARGE,
    NO_VALUE,
    RED,
    SMALL,
    TEXT,
    WHITE,
    Color,
    Fonts,
    Pen,
    figure,
)
from stylizer.frame import Rect
from stylizer.hotkeys import key_label
from stylizer.timing import p50_p99

MARGIN, PADDING, LINE = 10, 12, 21
GRAPH_WIDTH, GRAPH_HEIGHT, PANEL_HEIGHT = 372, 88, 362
LABEL_WIDTH, MESSAGE_WIDTH = 78, 440
_SMALLEST = 0.4  # scale below which nobody can read


def lay_out(data: HudData, fonts: Fonts, scale: float, window: tuple[int, int]) -> None:
    """Put everything into the current ImGui frame; window is (width, height) in pixels."""
    pen = Pen(imgui.get_background_draw_list(), fonts, scale * _fit(data, scale, window))
    if data.mode == "graph" and not data.show_help:  # help takes the room
        _graph_panel(pen, data, window)
    elif data.mode == "fps" and not data.show_help:
        _small_panel(pen, data, window)
    if data.recording and data.mode != "off":
        _recording(pen, data, window[0])
    # In front of the graph, which is a window of ImGui's.
    front = Pen(imgui.get_foreground_draw_list(), fonts, pen.scale)
    if data.message:
        _message(front, data.message, window, data.covered)
    if data.show_help:
        _help(front, data, window)


def _panel_height(data: HudData) -> int:
    stage_rows = (len(data.stage_ms) + 2) // 3
    lines = bool(data.held) + bool(data.gpu_ms) + 2 * bool(data.shared) + bool(data.blended[0])
    more = LINE * lines
    return PANEL_HEIGHT + (stage_rows - 2) * (LINE - 1) + more


def _fit(data: HudData, scale: float, window: tuple[int, int]) -> float:
    """Shrinks the HUD in a small window: the panel stays inside, and left of the middle as long as
    that costs no more than a fifth of its size. Beyond 1920x1080 it grows with the window."""
    grown = max(1.0, min(window[0] / 1920, window[1] / 1080) / scale)
    width = window[0] / (2.2 * GRAPH_WIDTH * scale)
    height = window[1] / ((_panel_height(data) + 2 * MARGIN) * scale)
    return min(grown, height, max(0.8, width))


def _place(
    pen: Pen, data: HudData, size: tuple[float, float], window: tuple[int, int]
) -> tuple[float, float]:
    """The top left of a panel of this size in the HUD's corner."""
    margin = pen.px(MARGIN)
    x = window[0] - size[0] - margin if data.corner.endswith("right") else margin
    y = window[1] - size[1] - margin if data.corner.startswith("bottom") else margin
    return round(x), round(y)


def _small_panel(pen: Pen, data: HudData, window: tuple[int, int]) -> None:
    pad = pen.px(PADDING)
    model, provider = _names(data)
    second = pen.width(model, BODY, bold=True) + pen.px(10) + pen.width(provider)
    width, height = max(_rates_width(pen, data), second) + 2 * pad, pen.px(9 + 28 + LINE + 7)
    x, y = _place(pen, data, (width, height), window)
    pen.box(x, y, width, height)
    _rates(pen, x + pad, y + pen.px(7), data)
    end = pen.text(x + pad, y + pen.px(9 + 28), model, WHITE, bold=True)
    pen.text(end + pen.px(10), y + pen.px(9 + 28), provider, DIM)


def _graph_panel(pen: Pen, data: HudData, window: tuple[int, int]) -> None:
    pad, width, height = pen.px(PADDING), pen.px(GRAPH_WIDTH), pen.px(_panel_height(data))
    left, y = _place(pen, data, (width, height), window)
    pen.box(left, y, width, height)
    x, right = left + pad, left + width - pad
    _rates(pen, x, y + pen.px(7), data)
    y += pen.px(42)
    _percentiles(pen, x, right, y, data)
    y += pen.px(LINE - 1)
    _graph(pen, x, y, right - x, data.frame_time_ms)
    y += pen.px(GRAPH_HEIGHT + 9)
    for label, value, note in _rows(data):
        pen.text(x, y, label, DIM)
        start = x + pen.px(LABEL_WIDTH)
        value = pen.fitted(value, right - start)
        end = pen.text(start, y, value, WHITE) + pen.px(8)
        if note and right - end > pen.px(30):
            pen.text(end, y + pen.px(1), pen.fitted(note, right - end, SMALL), DIM, SMALL)
        y += pen.px(LINE)
    y += pen.px(5)
    pen.box(x, y, right - x, 1, KEY, 0, edge=False)
    _stages(pen, x, right, y + pen.px(7), data)


def _names(data: HudData) -> tuple[str, str]:
    """(model, provider); the model with its precision where neither float nor told by its name."""
    name = data.model or "no model"
    told = data.precision in ("", "fp32") or data.precision in name
    return (name if told else f"{name} ({data.precision})"), data.provider


def _rates_parts(data: HudData) -> list[tuple[str, Color, int, bool]]:
    """(text, color, size, bold) of "59.8 fps presented · 23.1 styled"."""
    return [
        (figure(data.presented_fps), BLUE, LARGE, True),
        (" fps presented", DIM, BODY, False),
        ("  ·  ", DIM, BODY, False),
        (figure(data.styled_fps), AMBER, LARGE, True),
        (" styled", DIM, BODY, False),
    ]


def _rates_width(pen: Pen, data: HudData) -> float:
    return sum(pen.width(text, size, bold) for text, _, size, bold in _rates_parts(data))


def _rates(pen: Pen, x: float, y: float, data: HudData) -> None:
    """Small and large text share a base line: Roboto's ascent is 0.93 of its size."""
    for text, color, size, bold in _rates_parts(data):
        x = pen.text(x, y + pen.px(0.93 * (LARGE - size)), text, color, size, bold)


def _percentiles(pen: Pen, x: float, right: float, y: float, data: HudData) -> None:
    p50, p99 = p50_p99(data.frame_time_ms).values()
    x = pen.text(x, y, "frame time", DIM, SMALL)
    for name, value, color in (("p50", p50, GREEN), ("p99", p99, RED)):
        x = pen.text(x + pen.px(10), y, f"{name} ", color, SMALL)
        x = pen.text(x, y, f"{figure(value)} ms", TEXT, SMALL)
    low = f"{figure(data.one_percent_low_fps)} fps"
    pen.text_right(right, y, low, TEXT, SMALL)
    pen.text_right(right - pen.width(low, SMALL), y, "1% low ", DIM, SMALL)


def _graph(pen: Pen, x: float, y: float, width: float, series_ms: Sequence[float]) -> None:
    flags = imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_background
    imgui.set_next_window_pos(ImVec2(x, y))
    imgui.set_next_window_size(ImVec2(width, pen.px(GRAPH_HEIGHT)))
    imgui.push_style_var(imgui.StyleVar_.window_padding, ImVec2(0, 0))
    imgui.push_font(pen.fonts.regular, pen.px(11))
    imgui.begin("frame time", None, flags | imgui.WindowFlags_.no_inputs)
    frame_graph(ImVec2(-1, -1), series_ms, pen.scale)
    imgui.end()
    imgui.pop_font()
    imgui.pop_style_var()


def _rows(data: HudData) -> list[tuple[str, str, str]]:
    """(label, value, note) of the lines under the graph."""
    sizes = _size(data.size)
    smaller = data.inference_size not in (None, data.size)
    inference = f"network sees {_size(data.inference_size)}" if smaller else ""
    counts = f"{data.dropped} dropped · {data.duplicates} duplicate"
    rows = [
        ("model", data.model or "no model", _precision(data)),
        ("provider", data.provider or NO_VALUE, data.provider_reason),
        ("source", data.source or NO_VALUE, data.capture_method),
        ("present", data.present or NO_VALUE, data.present_reason),
        ("size", sizes, inference),
        ("latency", f"{figure(data.latency_ms)} ms", "capture to present"),
        ("frames", counts, ""),
    ]
    if data.gpu_ms:
        parts = (f"{name} {figure(ms)}" for name, ms in data.gpu_ms.items())
        rows.append(("GPU", f"{' · '.join(parts)} ms", "of each frame"))
    if data.blended[0]:
        rows.insert(1, ("blend", *data.blended))
    if data.held:
        rows.append(("target", data.held, ""))
    if data.shared:
        painting, _, game = data.shared.partition(": ")
        rows.append(("painting", painting.removeprefix("painting "), ""))
        rows.append(("the game", game.removeprefix("the game "), ""))
    return rows


def _precision(data: HudData) -> str:
    return {"": "", "fp32": "float (fp32)", "int8": "quantized (int8)"}.get(
        data.precision, data.precision
    )


def _stages(pen: Pen, x: float, right: float, y: float, data: HudData) -> None:
    """Name and milliseconds of each stage, in three columns read row by row."""
    gap = pen.px(18)
    column = (right - x - 2 * gap) / 3
    for number, (name, ms) in enumerate(data.stage_ms.items()):
        left = x + (number % 3) * (column + gap)
        top = y + (number // 3) * pen.px(LINE - 1)
        pen.text(left, top, name, DIM, SMALL)
        pen.text_right(left + column, top, figure(ms), WHITE, SMALL)


def _recording(pen: Pen, data: HudData, window_width: int) -> None:
    """At the top right, or left where the figures stand there."""
    seconds = data.recorded_s
    text = f"REC {int(seconds) // 60}:{int(seconds) % 60:02}"
    width, height = pen.width(text, BODY, bold=True) + pen.px(40), pen.px(30)
    x, y = window_width - pen.px(MARGIN) - width, pen.px(MARGIN)
    if data.corner == "top-right":
        x = pen.px(MARGIN)
    pen.box(x, y, width, height)
    pen.dot(x + pen.px(17), y + height / 2, 5, RED)
    pen.text(x + pen.px(29), y + pen.px(7), text, WHITE, bold=True)


def _message(pen: Pen, message: str, window: tuple[int, int], covered: Rect | None) -> None:
    """At the bottom, over as many lines as it needs; narrow, to leave the corners free. Beside the
    panel where there is room, else over it."""
    left, right = 0, window[0]
    if covered is not None:
        beside = max((0, covered.x), (covered.x + covered.width, right), key=lambda x: x[1] - x[0])
        if beside[1] - beside[0] >= pen.px(MESSAGE_WIDTH / 2):
            left, right = beside
    room = min(pen.px(MESSAGE_WIDTH), right - left - pen.px(2 * MARGIN + 2 * PADDING))
    lines = pen.wrapped(message, room)
    width = max(pen.width(line) for line in lines) + pen.px(2 * PADDING + 4)
    height = pen.px(32) + (len(lines) - 1) * pen.px(LINE)
    x, y = (left + right - width) / 2, window[1] - pen.px(18) - height
    pen.box(x, y, width, height)
    for number, line in enumerate(lines):
        pen.text(x + pen.px(PADDING + 2), y + pen.px(8) + number * pen.px(LINE), line, WHITE)


def _help(pen: Pen, data: HudData, window: tuple[int, int]) -> None:
    """All hotkeys in two columns, in the middle of the window."""
    bindings = [(key_label(key), text) for key, text in data.bindings]
    rows, line = (len(bindings) + 1) // 2, pen.px(28)
    key_width = max((pen.width(key, SMALL, bold=True) for key, _ in bindings), default=0)
    key_width += pen.px(16)
    text_width = max((pen.width(text) for _, text in bindings), default=0)
    pad, gap, step = pen.px(22), pen.px(12), key_width + text_width + pen.px(12 + 30)
    hints = max((pen.width(hint, SMALL) for hint in data.hints), default=0)
    width = max(2 * step - pen.px(30), hints) + 2 * pad
    foot = pen.px(10) + len(data.hints) * pen.px(20) if data.hints else 0
    height = pen.px(50) + rows * line + foot + pen.px(14)
    fit = min(window[0] / (width + 2 * gap), window[1] / (height + 2 * gap))
    if fit < 1 and pen.scale > _SMALLEST:  # smaller, then; widths do not shrink quite evenly
        _help(replace(pen, scale=max(_SMALLEST, 0.98 * fit * pen.scale)), data, window)
        return
    x, y = (window[0] - width) / 2, (window[1] - height) / 2
    pen.box(x, y, width, height)
    pen.text(x + pad, y + pen.px(15), "Keys", WHITE, 18, bold=True)
    for number, (key, text) in enumerate(bindings):
        left = x + pad + (number // rows) * step
        top = y + pen.px(50) + (number % rows) * line
        own = pen.width(key, SMALL, bold=True) + pen.px(16)
        pen.box(left, top, max(own, pen.px(28)), pen.px(22), KEY, 4)
        inset = (max(own, pen.px(28)) - own) / 2 + pen.px(8)
        pen.text(left + inset, top + pen.px(4), key, WHITE, SMALL, bold=True)
        pen.text(left + key_width + gap, top + pen.px(3), text)
    for number, hint in enumerate(data.hints):
        top = y + pen.px(50) + rows * line + pen.px(10) + number * pen.px(20)
        pen.text(x + pad, top, hint, DIM, SMALL)


def _size(size: tuple[int, int] | None) -> str:
    return NO_VALUE if size is None else f"{size[0]} × {size[1]}"
