"""Text and boxes on a Dear ImGui draw list, in units of 1/96 inch that a scale makes pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import imgui_bundle
from imgui_bundle import ImVec2, imgui

Color = tuple[float, float, float, float]

WHITE: Color = (1.00, 1.00, 1.00, 1.00)
TEXT: Color = (0.90, 0.92, 0.95, 1.00)
DIM: Color = (0.64, 0.68, 0.74, 1.00)
BLUE: Color = (0.50, 0.80, 1.00, 1.00)
AMBER: Color = (1.00, 0.76, 0.36, 1.00)
GREEN: Color = (0.50, 0.87, 0.56, 1.00)
RED: Color = (1.00, 0.42, 0.40, 1.00)
# Dark enough for 7:1 contrast of DIM text over a white picture (WCAG 2.1, 1.4.6).
PANEL: Color = (0.05, 0.06, 0.08, 0.86)
EDGE: Color = (1.00, 1.00, 1.00, 0.10)
KEY: Color = (1.00, 1.00, 1.00, 0.12)

BODY, SMALL, LARGE = 15, 13, 23
NO_VALUE = "–"
BREAKS = "-/_."  # a long word is broken behind them
_FONTS = Path(imgui_bundle.__file__).parent / "assets" / "fonts"


@dataclass(frozen=True)
class Fonts:
    """Fonts of an ImGui context; glyphs are drawn by the font loader at the size they are used."""

    regular: imgui.ImFont
    bold: imgui.ImFont

    @classmethod
    def load(cls) -> Fonts:
        """Into the current context: Roboto, and from Inconsolata what it lacks (arrows)."""
        return cls(_load("Roboto-Regular.ttf"), _load("Roboto-Bold.ttf"))


def _load(name: str) -> imgui.ImFont:
    atlas = imgui.get_io().fonts
    font = atlas.add_font_from_file_ttf(str(_FONTS / "Roboto" / name), float(BODY))
    more = imgui.ImFontConfig()
    more.merge_mode = True
    atlas.add_font_from_file_ttf(str(_FONTS / "Inconsolata-Medium.ttf"), float(BODY), more)
    return font


@dataclass(frozen=True)
class Pen:
    """Draws at pixel places; sizes of text, margins and corners are in units."""

    target: imgui.ImDrawList
    fonts: Fonts
    scale: float

    def px(self, units: float) -> float:
        """Units as whole pixels, so that text and edges stay sharp."""
        return float(round(units * self.scale))

    def width(self, text: str, size: int = BODY, bold: bool = False) -> float:
        """Of a line of text, in pixels."""
        font = self.fonts.bold if bold else self.fonts.regular
        imgui.push_font(font, self.px(size))
        width = imgui.calc_text_size(text).x
        imgui.pop_font()
        return width

    def text(
        self, x: float, y: float, text: str, color: Color = TEXT, size: int = BODY,
        bold: bool = False,
    ) -> float:  # fmt: skip
        """Write a line with its top at y; returns where it ends."""
        font = self.fonts.bold if bold else self.fonts.regular
        place = ImVec2(round(x), round(y))
        self.target.add_text(font, self.px(size), place, imgui.get_color_u32(color), text)
        return x + self.width(text, size, bold)

    def text_right(
        self, x: float, y: float, text: str, color: Color = TEXT, size: int = BODY
    ) -> None:
        """Write a line that ends at x."""
        self.text(x - self.width(text, size), y, text, color, size)

    def fitted(self, text: str, width: float, size: int = BODY) -> str:
        """The text, or as much of it as fits `width` pixels with an ellipsis."""
        if self.width(text, size) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.width(text[:middle].rstrip() + "…", size) <= width
            low, high = (middle, high) if fits else (low, middle - 1)
        return text[:low].rstrip() + "…"

    def wrapped(self, text: str, width: float, size: int = BODY) -> list[str]:
        """The text in lines of no more pixels than `width`, broken at blanks, or in a word that is
        longer than a line (a path, a name): behind one of BREAKS, where that leaves a third of the
        line at least."""
        lines = [""]
        for word in text.split():
            if self.width(f"{lines[-1]} {word}".strip(), size) <= width:
                lines[-1] = f"{lines[-1]} {word}".strip()
                continue
            lines += [word] if lines[-1] else []
            lines[-1] = word
            while self.width(lines[-1], size) > width and len(lines[-1]) > 1:
                rest = lines[-1]
                parts = (rest[:n] for n in range(1, len(rest)))
                fits = max(1, sum(self.width(part, size) <= width for part in parts))
                sign = max(rest.rfind(sign, 0, fits) for sign in BREAKS) + 1
                at = sign if sign >= fits / 3 else fits
                lines[-1:] = [rest[:at], rest[at:]]
        return lines

    def box(
        self, x: float, y: float, width: float, height: float, color: Color = PANEL,
        rounding: float = 7, edge: bool = True,
    ) -> None:  # fmt: skip
        """A filled box with a thin light edge."""
        low, high = ImVec2(round(x), round(y)), ImVec2(round(x + width), round(y + height))
        corner = self.px(rounding)
        self.target.add_rect_filled(low, high, imgui.get_color_u32(color), corner)
        if edge:
            thickness = max(1.0, self.px(1))
            self.target.add_rect(low, high, imgui.get_color_u32(EDGE), corner, thickness)

    def dot(self, x: float, y: float, radius: float, color: Color) -> None:
        """A filled circle around (x, y)."""
        self.target.add_circle_filled(ImVec2(x, y), self.px(radius), imgui.get_color_u32(color))


def figure(value: float | None) -> str:
    """With one digit behind the point."""
    return NO_VALUE if value is None else f"{value:.1f}"
