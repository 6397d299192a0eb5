"""Pictures read back in turn, as on a GPU: none lost or out of order, as read at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

from stylizer.app.cli import main
from stylizer.compose.compositor import Compositor, Look
from stylizer.frame import Frame, StyledImage
from stylizer.system.gl import leave_egl, standalone_context


@pytest.fixture
def a_gpu(monkeypatch) -> None:
    """A software renderer taken for one."""
    monkeypatch.setattr("stylizer.compose.compositor.is_software_gl", lambda renderer: False)


@pytest.fixture
def context() -> Iterator[moderngl.Context]:
    """With a presenter's framebuffer bound."""
    context = standalone_context()
    context.simple_framebuffer((8, 8)).use()
    yield context
    assert context.error == "GL_NO_ERROR"
    context.release()
    leave_egl()


def pairs() -> list[tuple[Frame, StyledImage]]:
    rng = np.random.default_rng(2)
    made = []
    for number, (width, height) in enumerate([(40, 24)] * 3 + [(32, 40)] * 2 + [(40, 24)]):
        source, styled = rng.integers(0, 256, (2, height, width, 3), np.uint8)
        made.append((Frame(source, "RGB", 0.0, number), StyledImage(styled)))
    return made


def test_they_come_in_order_and_are_what_was_drawn(a_gpu, context):
    compositor, look = Compositor(context), Look(strength=0.5)
    came, wanted = [], []
    for number, pair in enumerate(pairs()):
        compositor.upload(*pair)
        wanted.append(compositor.render(look))
        came += compositor.render_in_turn(look)
        assert len(came) == number, "one is always on its way"
    came += compositor.rest()
    assert compositor.rest() == []
    assert [frame.number for frame, _ in came] == list(range(6))
    for (_, picture), same in zip(came, wanted, strict=True):
        assert np.array_equal(picture, same)
    compositor.render_in_turn(look)  # one that nobody fetches
    compositor.release()


def test_in_software_nothing_is_late(context):
    compositor = Compositor(context)
    compositor.upload(*pairs()[0])
    assert [frame.number for frame, _ in compositor.render_in_turn(Look())] == [0]
    assert compositor.rest() == []
    compositor.release()


RUN = ["run", "--source", "synthetic", "--size", "64x48", "--model", "none", "--sync"]
RUN += ["--present", "offscreen", "--warmup", "0", "--frames", "5", "--output"]


def test_a_run_writes_every_picture_and_waits_for_none(tmp_path: Path, monkeypatch):
    assert main([*RUN, str(tmp_path / "at once")]) == 0
    monkeypatch.setattr("stylizer.compose.compositor.is_software_gl", lambda renderer: False)
    into: Counter[str] = Counter()
    read_into = moderngl.Framebuffer.read_into

    def counted(self, target, *rest, **more):
        into[type(target).__name__] += 1
        return read_into(self, target, *rest, **more)

    monkeypatch.setattr(moderngl.Framebuffer, "read_into", counted)
    assert main([*RUN, str(tmp_path / "in turn")]) == 0
    assert into == {"Buffer": 5}
    names = [f"{number:06}.png" for number in range(1, 6)]
    assert sorted(path.name for path in (tmp_path / "in turn").iterdir()) == names
    for name in names:
        one, other = (Image.open(tmp_path / way / name) for way in ("at once", "in turn"))
        assert np.array_equal(np.asarray(one), np.asarray(other))
