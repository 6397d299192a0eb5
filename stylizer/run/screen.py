"""What is on the screen: which pair is drawn, how, and the HUD over it. Main thread only."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from stylizer.frame import Frame, Rect, Styled, StyledFrame, letterbox
from stylizer.run.controls import Controls
from stylizer.run.hud_data import HudView
from stylizer.run.learning import Learning
from stylizer.run.opened import Opened
from stylizer.run.panel import PanelControl
from stylizer.run.sharing import Sharing
from stylizer.run.target_rate import TargetRate
from stylizer.run.threads import Shown
from stylizer.settings import Settings
from stylizer.stages import is_software_gl
from stylizer.timing import FrameStats

if TYPE_CHECKING:
    import numpy as np

    from stylizer.compose.compositor import Look
    from stylizer.compose.masks import Mask
    from stylizer.system.gl import GpuTimer

# A frame, what was made from it (None: the source alone), and what a second style made from it.
Pair = tuple[Frame, Styled | None, Styled | None]


class Screen:
    """Draws a pair with the compositor, and what the HUD says, onto the presenter's framebuffer."""

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        controls: Controls,
        panel: PanelControl,
        target_rate: TargetRate,
        sharing: Sharing,
        learning: Learning,
    ) -> None:
        self._settings, self._opened, self._controls = settings, opened, controls
        self._panel, self._target_rate, self._sharing = panel, target_rate, sharing
        self._learning = learning
        self._models = "", ""  # that made the styled picture shown, and the second one
        self._timer = None if is_software_gl(opened.gl_renderer) else self._new_timer()
        self._by_shaders = False  # the styled picture shown was drawn by shaders
        self._presented_alone = False
        self.drawn: Pair | None = None

    @property
    def picture(self) -> Rect:
        """Where the picture lies in the window, in pixels."""
        return letterbox(self._opened.frame_size, self._opened.presenter.size)

    def choose(self, shown: Shown | None) -> Pair | None:
        """A styled pair; the newest frame alone while the source key is held or nothing is styled
        yet. Never a newer source under an older style: that gives double images."""
        newest = self._opened.stylist.newest
        if newest is not None and (shown is None or self._controls.show_source):
            return newest.frame, None, None
        if shown is None:
            return None
        styled = shown.styled
        return styled.frame, styled.image, styled.second and styled.second.image

    def drag_hud(self) -> bool:
        """The figures follow the mouse that drags them; whether it does."""
        presenter, area = self._opened.presenter, self._opened.hud.area
        presenter.show_hud(area)
        by = presenter.take_hud_drag()
        if area is None or by == (0.0, 0.0):
            return False
        self._controls.drag_hud(by, area, presenter.size)
        return True

    @property
    def look(self) -> Look:
        """How the pair is shown now, and recorded: there masks are not seen themselves."""
        from stylizer.compose.compositor import Look

        c = self._controls
        return Look(
            c.strength,
            c.keep_colors,
            c.wipe,
            c.show_source,
            self._settings.detail,
            self._mask,
            1.0 if self._second_in_masks else c.mask_strength,
        )

    @property
    def _mask(self) -> Mask:
        from stylizer.compose.masks import Mask

        c = self._controls
        return Mask(c.mask_shapes, c.mask_feather, self._opened.masking.picture)

    @property
    def _second_in_masks(self) -> bool:
        return self._controls.second_in_masks and self._opened.blending.chosen is not None

    def upload(self, pair: Pair) -> None:
        """Send what of the pair is not on the GPU."""
        self._choose_mix()
        self._opened.compositor.upload(*pair)

    def _choose_mix(self) -> None:
        from stylizer.compose.mixer import Mix

        mask = self._mask if self._second_in_masks else None
        self._opened.compositor.mix = Mix(self._controls.blend, mask)

    def take(self, pair: Pair) -> bool:
        """Make this pair the one that is drawn; False when it is drawn already (a duplicate)."""
        frame = pair[0]
        is_new = self.drawn is None or any(
            a is not b for a, b in zip(self.drawn, pair, strict=True)
        )
        self.drawn, self._opened.shown_size = pair, frame.size
        presenter = self._opened.presenter
        if not self._settings.on_screen and presenter.size != frame.size:
            presenter.resize(frame.size)
        return is_new

    def made_by(self, styled: StyledFrame) -> None:
        """Which models made the styled picture: nothing of other ones' is kept."""
        models = styled.model, styled.second.model if styled.second else ""
        if models != self._models:
            self._models = models
            self._opened.compositor.forget()
            self._name_window(*models)

    def gpu_ms(self, new: Shown | None) -> dict[str, float]:
        """What frames cost the GPU, by timer queries: the network where shaders draw it, and then
        blends and HUD too (some frames ago). Nothing without a GPU."""
        if new is not None:
            self._by_shaders = new.styled.gpu_ms is not None
        if self._timer is None or new is None or new.styled.gpu_ms is None:
            return {}
        composed = {} if self._timer.ms is None else {"compose": self._timer.ms}
        second = new.styled.second
        more = (second.gpu_ms or 0.0) if second is not None else 0.0
        return {"infer": new.styled.gpu_ms + more, **composed}

    def _new_timer(self) -> GpuTimer:
        from stylizer.system.gl import GpuTimer

        return GpuTimer(self._opened.presenter.context)

    def _name_window(self, model: str, second: str) -> None:
        """The title: the styles, and the game or file that is painted."""
        from stylizer.style import catalog

        models = [model, second] if second else [model]
        style = " and ".join(catalog.parts_of(m)[0].replace("-", " ") or m for m in models)
        file = self._settings.input
        what = self._opened.source.title or (file.name if file else "")
        parts = ["unpainted" if model == "none" else style, what]
        self._opened.presenter.name(" – ".join(part for part in parts if part))

    def draw(self, stats: FrameStats) -> None:
        """The pair, and over it the HUD with these statistics."""
        opened = self._opened
        framebuffer = opened.presenter.framebuffer
        self._choose_mix()
        look = replace(self.look, show_mask=self._controls.show_masks)
        with self._timer if self._timer and self._by_shaders else nullcontext():
            opened.compositor.draw(framebuffer, self.picture, look)
            self._panel.draw(framebuffer)
            opened.hud.draw(framebuffer, self._hud_view(stats))  # messages lie over it

    @property
    def laid_over(self) -> tuple[Rect, ...]:
        """Where HUD and panel lie: all that is shown over a game before anything is painted."""
        panel = self._panel.area
        return (*self._opened.hud.covered, *(() if panel is None else (panel,)))

    def present_alone(self, frame: Frame, stats: FrameStats) -> None:
        """HUD and panel over the game, once: what is drawn then stays, and takes no more time."""
        if not self._presented_alone:
            self._presented_alone = True
            self.take((frame, None, None))
            self.upload((frame, None, None))
            self.draw(stats)
            self._opened.presenter.show_parts(self.laid_over)
            self._opened.presenter.present()

    def read(self, stats: FrameStats) -> np.ndarray:
        """The last picture with the HUD, drawn again: a back buffer is undefined once shown."""
        self.draw(stats)
        return self._opened.presenter.read_back()

    def _hud_view(self, stats: FrameStats) -> HudView:
        opened, backend = self._opened, self._opened.bank.current
        return HudView(
            mode=self._controls.hud if self._models[0] else "off",  # before, there are no figures
            corner=self._controls.hud_corner,
            place=self._controls.hud_place,
            show_help=self._controls.help,
            covered=self._panel.area,
            scale=opened.presenter.scale,
            state=opened.source.state,
            loading=opened.bank.loading,
            model=backend.model if backend else "",
            precision=backend.precision if backend else "",
            provider=backend.provider if backend else "",
            provider_reason=backend.provider_reason if backend else "",
            capture_method=opened.source.capture_method,
            present=opened.presenter.present_name,
            present_reason=opened.presenter.reason,
            size=opened.frame_size,
            inference_size=backend.inference_size if backend else None,
            stage_ms=stats.stage_ms,
            gpu_ms=stats.gpu_ms,
            latency_ms=stats.latency_ms,
            dropped=opened.stylist.dropped,
            duplicates=stats.duplicates,
            recording=opened.outputs.recording,
            recorded_s=opened.outputs.recorded_s,
            target_text=self._target_rate.text,
            shared=self._sharing.words,
            blended=opened.blending.text(self._controls.blend, stats),
            training=self._learning.text,
            key_names=opened.presenter.key_names,
        )
