"""Signs that our own fonts lack (Chinese, Japanese, Korean and so on), from fonts of the system."""

from __future__ import annotations

from imgui_bundle import imgui

from stylizer.compose.pen import BODY, Fonts
from stylizer.system.fontconfig import FontFile, font_with
from stylizer.system.terminal import tell

_told: set[str] = set()  # once a program, not once a surface


class MoreFonts:
    """Adds to the fonts of an ImGui context what is to be written with them. Nothing is looked for,
    and no file read, before there is such a sign. The context must be current, no frame begun."""

    def __init__(self, fonts: Fonts) -> None:
        self._fonts = fonts
        self._known: set[str] = set()
        self._files: set[FontFile] = set()

    def take(self, text: str) -> None:
        """All of this can be written from now on, as far as the system has fonts for it."""
        if text.isascii():
            return
        for sign in sorted(set(text) - self._known):
            self._known.add(sign)
            if sign.isprintable() and not self._fonts.regular.is_glyph_in_font(ord(sign)):
                self._add(sign)

    def _add(self, sign: str) -> None:
        found = font_with(sign)
        if found is None:
            _tell(sign)
        elif found not in self._files:
            self._files.add(found)
            for font in (self._fonts.regular, self._fonts.bold):
                more = imgui.ImFontConfig()
                more.merge_mode, more.dst_font, more.font_no = True, font, found.number
                imgui.get_io().fonts.add_font_from_file_ttf(found.path, float(BODY), more)


def _tell(sign: str) -> None:
    if not _told:
        tell(
            f"no font here has {sign!r}, so that some names cannot be read; Debian: "
            "apt-get install libfontconfig1 fonts-noto-cjk"
        )
    _told.add(sign)
