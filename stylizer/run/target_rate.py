"""Holding a frame rate during a run: the governor's size, and a faster tier where that is allowed.
Main thread only."""

from __future__ import annotations

from stylizer.frame import Size
from stylizer.run.governor import Governor
from stylizer.run.threads import Shown
from stylizer.stages import StyleBackend

SLOW_S = 5.0  # that the network is too slow for the rate before somebody is told
NEW_SHARE = 0.1  # of the newest frame in the mean of the network's times


class TargetRate:
    """Watches every styled pair and tells the backend what size to see."""

    def __init__(self, target_fps: float | None, inference_size: Size | None = None) -> None:
        """inference_size: what models see from the start, where nothing is to be held."""
        self._backend: StyleBackend | None = None
        self._chosen = False  # during the run, so that models are still to be told
        self.choose(target_fps, inference_size)
        self._asked = False
        self._last_at = 0.0  # when the pair before was ready

    def choose(self, target_fps: float | None, inference_size: Size | None) -> None:
        """Another rate to hold, or another size for the network to see, from the next frame on."""
        self.governor = Governor(target_fps) if target_fps else None
        self.target_fps, self.inference_size = target_fps, inference_size
        self._reachable_fps = target_fps or 0.0  # what the game draws by itself, at most
        self._chosen |= self._backend is not None
        self._backend = None
        self._forget()

    def _forget(self) -> None:
        """Whether the rate is missed: another model, or another rate."""
        self._mean_ms, self._slow_since, self._told = 0.0, 0.0, False

    @property
    def missed(self) -> bool:
        """The network is too slow for the rate, for SLOW_S by now; True once for a model."""
        tells = bool(self._slow_since) and self._last_at - self._slow_since >= SLOW_S
        tells, self._told = tells and not self._told, self._told or tells
        return tells

    def _judge(self, style_ms: float, at: float) -> None:
        """Since when a styled frame takes longer than the rate leaves it, to be done at `at`."""
        self._mean_ms += (style_ms - self._mean_ms) * (NEW_SHARE if self._mean_ms else 1.0)
        slow = self._mean_ms > 1000 / self._reachable_fps
        self._slow_since = (self._slow_since or at) if slow else 0.0

    def note(
        self,
        new: Shown,
        backend: StyleBackend | None,
        paced: bool = False,
        game_fps: float | None = None,
    ) -> bool:
        """Take note of a new pair; True, once for each model, when nothing but a faster tier can
        hold the rate: asked again every frame, a tier that cannot be loaded would load for ever.

        paced: frames are left out on purpose, so the time between two says nothing of the network.
        game_fps: what the game draws by itself, where that is known: a smaller size for more would
        only blur the picture.
        """
        governor = self.governor
        if backend is None or new.styled.image is None:
            return False
        if new.styled.model != backend.model:  # made before a switch
            return False
        if governor is None:
            self._see_chosen(backend)
            return False
        assert self.target_fps is not None
        self._reachable_fps = min(self.target_fps, game_fps or self.target_fps)
        governor.aim(self._reachable_fps)
        changed = False
        if backend is not self._backend:
            self._backend = backend
            governor.restart()
            changed, self._asked = True, False
            self._forget()
        elif not new.warmup and self._is_of_the_size(new, backend):
            style_ms = new.styled.style_ms
            interval_ms = (new.styled.finished_at - self._last_at) * 1000
            changed = governor.observe(style_ms, style_ms if paced else interval_ms)
        if not new.warmup:
            self._judge(new.styled.style_ms, new.styled.finished_at)
        self._last_at = new.styled.finished_at
        multiple = backend.resizable
        if multiple is None:  # one size only: nothing to choose
            return False
        if changed:
            backend.set_inference_size(governor.size(new.styled.frame.size, multiple))
        asks = governor.at_the_bottom and not self._asked
        self._asked |= asks
        return asks

    def _is_of_the_size(self, new: Shown, backend: StyleBackend) -> bool:
        """Whether a picture was seen at the governor's size: the last one goes on for a while."""
        assert self.governor is not None
        assert new.styled.image is not None
        if backend.resizable is None:
            return True
        frame_size = new.styled.frame.size
        wanted = self.governor.size(frame_size, backend.resizable) or frame_size
        return new.styled.image.size == wanted

    def _see_chosen(self, backend: StyleBackend) -> None:
        """A model that loads sees what the run began with, until it is told."""
        if backend is not self._backend:
            self._backend = backend
            if self._chosen and backend.resizable is not None:
                backend.set_inference_size(self.inference_size)

    @property
    def text(self) -> str:
        """For the HUD: "60 fps wanted, network at 75%"; "" without a target."""
        if self.governor is None:
            return ""
        text = f"{self.target_fps:g} fps wanted, network at {self.governor.scale:.0%}"
        return f"{text}: smaller is no faster" if self.governor.in_vain else text
