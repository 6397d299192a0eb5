"""Foreign models that never end, take all memory or crash: refused, and the program lives on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
import tiny_models as tiny
from onnx import TensorProto, helper, numpy_helper
from whole_program import ROOT, until

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style import graph, inspection, vetting
from stylizer.style.opening import open_style

SIZE = (64, 48)


def save(path: Path, nodes: list, extra: list | None = None, **weights: np.ndarray) -> Path:
    """A network from "x" to "y", both (1, 3, h, w)."""
    ends = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3, "h", "w"]) for n in ("x", "y")
    ]
    stored = [numpy_helper.from_array(v, k) for k, v in weights.items()]
    made = helper.make_graph(nodes, "g", [ends[0], *(extra or [])], ends[1:], stored)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, str(path))
    return path


def endless(path: Path) -> Path:
    """A Loop whose condition stays true: the runtime never comes back."""
    true = TensorProto.BOOL
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Identity", ["p"], ["q"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", true, []),
            helper.make_tensor_value_info("p", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", true, []),
            helper.make_tensor_value_info("q", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["", "yes", "x"], ["y"], body=body)
    return save(path, [loop], yes=np.array(True))


def greedy(path: Path, side: int) -> Path:
    """A tensor whose shape is made at run time, summed so that it must be there."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["big"]),
        helper.make_node("Exp", ["big"], ["ones"]),
        helper.make_node("ReduceMean", ["ones"], ["one"], keepdims=0),
        helper.make_node("Mul", ["x", "one"], ["y"]),
    ]
    return save(path, nodes, shape=np.array([side, side], np.int64))


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLIZER_VETTED", str(tmp_path / "cache"))


def children() -> list[psutil.Process]:
    """What is left of vetting: its server stays, its children must not."""
    return [p for p in psutil.Process().children(recursive=True) if p.cpu_percent(0.1) > 50]


@pytest.mark.parametrize("use", ["open", "inspect", "check"])
def test_a_loop_without_end_is_given_up(tmp_path, monkeypatch, use):
    monkeypatch.setattr(vetting, "TIME_LIMIT_S", 1.0)
    path = endless(tmp_path / "m.onnx")
    cpu = Settings(provider="cpu")
    uses = {
        "open": lambda: open_style(cpu, str(path), SIZE),
        "inspect": lambda: inspection.inspect(str(path)),
        "check": lambda: inspection.check(str(path), cpu, SIZE),
    }
    with pytest.raises(BadInput, match=r"m.onnx was given up: .* within 1 s"):
        uses[use]()
    assert not children()


def test_memory_without_end_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(vetting, "MEMORY_LIMIT", 600 * 2**20)
    path = greedy(tmp_path / "m.onnx", 20_000)  # 1.6 GB, and as much again for its exponential
    before = psutil.Process().memory_info().rss
    with pytest.raises(BadInput, match=r"given up: it takes more than 0.6 GB of memory"):
        inspection.inspect(str(path))
    assert psutil.Process().memory_info().rss - before < 300 * 2**20, "not in this process"


def swallow(path: Path) -> None:
    held = []
    while True:
        held.append(b"x" * 2**25)
        time.sleep(0.02)


def test_a_whole_picture_has_limits_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(vetting, "MEMORY_LIMIT", 2**20)
    monkeypatch.setattr(vetting, "WHOLE_MEMORY_LIMIT", 700 * 2**20)
    path = tmp_path / "m.onnx"
    with pytest.raises(BadInput, match=r"0.7 GB of memory at 192x144; choose a smaller --inf"):
        vetting.in_child(path, swallow, path, size=(192, 144))
    monkeypatch.setattr(vetting, "WHOLE_TIME_LIMIT_S", 0.5)
    with pytest.raises(BadInput, match=r"within 0 s at 192x144|within 1 s at 192x144"):
        vetting.in_child(path, time.sleep, 60, size=(192, 144))


def test_a_child_is_given_up_when_nobody_needs_it(tmp_path):
    path, over = endless(tmp_path / "m.onnx"), threading.Event()
    threading.Timer(1, over.set).start()
    with vetting.needed_until(over), pytest.raises(BadInput, match="nobody needs it any more"):
        open_style(Settings(provider="cpu"), str(path), SIZE)
    assert not children()


@pytest.mark.skipif(os.name != "posix", reason="process groups")
@pytest.mark.parametrize("command", ["inspect", "run"])
def test_ctrl_c_while_the_helper_starts_is_one_line(tmp_path, command: str):
    path = endless(tmp_path / "m.onnx")
    run = ["run", "--source", "synthetic", "--present", "offscreen", "--model", str(path)]
    words = run if command == "run" else ["models", "inspect", str(path)]
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *words],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    server = "multiprocessing.forkserver"
    until(
        lambda: any(server in " ".join(p.cmdline()) for p in psutil.Process(program.pid).children())
    )
    os.killpg(program.pid, signal.SIGINT)
    told = program.communicate(timeout=60)[1]
    assert told.startswith("stylizer: interrupted"), told
    assert told.count("\n") == 1, told
    assert program.returncode == 130


def die(path: Path) -> None:
    os.kill(os.getpid(), 11)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_crash_is_told(tmp_path):
    with pytest.raises(BadInput, match=r"m.onnx made the runtime crash \(exit -11\)"):
        vetting.in_child(tmp_path / "m.onnx", die, tmp_path / "m.onnx")


def test_limits():
    assert vetting.TIME_LIMIT_S == 20
    assert min(4 * 2**30, psutil.virtual_memory().total // 4) >= vetting.MEMORY_LIMIT


def test_a_file_is_vetted_once_and_again_when_it_changed(tmp_path, monkeypatch):
    path = tiny.painter(tmp_path / "m.onnx")
    seen = []
    real = vetting.in_child

    def counted(*words, size):
        seen.append(words[1].__name__)
        real(*words, size=size)

    monkeypatch.setattr(vetting, "in_child", counted)
    for _ in range(2):
        open_style(Settings(provider="cpu"), str(path), SIZE).close()
    assert seen == ["load_model", "_use_once"]
    other = path.rename(tmp_path / "renamed.onnx")
    open_style(Settings(provider="cpu"), str(other), SIZE).close()
    assert seen == ["load_model", "_use_once"]
    inspection.inspect(str(other))  # runs more: at 1280x720
    assert seen == ["load_model", "_use_once", "_probe_and_count"]
    tiny.painter(other, multiple=2)
    open_style(Settings(provider="cpu"), str(other), SIZE).close()
    assert len(seen) == 5


def test_bundled_models_need_no_child(monkeypatch):
    monkeypatch.setattr(vetting, "in_child", None)
    open_style(Settings(provider="cpu"), "mosaic-small", SIZE).close()


def test_what_is_wrong_is_said_as_before(tmp_path):
    path = tiny.classifier(tmp_path / "m.onnx")
    proto = graph.load(path)
    from stylizer.style.probe import load_model

    with pytest.raises(BadInput, match="no style network"):
        vetting.vet(path, proto, load_model, path)


def test_a_style_list_of_billions_is_refused_before_anything_runs(tmp_path):
    chooser = helper.make_tensor_value_info("k", TensorProto.FLOAT, [2_000_000_000])
    nodes = [
        helper.make_node("ReduceMean", ["k"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["x", "mean"], ["y"]),
    ]
    path = save(tmp_path / "m.onnx", nodes, [chooser])
    started = time.monotonic()
    with pytest.raises(BadInput, match="a list of 2000000000 numbers"):
        inspection.inspect(str(path))
    assert time.monotonic() - started < 30
