"""The styled picture of the compositor: that of one style, or mixed of two."""

from __future__ import annotations

import moderngl

from stylizer.compose.masks import MaskTexture
from stylizer.compose.mixer import Mix, Mixer
from stylizer.compose.styled_picture import StyledPicture
from stylizer.frame import Size, Styled


class Painted:
    """Holds what one model made of a frame, and what a second one made of it where there is one."""

    def __init__(
        self, context: moderngl.Context, planar_on_gpu: bool, mask: MaskTexture, unit: int
    ) -> None:
        """unit: of the mask; the two below it are used as well while two are mixed."""
        self._context, self._planar_on_gpu = context, planar_on_gpu
        self._mask, self._unit = mask, unit
        self._first = StyledPicture(context, planar_on_gpu)
        self._second: StyledPicture | None = None
        self._images: tuple[Styled | None, Styled | None] = (None, None)
        self._mixer: Mixer | None = None
        self._mixed: tuple[Mix, Size] | None = None  # as it is now; None: the first alone

    def take(self, first: Styled, second: Styled | None) -> int:
        """Hold these two; returns the bytes sent."""
        sent = 0
        if first is not self._images[0]:
            sent += self._first.take(first)
        if second is not None and second is not self._images[1]:
            if self._second is None:
                self._second = StyledPicture(self._context, self._planar_on_gpu)
            sent += self._second.take(second)
        self._images, self._mixed = (first, second), None
        return sent

    def mix(self, mix: Mix, frame_size: Size) -> int:
        """Mix the two so, unless they are; returns the bytes sent for a mask."""
        first, second = self._images
        if first is None or second is None or self._second is None or not mix:
            self._mixed = None
            return 0
        if self._mixed == (mix, frame_size):
            return 0
        sent = self._mask.put(mix.mask, frame_size) if mix.mask else 0
        if mix.mask:
            self._mask.use(self._unit)
        self._mixer = self._mixer or Mixer(self._context)
        units = (self._unit - 2, self._unit - 1, self._unit)
        pictures = (self._first, first), (self._second, second)
        self._mixer.draw(*pictures, mix.share, bool(mix.mask), units)
        self._mixed = mix, frame_size
        return sent

    @property
    def planar(self) -> bool:
        return self._first.planar and self._mixed is None

    @property
    def bottom_up(self) -> bool:
        """Whether its last row comes first."""
        first = self._images[0]
        return self._mixed is not None or (first is not None and first.bottom_up)

    def use(self, unit: int) -> None:
        self._shown.use(unit)

    def copy_to(self, framebuffer: moderngl.Framebuffer) -> None:
        """Put it onto a framebuffer of its size as it lies."""
        self._shown.copy_to(framebuffer)

    @property
    def _shown(self) -> StyledPicture | Mixer:
        if self._mixed is None:
            return self._first
        assert self._mixer is not None
        return self._mixer

    def release(self) -> None:
        """Free everything; may be called twice."""
        self._first.release()
        for thing in (self._second, self._mixer):
            if thing is not None:
                thing.release()
        self._images, self._mixed = (None, None), None
