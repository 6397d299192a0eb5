"""What the panel keeps: the settings file afterwards, with every comment still in it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylizer.app.settings_file.keep import FilePresets
from stylizer.app.settings_file.read import read_file
from stylizer.app.settings_file.text import commented_file
from stylizer.errors import BadInput
from stylizer.frame import Shape
from stylizer.source.x11.window_list import find_window
from stylizer.system.x11 import Display

FILE = """\
# mine
strength = 0.8  # not too much
target_fps = 60

[keys]
# the big one
record = "f9"

[[game]]
# another one
title = "blue"
strength = 0.3

[[game]]
title = "red"   # this one
keep_colors = true
[game.keys]
quit = "f10"  # out
"""


def values(presets: FilePresets, **changed: Any) -> dict[str, Any]:
    return {**presets.kept(), **changed}


def window_of(xvfb: str, title: str) -> int:
    display = Display(xvfb)
    try:
        return find_window(display, title)[0].id
    finally:
        display.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_saved_for_everything_into_a_file_that_was_not_there(path: Path) -> None:
    presets = FilePresets(path)
    presets.look(0)
    assert presets.game == ""
    assert not path.exists(), "only on save"
    presets.save(values(presets, strength=0.6, keys={"record": "f9"}))
    text = path.read_text()
    assert tomllib.loads(text)["strength"] == 0.6
    assert read_file(path).values == {
        "strength": 0.6,
        "keys": {"record": "f9"},
        "global_keys": {},
    }
    before = [line for line in commented_file().splitlines() if line.startswith("#")]
    gone = [line for line in before if line not in text.splitlines()]
    assert gone == ["#strength = 1.0"], "the line that it stands in for"
    assert text.index("strength = 0.6") < text.index("[keys]")


def test_comments_and_other_games_stay(path: Path, xvfb: str, game: Callable) -> None:
    path.write_text(FILE)
    game(title="Red Game")
    presets = FilePresets(path)
    presets.look(window_of(xvfb, "Red Game"))
    kept = presets.kept()
    assert (kept["strength"], kept["keep_colors"], kept["target_fps"]) == (0.8, True, 60)
    assert kept["keys"] == {"record": "f9", "quit": "f10"}
    presets.save(values(presets, strength=0.5, keep_colors=False, keys=kept["keys"]))
    text = path.read_text()
    for comment in (
        "# mine",
        "# not too much",
        "# the big one",
        "# another one",
        "# this one",
        "# out",
    ):
        assert comment in text
    read = read_file(path)
    assert read.values["strength"] == 0.8
    assert read.games[0].values == {"strength": 0.3}
    assert read.games[1].values == {"strength": 0.5, "keys": {"quit": "f10"}}
    assert presets.kept()["strength"] == 0.5
    presets.save(values(presets, strength=0.8, target_fps=None, inference_size=(640, 360)))
    assert presets.kept()["inference_size"] == (640, 360)
    assert presets.kept()["target_fps"] is None


def test_a_game_without_a_section_gets_one_and_a_name(
    path: Path, xvfb: str, game: Callable
) -> None:
    path.write_text("strength = 0.8\n# the end")
    game(title="Red Game")
    presets = FilePresets(path)
    presets.look(window_of(xvfb, "Red Game"))
    assert "Red Game" in presets.game
    presets.save(values(presets, stabilize=0.7))
    presets.rename("  My   red one ")
    assert presets.name == "My red one"
    read = read_file(path)
    assert len(read.games) == 1
    assert read.games[0].values == {"stabilize": 0.7}
    assert read.games[0].name == "My red one"
    assert "# the end" in path.read_text()
    again = FilePresets(path)
    again.look(window_of(xvfb, "Red Game"))
    assert again.name == "My red one"
    assert again.kept()["stabilize"] == 0.7
    with pytest.raises(BadInput, match="at least one letter"):
        again.rename("  ")


def test_a_file_that_was_edited_meanwhile_keeps_the_edit(path: Path) -> None:
    path.write_text("strength = 0.8\n")
    presets = FilePresets(path)
    presets.look(0)
    path.write_text("strength = 0.8\nfullscreen = true\n")
    presets.save(values(presets, strength=0.4))
    assert read_file(path).values == {"strength": 0.4, "fullscreen": True}
    path.write_text("strength = ")
    with pytest.raises(BadInput, match="no TOML"):
        presets.save(values(presets))
    assert path.read_text() == "strength = ", "what cannot be read is left alone"


def test_masks_come_back_as_they_were_drawn(path: Path, xvfb: str, game: Callable) -> None:
    path.write_text(FILE)
    game(title="Red Game")
    presets = FilePresets(path)
    presets.look(window_of(xvfb, "Red Game"))
    shapes = (
        Shape("rectangle", ((0.1234, 0.0), (0.5, 1.0))),
        Shape("polygon", ((0.1, 0.2), (0.3, 0.4), (0.5, 0.06))),
    )
    mask = path.with_name("hud.png")
    kept = {"mask_shapes": shapes, "mask": mask, "mask_strength": 0.4, "mask_feather": 0.025}
    presets.save(values(presets, **kept))
    section = tomllib.loads(path.read_text())["game"][1]
    assert section["mask_shapes"] == [
        "rectangle 0.1234,0,0.5,1",
        "polygon 0.1,0.2,0.3,0.4,0.5,0.06",
    ]
    assert {n: read_file(path).games[1].values[n] for n in kept} == kept
    assert "mask_shapes" not in read_file(path).values, "another game's"
    presets.save(values(presets, mask_shapes=(), mask=None, mask_strength=0.0, mask_feather=0.0))
    assert not {n for n in read_file(path).games[1].values if n.startswith("mask")}


def test_a_mask_file_counts_from_the_settings_files_folder(path: Path) -> None:
    path.write_text('mask = "masks/hud.png"\n')
    assert read_file(path).values["mask"] == path.parent / "masks" / "hud.png"
    path.write_text('mask = "none"\n')
    assert read_file(path).values["mask"] is None


@pytest.mark.parametrize(
    "value", ['"rectangle 0,0,1,1"', '["box 0,0,1,1"]', "[1]", '["rectangle 0,0,3,1"]', "7"]
)
def test_masks_that_are_none_are_told(path: Path, value: str) -> None:
    path.write_text(f"mask_shapes = {value}\n")
    with pytest.raises(BadInput, match=r"mask_shapes = .*write a list of shapes as in"):
        read_file(path)
