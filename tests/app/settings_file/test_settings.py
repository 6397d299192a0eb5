"""The settings file: what it may hold, its mistakes, which layer wins."""

import argparse
import json
import re
from pathlib import Path

import pytest
from given_settings import settings
from whole_program import fails

from stylizer.app.cli import main, parse
from stylizer.app.options import build_parser
from stylizer.app.run_settings import run_settings
from stylizer.app.settings_file.read import read_file, settings_path
from stylizer.app.settings_file.table import KEYS
from stylizer.hotkeys import DEFAULT_KEYS, KEY_NAMES, key_bindings
from stylizer.settings import OPTIONS, Settings, unsaid

# --- the table and the written file --------------------------------------------------------


def test_every_key_is_a_setting_and_an_option_of_run_with_the_same_rule():
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    options = {action.dest: action for action in commands.choices["run"]._actions}
    tried = ("0", "0.5", "2", "-1", "640x360", "12", "off", "full", "auto", "cpu", "fps", "x")
    for name, key in KEYS.items():
        assert name in Settings.__dataclass_fields__
        option = options[name]
        if key.rule.kind is bool:
            assert f"--no-{name.replace('_', '-')}" in option.option_strings
            continue
        if name in ("model", "present"):  # known to the catalog and the table of presenters
            continue
        for text in tried:
            try:
                by_option = option.type(text) if option.type else text
                allowed = option.choices is None or by_option in option.choices
            except argparse.ArgumentTypeError:
                by_option, allowed = None, False
            value = (
                float(text) if key.rule.kind is float and re.fullmatch(r"-?[\d.]+", text) else text
            )
            try:
                assert key.rule.from_file(value) == by_option, (name, text)
                assert allowed, (name, text)
            except ValueError:
                assert not allowed, (name, text)


def test_every_setting_is_an_option_in_its_group_and_its_hotkeys_exist():
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    groups = {group.title: group for group in commands.choices["run"]._action_groups}
    for name, option in OPTIONS.items():
        (action,) = [a for a in groups[option.group]._group_actions if a.dest == name]
        assert set(option.spellings) <= set(action.option_strings)
        assert set(option.hotkeys) <= set(DEFAULT_KEYS)
    assert set(OPTIONS) == set(Settings.__dataclass_fields__) - {"keys", "global_keys", "preset"}


def test_an_old_spelling_means_the_same(capsys, file):
    assert settings("--stabilise 0.5") == settings("--stabilize 0.5")
    assert settings("--stabilise 0.5").stabilize == 0.5
    file("stabilise = 0.25")
    assert settings().stabilize == 0.25
    assert settings("--stabilize 0.75").stabilize == 0.75
    path = file("stabilise = 0.25\nstabilize = 0.5")
    fails(capsys, ["run"], 2, str(path), "stabilize and stabilise are the same setting")


def test_the_commented_file_holds_every_setting_at_its_default(capsys, tmp_path):
    path = tmp_path / "new" / "folder" / "settings.toml"
    assert main(["settings", "--init", "--settings", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    assert [p.name for p in path.parent.iterdir()] == ["settings.toml"]
    text = path.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 100
    as_written = read_file(path)
    assert not any(as_written.values.values())
    assert not as_written.games

    path.write_text(re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE), encoding="utf-8")
    bare = read_file(path)
    assert set(bare.values) == {*KEYS, "keys", "global_keys"}
    for name in KEYS:
        assert bare.values[name] == unsaid()[name], name
    assert key_bindings(bare.values["keys"]) == key_bindings({})
    assert set(bare.values["keys"]) == set(DEFAULT_KEYS)
    assert len(bare.games) == 1
    assert vars(run_settings(parse(["run", "--settings", str(path)]))) == vars(
        Settings(keys=bare.values["keys"], global_keys=bare.values["global_keys"], warmup=1)
    )
    for key in KEYS.values():
        assert key.help.split()[-1] in text


def test_init_never_touches_a_file_that_is_there(capsys, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"strength = 0.25 # mine\r\n")
    fails(capsys, ["settings", "--init", "--settings", path], 2, str(path), "stays as it is")
    assert path.read_bytes() == b"strength = 0.25 # mine\r\n"
    blocked = path / "below" / "settings.toml"
    fails(capsys, ["settings", "--init", "--settings", blocked], 2, str(blocked.parent))
    assert [p.name for p in tmp_path.iterdir()] == ["settings.toml"]


def test_where_the_file_is(monkeypatch, tmp_path):
    assert settings_path(tmp_path / "a.toml") == tmp_path / "a.toml"
    monkeypatch.setenv("STYLIZER_SETTINGS", str(tmp_path / "b.toml"))
    assert settings_path() == tmp_path / "b.toml"
    monkeypatch.delenv("STYLIZER_SETTINGS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings_path().name == "settings.toml"
    assert settings_path().parent.name == "stylizer"


def test_a_missing_file_is_no_error_unless_it_was_named(capsys, tmp_path):
    assert settings() == Settings(warmup=1)
    missing = tmp_path / "mine.toml"
    fails(capsys, ["run", "--settings", missing], 2, str(missing), "--init")
    fails(capsys, ["run", "--settings", tmp_path], 2, str(tmp_path), "directory")


def test_the_command_says_what_is_in_force(capsys, file):
    path = file('strength = 0.25\ntarget_fps = 30\n[keys]\nquit = "q"\n[[game]]\ntitle = "Tux"\n')
    assert main(["settings"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(str(path))
    for row in (r"strength .* 0\.25 .* file", r'model .* "auto" .* default'):
        assert re.search(row, out), row
    assert main(["settings", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"]["strength"] == 0.25
    assert found["settings"]["inference_size"] == "full"
    assert found["keys"]["quit"] == "q"
    assert found["keys"]["help"] == "f1"
    assert found["games"] == [{"match": {"title": "Tux"}, "settings": {}}]


def test_the_example_of_the_docs_is_a_settings_file(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert example is not None
    path = tmp_path / "settings.toml"
    path.write_text(example[1])
    assert read_file(path).games[0].values["target_fps"] == 30


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"strength = 0.5\nmodel = \n", 2, 9),
        (b'strength = 0.5\r\nmodel = "x\r\n', 2, 11),
        (b"strength 0.5", 1, 10),
        (b'hud = "off"\nhud = "fps"\n', 2, 12),
        (b'hud = "off"\nmodel = [1,', 2, 12),
        ("model = 'ü'\nhud = ".encode() + b"'\xff'", 2, 8),
        (b"strength = " + b"9" * 5000, 1, 5012),
        (b"size = " + b"[" * 5000, 1, 5008),
    ],
)
def test_a_broken_file_is_reported_with_its_place_and_left_alone(capsys, file, data, line, column):
    path = file(data)
    for argv in (["run", "--model", "none", "--present", "offscreen"], ["settings"]):
        fails(capsys, argv, 2, f"{path}, line {line}, column {column}: ")
    fails(capsys, ["settings", "--init"], 2, str(path))
    assert path.read_bytes() == data
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("strength = 2", ["strength = 2", "from 0 to 1"]),
        ('strength = "0.5"', ['strength = "0.5"', "from 0 to 1"]),
        ("strength = true", ["strength = true", "from 0 to 1"]),
        ("strength = nan", ["strength", "from 0 to 1"]),
        ("keep_colors = 1", ["keep_colors = 1", "true or false"]),
        ('size = "big"', ["size", "1280x720"]),
        ("size = [640, 360]", ["size", "1280x720"]),
        ("target_fps = 0", ["target_fps", "above 0", "off"]),
        ('provider = "gpu"', ["provider", "cuda"]),
        ('hud = "maybe"', ["hud", "graph"]),
        ('present = "hologram"', ["present", "offscreen"]),
        ('model = ""', ["model", "bundled"]),
        ("model = 2024-01-01", ["model", "bundled"]),
        ("strenght = 1", ["'strenght'", "'strength' perhaps", "keep_colors"]),
        ("seed = 1", ["'seed'", "strength"]),
        ('target_fps = 30\ninference_size = "640x360"', ["target_fps", "leave out one"]),
        ('keys = "q"', ["keys", "[keys]"]),
        ('[keys]\nquitt = "q"', ["'quitt'", "'quit' perhaps", "toggle_wipe"]),
        ("[keys]\nquit = 1", ["quit = 1", "quotes"]),
        ('[keys]\nquit = "esc"', ["'esc'", "names no key", "page up"]),
        ('[keys]\nquit = "ctrl+q"', ["'ctrl+q'", "names no key"]),
        ('[keys]\nquit = "R"', ["'r'", "record", "quit"]),
        ('[global_keys]\nquitt = "ctrl+alt+q"', ["global_keys", "'quitt'"]),
        ("[global_keys]\nquit = 1", ["global_keys", "quit = 1"]),
        ('[global_keys]\nquit = "hyper+q"', ["quit", "'hyper'", "ctrl"]),
        ("[game]\ntitle = 'x'", ["[[game]]"]),
        ("[[game]]\nstrength = 1", ["game section 1", "executable, class or title"]),
        ("[[game]]\ntitle = ''", ["game section 1", "title"]),
        ("[[game]]\nclass = 3", ["game section 1", "class = 3"]),
        ("[[game]]\ntitle = 'x'\n[[game]]\ntitel = 'y'", ["game section 2", "executable"]),
        ("[[game]]\ntitle = 'x'\ntitel = 'y'", ["game section 1", "'title' perhaps"]),
        ("[[game]]\ntitle = 'x'\nstrength = 'y'", ["game section 1", "from 0 to 1"]),
        (
            "[keys]\nquit = 'q'\n[[game]]\ntitle = 'x'\n[game.keys]\nhelp = 'q'",
            ["section 1", "'q'"],
        ),
    ],
)
def test_a_mistake_names_file_key_and_what_is_allowed(capsys, file, text, words):
    path = file(text)
    fails(capsys, ["run", "--model", "none", "--present", "offscreen"], 2, str(path), *words)
    assert path.read_text() == text


# --- which layer wins ------------------------------------------------------------------------


def test_the_command_line_wins_over_the_file_and_that_over_the_defaults(file):
    file('strength = 0.25\nhud = "graph"\nkeep_colors = true\ndetail = false\nsize = "320x180"')
    found = settings()
    assert (found.strength, found.hud, found.keep_colors) == (0.25, "graph", True)
    assert (found.detail, found.size, found.wait) == (False, (320, 180), False)
    found = settings("--strength 1 --no-keep-colors --detail --hud auto --size 1280x720")
    assert found == Settings(warmup=1)
    assert settings("--strength 1.0").keep_colors is True


def test_a_layer_that_sets_the_size_lifts_the_rate_below_it_and_the_other_way(file):
    file("target_fps = 30\nfaster_tiers = true")
    assert settings().target_fps == 30
    found = settings("--inference-size 640x360")
    assert (found.target_fps, found.inference_size) == (None, (640, 360))
    assert settings("--target-fps off").target_fps is None
    file('inference_size = "640x360"')
    found = settings("--target-fps 20")
    assert (found.target_fps, found.inference_size) == (20, None)
    assert settings("--inference-size full").inference_size is None


def test_a_relative_model_counts_from_the_files_folder(file, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    for name in ("mine/a.onnx#2", "a#b/m.onnx", "a#b/m.onnx#1"):
        file(f'model = "{name}"')
        assert settings().model == str(tmp_path / name)
    file('model = "mosaic-small"')
    assert settings().model == "mosaic-small"


def test_keys_may_be_swapped_and_any_case_is_meant(file):
    file('[keys]\nrecord = "P"\nscreenshot = "r"\nhelp = "Shift+F1"\n[global_keys]\nhud = "x"')
    found = settings()
    bound = key_bindings(found.keys)
    assert (bound["p"], bound["r"], bound["shift+f1"]) == ("record", "screenshot", "help")
    assert found.global_keys == {"hud": "x"}


def test_key_names_are_those_that_a_window_gives():
    import pygame

    pygame.display.init()
    try:
        codes = {v for k, v in vars(pygame).items() if k.startswith("K_")}
        names = {pygame.key.name(code) for code in codes}
        desktop = {f"{side} {key}" for side in ("left", "right") for key in ("ctrl", "alt", "meta")}
        rare = {"", "AC Back", "CurrencySubUnit", "euro", "power", "sys req", "alt gr"}
        assert names - desktop - rare == KEY_NAMES
        assert all(pygame.key.name(pygame.key.key_code(name)) == name for name in KEY_NAMES)
    finally:
        pygame.display.quit()
