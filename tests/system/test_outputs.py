"""What outputs may replace, and what they write through: by the whole program and by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from whole_program import ROOT, fails

from stylizer.app.cli import main
from stylizer.errors import BadInput, StylizerError
from stylizer.system.files import write_png, write_text
from stylizer.system.outputs import Kind, OutputFolder, Permission, distinct, is_ours, next_free

SMALL = ["run", "--source", "synthetic", "--size", "64x48", "--model", "none"]
SMALL += ["--present", "offscreen", "--frames", "3", "--sync"]
PICTURE = np.zeros((8, 8, 3), np.uint8)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="fifos and /dev")


def picture(path: Path, shade: int = 9) -> bytes:
    Image.new("RGB", (64, 48), (200, shade, 10)).save(path)
    return path.read_bytes()


def images(tmp_path: Path, source: Path, *more: str) -> list[str]:
    words = ["run", "--input", str(source), "--model", "none", "--present", "offscreen"]
    return [*words, *map(str, more)]


def test_the_pictures_read_are_never_replaced(tmp_path, capsys):
    before = [picture(tmp_path / f"a{i}.png", i) for i in range(2)]
    fails(capsys, images(tmp_path, tmp_path, "--output", tmp_path), 2, "a0.png", "--overwrite")
    one = tmp_path / "a1.png"
    for option in ("--output", "--screenshot", "--report"):
        place = tmp_path if option == "--output" else one
        fails(capsys, images(tmp_path, one, option, place), 2, "a1.png", "read by this run")
    assert [(tmp_path / f"a{i}.png").read_bytes() for i in range(2)] == before
    assert main([*images(tmp_path, tmp_path, "--output", tmp_path), "--overwrite"]) == 0
    assert is_ours(one, "png")


def test_a_link_to_an_input_is_that_input(tmp_path, capsys):
    before = picture(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / "a.png")
    fails(capsys, images(tmp_path, tmp_path / "a.png", "--output", tmp_path / "out"), 2, "read by")
    assert (tmp_path / "a.png").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "name", "content"),
    [
        ("--report", "notes.json", b'{"mine": 1}'),
        ("--report", "notes.txt", b"mine"),
        ("--screenshot", "photo.png", None),
        ("--record", "film.mp4", b"mine"),
        ("--record", "film.mkv", b"\x1aE\xdf\xa3 somebody's"),
        ("--output", "pictures/000001.png", None),
    ],
)
def test_files_of_others_stay(tmp_path, capsys, option: str, name: str, content: bytes | None):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    content = picture(path) if content is None else content
    path.write_bytes(content)
    named = path.parent if option == "--output" else path
    fails(capsys, [*SMALL, option, str(named)], 2, path.name, "--overwrite")
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]
    assert main([*SMALL, option, str(named), "--overwrite"]) == 0
    assert path.read_bytes() != content


def test_our_own_are_replaced_and_carry_their_mark(tmp_path):
    made: dict[str, Kind] = {
        "r.json": "json", "s.png": "png", "v.mp4": "video", "w.mkv": "video",
    }  # fmt: skip
    for video in ("v.mp4", "w.mkv"):
        words = ["--report", "r.json", "--screenshot", "s.png", "--record", video]
        argv = [*SMALL, *(str(tmp_path / w) if "." in w else w for w in words)]
        assert main(argv) == main(argv) == 0
    assert json.loads((tmp_path / "r.json").read_text())["made_by"] == "stylizer"
    for name, kind in made.items():
        assert is_ours(tmp_path / name, kind), name
        assert [k for k in ("json", "png", "video") if is_ours(tmp_path / name, k)] == [kind]
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert container.metadata["comment"] == "made by stylizer"


def test_one_kind_does_not_replace_another(tmp_path, capsys):
    assert main([*SMALL, "--screenshot", str(tmp_path / "s.png")]) == 0
    fails(capsys, [*SMALL, "--report", str(tmp_path / "s.png")], 2, "no report of ours")


def test_two_outputs_are_two_files(tmp_path, capsys):
    words = ["--report", str(tmp_path / "a"), "--screenshot", str(tmp_path / "." / "a")]
    fails(capsys, [*SMALL, *words], 2, "two outputs")
    distinct([tmp_path / "a", tmp_path / "b", None, Path("/dev/null"), Path("/dev/null")])


@pytest.mark.parametrize("option", ["--output", "--report", "--input", "--record"])
def test_an_empty_name_is_no_name(tmp_path, capsys, monkeypatch, option: str):
    monkeypatch.chdir(tmp_path)
    fails(capsys, [*SMALL, option, ""], 2, option, "empty")
    assert os.listdir(tmp_path) == []


def test_empty_files_hold_nothing_to_lose(tmp_path):
    (tmp_path / "r.json").touch()  # as mktemp makes them
    Permission().check(tmp_path / "r.json", "json")


@linux
def test_a_link_stays_a_link(tmp_path):
    write_text(tmp_path / "real.json", "old")
    (tmp_path / "link.json").symlink_to("real.json")
    assert main([*SMALL, "--report", str(tmp_path / "link.json")]) == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["frames"] == 3


@linux
@pytest.mark.parametrize("option", ["--report", "--screenshot"])
def test_a_pipe_gets_the_bytes(tmp_path, option: str):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    assert main([*SMALL, option, str(pipe)]) == 0
    reader.join(10)
    assert pipe.is_fifo()
    assert got[0][:1] == (b"{" if option == "--report" else b"\x89")


@linux
def test_devices_are_written_and_stay(tmp_path, capsys):
    there = os.stat("/dev/null")
    assert main([*SMALL, "--report", "/dev/null", "--screenshot", "/dev/null"]) == 0
    assert os.stat("/dev/null").st_rdev == there.st_rdev
    fails(capsys, [*SMALL, "--report", "/dev/full"], 1, "/dev/full", "disk is full")
    argv = [sys.executable, "main.py", *SMALL, "--report", "/dev/stdout"]
    told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert json.loads(told.stdout)["frames"] == 3, "for jq: the table goes elsewhere"
    assert "presented fps" in told.stderr


def test_a_second_run_into_one_recording_is_refused(tmp_path, capsys):
    pytest.importorskip("fcntl")
    from stylizer.present.record import Recorder

    path = tmp_path / "a.mp4"
    with Recorder(path, (64, 48), 30) as first:
        late = Recorder(path, (64, 48), 30)  # begun before the first had written anything
        for _ in range(40):
            first.add(np.zeros((48, 64, 3), np.uint8), 0)
        while not path.exists():
            pass
        fails(capsys, [*SMALL, "--record", str(path)], 2, "another run records")
        late.add(np.zeros((48, 64, 3), np.uint8), 0)
        with pytest.raises(BadInput, match="another run records"):
            late.close()
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 40


def test_hotkeys_take_the_next_free_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stylizer-screenshot-001.png").symlink_to("nowhere")
    paths = [next_free(Path(), "screenshot", ".png") for _ in range(2)]
    names = ["stylizer-screenshot-002.png", "stylizer-screenshot-003.png"]
    assert paths == [tmp_path / name for name in names], "whole paths, as they are told"
    made = next_free(tmp_path / "new" / "folder", "recording", ".mp4")
    assert made.parent == tmp_path / "new" / "folder"
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StylizerError, match="cannot be made"):
        next_free(tmp_path / "file" / "folder", "recording", ".mp4")


def test_pictures_of_others_in_the_folder_stay_when_met_late(tmp_path):
    folder = OutputFolder(tmp_path)
    before = picture(tmp_path / "000002.png")
    folder.write(PICTURE)
    with pytest.raises(BadInput, match="000002"):
        folder.write(PICTURE)
    assert (tmp_path / "000002.png").read_bytes() == before


def test_models_and_pages_know_their_mark(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"somebody's")
    assert not is_ours(tmp_path / "a.onnx", "model")
    assert is_ours(ROOT / "models" / "mosaic-small.onnx", "model")
    write_text(tmp_path / "a.html", "<!doctype html><!-- made by stylizer -->")
    assert is_ours(tmp_path / "a.html", "page")
    write_png(tmp_path / "a.png", PICTURE)
    assert not is_ours(tmp_path / "a.png", "page")


def test_a_name_as_long_as_a_file_system_takes(tmp_path):
    path = tmp_path / ("画" * 83 + ".json")  # 254 bytes, of 255
    write_text(path, "{}")
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("option", ["--report", "--screenshot", "--output", "--input"])
def test_a_dash_is_no_file(tmp_path, capsys, monkeypatch, option: str):
    monkeypatch.chdir(tmp_path)
    fails(capsys, [*SMALL, option, "-"], 2, option, "/dev/stdout")
    assert os.listdir(tmp_path) == []


@linux
@pytest.mark.parametrize("option", ["--report", "--screenshot"])
def test_links_in_a_circle_are_refused_and_stay(tmp_path, capsys, option: str):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    fails(capsys, [*SMALL, option, str(tmp_path / "a")], 2, "circle")
    assert (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("there_before", [False, True])
def test_what_comes_to_a_name_during_the_run_stays(tmp_path, there_before: bool):
    path, beside = tmp_path / "r.json", tmp_path / "r-2.json"
    if there_before:
        write_text(path, '{"made_by": "stylizer"}')
    Permission().check(path, "json")
    path.write_text("somebody's")
    with pytest.raises(StylizerError, match=r"no report of ours; it stays, and .*r-2\.json"):
        write_text(path, "ours")
    assert (path.read_text(), beside.read_text()) == ("somebody's", "ours")
    Permission(overwrite=True).check(path, "json")
    write_text(path, "ours")
    assert path.read_text() == "ours"


def test_a_recording_spares_what_came_to_its_name_before_the_first_picture(tmp_path):
    from stylizer.present.record import Recorder

    path = tmp_path / "a.mp4"
    Permission().check(path, "video")
    late = Recorder(path, (64, 48), 30)
    path.write_text("somebody's")
    late.add(np.zeros((48, 64, 3), np.uint8), 0)
    with pytest.raises(BadInput, match="no recording of ours; it stays"):
        late.close()
    assert path.read_text() == "somebody's"
