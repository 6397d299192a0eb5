"""What fast networks learn to lay on the graded frame: strokes, joints, contours, and where not."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from stylizer.lab.nets.registry import Paint  # noqa: E402
from stylizer.lab.nets.smoothing import luma  # noqa: E402
from stylizer.lab.training.paint import (  # noqa: E402
    AROUND_SIGMA,
    blurred,
    coarsely_blurred,
    evenly_spread,
    painted,
    slope,
)

NOTHING = Paint(strokes=0, joints=0, contours=0, flat=0, tone=0)
REST = torch.full((1, 3, 96, 128), 0.5)


def canvas(reach: float = 0.3) -> Tensor:
    """Soft strokes around 0.5, no joints."""
    noise = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(1)) - 0.5
    soft = blurred(noise, 2.0)
    return 0.5 + reach * soft / soft.abs().max()


def writing() -> Tensor:
    """Dark strokes, two pixels wide, on the left of a light ground, which is empty on the right."""
    picture = torch.full((1, 3, 96, 128), 0.8)
    for column in range(16, 48, 8):
        picture[:, :, 32:64, column : column + 2] = 0.1
    return picture


def test_a_flat_frame_takes_the_strokes_of_the_canvas():
    strokes = canvas()
    made = painted(REST, strokes, Paint(strokes=0.8))
    assert torch.allclose(made, 0.5 + 0.8 * (strokes - 0.5), atol=1e-5)
    assert float(made.std()) > 0.03


def test_without_paint_it_is_the_graded_frame():
    frame = torch.rand(2, 3, 96, 128, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(painted(frame, canvas().expand(2, -1, -1, -1), NOTHING), frame, atol=1e-6)


def test_strokes_go_with_the_light():
    """In the dark a game has little contrast of its own, and strokes of full strength hide it."""
    strokes, only = canvas(), Paint(strokes=0.8, contours=0)
    changes = []
    for light in (0.05, 0.25, 0.6):
        ground = torch.full_like(REST, light)
        changes.append(float((painted(ground, strokes, only) - ground).abs().mean()))
    assert 0 < changes[0] < 0.6 * changes[1]
    assert changes[1] < 0.7 * changes[2]


def test_contours_count_by_their_surroundings():
    """The same picture at a quarter of the light: what was spared is spared."""
    only = Paint(strokes=0.8, contours=0, flat=0)
    kept = []
    for light in (1.0, 0.15):
        frame = writing() * light
        change = (painted(frame, canvas(), only) - frame).abs().mean(dim=1)[0]
        kept.append(float(change[32:64, 16:42].mean() / change[:, 80:].mean()))
    assert kept[1] < 0.4


def test_snow_takes_strokes_too():
    """White has no room above: it is toned down where it is painted, or half of them are lost."""
    white = torch.ones_like(REST)
    made = painted(white, canvas(), Paint(strokes=0.8, contours=0))
    assert float(made.std()) > 0.7 * float(painted(REST, canvas(), Paint(contours=0)).std())


def test_large_bright_places_are_toned_down_and_small_ones_stay_apart():
    frame = torch.full((1, 3, 192, 256), 0.95)
    frame[..., 128:] = 0.3
    frame[:, :, 80:84, 60:64] = 0.2  # something small on the snow
    frame[:, :, 80:84, 188:192] = 1.0  # a light in the dark
    made = painted(frame, torch.full_like(frame, 0.5), Paint(contours=0, flat=0, tone=0.5))
    assert float(made[..., 8:24].mean()) == pytest.approx(0.95 - 0.5 * (0.95 - 0.55), abs=0.02)
    assert float(made[..., -40:].mean()) == pytest.approx(0.3, abs=0.01)
    assert float(made[0, 0, 82, 190]) > 0.97
    assert float(made[0, 0, 82, 72] - made[0, 0, 82, 62]) > 0.9 * 0.75


def test_a_texture_is_painted_where_all_around_is_like_it():
    """A game's grass or ice; a contour as strong as it on a calm ground is spared."""
    noise = torch.rand(1, 1, 192, 256, generator=torch.Generator().manual_seed(3))
    grass = (0.5 + 0.3 * (blurred(noise, 1.0) - 0.5) / 0.3).expand(-1, 3, -1, -1)
    line = torch.full_like(grass, 0.4)
    line[..., 128:] = 0.6
    strokes = canvas().repeat(1, 1, 2, 2)
    changes = []
    for frame in (grass, line):
        for texture in (0.0, 1.5):
            paint = Paint(contours=0, flat=0, texture=texture)
            change = painted(frame, strokes, paint) - painted(
                frame, torch.full_like(frame, 0.5), paint
            )
            changes.append(float(change[..., 64:128, 120:136].abs().mean()))
    assert changes[1] > 2 * changes[0]
    assert changes[3] < 1.5 * changes[2]


def test_writing_stays_readable():
    frame = writing()
    with_strokes, without = (painted(frame, c, Paint()) for c in (canvas(), REST))
    change = (with_strokes - without).abs().mean(dim=1)[0]
    assert float(change[32:64, 16:42].mean()) < 0.25 * float(change[:, 80:].mean())
    light = with_strokes[0, :, 32:64, 20:22].mean()
    dark = with_strokes[0, :, 32:64, 16:18].mean()
    assert float(light - dark) > 0.9 * (0.8 - 0.1)


def test_busy_places_take_less():
    checks = (torch.arange(128) // 16 + torch.arange(96)[:, None] // 16) % 2
    busy = 0.35 + 0.3 * checks.expand(1, 3, -1, -1).float()
    only = Paint(strokes=0.8, contours=0, flat=0, on_edges=1.0, on_busy=0.2)
    change = painted(busy, canvas(), only) - painted(busy, REST, only)
    plain = painted(REST, canvas(), only) - REST
    assert float(change.abs().mean()) < 0.5 * float(plain.abs().mean())


def test_joints_darken_where_the_canvas_is_darkest():
    lines = canvas(0.1)
    lines[:, :, :, 60:64] = 0.0
    made = painted(REST, lines, Paint(strokes=0, joints=0.8, contours=0, flat=0))
    assert torch.allclose(made[:, :, :, 60:64], torch.tensor(0.1), atol=1e-4)
    assert torch.equal(made[:, :, :, :60], REST[:, :, :, :60])
    none = painted(REST, lines, Paint(strokes=0, joints=0, contours=0, flat=0))
    assert torch.allclose(none, REST)


def test_contours_lie_on_the_dark_side_of_an_edge():
    step = torch.full((1, 3, 96, 128), 0.3)
    step[:, :, :, 64:] = 0.7
    change = painted(step, REST, Paint(strokes=0, contours=2.0, flat=0, tone=0)) - step
    assert float(change[:, :, :, 62:64].max()) < -0.05
    assert float(change[:, :, :, 64:].abs().max()) < 1e-6
    assert float(change[:, :, :, :48].abs().max()) < 1e-3


def test_light_places_are_burned_in_and_dark_ones_keep_their_light():
    """A painting is darker than a game; a dark game made darker would be black."""
    only = replace(NOTHING, burn=0.6)
    seen = {}
    for level in (0.08, 0.5, 1.0):
        ground = torch.full((1, 3, 192, 256), level)
        seen[level] = float(painted(ground, torch.full_like(ground, 0.5), only).mean())
    assert seen[0.5] == pytest.approx(0.5**1.6, abs=0.005)
    assert seen[1.0] == pytest.approx(1.0, abs=0.001)
    assert seen[0.08] > 0.7 * 0.08


def test_a_contours_line_is_no_darker_than_it_may_be():
    frame = torch.full((1, 3, 96, 128), 0.8)
    frame[..., 64:] = 0.3
    darkest = [
        float((frame - painted(frame, REST, replace(NOTHING, contours=9.0, line=line))).max())
        for line in (1.0, 0.1)
    ]
    assert darkest[0] > 0.2
    assert darkest[1] == pytest.approx(0.1, abs=1e-4)


def test_contours_are_fainter_in_the_dark():
    """Black lines between dark things were all that was seen of them."""
    frame = torch.full((1, 3, 96, 128), 0.6)
    frame[..., 64:] = 0.3
    only = replace(NOTHING, contours=1.0)
    light, dark = (float((x - painted(x, REST, only)).max()) for x in (frame, 0.1 * frame))
    assert 0.02 * light < dark < 0.06 * light


def test_writing_is_smoothed_less_than_a_texture():
    noise = torch.randn(1, 1, 192, 192, generator=torch.Generator().manual_seed(5))
    sand = (0.5 + 0.05 * noise).expand(-1, 3, -1, -1)
    letters = torch.full((1, 3, 192, 192), 0.5)
    for column in range(80, 112, 12):
        letters[..., 80:112, column : column + 2] = 0.65
    middle = (..., slice(88, 104), slice(88, 104))
    slopes = [slope(luma(x)) for x in (sand, letters)]
    textured = [
        float(evenly_spread(steps, coarsely_blurred(steps, AROUND_SIGMA))[middle].mean())
        for steps in slopes
    ]
    assert textured[0] > 0.9
    assert textured[1] < 0.1
    paint, rest = replace(NOTHING, flat=1.0, smooth=0.05), torch.full_like(letters, 0.5)
    kept = [float(painted(x, rest, paint)[middle].std() / x[middle].std()) for x in (sand, letters)]
    assert kept[0] < 0.4
    assert kept[1] > 0.6


def test_things_are_spared_and_textures_are_not():
    """A car, a dial, writing: a few strong slopes. Sand: as many everywhere."""
    noise = torch.randn(1, 1, 192, 192, generator=torch.Generator().manual_seed(5))
    sand = blurred((0.5 + 0.2 * noise).expand(-1, 3, -1, -1), 1.0)
    letters = torch.full((1, 3, 192, 192), 0.5)
    for column in range(80, 112, 12):
        letters[..., 80:112, column : column + 2] = 0.65
    strokes = canvas().repeat(1, 1, 2, 2)[..., :192, :192]
    rest, middle = torch.full_like(letters, 0.5), (..., slice(84, 108), slice(80, 106))
    only = replace(NOTHING, strokes=0.8, on_edges=1.0, on_busy=1.0)
    changes = {}
    for name, x in (("sand", sand), ("letters", letters)):
        for things in (0.0, 1.0):
            paint = replace(only, things=things)
            change = painted(x, strokes, paint) - painted(x, rest, paint)
            changes[name, things] = float(change[middle].abs().mean())
    assert changes["letters", 1.0] < 0.35 * changes["letters", 0.0]
    assert changes["sand", 1.0] > 0.9 * changes["sand", 0.0]


def test_faint_contours_of_things_get_contrast():
    """Writing that fades in, a dial that shines through; grain around them stays as it is."""
    frame = torch.full((1, 3, 192, 192), 0.5)
    frame[..., 92:100, 92:100] = 0.56
    made = painted(frame, torch.full_like(frame, 0.5), replace(NOTHING, faint=2.0))
    contrast = made[..., 94:98, 94:98].mean() - made[..., 80:84, 94:98].mean()
    assert float(contrast) > 1.5 * 0.06
    strong = torch.full_like(frame, 0.2)
    strong[..., 92:100, 92:100] = 0.8
    same = painted(strong, torch.full_like(frame, 0.5), replace(NOTHING, faint=2.0))
    assert float((same - strong).abs().max()) < 0.05
    noise = torch.randn(1, 1, 192, 192, generator=torch.Generator().manual_seed(5))
    sand = (0.5 + 0.02 * noise).expand(-1, 3, -1, -1)
    kept = painted(sand, torch.full_like(frame, 0.5), replace(NOTHING, faint=2.0))
    assert float((kept - sand).abs().max()) < 0.01


def test_a_dark_texture_is_smoothed_like_a_light_one():
    """By what it is of the light there; by its own deviation alone a corridor was gone."""
    noise = torch.randn(1, 1, 192, 192, generator=torch.Generator().manual_seed(5))
    sand = (0.5 + 0.1 * noise).expand(-1, 3, -1, -1)
    paint, rest = replace(NOTHING, flat=1.0, smooth=0.02), torch.full_like(sand, 0.5)
    kept = [float(painted(x, rest, paint).std() / x.std()) for x in (sand, 0.3 * sand)]
    assert kept[0] == pytest.approx(kept[1], abs=0.1)
    assert kept[0] < 0.7
