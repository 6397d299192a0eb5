"""The panel of one run: what it is told, and what its changes do. Main thread only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylizer.errors import StylizerError
from stylizer.frame import Rect, Size
from stylizer.hotkeys import DEFAULT_KEYS, Action, key_label
from stylizer.run.controls import Controls
from stylizer.run.exporting import Exporting, Work
from stylizer.run.keeping import Keeping
from stylizer.run.learning import Learning
from stylizer.run.mask_tab import CHANGES, MaskTab
from stylizer.run.opened import Opened
from stylizer.run.paintings import Paintings
from stylizer.run.panel_keys import PanelKeys
from stylizer.run.presets import Presets
from stylizer.run.sharing import Sharing
from stylizer.run.switching import Switching
from stylizer.run.target_rate import TargetRate
from stylizer.run.thumbnails import Thumbnails
from stylizer.settings import HudCorner, Settings
from stylizer.timing import STAGES, FrameStats, percentile

if TYPE_CHECKING:
    import moderngl

    from stylizer.compose.panel import Panel
    from stylizer.compose.panel_values import Change, PanelFigures, PanelState

SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)  # of the frame's sides, that the network may see
RECENT = 240  # times of a stage that its figures are made of


class PanelControl:
    """Opens the panel when it is first asked for, and carries out what is changed in it."""

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        controls: Controls,
        target_rate: TargetRate,
        switching: Switching,
        presets: Presets | None,
        paintings: Paintings,
        sharing: Sharing,
        learning: Learning,
        work: Work,
    ) -> None:
        self._opened, self._controls = opened, controls
        self._target_rate, self._switching = target_rate, switching
        self._paintings, self._sharing, self._learning = paintings, sharing, learning
        self._parts = "", ("", "")  # of the style named first
        self._keys = PanelKeys(settings, self._bind)
        self._masks = MaskTab(opened, controls)
        self._keeping = Keeping(
            settings, opened, controls, target_rate, switching, sharing, self._keys, self._masks,
            presets,
        )  # fmt: skip
        self._exporting = Exporting(settings, work)
        self._panel: Panel | None = None
        self._thumbnails: Thumbnails | None = None
        self._ended: list[Thumbnails] = []  # that still finish a picture
        self._styles: dict[str, list[str]] = {}
        self._told: PanelState | None = None
        self._pictures = 0

    def turn(self, stats: FrameStats, at_s: float) -> tuple[bool, list[str]]:
        """Once a turn of the loop: (whether what it shows may have changed, messages to show)."""
        presenter = self._opened.presenter
        exported = self._exporting.turn()
        if not self._controls.panel:
            if self._thumbnails is not None:
                self._shut()
            return False, [exported] if exported else []
        if self._panel is None or self._thumbnails is None:
            self._open()
        assert self._panel is not None
        events = presenter.take_ui_events()
        self._renew_pictures(self._panel)
        found = self._masks.turn()
        state = self._state()
        changes = self._panel.update(
            events, state, lambda: self._figures(stats), presenter.size, presenter.scale
        )
        messages = [exported, found, *(self._carry_out(change, at_s) for change in changes)]
        presenter.show_panel(self._panel.area, self._panel.typing, self._panel.waits_for_key)
        touched = bool(events) or bool(changes) or state != self._told
        self._told = state
        return touched, [message for message in messages if message]

    @property
    def area(self) -> Rect | None:
        """Where it lies in the window, in pixels; None while it is closed."""
        return self._panel.area if self._controls.panel and self._panel is not None else None

    def draw(self, framebuffer: moderngl.Framebuffer) -> None:
        """Over what the framebuffer holds, while it is open."""
        if self._controls.panel and self._panel is not None:
            self._panel.draw(framebuffer)

    def close(self) -> None:
        """Free everything; may be called twice."""
        self._exporting.close()
        if self._thumbnails is not None:
            self._shut()
        for one in self._ended:
            one.join()
        if self._panel is not None:
            self._panel.release()
            self._panel = None

    # --- opening ---------------------------------------------------------------------------

    def _open(self) -> None:
        from stylizer.compose.panel import Panel

        if self._panel is None:
            self._panel = Panel(self._opened.presenter.context)
        self._thumbnails = Thumbnails()
        self.renew_styles()
        self._keeping.look()

    def renew_styles(self) -> None:
        """There may be another style."""
        from stylizer.style import catalog

        self._styles = catalog.tiers_by_style()
        if self._thumbnails is not None:
            self._thumbnails.add({s: f"{s}-{tiers[-1]}" for s, tiers in self._styles.items()})

    def _shut(self) -> None:
        assert self._thumbnails is not None
        self._opened.presenter.show_panel(None, False, False)
        if self._panel is not None:
            self._masks.stop(self._panel)
        self._thumbnails.close()
        self._ended.append(self._thumbnails)
        self._thumbnails = None

    def _renew_pictures(self, panel: Panel) -> None:
        newest = self._opened.stylist.newest
        if self._thumbnails is None or newest is None:
            return
        self._thumbnails.look(newest.frame)
        for style, pixels in self._thumbnails.take().items():
            panel.picture(style, pixels)
            self._pictures += 1

    # --- what it is told -------------------------------------------------------------------

    def _state(self) -> PanelState:
        from stylizer.compose.panel_values import PanelState
        from stylizer.style import catalog

        c, bank, presets = self._controls, self._opened.bank, self._keeping.presets
        model = bank.loading or (bank.current.model if bank.current else "")
        style, tier = catalog.parts_of(model)
        keys = self._keys.names | dict(self._opened.presenter.key_names)
        return PanelState(
            style=style or model,
            tier=tier,
            loading=bank.loading,
            styles=self._styles,
            made_of=self._made_of(style),
            strength=c.strength,
            keep_colors=c.keep_colors,
            blend_with=self._opened.blending.style_name,
            blend=c.blend,
            stabilize=c.stabilize,
            hud=c.hud,
            hud_corner=c.hud_corner if c.hud_place is None else "",
            target_fps=self._target_rate.target_fps,
            game_share=self._sharing.wanted,
            inference_size=self._target_rate.inference_size,
            scales=self._scales(),
            resizable=bank.current is None or bank.current.resizable is not None,
            recording=self._opened.outputs.recording,
            keys=[(a, text, key_label(keys.get(a, ""))) for a, (_, text) in DEFAULT_KEYS.items()],
            panel_key=key_label(keys.get("panel", "")),
            global_keys=self._keys.over_game,
            preset_file=presets.file if presets else "",
            preset=presets.game if presets else "",
            preset_name=presets.name if presets else "",
            unsaved=self._keeping.unsaved(),
            **self._under_way(),
            pictures=self._pictures,
            **self._masks.state(keys),
        )

    def _under_way(self) -> dict[str, Any]:
        exporting, learning = self._exporting, self._learning
        return {
            "exporting": exporting.text, "exported": exporting.share, "training": learning.text,
            "trained": learning.share, "training_over": learning.over,
        }  # fmt: skip

    def _made_of(self, style: str) -> tuple[str, str]:
        """The styles that the one in use has its colors and its strokes of."""
        from stylizer.painting.make import parts_of

        if style != self._parts[0]:
            self._parts = style, parts_of(style)
        return self._parts[1]

    def _scales(self) -> dict[float, Size | None]:
        width, height = self._opened.frame_size
        found: dict[float, Size | None] = {1.0: None}
        found |= {s: (max(16, round(width * s)), max(16, round(height * s))) for s in SCALES[1:]}
        return found

    def _figures(self, stats: FrameStats) -> PanelFigures:
        from stylizer.compose.panel_values import PanelFigures

        presented, styled, frame_time_ms = self._opened.hud.figures()
        backend = self._opened.bank.current
        latency = _recent(stats.latency_ms)
        return PanelFigures(
            presented_fps=presented,
            styled_fps=styled,
            frame_time_ms=frame_time_ms,
            stage_ms={name: _recent(stats.stage_ms.get(name)) for name in STAGES},
            latency_ms=latency[0] if latency else None,
            provider=backend.provider if backend else "",
            provider_reason=backend.provider_reason if backend else "",
            precision=backend.precision if backend else "",
            sees=backend.inference_size if backend else None,
            size=self._opened.frame_size,
            target_text=self._target_rate.text,
            shared=self._sharing.text,
            blended=self._opened.blending.text(self._controls.blend, stats),
        )

    def _bind(self, keys: dict[str, str], global_keys: dict[str, str]) -> None:
        self._opened.presenter.rebind(keys, global_keys)
        self._opened.hud.rebind(self._keys.names)

    # --- what its changes do ---------------------------------------------------------------

    def _carry_out(self, change: Change, at_s: float) -> str:
        """Do it; returns the message to show, "" for none."""
        doing: dict[str, Callable[[Any], str | None]] = {
            "style": lambda style: self._use_style(style, at_s),
            "blend_with": self._opened.blending.choose,
            "tier": lambda tier: self._switching.carry_out(Action(f"model_{tier}"), at_s),
            "painting": lambda path: self._paintings.take(Path(path).expanduser()),
            "mix": lambda pair: self._paintings.mix(*pair),
            "stabilize": self._stabilize,
            "target_fps": lambda fps: self._target_rate.choose(fps, None),
            "game_share": self._sharing.choose,
            "inference_size": lambda size: self._target_rate.choose(None, size),
            "key": lambda pair: self._keys.rebind(*pair),
            "hud_corner": self._use_corner,
            "save": lambda _: self._keeping.save(),
            "rename": self._keeping.rename,
            "reset": lambda _: self._keeping.reset(at_s),
            "export": lambda path: self._exporting.start(
                Path(path).expanduser(), self._keeping.values()
            ),
            "stop_export": lambda _: self._exporting.stop(),
            "stop_training": lambda _: self._learning.stop(),
            "keep_training": lambda _: self._learning.keep(),
            "discard_training": lambda _: self._learning.discard(at_s),
        }
        try:
            if change.name in CHANGES and self._panel is not None:
                return self._masks.carry_out(change, self._panel)
            if change.name in doing:
                return doing[change.name](change.value) or ""
        except StylizerError as error:
            return str(error)
        if change.name == "close":
            self._controls.panel = False
        else:  # strength, keep_colors, hud, mask_strength: seen in this very frame
            setattr(self._controls, change.name, change.value)
        return ""

    def _use_style(self, style: str, at_s: float) -> str:
        tiers = self._styles[style]
        tier = self._state().tier
        return self._switching.use(f"{style}-{tier if tier in tiers else tiers[-1]}", at_s)

    def _use_corner(self, corner: HudCorner) -> None:
        self._controls.hud_corner, self._controls.hud_place = corner, None

    def _stabilize(self, share: float) -> None:
        self._controls.stabilize = self._opened.compositor.keep = share


def _recent(series: Sequence[float] | None) -> tuple[float, float] | None:
    """(p50, p99) of the last times; None without any."""
    recent = list(series or ())[-RECENT:]
    return (percentile(recent, 50), percentile(recent, 99)) if recent else None
