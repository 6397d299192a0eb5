"""What the tabs of the panel share: values, answers, a few widgets that ImGui has not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imgui_bundle import ImVec2, imgui

from stylizer.compose.panel_values import Change, PanelFigures, PanelState
from stylizer.compose.pen import DIM, SMALL, Color, Fonts

LABEL_WIDTH = 118


@dataclass
class Memory:
    """What the panel itself remembers between layouts: nothing of it is a setting."""

    waiting: str = ""  # the action whose new key is to be pressed
    name: str = ""  # the preset's, as typed so far
    named: str = ""  # the name that the typing began with
    path: str = ""  # a picture's, as typed so far
    export: str = ""  # that of what is to be painted, as typed so far
    tool: str = ""  # what is drawn on the frozen frame, "" while none is frozen
    corners: list[tuple[float, float]] = field(default_factory=list)  # of the shape being drawn
    pointed: int = -1  # the shape whose line in the list the mouse is on


@dataclass
class Ui:
    """One layout: what it shows, and the changes that it finds."""

    state: PanelState
    figures: PanelFigures
    pictures: Mapping[str, imgui.ImTextureRef]
    fonts: Fonts
    scale: float
    memory: Memory
    changes: list[Change] = field(default_factory=list)

    def px(self, units: float) -> float:
        return float(round(units * self.scale))

    def change(self, name: str, value: Any = None) -> None:
        self.changes.append(Change(name, value))

    def label(self, text: str) -> None:
        """Left of a widget, which then takes the rest of the line."""
        imgui.align_text_to_frame_padding()
        imgui.text_colored(DIM, text)
        imgui.same_line(self.px(LABEL_WIDTH))
        imgui.set_next_item_width(-1)

    def note(self, text: str, color: Color = DIM) -> None:
        """Small print over as many lines as it needs."""
        imgui.push_font(self.fonts.regular, self.px(SMALL))
        imgui.push_style_color(imgui.Col_.text, color)
        imgui.text_wrapped(text)
        imgui.pop_style_color()
        imgui.pop_font()

    def percent(self, label: str, name: str, value: float) -> None:
        """A slider of a share, from 0 to 100 %."""
        self.label(label)
        moved = self.slider(name, value * 100, (0, 100), lambda shown: f"{shown:.0f} %")
        if moved is not None:
            self.change(name, round(moved) / 100)

    def slider(
        self, name: str, value: float, ends: tuple[float, float], words: Callable[[float], str]
    ) -> float | None:
        """A slider whose figure stands in the half where its grab is not; where it was moved to."""
        flags = imgui.SliderFlags_.always_clamp
        moved, shown = imgui.slider_float(f"##{name}", value, *ends, "", flags)
        typed = imgui.is_item_active() and imgui.get_io().want_text_input  # by Ctrl+click
        if not typed:
            low, high, text = imgui.get_item_rect_min(), imgui.get_item_rect_max(), words(shown)
            left = low.x + self.px(10)
            right = high.x - self.px(10) - imgui.calc_text_size(text).x
            place = ImVec2(
                left if 2 * shown > sum(ends) else right,
                low.y + imgui.get_style().frame_padding.y,
            )
            color = imgui.get_color_u32(imgui.Col_.text)
            imgui.get_window_draw_list().add_text(place, color, text)
        return shown if moved else None

    def choices(self, label: str, name: str, values: Mapping[str, Any], current: object) -> None:
        """One of a few, side by side, as many in a line as fit."""
        self.label(label)
        right = imgui.get_cursor_screen_pos().x + imgui.get_content_region_avail().x
        for number, (text, value) in enumerate(values.items()):
            width = imgui.calc_text_size(text).x + imgui.get_frame_height() + self.px(14)
            if number:
                gap = imgui.get_style().item_spacing.x
                if imgui.get_item_rect_max().x + gap + width > right:
                    imgui.set_cursor_pos_x(self.px(LABEL_WIDTH))
                else:
                    imgui.same_line()
            if imgui.radio_button(f"{text}##{name}", value == current):
                self.change(name, value)

    def menu(self, label: str, values: Sequence[str], current: str) -> str | None:
        """One of many, from a list that opens; what was chosen now."""
        self.label(label)
        chosen = None
        if imgui.begin_combo(f"##{label}", words(current)):
            for value in values:
                if imgui.selectable(words(value), value == current)[0]:
                    chosen = value
            imgui.end_combo()
        return chosen

    def wide_button(self, text: str, width: float = 0) -> bool:
        return imgui.button(text, ImVec2(width, 0))


def shortened(text: str, width: float) -> str:
    """The text in the current font, with an ellipsis where it is wider than so many pixels."""
    if imgui.calc_text_size(text).x <= width:
        return text
    while text and imgui.calc_text_size(f"{text}…").x > width:
        text = text[:-1].rstrip()
    return f"{text}…"


def words(name: str) -> str:
    """ "starry-night" -> "starry night"."""
    return name.replace("-", " ")
