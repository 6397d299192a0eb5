"""What the HUD says and where: panels made of HudData with a Pen. No GL here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from imgui_bundle import ImVec2, imgui

from stylizer.compose.frame_graph import frame_graph
from stylizer.compose.hud_front import LINE, MARGIN, PADDING, help_page, message, recording
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
from stylizer.timing import p50_p99

GRAPH_WIDTH, GRAPH_HEIGHT = 372, 88
SMALL_HEIGHT = 9 + 28 + LINE + 7
LABEL_WIDTH = 78
READABLE = 0.6  # scale below which the graph goes without its lines
MOST_LINES = 5  # of one value and its note


class Line(NamedTuple):
    """One line under the graph; "" is left out."""

    label: str
    value: str
    note: str


class Places(NamedTuple):
    """Where the HUD lies in the window: its figures, None where there are none, and all of it."""

    figures: Rect | None
    covered: tuple[Rect, ...]


def lay_out(data: HudData, fonts: Fonts, scale: float, window: tuple[int, int]) -> Places:
    """Put everything into the current ImGui frame; window is (width, height) in pixels."""
    back, front = imgui.get_background_draw_list(), imgui.get_foreground_draw_list()
    pen = Pen(back, fonts, scale * _fit(scale, window, (GRAPH_WIDTH, SMALL_HEIGHT)))
    figures = None
    if not data.show_help:  # help takes the room
        if data.mode == "graph":
            figures = _graph_panel(Pen(back, fonts, scale), data, window)
        elif data.mode == "fps":
            figures = _small_panel(pen, data, window)
    pen = Pen(front, fonts, pen.scale)  # in front of the graph, which is a window of ImGui's
    covered = [] if figures is None else [figures]
    if data.recording and data.mode != "off":
        covered.append(recording(pen, data, window[0], figures))
    if data.message:
        covered.append(message(pen, data.message, window, data.covered, figures))
    if data.show_help:
        covered.append(help_page(pen, data, window))
    return Places(figures, tuple(covered))


def _fit(scale: float, window: tuple[int, int], units: tuple[float, float]) -> float:
    """What the scale is multiplied with for a panel of so many units: it stays inside, and left of
    the middle as long as that costs no more than a fifth of its size. Beyond 1920x1080 it grows
    with the window."""
    grown = max(1.0, min(window[0] / 1920, window[1] / 1080) / scale)
    inside = [window[n] / ((units[n] + 2 * MARGIN) * scale) for n in (0, 1)]
    return min(grown, *inside, max(0.8, window[0] / (2.2 * units[0] * scale)))


def _place(
    pen: Pen, data: HudData, size: tuple[float, float], window: tuple[int, int]
) -> Rect | None:
    """Where a panel of this size stands: in its corner, or where it was dragged to. None where the
    panel of settings covers that."""
    free = [max(0.0, window[n] - size[n]) for n in (0, 1)]
    if data.place is not None:
        x, y = (share * room for share, room in zip(data.place, free, strict=True))
    else:
        margin = pen.px(MARGIN)
        x = free[0] - margin if data.corner.endswith("right") else margin
        y = free[1] - margin if data.corner.startswith("bottom") else margin
    rect = Rect(round(x), round(y), round(size[0]), round(size[1]))
    return None if data.covered is not None and rect.meets(data.covered) else rect


def _small_panel(pen: Pen, data: HudData, window: tuple[int, int]) -> Rect | None:
    pad = pen.px(PADDING)
    model, provider = _names(data)
    second = pen.width(model, BODY, bold=True) + pen.px(10) + pen.width(provider)
    width, height = max(_rates_width(pen, data), second) + 2 * pad, pen.px(SMALL_HEIGHT)
    if width > window[0] and pen.scale > 0.2:  # a long name in a small window
        smaller = 0.98 * pen.scale * window[0] / width
        return _small_panel(replace(pen, scale=smaller), data, window)
    rect = _place(pen, data, (width, height), window)
    if rect is None:
        return None
    x, y = rect.x, rect.y
    pen.box(x, y, width, height)
    _rates(pen, x + pad, y + pen.px(7), data)
    end = pen.text(x + pad, y + pen.px(9 + 28), model, WHITE, bold=True)
    pen.text(end + pen.px(10), y + pen.px(9 + 28), provider, DIM)
    return rect


def _graph_panel(pen: Pen, data: HudData, window: tuple[int, int]) -> Rect | None:
    """Rates and graph, and below them lines and stages, as much as can be read."""
    lines, pen = _fitting_lines(pen, data, window)
    rect = _place(pen, data, (pen.px(GRAPH_WIDTH), _height_px(pen, data, len(lines))), window)
    if rect is None:
        return None
    pad = pen.px(PADDING)
    pen.box(rect.x, rect.y, rect.width, rect.height)
    x, right, y = rect.x + pad, rect.x + rect.width - pad, rect.y + pen.px(42)
    _rates(pen, x, rect.y + pen.px(7), data)
    _percentiles(pen, x, right, y, data)
    y += pen.px(LINE - 1)
    _graph(pen, x, y, right - x, data.frame_time_ms)
    if lines:
        y = _write(pen, x, y + pen.px(GRAPH_HEIGHT + 9), lines) + pen.px(5)
        pen.box(x, y, right - x, 1, KEY, 0, edge=False)
        _stages(pen, x, right, y + pen.px(7), data)
    return rect


def _fitting_lines(pen: Pen, data: HudData, window: tuple[int, int]) -> tuple[list[Line], Pen]:
    """The lines, and the pen of the size that fits: with the notes, else without, else none."""
    fitting, one = pen, replace(pen, scale=1.0)
    for lines in (_lines(pen, data), _lines(pen, data, notes=False), []):
        units = GRAPH_WIDTH, _height_px(one, data, len(lines))
        fitting = replace(pen, scale=pen.scale * _fit(pen.scale, window, units))
        if fitting.scale >= READABLE:
            return lines, fitting
    return [], fitting


def _height_px(pen: Pen, data: HudData, lines: int) -> float:
    """Of the graph's panel with so many lines, in pixels."""
    height = pen.px(42) + pen.px(LINE - 1) + pen.px(GRAPH_HEIGHT + 9)
    if not lines:
        return height + pen.px(4)
    rows = (len(data.stage_ms) + 2) // 3
    return height + lines * pen.px(LINE) + pen.px(12) + rows * pen.px(LINE - 1) + pen.px(6)


def _write(pen: Pen, x: float, y: float, lines: Sequence[Line]) -> float:
    """The lines under each other; returns where the last one ends."""
    for label, value, note in lines:
        pen.text(x, y, label, DIM)
        start = x + pen.px(LABEL_WIDTH)
        if value:
            start = pen.text(start, y, value, WHITE) + pen.px(8)
        pen.text(start, y + pen.px(1), note, DIM, SMALL)
        y += pen.px(LINE)
    return y


def _lines(pen: Pen, data: HudData, notes: bool = True) -> list[Line]:
    """The rows under the graph, with what is too long for a line in further ones; notes: with those
    beside the values."""
    room = pen.px(GRAPH_WIDTH - 2 * PADDING - LABEL_WIDTH - 4)  # sizes are rounded: a little less
    found = []
    for label, value, more in _rows(data):
        note = more if notes else ""
        values = pen.wrapped(value, room)
        beside = pen.width(values[-1]) + pen.px(8) + pen.width(note, SMALL)
        own = [] if not note or beside <= room else pen.wrapped(note, room, SMALL)
        lines = [Line("", text, "") for text in values]
        if note and not own:
            lines[-1] = lines[-1]._replace(note=note)
        lines += [Line("", "", text) for text in own]
        if len(lines) > MOST_LINES:
            lines = lines[:MOST_LINES]
            lines[-1] = lines[-1]._replace(note=f"{lines[-1].note[:-1]}…")
        found += [lines[0]._replace(label=label), *lines[1:]]
    return found


def _names(data: HudData) -> tuple[str, str]:
    """(model, provider); the model with its precision where neither float nor told by its name."""
    name = data.model or "no model"
    known = data.precision in ("", "fp32") or data.precision in name
    return (name if known else f"{name} ({data.precision})"), data.provider


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
    if data.training:
        rows.append(("training", data.training, ""))
    if data.target_text:
        rows.append(("target", data.target_text, ""))
    if data.shared[0]:
        painting, game = data.shared
        rows += [("painting", painting, ""), ("the game", game, "")]
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


def _size(size: tuple[int, int] | None) -> str:
    return NO_VALUE if size is None else f"{size[0]} × {size[1]}"
