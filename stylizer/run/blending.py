"""A second style beside the first: the bank of its models, and both networks run for a frame.

`style` is the style thread's; everything else is the main thread's. Nothing is loaded, and no
second network runs, until the second style is to be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from stylizer.errors import StylizerError
from stylizer.frame import Frame, Size, StyledFrame
from stylizer.run.models import ModelBank
from stylizer.settings import Settings
from stylizer.stages import StyleBackend
from stylizer.timing import FrameStats


class Blending:
    """The first style's bank, and where a second style is asked for that one's."""

    def __init__(
        self, settings: Settings, bank: ModelBank, new_bank: Callable[[], ModelBank]
    ) -> None:
        self._sync, self._named = settings.sync, settings.blend_with
        self._first, self._new_bank = bank, new_bank
        self._second: ModelBank | None = None
        self.chosen: str | None = None  # as it was asked for
        self.shown = False  # the second style is to be seen in the next frame
        if settings.blend_with is not None:
            self.choose(settings.blend_with)
            self.shown = settings.blends

    def choose(self, name: str | None) -> None:
        """Another second style or model; None: there is none. Raises BadInput for a name that
        means no model."""
        from stylizer.style import catalog

        model = None if name is None else catalog.fastest(name)
        self.chosen = name
        if model is None:
            self.shown = False
            return
        if self._second is None:
            self._second = self._new_bank()
        self._second.use(model)

    def show(self, on: bool) -> None:
        """Whether the second style, where there is one, is to be seen from the next frame on."""
        self.shown = on and self.chosen is not None

    def renew(self, name: str) -> None:
        """The files of a model have changed: where it is the second one it is loaded anew."""
        if self._second is not None:
            self._second.renew(name)

    @property
    def style_name(self) -> str:
        """The second style, or the model that was asked for; "" for none."""
        from stylizer.style import catalog

        chosen = self.chosen or ""
        return catalog.parts_of(chosen)[0] or Path(chosen).name

    def text(self, share: float, stats: FrameStats) -> tuple[str, str]:
        """The second style with its share, and what the two networks cost; empty while it is not
        seen."""
        if not self.shown:
            return "", ""
        second = self.current
        if second is None:
            return f"loading {self.loading}", ""
        if self._is_the_first(second):
            return "the same style: there is nothing to mix", ""
        both, own = (stats.recent(name) for name in ("infer", "infer_second"))
        cost = "" if both is None or own is None else f"{both - own:.1f} + {own:.1f} ms"
        return f"{f'{share:.0%}' if share else 'in masks'} {second.model}", cost

    @property
    def current(self) -> StyleBackend | None:
        """What makes the second picture; None while there is none."""
        return None if self._second is None or self.chosen is None else self._second.current

    @property
    def loading(self) -> str:
        """The model of the second style that is loading, else ""."""
        return "" if self._second is None or self.chosen is None else self._second.loading

    def take_messages(self) -> list[str]:
        """What went wrong with second styles since the last call; one that cannot be loaded is no
        longer asked for. Raises why the settings' own could not be."""
        bank = self._second
        if bank is None:
            return []
        messages = [*bank.take_notices(), *bank.take_failures()]
        if bank.error is not None and self.chosen is not None:
            if self.chosen == self._named:
                raise bank.error
            messages.append(f"{self.chosen}: {bank.error}")
            self.choose(None)
        return messages

    def style(self, frame: Frame) -> StyledFrame:
        """What both networks make of a frame, one after the other, or the first alone where the
        second is not to be seen or, in a live run, still loads. On the style thread."""
        first, bank = self._first.style(frame), self._second
        if not self.shown or bank is None or first.image is None:
            return first
        second = bank.active() if self._sync else bank.current
        if second is None or self._is_the_first(second):
            return first  # mixed with itself it stays what it is
        if second.resizable is not None:
            second.set_inference_size(inference_size_of(first))
        try:
            made = bank.style(frame)
        except StylizerError as error:
            raise StylizerError(f"the second style: {error}") from error
        return replace(first, second=made, finished_at=made.finished_at)

    def _is_the_first(self, second: StyleBackend) -> bool:
        first = self._first.current
        return first is not None and (first.model, first.model_bytes) == (
            second.model,
            second.model_bytes,
        )

    def close(self) -> None:
        """Close what was loaded; may be called twice."""
        if self._second is not None:
            self._second.close()
            self._second = None


def inference_size_of(styled: StyledFrame) -> Size | None:
    """The inference size that a picture was made at; None: its frame's own."""
    assert styled.image is not None
    return None if styled.image.size == styled.frame.size else styled.image.size
