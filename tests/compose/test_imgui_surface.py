"""One surface of Dear ImGui: what a layout that is cut off leaves behind."""

from __future__ import annotations

import pytest
from imgui_bundle import imgui

from stylizer.compose.imgui_surface import ImguiSurface
from stylizer.present.offscreen import OffscreenPresenter
from stylizer.settings import Settings


def test_ctrl_c_in_a_layout_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    presenter = OffscreenPresenter(Settings(), (64, 48))
    surface = ImguiSurface(presenter.context)

    def interrupted() -> None:
        imgui.begin("window")
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            surface.lay_out((64, 48), 0.1, interrupted)
    finally:
        surface.release()
        presenter.close()
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
