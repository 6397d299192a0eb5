"""Which model is shown: the keys that switch it, and what a switch cost. Main thread only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stylizer.errors import StylizerError
from stylizer.hotkeys import Action
from stylizer.run.models import ModelBank, on_gpu
from stylizer.run.threads import Shown
from stylizer.stages import StyleBackend

STEPS = {"next_style": 1, "previous_style": -1}


@dataclass
class ModelSwitch:
    """From the key to the first presented frame of the new model."""

    at_s: float
    model: str
    longest_frame_ms: float = 0.0
    done: bool = False
    replaces: StyleBackend | None = None  # a model by the same one, trained on

    def as_dict(self) -> dict[str, Any]:
        return {"at_s": self.at_s, "model": self.model, "longest_frame_ms": self.longest_frame_ms}


class Switching:
    """Turns keys into models of the bank and remembers each switch for the report."""

    def __init__(self, bank: ModelBank) -> None:
        self._bank = bank
        self.switches: list[ModelSwitch] = []
        self._stepped = "", ""  # by the last step: from which model in use, to which

    def carry_out(self, action: Action, at_s: float) -> str | None:
        """The message to show, or None when the action switches no model."""
        if action.name.startswith("model_"):
            return self._switch(at_s, tier=action.name.removeprefix("model_"))
        if action.name in STEPS:
            return self._switch(at_s, step=STEPS[action.name])
        return None

    def use(self, name: str, at_s: float) -> str:
        """Switch to the model of this name; the message to show."""
        current = self._bank.loading or (self._bank.current.model if self._bank.current else "")
        self._stepped = "", ""
        if name == current:
            return ""
        return self._begin(name, at_s)

    def renew(self, name: str, at_s: float) -> None:
        """The files of a model have changed: where it is in use they take over once they have
        loaded."""
        from stylizer.style import catalog

        used = self._bank.current
        if used is not None and catalog.parts_of(used.model) == catalog.parts_of(name):
            self.switches.append(ModelSwitch(at_s, name, replaces=used))
        self._bank.renew(name)

    def faster(self, at_s: float) -> str:
        """Switch to the next faster tier of this style; the message to show, "" for none."""
        from stylizer.style import catalog

        if self._bank.loading or self._bank.current is None:
            return ""
        tier = catalog.faster_tier(self._bank.current.model)
        return self._switch(at_s, tier=tier) if tier else ""

    def load_other_tiers(self) -> None:
        """Load the other tiers of this style, so their keys answer at once; not on a GPU, whose
        memory the game needs."""
        from stylizer.style import catalog

        if self._bank.current is not None and not on_gpu(self._bank.current):
            self._bank.load_also(catalog.other_tiers(self._bank.current.model))

    def note(self, new: Shown | None, frame_time_ms: float) -> None:
        """Take note of a presented frame: how long it took while a switch was under way."""
        current = self._bank.current
        for switch in self.switches:
            if not switch.done:
                switch.longest_frame_ms = max(switch.longest_frame_ms, frame_time_ms)
                replaced = current is not switch.replaces
                if new is not None and current and replaced and not self._bank.loading:
                    switch.done = new.styled.model == current.model

    def _switch(self, at_s: float, tier: str | None = None, step: int = 0) -> str:
        from stylizer.style import catalog

        used = self._bank.current.model if self._bank.current else ""
        current = self._bank.loading or used
        # What the last step came to could not be loaded: another goes on behind it.
        passed = bool(step and used and current == used == self._stepped[0])
        try:
            name = catalog.sibling(self._stepped[1] if passed else current, tier=tier, step=step)
        except StylizerError as error:
            return str(error)
        self._stepped = (used, name) if step else ("", "")
        if name == current:
            return f"{name} is the model in use"
        return self._begin(name, at_s)

    def _begin(self, name: str, at_s: float) -> str:
        self.switches.append(ModelSwitch(at_s, name))
        self._bank.use(name)
        return f"{name}: loading" if self._bank.loading else name
