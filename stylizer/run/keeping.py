"""What the panel keeps for a game: a run's settings as they are now, and as they are kept."""

from __future__ import annotations

from typing import Any

from stylizer.errors import StylizerError
from stylizer.run.controls import Controls
from stylizer.run.mask_tab import MaskTab
from stylizer.run.opened import Opened
from stylizer.run.panel_keys import PanelKeys
from stylizer.run.presets import Presets, Values, changes_in_words
from stylizer.run.sharing import Sharing
from stylizer.run.switching import Switching
from stylizer.run.target_rate import TargetRate
from stylizer.settings import Settings


class Keeping:
    """Compares, saves and brings back. Main thread only.

    presets: where the settings are kept; None: nowhere.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        controls: Controls,
        target_rate: TargetRate,
        switching: Switching,
        sharing: Sharing,
        keys: PanelKeys,
        masks: MaskTab,
        presets: Presets | None,
    ) -> None:
        self._settings, self._opened, self._controls = settings, opened, controls
        self._target_rate, self._switching, self._sharing = target_rate, switching, sharing
        self._keys, self._masks = keys, masks
        self.presets = presets
        self._kept: Values = {}
        self._first_model = ""  # what settings.model turned out to be

    def look(self) -> None:
        """Find out which game it is, and what is kept for it."""
        if self.presets is None:
            return
        try:
            self.presets.look(self._opened.source.window_id)
            self._kept = self.presets.kept()
        except StylizerError as error:  # the file was broken meanwhile
            self.presets = None
            self._opened.hud.say(str(error))

    def unsaved(self) -> list[str]:
        """What is otherwise than it is kept, in words."""
        if self.presets is None or not self._kept:
            return []
        return changes_in_words(self.values(), dict(self._kept))

    def save(self) -> str:
        """Keep everything as it is now; what was done, in words. Raises StylizerError."""
        assert self.presets is not None
        said = self.presets.save(self.values())
        self._kept = self.presets.kept()
        return said

    def rename(self, name: str) -> str:
        """Call the game so; what was done, in words. Raises StylizerError."""
        assert self.presets is not None
        return self.presets.rename(name)

    def reset(self, at_s: float) -> str:
        """Back to what is kept."""
        kept, c = self._kept, self._controls
        c.strength, c.keep_colors, c.hud = kept["strength"], kept["keep_colors"], kept["hud"]
        c.hud_corner, c.hud_place = kept["hud_corner"], kept["hud_place"]
        c.stabilize = self._opened.compositor.keep = kept["stabilize"]
        self._opened.blending.choose(kept["blend_with"])
        c.blend = kept["blend"]
        self._masks.restore(dict(kept))
        self._sharing.choose(kept["game_share"])
        self._target_rate.choose(kept["target_fps"], kept["inference_size"])
        self._keys.restore(dict(kept))
        model = kept["model"]
        if model != self.values()["model"]:
            name = self._first_model if model == self._settings.model else model
            self._switching.use(name, at_s)
        return "as it was saved"

    def values(self) -> dict[str, Any]:
        """Every setting that can be kept, as it is now."""
        c, target_rate, bank = self._controls, self._target_rate, self._opened.bank
        model = bank.loading or (bank.current.model if bank.current else self._settings.model)
        if not self._first_model and bank.current is not None and not bank.loading:
            self._first_model = bank.current.model
        if model in (self._first_model, self._settings.model) or not self._first_model:
            model = self._settings.model  # "auto" stays so, a path a path
        return {
            "model": model,
            "strength": c.strength,
            "keep_colors": c.keep_colors,
            "blend_with": self._opened.blending.chosen,
            "blend": c.blend,
            "stabilize": c.stabilize,
            "hud": c.hud,
            "hud_corner": c.hud_corner,
            "hud_place": c.hud_place and (round(c.hud_place[0], 4), round(c.hud_place[1], 4)),
            "target_fps": target_rate.target_fps,
            "game_share": self._sharing.wanted,
            "inference_size": target_rate.inference_size,
            **self._keys.chosen,
            **self._masks.values(),
        }
