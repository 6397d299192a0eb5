"""The start window: what can be painted, one click each. Lays out and draws; it chooses nothing.

Every window that is open is a tile with its live picture, beside the demo and a line for files.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import moderngl
import numpy as np
from imgui_bundle import ImVec2, imgui

from stylizer.compose.imgui_surface import ImguiSurface, without_passed_places
from stylizer.compose.panel_theme import ACCENT, ACCENT_HOVER, GROUND, dress
from stylizer.compose.pen import AMBER, BLUE, BODY, DIM, SMALL, TEXT, WHITE
from stylizer.compose.thumbnails import Thumbnails
from stylizer.frame import UiEvent

DEMO = "demo"  # the key of its tile's picture
MARGIN, GAP, TILE = 28, 16, 270
TITLE, SUBTITLE = 30, 17


@dataclass(frozen=True)
class Tile:
    """One thing to click. key: of its picture, and of what is chosen by it."""

    key: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Chosen:
    """kind "tile": its key; "file": the path that was typed."""

    kind: str
    value: str


class StartScreen:
    """Draws the tiles over a whole window. One GL context, one thread.

    typing: a path is being typed.
    """

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._surface = ImguiSurface(context)
        self._pictures = Thumbnails(context, self._surface.renderer)
        self._path, self._scale, self._at = "", 0.0, 0.0
        self.typing = False

    def picture(self, key: str, pixels: np.ndarray) -> None:
        """The picture of a tile: uint8 (height, width, 3) RGB."""
        self._pictures.put(key, pixels)

    def draw(
        self,
        framebuffer: moderngl.Framebuffer,
        events: Sequence[UiEvent],
        tiles: Sequence[Tile],
        message: str,
        scale: float,
    ) -> Chosen | None:
        """Draw everything, after the user's events; what was chosen by them."""
        self._surface.use()
        if scale != self._scale:
            self._scale = scale
            dress(scale)
        found: list[Chosen] = []
        for event in [*without_passed_places(events), None]:
            if event is not None:
                self._surface.take(event)
            now = time.perf_counter()
            seconds, self._at = min(0.25, max(0.001, now - self._at)), now
            self._surface.lay_out(
                framebuffer.size,
                seconds,
                lambda: self._lay_out(framebuffer.size, tiles, message, found),
                (tiles, message, self._path, event),
            )
        self.typing = imgui.get_io().want_text_input
        framebuffer.use()
        framebuffer.clear(*GROUND)
        self._surface.renderer.draw(framebuffer)
        return found[0] if found else None

    def release(self) -> None:
        """Free everything; may be called twice."""
        self._pictures.release()
        self._surface.release()

    def _px(self, units: float) -> float:
        return float(round(units * self._scale))

    def _lay_out(
        self, size: tuple[int, int], tiles: Sequence[Tile], message: str, found: list[Chosen]
    ) -> None:
        flags = imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_move
        imgui.set_next_window_pos(ImVec2(0, 0))
        imgui.set_next_window_size(ImVec2(*size))
        margin = self._px(MARGIN)
        imgui.push_style_var(imgui.StyleVar_.window_padding, ImVec2(margin, self._px(22)))
        imgui.push_font(self._surface.fonts.regular, self._px(BODY))
        imgui.begin("start", None, flags)
        self._say("What shall be painted?", TITLE, WHITE, bold=True)
        self._say("Click a game that runs, and it is painted right where it is.", SUBTITLE, DIM)
        imgui.dummy(ImVec2(0, self._px(4)))
        foot = self._px(92)
        if imgui.begin_child("tiles", ImVec2(0, -foot)):
            self._tiles(tiles, found)
        imgui.end_child()
        self._files(message, found)
        imgui.end()
        imgui.pop_font()
        imgui.pop_style_var()

    def _say(self, text: str, units: int, color: tuple, bold: bool = False) -> None:
        fonts = self._surface.fonts
        imgui.push_font(fonts.bold if bold else fonts.regular, self._px(units))
        imgui.push_style_color(imgui.Col_.text, color)
        imgui.text_wrapped(text)
        imgui.pop_style_color()
        imgui.pop_font()

    def _tiles(self, tiles: Sequence[Tile], found: list[Chosen]) -> None:
        room, gap = imgui.get_content_region_avail().x, self._px(GAP)
        columns = max(1, int((room + gap) // (self._px(TILE) + gap)))
        width = (room - (columns - 1) * gap) // columns
        for number, tile in enumerate(tiles):
            if number % columns:
                imgui.same_line(0, gap)
            imgui.begin_group()
            if self._tile(tile, ImVec2(width, round(width * 9 / 16))):
                found.append(Chosen("tile", tile.key))
            imgui.end_group()

    def _tile(self, tile: Tile, size: ImVec2) -> bool:
        """A picture, and under it what it is; True when it is clicked."""
        clicked = imgui.invisible_button(tile.key, size)
        low, high = imgui.get_item_rect_min(), imgui.get_item_rect_max()
        target, hovered = imgui.get_window_draw_list(), imgui.is_item_hovered()
        corner = self._px(6)
        target.add_rect_filled(low, high, imgui.get_color_u32(imgui.Col_.frame_bg), corner)
        picture = self._pictures.get(tile.key)
        if picture is not None:
            first, last = _inside(picture[0], low, high)
            target.add_image_rounded(
                picture[1], first, last, ImVec2(0, 0), ImVec2(1, 1), 0xFFFFFFFF, corner
            )
        if hovered:
            target.add_rect(low, high, imgui.get_color_u32(BLUE), corner, max(2.0, self._px(2)))
        imgui.push_text_wrap_pos(imgui.get_cursor_pos_x() + size.x)
        imgui.text_colored(WHITE if hovered else TEXT, tile.title)
        if tile.note:
            imgui.push_font(self._surface.fonts.regular, self._px(SMALL))
            imgui.text_colored(DIM, tile.note)
            imgui.pop_font()
        imgui.pop_text_wrap_pos()
        imgui.dummy(ImVec2(0, self._px(4)))
        return clicked

    def _files(self, message: str, found: list[Chosen]) -> None:
        imgui.separator()
        imgui.dummy(ImVec2(0, self._px(2)))
        self._say(
            message
            or "Or a painting to paint with, a video, a folder: drop it here, or type where it is.",
            BODY,
            AMBER if message else DIM,
        )
        button = self._px(96)
        imgui.set_next_item_width(imgui.get_content_region_avail().x - button - self._px(8))
        entered, self._path = imgui.input_text(
            "##path", self._path, imgui.InputTextFlags_.enter_returns_true
        )
        imgui.same_line(0, self._px(8))
        imgui.push_style_color(imgui.Col_.button, ACCENT)
        imgui.push_style_color(imgui.Col_.button_hovered, ACCENT_HOVER)
        pressed = imgui.button("Paint", ImVec2(button, 0))
        imgui.pop_style_color(2)
        if (entered or pressed) and self._path.strip():
            found.append(Chosen("file", self._path.strip()))


def _inside(size: tuple[int, int], low: ImVec2, high: ImVec2) -> tuple[ImVec2, ImVec2]:
    """The largest place of the picture's shape in the middle of a tile."""
    wide, tall = high.x - low.x, high.y - low.y
    factor = min(wide / size[0], tall / size[1])
    width, height = size[0] * factor, size[1] * factor
    x, y = low.x + (wide - width) / 2, low.y + (tall - height) / 2
    return ImVec2(round(x), round(y)), ImVec2(round(x + width), round(y + height))
