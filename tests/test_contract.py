"""Every row of every table keeps its stage's contract (stages.py); each backend that can run here
is really opened and asked."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import integer_networks
import numpy as np
import pytest
import tiny_models as tiny

from stylizer.errors import BadInput
from stylizer.frame import IDLE, Frame, StyledFrame
from stylizer.settings import Settings
from stylizer.stages import (
    PRESENTERS,
    SOURCES,
    STYLES,
    WINDOWS,
    X11_WINDOW,
    Backend,
    Presenter,
    Source,
    StyleBackend,
    backend_class,
    open_backend,
)

ROOT = Path(__file__).parents[1]
ROWS: dict[str, tuple[type, Backend[Any]]] = {
    **{f"source {name}": (Source, row) for name, row in SOURCES.items()},
    **{f"window on {name}": (Source, row) for name, row in WINDOWS.items()},
    "window on x11": (Source, X11_WINDOW),
    **{f"style {name}": (StyleBackend, row) for name, row in STYLES.items()},
    **{f"presenter {name}": (Presenter, row) for name, row in PRESENTERS.items()},
}
ASKING = {"portal", "wlroots", "pipewire"}  # want a desktop: tests/source/wayland
FRAME = Frame(np.full((30, 40, 4), 90, np.uint8), "RGBA", 0.0, 0)


def required(contract: type) -> set[str]:
    """Members that a backend must bring itself: those without a value or a body."""
    named = set(contract.__annotations__) - set(vars(contract))
    return named | set(contract.__abstractmethods__)  # type: ignore[attr-defined]


def members(contract: type) -> set[str]:
    """All that the loop may ask for."""
    public = {name for name in vars(contract) if not name.startswith("_")}
    return public | set(contract.__annotations__)


def classes_of(module: str) -> dict[str, ast.ClassDef]:
    path = ROOT / (module.replace(".", "/") + ".py")
    return {
        node.name: node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }


def names_set(node: ast.ClassDef) -> set[str]:
    """Methods, values and `self.x = ...` of a class."""
    found = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    for item in ast.walk(node):
        targets = item.targets if isinstance(item, ast.Assign) else []
        targets = [item.target] if isinstance(item, ast.AnnAssign) else targets
        for target in targets:
            for name in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(name, ast.Name):
                    found.add(name.id)
                elif isinstance(name, ast.Attribute) and ast.unparse(name.value) == "self":
                    found.add(name.attr)
    return found


BASES = {  # classes that stand between a contract and a row, and where they are
    "SessionStyle": "stylizer.style.session",
    "StreamSource": "stylizer.source.wayland.streamed",
    "WindowPresenter": "stylizer.present.window",
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_names_a_final_class_with_every_member(name: str) -> None:
    """Read, not imported: so the ones for other systems are held to it as well."""
    contract, row = ROWS[name]
    node = classes_of(row.module)[row.attribute]
    have = names_set(node)
    above = [ast.unparse(base) for base in node.bases]
    final = "final" in [ast.unparse(one) for one in node.decorator_list]
    assert final or row.attribute in BASES, "pyright only looks for what lacks in a final class"
    for base in above:
        if base in BASES:
            between = classes_of(BASES[base])[base]
            have |= names_set(between)
            above = above + [ast.unparse(one) for one in between.bases]
    assert contract.__name__ in above
    assert not required(contract) - have


def has_every_member(backend: object, contract: type) -> None:
    assert not {name for name in members(contract) if not hasattr(backend, name)}


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in ASKING])
def test_a_source(name: str, settings_for: Callable[[str, bool], Settings]) -> None:
    source = open_backend(SOURCES, "source", name, settings_for(name, True))
    try:
        has_every_member(source, Source)
        frame = None
        while frame is None:
            frame = source.read(IDLE)
            assert source.skipped == 0
            assert source.state == ""
        assert source.size == frame.size
        assert (source.window_id != 0) == (name == "window")
    finally:
        source.close()
        source.close()


@contextmanager
def opened_style(name: str, folder: Path) -> Iterator[StyleBackend]:
    """A backend with the tiny network; skips where its package is not installed."""
    from stylizer.style import probe, providers

    args: tuple[Any, ...] = (FRAME.size,)
    if name != "none":
        row = providers.PROVIDERS["cpu" if name == "ort" else name]
        path = folder / "tiny.onnx"
        if name == "gl":
            integer_networks.mixer(path, integer_networks.CONTRACT | {"size_multiple": 4})
        else:
            tiny.painter(path, metadata=tiny.CONTRACT)
        args = (*probe.load_model(path, 0), row, FRAME.size)
    try:
        backend_class(STYLES[name], "style backend", name)
    except BadInput as missing:
        pytest.skip(str(missing))
    style = open_backend(STYLES, "style backend", name, *args)
    try:
        yield style
    finally:
        style.close()
        style.close()


@pytest.mark.parametrize("name", STYLES)
def test_a_style_backend(name: str, tmp_path: Path) -> None:
    with opened_style(name, tmp_path) as style:
        has_every_member(style, StyleBackend)
        style.warm_up(FRAME.size)
        styled = style.style(FRAME)
        assert isinstance(styled, StyledFrame)
        assert styled.frame is FRAME
        assert styled.model == style.model
        assert style.inference_size == FRAME.size or style.resizable
        if style.resizable:
            style.set_inference_size((20, 12))
            image = style.style(FRAME).image
            assert image is not None
            assert image.size == style.inference_size == (20, 12)


# The layer needs a compositor of its own: tests/present/test_layer.py.
@pytest.mark.parametrize("name", sorted(PRESENTERS.keys() - {"layer"}))
def test_a_presenter(name: str, request: pytest.FixtureRequest, monkeypatch) -> None:
    if name != "offscreen":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
    presenter = open_backend(
        PRESENTERS, "presenter", name, Settings(present=name, size=(64, 48)), (64, 48)
    )
    try:
        has_every_member(presenter, Presenter)
        assert presenter.present_name == name
        assert presenter.is_open
        assert presenter.size == (64, 48)
        assert presenter.hidden == (name == "overlay"), "nothing to lie over yet"
        presenter.follow(0)
        presenter.poll()
        assert presenter.inputs() == IDLE
        presenter.take_notices()
        presenter.framebuffer.use()
        presenter.context.clear(1.0, 0.0, 0.0, 1.0)
        assert presenter.read_back().shape == (48, 64, 3)
        presenter.present()
        presenter.resize((32, 24))
        assert presenter.size == ((32, 24) if name == "offscreen" else (64, 48))
    finally:
        presenter.close()
        presenter.close()
    assert not presenter.is_open


def test_what_a_contract_leaves_open_is_found() -> None:
    assert required(Source) == {"capture_method", "size", "read", "close"}
    assert {"skipped", "follow"} <= members(Source) | members(Presenter)
