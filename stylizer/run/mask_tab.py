"""Masks in the panel: the frame that is frozen to draw on, and the HUD that is looked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from stylizer.frame import Shape
from stylizer.hotkeys import key_label
from stylizer.rules import MOST_SHAPES
from stylizer.run.controls import Controls
from stylizer.run.hud_finder import HudFinder
from stylizer.run.opened import Opened

if TYPE_CHECKING:
    from stylizer.compose.panel import Panel
    from stylizer.compose.panel_values import Change

LOOK_S = 0.2  # from frame to frame that the finder is shown
TELL = 25  # frames that moved before it is asked; again as many where it found nothing
PATIENCE_S = 40.0
WEAKER = 0.5
CHANGES = ("mask_shapes", "mask", "mask_inside", "freeze", "find", "take")


class MaskTab:
    """Carries out what is done in the tab of masks. Main thread only."""

    def __init__(self, opened: Opened, controls: Controls) -> None:
        self._opened, self._controls = opened, controls
        self._finder: HudFinder | None = None  # while it is looking
        self._began = self._looked = 0.0
        self._found: tuple[Shape, ...] = ()

    def turn(self) -> str:
        """Once a turn of the loop: show the finder a frame when one is due. A message, or ""."""
        newest, now = self._opened.stylist.newest, time.perf_counter()
        finder = self._finder
        if finder is None or newest is None or now - self._looked < LOOK_S:
            return ""
        self._looked = now
        finder.look(newest.frame.pixels)
        late = now - self._began > PATIENCE_S
        if finder.moved >= TELL or late:
            self._found = finder.shapes()
            if self._found or late or finder.moved >= 2 * TELL:
                self._finder = None
                return self._outcome(finder)
        return ""

    def state(self, keys: dict[str, str]) -> dict[str, Any]:
        """What the panel is told of masks, as PanelState calls it; keys: action -> key."""
        c = self._controls
        return {
            "mask_shapes": c.mask_shapes,
            "mask": c.mask.name if c.mask else "",
            "mask_strength": c.mask_strength,
            "mask_style": c.mask_style,
            "mask_feather": c.mask_feather,
            "show_masks": c.show_masks,
            "masks_key": key_label(keys.get("show_masks", "")),
            "finding": self._progress(),
            "proposals": self._found,
        }

    def values(self) -> dict[str, Any]:
        """What is kept with the preset."""
        c = self._controls
        return {
            "mask_shapes": c.mask_shapes,
            "mask": c.mask,
            "mask_strength": c.mask_strength,
            "mask_style": c.mask_style,
            "mask_feather": c.mask_feather,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Back to these values. Raises BadInput for a mask file that cannot be read any more."""
        c = self._controls
        c.mask_shapes, c.mask_strength = kept["mask_shapes"], kept["mask_strength"]
        c.mask_feather, c.mask_style = kept["mask_feather"], kept["mask_style"]
        self._opened.masking.choose(kept["mask"])
        c.mask = kept["mask"]

    def carry_out(self, change: Change, panel: Panel) -> str:
        """Do one of CHANGES; the message to show, "" for none."""
        if change.name == "mask_shapes":
            return self._use(change.value)
        if change.name == "mask":
            self._opened.masking.choose(change.value)
            self._controls.mask = change.value
        elif change.name == "mask_inside":
            self._controls.mask_style = "second" if change.value == "second" else "first"
            self._controls.mask_strength = WEAKER if change.value == "weaker" else 0.0
        elif change.name == "find":
            self._finder = HudFinder() if change.value else None
            self._began = time.perf_counter()
        elif change.name == "take":
            self._found = tuple(s for s in self._found if s not in change.value)
            return self._use((*self._controls.mask_shapes, *change.value))
        elif change.value:
            return self._freeze(panel)
        else:
            self.stop(panel)
        return ""

    def stop(self, panel: Panel) -> None:
        """The picture moves again, nothing is looked for: the panel is closed, or drawing done."""
        self._finder, self._found = None, ()
        panel.freeze(None)

    def _use(self, shapes: tuple[Shape, ...]) -> str:
        self._controls.mask_shapes = shapes[:MOST_SHAPES]
        return "" if len(shapes) <= MOST_SHAPES else f"{MOST_SHAPES} shapes are the most there are"

    def _freeze(self, panel: Panel) -> str:
        self._finder = None
        newest = self._opened.stylist.newest
        if newest is None:
            return "there is no picture yet"
        pixels = np.array(newest.frame.rgb())
        picture = self._opened.masking.picture
        if picture is not None:
            _tint(pixels, picture.pixels)
        panel.freeze(pixels)
        return ""

    def _progress(self) -> str:
        if self._finder is None:
            return ""
        share = min(1.0, self._finder.moved / TELL)
        return f"Looking for what stands still while the rest moves: play on. {share:.0%}"

    def _outcome(self, finder: HudFinder) -> str:
        if self._found:
            return ""
        if not finder.ready:
            return "too little moved to find the HUD: play on while it looks"
        return "nothing stands still there that looks like a HUD"


def _tint(pixels: np.ndarray, mask: np.ndarray) -> None:
    """A mask from a file over uint8 (height, width, 3), as the compositor shows masks."""
    from stylizer.compose.masks import TINT, TINT_SHARE, fitted

    inside = fitted(mask, (pixels.shape[1], pixels.shape[0]))[..., None] * (TINT_SHARE / 255)
    pixels[:] = pixels + (np.array(TINT) * 255 - pixels) * inside
