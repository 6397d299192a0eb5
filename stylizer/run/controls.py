"""What the hotkeys change while a run goes on: pure state, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from stylizer.frame import Rect, Shape, Size
from stylizer.hotkeys import Action
from stylizer.settings import HudCorner, HudMode, MaskStyle, Settings

HUD_MODES: tuple[HudMode, ...] = get_args(HudMode)
STRENGTH_STEP = 0.1


@dataclass
class Controls:
    """Owned by the main thread."""

    strength: float
    keep_colors: bool
    wipe: float | None
    hud: HudMode
    hud_corner: HudCorner = "top-left"
    hud_place: tuple[float, float] | None = None
    show_source: bool = False
    help: bool = False
    panel: bool = False  # it is open
    stabilize: float = 0.0
    mask_shapes: tuple[Shape, ...] = ()
    mask: Path | None = None
    mask_strength: float = 0.0
    mask_style: MaskStyle = "first"
    mask_feather: float = 0.0
    blend: float = 0.0  # of the second style
    show_masks: bool = False
    quit: bool = False
    last_wipe: float = 0.5
    draggable: bool = True  # clicks come to us

    @classmethod
    def from_settings(cls, settings: Settings) -> Controls:
        wipe = settings.wipe
        return cls(
            settings.strength,
            settings.keep_colors,
            wipe,
            settings.hud,
            hud_corner=settings.hud_corner,
            hud_place=settings.hud_place,
            last_wipe=0.5 if wipe is None else wipe,
            draggable=not settings.over_game,
            stabilize=settings.stabilize,
            mask_shapes=settings.mask_shapes,
            mask=settings.mask,
            mask_strength=settings.mask_strength,
            mask_style=settings.mask_style,
            mask_feather=settings.mask_feather,
            blend=settings.blend,
        )

    @property
    def masks(self) -> bool:
        """Whether there is a mask."""
        return bool(self.mask_shapes) or self.mask is not None

    @property
    def second_in_masks(self) -> bool:
        return self.masks and self.mask_style == "second"

    def drag_hud(self, by: tuple[float, float], area: Rect, window: Size) -> None:
        """Move the figures, which lie in `area`, by so many pixels; the window holds them in."""
        free = [max(1, w - a) for w, a in zip(window, (area.width, area.height), strict=True)]
        now = self.hud_place or (area.x / free[0], area.y / free[1])
        x, y = (min(1.0, max(0.0, n + d / f)) for n, d, f in zip(now, by, free, strict=True))
        self.hud_place = x, y

    def apply(self, action: Action, picture: Rect) -> str | None:
        """Change the state; returns a short message to show, "" for none, None when not ours.

        `picture` is where the picture lies in the window, in pixels, for the wipe's drag.
        """
        handler = getattr(self, f"_on_{action.name}", None)
        return None if handler is None else handler(action.value, picture)

    def _on_show_source(self, value: float, _: Rect) -> str:
        self.show_source = value > 0
        return ""

    def _on_toggle_wipe(self, _: float, __: Rect) -> str:
        self.wipe = self.last_wipe if self.wipe is None else None
        if self.wipe is None:
            return "wipe off"
        return "wipe on: drag it" if self.draggable else "wipe on"

    def _on_wipe(self, x_px: float, picture: Rect) -> str:
        if self.wipe is not None:
            self.wipe = min(1.0, max(0.0, (x_px - picture.x) / picture.width))
            self.last_wipe = self.wipe
        return ""

    def _on_strength_down(self, _: float, __: Rect) -> str:
        return self._set_strength(self.strength - STRENGTH_STEP)

    def _on_strength_up(self, _: float, __: Rect) -> str:
        return self._set_strength(self.strength + STRENGTH_STEP)

    def _set_strength(self, strength: float) -> str:
        self.strength = round(min(1.0, max(0.0, strength)), 3)
        return f"strength {self.strength:.0%}"

    def _on_keep_colors(self, _: float, __: Rect) -> str:
        self.keep_colors = not self.keep_colors
        return "the game's colors" if self.keep_colors else "the style's colors"

    def _on_show_masks(self, _: float, __: Rect) -> str:
        if not self.masks:
            return "there is no mask: the panel draws some"
        self.show_masks = not self.show_masks
        return "masks shown" if self.show_masks else "masks hidden"

    def _on_hud(self, _: float, __: Rect) -> str:
        self.hud = HUD_MODES[(HUD_MODES.index(self.hud) + 1) % len(HUD_MODES)]
        return ""

    def _on_help(self, _: float, __: Rect) -> str:
        self.help = not self.help
        return ""

    def _on_panel(self, _: float, __: Rect) -> str:
        self.panel = not self.panel
        return ""

    def _on_quit(self, _: float, __: Rect) -> str:
        self.quit = True
        return ""
