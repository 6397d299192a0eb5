"""Source and styled picture onto the framebuffer, in one pass of shaders/compose.*.

The presenter owns the GL context; the compositor borrows it and lives on its thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import moderngl
import numpy as np

from stylizer.compose.masks import Mask, MaskTexture
from stylizer.compose.mixer import Mix
from stylizer.compose.painted import Painted
from stylizer.compose.programs import Programs, Shows, Variant
from stylizer.compose.reading import Reading
from stylizer.compose.stabilizer import Stabilizer
from stylizer.frame import Frame, Rect, Styled, StyledTexture
from stylizer.stages import is_software_gl
from stylizer.system.gl import check_size
from stylizer.system.texture import Picture, swizzle_of

_SOURCE_UNIT, _STYLED_UNIT, _BEFORE_UNIT, _INPUT_UNIT, _MASK_UNIT = 0, 1, 2, 3, 6
_NO_WIPE = -1.0


@dataclass(frozen=True)
class Look:
    """How the pair is shown.

    strength: 0 the source .. 1 the styled picture. keep_colors: styled luma with the source's
    chroma. wipe: None, or 0..1 of the picture's width: the source left of it, styled right of it.
    show_source: the source alone, whatever the others say. detail: a styled picture smaller than
    the frame only changes it, keeping the frame's own detail; else it is upsampled as it is.
    mask: where the strength is only `mask_strength` of itself; show_mask: tinted and outlined.
    """

    strength: float = 1.0
    keep_colors: bool = False
    wipe: float | None = None
    show_source: bool = False
    detail: bool = True
    mask: Mask | None = None
    mask_strength: float = 0.0
    show_mask: bool = False

    @property
    def masks(self) -> bool:
        """Whether the mask changes the picture."""
        return bool(self.mask) and self.mask_strength < 1

    @property
    def tints(self) -> bool:
        """Whether the mask is to be seen."""
        return bool(self.mask) and self.show_mask


class Compositor:
    """Uploads a frame and what was made from it, and draws the pair.

    planar_on_gpu: upload a planar image as it is (three layers of one channel) and fetch it three
    times in the shader; else it is packed to RGBA on the CPU first. None chooses by renderer: at
    1280x720 on llvmpipe the two extra fetches cost 5 ms of CPU time a draw, packing 0.7 ms an
    image; a GPU fetches for nothing.
    keep: share of the last picture that a new one keeps where the source stands still (0: none);
    may be changed at any time, and counts from the next picture made.
    mix: how a second styled picture goes into the first; may be changed at any time as well, and is
    seen at once, unless pictures are held.
    """

    def __init__(
        self, context: moderngl.Context, planar_on_gpu: bool | None = None, keep: float = 0.0
    ) -> None:
        self._context = context
        self._keep = self.keep = keep
        self._stabilizer = Stabilizer(context)
        self._software = is_software_gl(context.info["GL_RENDERER"])
        if planar_on_gpu is None:
            planar_on_gpu = not self._software
        self.mix = Mix()
        self._source = Picture(context)
        self._mask = MaskTexture(context)
        self._styled = Painted(context, planar_on_gpu, self._mask, _MASK_UNIT)
        self._model_input = Picture(context)  # where the network saw another size
        self._frame: Frame | None = None
        self._sent: Frame | None = None  # what the source texture holds
        self._image: Styled | None = None  # drawn with the frame; None: the source alone
        self._uploaded: tuple[Styled, Styled | None] | None = None  # what the textures hold
        self._programs = Programs(context)
        self._reading = Reading(context)
        self.upload_bytes = 0  # in all, since the start

    def upload(self, frame: Frame, image: Styled | None, second: Styled | None = None) -> None:
        """Make this pair the one that is drawn. An object already uploaded is not sent again, and a
        frame not before it is seen. second: what a second style made of the frame, for `mix`.

        Raises ValueError when the two differ in size and the image does not hold what the network
        saw, StylizerError when a picture is larger than the graphics driver's textures.
        """
        if image is not None and image.size != frame.size and image.model_input is None:
            raise ValueError(f"a styled image of {image.size} does not fit a frame of {frame.size}")
        check_size(self._context, frame.size)
        self._frame = frame
        if image is not None and (image, second) != self._uploaded:
            if self._source.borrowed:
                self._sent = None  # it goes with the picture before
            self.upload_bytes += self._styled.take(image, second)
            self._uploaded = image, second
            if isinstance(image, StyledTexture):
                self._take_textures(frame, image)
            elif image.model_input is not None:
                self.upload_bytes += self._model_input.put(image.model_input, swizzle_of(frame))
            if not self._keep:
                self._stabilizer.reset()  # where it begins now, what it kept is of long ago
            self._keep = self.keep
            if self._keep:
                self.upload_bytes += self._styled.mix(self.mix, frame.size)
                self._stabilize(frame, image)
        self._image = image

    def forget(self) -> None:
        """Hold nothing of the pictures so far: another model or source comes."""
        self._stabilizer.reset()

    def draw(self, framebuffer: moderngl.Framebuffer, rect: Rect, look: Look) -> None:
        """Draw the uploaded pair into `rect` (origin at the top left) with black bars around it.

        The framebuffer is left bound, its viewport covering all of it.
        """
        if self._frame is None:
            raise ValueError("nothing was uploaded yet")
        if not self._keep and self._image is not None:
            self.upload_bytes += self._styled.mix(self.mix, self._frame.size)
        width, height = framebuffer.size
        framebuffer.use()
        self._context.scissor = None
        self._context.enable_only(moderngl.NOTHING)
        if (rect.x, rect.y, rect.width, rect.height) != (0, 0, width, height):
            framebuffer.clear(0.0, 0.0, 0.0, 1.0)
        if self._is_plain_copy(framebuffer, rect, look):
            if self._keep:
                self._stabilizer.copy_to(framebuffer)
            else:
                self._styled.copy_to(framebuffer)
            framebuffer.use()
            framebuffer.viewport = (0, 0, width, height)
            return
        framebuffer.viewport = (rect.x, height - rect.y - rect.height, rect.width, rect.height)
        self._draw_pair(rect, look)
        framebuffer.viewport = (0, 0, width, height)

    def render(self, look: Look) -> np.ndarray:
        """The pair at its own size, without HUD: uint8 (height, width, 4) RGBA, row 0 on top."""
        self._draw_own(look)
        return self._reading.now()

    def render_in_turn(self, look: Look) -> list[tuple[Frame, np.ndarray]]:
        """The same, for one pair after another: frames with their pictures as they come, on a GPU
        when the next pair is drawn. `rest` gives the last one."""
        self._draw_own(look)
        assert self._frame is not None
        if self._software:
            return [(self._frame, self._reading.now())]
        return self._reading.later(self._frame)

    def rest(self) -> list[tuple[Frame, np.ndarray]]:
        """What `render_in_turn` has not given yet."""
        return self._reading.rest()

    def release(self) -> None:
        """Free the textures and programs; may be called twice."""
        self._source.release()
        self._styled.release()
        self._model_input.release()
        self._stabilizer.release()
        self._mask.release()
        self._reading.release()
        self._programs.release()
        self._frame = self._sent = self._image = self._uploaded = None

    def _draw_own(self, look: Look) -> None:
        if self._frame is None:
            raise ValueError("nothing was uploaded yet")
        size = self._frame.size
        # Left bound, it would be released while bound: GL_INVALID_OPERATION on the next bind.
        before = self._context.fbo
        self.draw(self._reading.sized(size), Rect(0, 0, *size), look)
        before.use()

    def _take_textures(self, frame: Frame, image: StyledTexture) -> None:
        """What the network was given is on the GPU already."""
        if image.model_input is not None:
            self._model_input.borrow(image.model_input)
        if image.source is not None:
            self._source.borrow(image.source)
            self._sent = frame

    def _use_source(self) -> None:
        """The source texture with the frame in it."""
        assert self._frame is not None
        if self._sent is not self._frame:
            if self._frame.drawn is not None:
                self._source.borrow(self._frame.drawn.texture)
            else:
                self.upload_bytes += self._source.put(self._frame.pixels, swizzle_of(self._frame))
            self._sent = self._frame
        self._source.use(_SOURCE_UNIT)

    def _stabilize(self, frame: Frame, image: Styled) -> None:
        if image.model_input is None:
            self._use_source()
        else:
            self._model_input.use(_SOURCE_UNIT)
        self._styled.use(_STYLED_UNIT)
        units = (_SOURCE_UNIT, _STYLED_UNIT, _BEFORE_UNIT)
        kind = "PLANAR" if self._styled.planar else "BOTTOM_UP" if self._styled.bottom_up else ""
        self._stabilizer.draw(frame, image.size, kind, units, self._keep)

    def _is_plain_copy(self, framebuffer: moderngl.Framebuffer, rect: Rect, look: Look) -> bool:
        """Whether what is shown is the styled picture and nothing else, with its last row first as
        the framebuffer has it. Not for `render`: alpha holds the stabilizer's luma, or anything."""
        if framebuffer is self._reading.framebuffer or self._shows(look) != "STYLED" or look.tints:
            return False
        if not self._bottom_up:
            return False
        assert self._image is not None
        assert self._frame is not None
        everything = (rect.x, rect.y, rect.width, rect.height) == (0, 0, *framebuffer.size)
        return everything and framebuffer.size == self._image.size == self._frame.size

    @property
    def _bottom_up(self) -> bool:
        """Whether the styled picture has its last row first: given so, or by the stabilizer."""
        return self._keep > 0 or (self._image is not None and self._styled.bottom_up)

    def _draw_pair(self, rect: Rect, look: Look) -> None:
        assert self._frame is not None
        size = self._frame.size
        shows = self._shows(look)
        exact = (rect.width, rect.height) == size
        planar = shows != "SOURCE" and self._styled.planar and not self._keep
        small = shows != "SOURCE" and self._image is not None and self._image.size != size
        bottom_up = shows != "SOURCE" and self._bottom_up
        detail = small and look.detail
        masked = shows == "BLEND" and look.masks
        program, vertices = self._programs.get(
            Variant(shows, exact, planar, small, bottom_up, detail, masked, look.tints)
        )
        program["size"] = size
        if masked or look.tints:
            self._use_mask(program, look, masked)
        if detail:
            self._model_input.use(_INPUT_UNIT)
            program["model_input"] = _INPUT_UNIT
        if shows != "STYLED" or detail:
            self._use_source()
            program["source_picture"] = _SOURCE_UNIT
        if shows != "SOURCE":
            if self._keep:
                self._stabilizer.picture.use(_STYLED_UNIT)
            else:
                self._styled.use(_STYLED_UNIT)
            program["styled_picture"] = _STYLED_UNIT
        if shows == "BLEND":
            program["strength"] = look.strength
            program["keep_colors"] = look.keep_colors
            program["wipe_x"] = _wipe_x(rect, look.wipe)
        vertices.render(moderngl.TRIANGLES, vertices=3)

    def _use_mask(self, program: moderngl.Program, look: Look, masked: bool) -> None:
        assert self._frame is not None
        assert look.mask is not None
        self.upload_bytes += self._mask.put(look.mask, self._frame.size)
        self._mask.use(_MASK_UNIT)
        program["mask"] = _MASK_UNIT
        if masked:
            program["mask_strength"] = look.mask_strength

    def _shows(self, look: Look) -> Shows:
        wiped = look.wipe is not None and 0 < look.wipe < 1
        only_source = (look.strength <= 0 and not wiped) or (
            look.wipe is not None and look.wipe >= 1
        )
        if self._image is None or look.show_source or only_source:
            return "SOURCE"
        if look.strength >= 1 and not (look.keep_colors or wiped or look.masks):
            return "STYLED"
        return "BLEND"


def _wipe_x(rect: Rect, wipe: float | None) -> float:
    """The line's place in framebuffer pixels, on a pixel's edge; _NO_WIPE without one."""
    if wipe is None or not 0 < wipe < 1:
        return _NO_WIPE
    return float(rect.x + round(wipe * rect.width))
