"""What a fast network learns to do: lay a painting's own texture over the graded frame.

The wanted picture is made in plain image processing, too slow for every frame; the network does
the same in a few milliseconds. The texture is the canvas, a tile made of the style picture
(`quilt`, `mosaic`): strong where the frame is calm, weak on contours and fine detail, so that cars,
faces and text stay readable.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from stylizer.frame import CANVAS_MIDDLE
from stylizer.lab.nets.registry import Paint
from stylizer.lab.nets.smoothing import HALF, luma, smoothed

JOINT_WIDTH = 0.12  # of the canvas' darkness, from no joint to all of it
BUSY = 0.10  # standard deviation of a busy place's high-passed luma
CONTOUR_RADIUS = 1.2  # pixels
TONED_SIGMA = 16.0  # pixels: brighter places of such a size are toned down
AROUND_SIGMA = 24.0  # pixels around a place, whose mean slope says how busy it is
BUSIEST = 0.1  # slope a pixel that counts for that: where all is text, letters are still contours
BRIGHT = 0.45  # mean luma around a place from which on strokes are as strong as they get
DARK_SHARE = 0.3  # of that, in black places: there the game itself has little contrast (Weber)
DARKEST = 1e-3  # luma of which a power is taken
FLATTEST = 1e-3  # slope a pixel that counts for how evenly slopes are spread
EVEN_SPREAD, MOST_SPREAD = 1.8, 3.2  # mean square of slopes over their mean, squared
LEAST_FLAT = 0.35  # share of smoothing that writing and things get
FINE_SIGMA = 6.0  # pixels
THING, BUSIEST_THING = 3.0, 0.03  # a thing's contours are that much steeper than what is around
STEEP, FAINTEST = 1.2, 4e-3  # so are contours that get more contrast; slope a pixel
CLEAR = 0.12  # deviation of a place that has contrast enough


@torch.no_grad()
def painted(graded: Tensor, canvas: Tensor, paint: Paint) -> Tensor:
    """(B, 3, H, W) in 0..1: the wanted picture. graded: the frame in the style's colors; canvas:
    what lies over it, 0.5 asks for nothing; both as the result."""
    light = mixed(DARK_SHARE, (blurred(luma(graded), 10.0) / BRIGHT).clamp(max=1))
    graded = burned(graded, paint.burn)
    y = luma(graded)
    steps = slope(y)
    near = blurred(F.max_pool2d(steps, 5, 1, 2), 2.0)
    around = coarsely_blurred(steps, AROUND_SIGMA)
    busy = around.clamp(max=BUSIEST)
    even = evenly_spread(steps, around)
    fine = y - blurred(y, FINE_SIGMA)
    detail = blurred(fine.square(), 10.0).sqrt()
    quiet = within(near, paint.edge * light + paint.texture * busy)
    calm = within(detail, BUSY * light)
    share = mixed(paint.on_edges * light, quiet) * mixed(paint.on_busy, calm) * light
    spared = (1 - even) * contour(near, around, paint.edge / 2 * light)
    share = share * (1 - paint.things * spared)
    graded = graded + paint.faint * faintness(near, around, detail) * (1 - even) * fine
    texture = canvas - CANVAS_MIDDLE
    joint = ((-luma(texture) - paint.joint_from) / JOINT_WIDTH).clamp(0, 1) * (paint.joints > 0)
    variance = paint.smooth * F.avg_pool2d(light.square(), HALF)
    flat = paint.flat * mixed(LEAST_FLAT, even)
    ground = graded + flat * (smoothed(graded, variance) - graded)
    drawn = luma(ground)  # without fine texture, which is not to be drawn around
    ground = ground - paint.tone * F.relu(coarsely_blurred(drawn, TONED_SIGMA) - paint.tone_from)
    laid = ground + paint.strokes * texture * (1 - joint) * share
    laid = laid * (1 - paint.joints * joint * share)
    dark_side = F.relu(blurred(drawn, 1.6 * CONTOUR_RADIUS) - blurred(drawn, CONTOUR_RADIUS))
    lines = (2.5 * paint.contours * dark_side * light).clamp(max=paint.line)
    return (laid - lines).clamp(0, 1)


def evenly_spread(steps: Tensor, mean: Tensor) -> Tensor:
    """(B, 1, H, W) of 0..1: how much the slopes around a place, whose mean is given, are a texture,
    alike everywhere (sand 1.4, tiles 1.3, rocks 1.5), and not a few strong ones (a car 3.1, writing
    3.6 to 4.2)."""
    spread = coarsely_blurred(steps.square(), AROUND_SIGMA) / (mean.square() + FLATTEST**2)
    return ((MOST_SPREAD - spread) / (MOST_SPREAD - EVEN_SPREAD)).clamp(0, 1)


def contour(near: Tensor, around: Tensor, least: Tensor) -> Tensor:
    """(B, 1, H, W) of 0..1: how much a place is a thing's contour, much steeper than `least` and
    than what is around it."""
    return 1 - within(near, least + THING * around.clamp(max=BUSIEST_THING))


def faintness(near: Tensor, around: Tensor, detail: Tensor) -> Tensor:
    """(B, 1, H, W) of 0..1: how much a place is a contour, steeper than what is around it, of
    little contrast: a dial that shines through, writing that fades in."""
    steep = (near / (around + FAINTEST) - STEEP).clamp(0, 1)
    return steep * (1 - detail / CLEAR).clamp(0, 1)


def burned(picture: Tensor, amount: float) -> Tensor:
    """The picture darker where its surroundings are light, black and white kept: a power of its
    luma, 1 + `amount` in the light and less in the dark, as a photographer burns in a print."""
    if not amount:
        return picture
    y = luma(picture)
    light = (coarsely_blurred(y, AROUND_SIGMA) / BRIGHT).clamp(max=1)
    return picture * y.clamp_min(DARKEST) ** (amount * light)


def within(x: Tensor, bound: Tensor) -> Tensor:
    """From 1 where x is 0 to 0 where it is far above the bound: a Gaussian."""
    return torch.exp(-((x / bound) ** 2))


def mixed(least: float | Tensor, amount: Tensor) -> Tensor:
    """From `least` to 1 as the amount goes from 0 to 1."""
    return least + (1 - least) * amount


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian of `sigma` pixels to three of them; the border is repeated."""
    reach = int(3 * sigma + 0.5)
    t = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-t * t / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, -1)
    x = F.pad(x, (reach, reach, 0, 0), mode="replicate")
    x = F.conv2d(x, kernel[:, :, None], groups=x.shape[1])
    x = F.pad(x, (0, 0, reach, reach), mode="replicate")
    return F.conv2d(x, kernel[..., None], groups=x.shape[1])


def coarsely_blurred(x: Tensor, sigma: float) -> Tensor:
    """`blurred` at a quarter of the size: for a large sigma."""
    small = F.avg_pool2d(x, 4, ceil_mode=True, count_include_pad=False)
    size = x.shape[2:]
    return F.interpolate(blurred(small, sigma / 4), size=size, mode="bilinear")


def slope(y: Tensor) -> Tensor:
    """(B, 1, H, W): change of luma a pixel, of a slightly blurred picture."""
    y = F.pad(blurred(y, 1.0), (1, 1, 1, 1), mode="replicate")
    across = (y[:, :, 1:-1, 2:] - y[:, :, 1:-1, :-2]) / 2
    down = (y[:, :, 2:, 1:-1] - y[:, :, :-2, 1:-1]) / 2
    return torch.hypot(across, down)
