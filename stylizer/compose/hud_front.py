"""What lies in front of the figures: F1's help, messages, the sign of a recording. No GL here."""

from __future__ import annotations

from dataclasses import replace

from stylizer.compose.hud_values import HudData
from stylizer.compose.pen import BODY, DIM, KEY, RED, SMALL, WHITE, Pen
from stylizer.frame import Rect
from stylizer.hotkeys import key_label
from stylizer.timing import minutes

MARGIN, PADDING, LINE = 10, 12, 21
MESSAGE_WIDTH = 440
_SMALLEST = 0.4  # scale below which nobody can read


def recording(pen: Pen, data: HudData, window_width: int, figures: Rect | None) -> Rect:
    """At the top right, or left where the figures stand there, or under them."""
    text = f"REC {minutes(data.recorded_s)}"
    width, height = pen.width(text, BODY, bold=True) + pen.px(40), pen.px(30)
    x, y = window_width - pen.px(MARGIN) - width, pen.px(MARGIN)
    if figures is not None:
        places = ((x, y), (pen.px(MARGIN), y), (x, figures.y + figures.height + pen.px(MARGIN)))
        for x, y in places:
            if not figures.meets(Rect(int(x), int(y), int(width), int(height))):
                break
    pen.box(x, y, width, height)
    pen.dot(x + pen.px(17), y + height / 2, 5, RED)
    pen.text(x + pen.px(29), y + pen.px(7), text, WHITE, bold=True)
    return around(x, y, width, height)


def message(
    pen: Pen, text: str, window: tuple[int, int], covered: Rect | None, figures: Rect | None
) -> Rect:
    """At the bottom, over as many lines as it needs; narrow, to leave the corners free. Beside the
    panel, and beside figures that reach down there, where there is room, else over them."""
    left, right = 0, window[0]
    top = window[1] - pen.px(18 + 32 + LINE)
    for taken in (covered, figures):
        if taken is None or (taken is figures and taken.y + taken.height < top):
            continue
        beside = max((left, taken.x), (taken.x + taken.width, right), key=lambda x: x[1] - x[0])
        middle, half = (left + right) / 2, pen.px(MESSAGE_WIDTH / 2)
        meets = taken.x < middle + half and taken.x + taken.width > middle - half
        if beside[1] - beside[0] >= half and (meets or taken is covered):
            left, right = beside
    room = min(pen.px(MESSAGE_WIDTH), right - left - pen.px(2 * MARGIN + 2 * PADDING))
    lines = pen.wrapped(text, room)
    width = max(pen.width(line) for line in lines) + pen.px(2 * PADDING + 4)
    height = pen.px(32) + (len(lines) - 1) * pen.px(LINE)
    x, y = (left + right - width) / 2, window[1] - pen.px(18) - height
    pen.box(x, y, width, height)
    for number, line in enumerate(lines):
        pen.text(x + pen.px(PADDING + 2), y + pen.px(8) + number * pen.px(LINE), line, WHITE)
    return around(x, y, width, height)


def help_page(pen: Pen, data: HudData, window: tuple[int, int]) -> Rect:
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
        smaller = replace(pen, scale=max(_SMALLEST, 0.98 * fit * pen.scale))
        return help_page(smaller, data, window)
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
    return around(x, y, width, height)


def around(x: float, y: float, width: float, height: float) -> Rect:
    """The pixels that a box of `pen` covers, its edge as well."""
    return Rect(round(x) - 1, round(y) - 1, round(width) + 2, round(height) + 2)
