"""install-desktop and doctor --report, as a user runs them."""

from __future__ import annotations

import configparser
import getpass
import json
import shlex
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image
from whole_program import fails

from stylizer.app import bug_report, desktop_files
from stylizer.app.cli import main
from stylizer.app.doctor import Finding
from stylizer.app.options import build_parser
from stylizer.system.installed import DESKTOP_ID, INSTEAD, appimage, fitting

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a Linux desktop's files")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data"))
    return tmp_path / "my data"


def files(data: Path) -> dict[str, Path]:
    return {path.suffix: path for path in data.rglob("*") if path.is_file()}


@linux
def test_the_desktops_files_are_valid_and_can_be_removed(data, capsys):
    assert main(["install-desktop"]) == 0
    assert str(data) in capsys.readouterr().out
    written = files(data)
    assert set(written) == {".desktop", ".xml", ".png"}
    entry = configparser.RawConfigParser(strict=True)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(written[".desktop"], encoding="utf-8")
    assert entry["Desktop Entry"]["Icon"] == written[".png"].stem
    assert Image.open(written[".png"]).size == (256, 256)
    assert ElementTree.parse(written[".xml"]).getroot().findtext("id") == DESKTOP_ID
    for tool, argument, suffix in (
        ("desktop-file-validate", "", ".desktop"),
        ("appstreamcli", "validate --no-net", ".xml"),
    ):
        if shutil.which(tool):
            command = [tool, *argument.split(), str(written[suffix])]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "hint" not in done.stdout, done.stdout
    assert main(["install-desktop"]) == 0, "written again"
    assert main(["install-desktop", "--remove"]) == 0
    assert not files(data)


@linux
def test_the_menus_command_starts_the_program(data):
    assert main(["install-desktop"]) == 0
    lines = files(data)[".desktop"].read_text().splitlines()
    (command,) = [line.removeprefix("Exec=") for line in lines if line.startswith("Exec=")]
    words = shlex.split(command)
    assert Path(words[0]).is_file()


@linux
def test_somebody_elses_entry_is_left_alone(data, capsys):
    path = data / "applications" / f"{DESKTOP_ID}.desktop"
    path.parent.mkdir(parents=True)
    path.write_text("[Desktop Entry]\n")
    fails(capsys, ["install-desktop"], 2, "not ours", str(path))
    assert path.read_text() == "[Desktop Entry]\n"


def test_signs_of_a_path_are_escaped_for_the_entry():
    assert desktop_files.quoted("/usr/bin/stylizer") == "/usr/bin/stylizer"
    assert desktop_files.quoted("/a b/100%") == '"/a b/100%%"'
    assert desktop_files.quoted('/a"$b') == '"/a\\\\"\\\\$b"'


def test_an_appimage_is_called_by_its_file_and_cannot_be_added_to(monkeypatch):
    monkeypatch.setenv("APPIMAGE", "/opt/stylizer.AppImage")
    monkeypatch.setenv("APPDIR", "/tmp/.mount_terminal")
    assert not appimage(), "the AppImage of the terminal that started us"
    monkeypatch.setenv("APPDIR", sys.prefix)
    assert desktop_files.program() == ["/opt/stylizer.AppImage"]
    told = fitting("get the driver, then pip install 'stylizer[cuda]'; look")
    assert told == f"get the driver, then {INSTEAD}; look"


def test_a_report_holds_versions_and_nothing_personal():
    home, user, host = str(Path.home()), getpass.getuser(), socket.gethostname()
    told = f"cannot open {home}/games/x as {user} on {host}"
    here = Path(bug_report.__file__).parents[2]
    mending = f'pip install "{here}[cuda]" by {sys.prefix}/bin/python'
    rows = [Finding("window", False, told, f"run {home}/bin/y"), Finding("gpu", False, "", mending)]
    text = json.dumps(bug_report.make(rows))
    found = json.loads(text)
    assert found["packages"]["numpy"]
    assert found["findings"][0]["what"] == "window"
    assert found["findings"][0]["found"].startswith("cannot open ~/games/x")
    assert found["findings"][1]["fix"] == 'pip install "STYLIZER[cuda]" by PYTHON/bin/python'
    for name in (home, user, host):
        if len(name) > bug_report.TOO_SHORT:
            assert name not in json.dumps(found["findings"])
    assert "PATH" not in text


def test_the_reports_file_is_checked_before_anything_is_tried(tmp_path, capsys):
    other = tmp_path / "other.json"
    other.write_text("{}")
    fails(capsys, ["doctor", "--report", other], 2, str(other), "--overwrite")
    assert build_parser().parse_args(["doctor", "--report", "x.json"]).report == Path("x.json")
