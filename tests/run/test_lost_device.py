"""A GPU that fails while running: built anew once, then the CPU, said aloud. And its memory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
import pytest

from stylizer.app.cli import main
from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, StyledFrame, StyledImage
from stylizer.run.models import ModelBank
from stylizer.run.switching import Switching
from stylizer.stages import StyleBackend
from stylizer.style.gl.drawing import Drawing

FRAME = Frame(np.zeros((8, 8, 4), np.uint8), "RGBA", 0.0, 0)


class Fake(StyleBackend):
    """Stands for a session on a device; `left`: pictures until it is lost."""

    model_bytes, provider_reason = 0, "named"

    def __init__(self, model: str, provider: str, left: int = 1000) -> None:
        self.model, self.provider, self.left, self.closed = model, provider, left, False
        self.error: StylizerError = StylizerError(f"{model} failed on {provider} (lost); try cpu")

    def style(self, frame: Frame) -> StyledFrame:
        assert not self.closed
        if not self.left:
            raise self.error
        self.left -= 1
        image = StyledImage(np.ascontiguousarray(frame.pixels))
        return StyledFrame(frame, image, self.model, 0.0, 0.0, time.perf_counter())

    def close(self) -> None:
        self.closed = True


def opened(load: Callable[[str], StyleBackend], name: str = "a") -> tuple[ModelBank, list[Fake]]:
    made: list[Fake] = []

    def on_cpu(name: str) -> StyleBackend:
        made.append(Fake(name, "cpu"))
        return made[-1]

    bank = ModelBank(load, load_on_cpu=on_cpu)
    bank.use(name)
    bank.active()
    return bank, made


def test_a_lost_device_is_rebuilt_once_and_then_left():
    made: list[Fake] = []

    def load(name: str) -> StyleBackend:
        made.append(Fake(name, "cuda", left=2))
        return made[-1]

    bank, on_cpu = opened(load)
    providers = [bank.style(FRAME) and bank.active().provider for _ in range(6)]
    assert providers == ["cuda"] * 4 + ["cpu"] * 2
    assert [fake.closed for fake in made] == [True, True]
    assert bank.take_notices() == [
        "a failed on cuda (lost); a goes on on cuda",
        "a failed on cuda (lost); a goes on on cpu",
    ]
    assert bank.active().provider_reason == "named, after a failed on cuda (lost)"
    bank.close()
    assert on_cpu[0].closed


def test_a_device_that_is_gone_for_good_costs_no_second_try():
    calls = []

    def load(name: str) -> StyleBackend:
        calls.append(name)
        if len(calls) > 1:
            raise StylizerError("no device")
        return Fake(name, "cuda", left=0)

    bank, _ = opened(load)
    bank.style(FRAME)
    assert bank.active().provider == "cpu"
    assert len(bank.take_notices()) == 1
    bank.close()


@pytest.mark.parametrize("provider", ["cpu", "openvino"])
def test_what_fails_on_the_processor_ends_the_run(provider):
    bank, on_cpu = opened(lambda name: Fake(name, provider, left=0))
    with pytest.raises(StylizerError, match="failed"):
        bank.style(FRAME)
    assert not on_cpu
    bank.close()


def test_a_wrong_size_is_no_lost_device():
    fake = Fake("a", "cuda", left=0)
    fake.error = BadInput("too large")
    bank, on_cpu = opened(lambda name: fake)
    with pytest.raises(BadInput):
        bank.style(FRAME)
    assert not on_cpu
    bank.close()


def test_a_run_goes_on_when_the_shaders_fail(monkeypatch, tmp_path, capsys):
    """Really drawn, really opened anew, and really on the CPU in the end."""
    real, asked = Drawing.texture_of, []

    def failing(self, *args):
        asked.append(self)
        if len(asked) in (4, 6):  # after the one of the opening, and of each opening anew
            raise RuntimeError("GL_CONTEXT_LOST")
        return real(self, *args)

    monkeypatch.setattr(Drawing, "texture_of", failing)
    report = tmp_path / "report.json"
    words = ["run", "--source", "demo", "--size", "104x72", "--sync", "--frames", "5"]
    words += ["--warmup", "0", "--present", "offscreen", "--model", "mosaic-fast"]
    assert main([*words, "--provider", "gl", "--report", str(report)]) == 0
    told = json.loads(report.read_text())
    assert len(set(map(id, asked))) == 2, "one drawing, and one anew"
    assert (told["provider"], told["styled_frames"]) == ("cpu", 5)
    assert (
        "after mosaic-fast-int8 failed on gl at 104x72 (GL_CONTEXT_LOST)"
        in (told["provider_reason"])
    )
    said = capsys.readouterr().err
    assert "mosaic-fast-int8 goes on on gl" in said
    assert "mosaic-fast-int8 goes on on cpu" in said


# --- memory of a game's GPU ---------------------------------------------------------------------


@pytest.mark.parametrize(("provider", "kept"), [("cuda", False), ("cpu", True)])
def test_only_the_model_in_use_stays_on_a_gpu(provider, kept):
    made: dict[str, Fake] = {}

    def load(name: str) -> StyleBackend:
        made[name] = Fake(name, provider)
        return made[name]

    bank, _ = opened(load, "mosaic-fast")
    bank.style(FRAME)
    Switching(bank).load_other_tiers()
    assert bool(bank._wanted or len(bank._loaded) > 1) == kept
    bank.use("ink-fast")
    deadline = time.monotonic() + 20
    while bank.loading and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not made["mosaic-fast"].closed, "the style thread may be at it"
    assert bank.style(FRAME).model == "ink-fast"
    assert made["mosaic-fast"].closed != kept
    bank.use("mosaic-fast")
    while bank.loading and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bank.style(FRAME).model == "mosaic-fast"
    bank.close()
    assert all(fake.closed for fake in made.values())
