"""The training beside a running picture, see run/learning.py: in a process of its own."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from PIL import Image

from stylizer.errors import BadInput, StylizerError
from stylizer.lab.commands.train import contract_of
from stylizer.lab.nets.fast import FastNetwork
from stylizer.lab.nets.painter import CANVAS_STEP
from stylizer.lab.nets.registry import Paint, Recipe, default_recipe
from stylizer.lab.onnx.export import export_onnx, load_network
from stylizer.lab.training import loop
from stylizer.lab.training.checkpoint import TrainState
from stylizer.lab.training.data import ContentSet
from stylizer.lab.training.losses import Goal
from stylizer.lab.training.motion import demo_pictures
from stylizer.lab.training.progress import EverySoOften
from stylizer.painting.make import network_of
from stylizer.style import graph
from stylizer.style.metadata import PAINTING_KEY, RANGES_KEY, RECIPE_KEY, texts_of
from stylizer.system.files import atomic_write
from stylizer.system.resources import models_folder, own_styles_folder

DEMO_FRAMES = 16
ENOUGH_SEEN = 3  # frames of the game, to begin on
FIRST_STEP = 10  # after which its first network is shown: anybody can tell it apart, as the 20th
LOOK_EVERY = 10  # steps between looks for new frames
RATE = 5e-4  # of learning, at its peak: the network can lay the canvas already
ENDINGS = ("", "-fp16", "-int8")  # the integer one last: by it the style is known


def learn(
    style: str,
    folder: Path,
    steps: int,
    export_every_s: float,
    tell: Callable[[str, Any], None],
) -> None:
    """Train a style of the user's own, on the demo's frames and those in the folder, where its
    checkpoint lies, too; its files are written anew every so often and at the end.

    tell: see `stylizer.run.learning.Lesson`. Raises BadInput, StylizerError.
    """
    torch.set_num_threads(1)
    loop.keep_memory()
    recipe, network = start_of(style, steps)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    state = TrainState(network, optimizer, followed=True)
    content = RecentContent(folder)
    own = own_styles_folder() / f"{style}-fast.onnx"

    def export() -> None:
        write_style(state, recipe, folder / "learned" / own.name, own)
        tell("exported", state.step)

    def export_and_go_on() -> None:
        export()
        content.draw_demo()

    exports = EverySoOften(export_every_s, export_and_go_on, FIRST_STEP)

    def after(progress: loop.Progress) -> None:
        tell("step", (progress.step, progress.steps, progress.seconds_left))
        exports.after(progress)
        if progress.step % LOOK_EVERY == 0:
            content.look()

    tell("step", (0, steps, 0.0))
    loop.train(recipe, state, Goal(), content, folder / "run", after, preview_every=steps)
    export()


def start_of(style: str, steps: int) -> tuple[Recipe, FastNetwork]:
    """The network of a style that `paint` made, and how it is trained on. Raises BadInput."""
    path = own_styles_folder() / f"{style}-fast.onnx"
    base = models_folder() / f"{network_of(style)}-fast.onnx"
    network, texts = load_network(path), texts_of(graph.read(path))
    if not isinstance(network, FastNetwork):
        raise BadInput(f"{path}: only fast models are trained beside a picture")
    if RANGES_KEY not in texts:  # only the bundled file knows how far its values reach
        source = load_network(base)
        assert isinstance(source, FastNetwork)
        network.load_state_dict(source.state_dict())
    network.fine_tile = torch.from_numpy(enlarged(network.tile.numpy()))
    noted = json.loads(texts_of(graph.read(base)).get(RECIPE_KEY, "{}"))
    paint = Paint(**(noted.get("paint") or {}))
    recipe = default_recipe("fast", style, "frames just seen", trained=True)
    return replace(recipe, steps=steps, learning_rate=RATE, paint=paint), network


def enlarged(tile: np.ndarray) -> np.ndarray:
    """uint8 (3, side, side) -> twice the sides, smoothly, also over its edges."""
    rim = 4
    around = np.pad(tile.transpose(1, 2, 0), ((rim, rim), (rim, rim), (0, 0)), mode="wrap")
    large = cv2.resize(around, None, fx=CANVAS_STEP, fy=CANVAS_STEP, interpolation=cv2.INTER_CUBIC)
    inner = large[CANVAS_STEP * rim : -CANVAS_STEP * rim, CANVAS_STEP * rim : -CANVAS_STEP * rim]
    return np.ascontiguousarray(inner.transpose(2, 0, 1))


class RecentContent(ContentSet):
    """The frames that another process writes into a folder, and some of the demo's, which take 3 s
    of a core to draw: where some are there already, not before `draw_demo`."""

    def __init__(self, folder: Path) -> None:
        self.unreadable = []
        self._folder, self._demo = folder, list[Image.Image]()
        self._known: dict[Path, tuple[int, Image.Image]] = {}  # with the time it was written
        self._drawn = False
        self.look()
        if len(self.pictures) < ENOUGH_SEEN:
            self.draw_demo()
        if not self.pictures:
            raise BadInput(f"there is no frame to train on, neither of the demo nor in {folder}")

    def draw_demo(self) -> None:
        """From now on the demo's frames are among them."""
        if not self._drawn:
            self._drawn, self._demo = True, demo_frames()
            self.look()

    def look(self) -> None:
        """Take what was written since the last time."""
        for path in self._folder.glob("*.jpg"):
            written = path.stat().st_mtime_ns
            if path in self._known and self._known[path][0] == written:
                continue
            try:
                with Image.open(path) as image:
                    self._known[path] = written, image.convert("RGB")
            except OSError:
                self.unreadable.append(path.name)
        self.pictures = [*self._demo, *(picture for _, picture in self._known.values())]


def demo_frames() -> list[Image.Image]:
    """A few of the demo's, where there is OpenGL."""
    try:
        return [Image.fromarray(picture) for picture in demo_pictures(DEMO_FRAMES)]
    except StylizerError as error:
        print(f"training without the demo scene: {error}", file=sys.stderr)
        return []


def write_style(state: TrainState, recipe: Recipe, scratch: Path, own: Path) -> None:
    """The style's files as it is now; it stays what `paint` made of its picture. scratch: where
    they are written and checked first. Raises StylizerError; then the files there stay."""
    scratch.parent.mkdir(exist_ok=True)
    network = copy.deepcopy(state.network)
    export_onnx(network, scratch, contract_of(network, recipe, scratch), asdict(recipe))
    noted = texts_of(graph.read(own))[PAINTING_KEY]
    for ending in ENDINGS:
        proto = onnx.load(str(scratch.with_name(f"{scratch.stem}{ending}.onnx")))
        proto.metadata_props.add(key=PAINTING_KEY, value=noted)
        with atomic_write(own.with_name(f"{own.stem}{ending}.onnx")) as file:
            file.write(proto.SerializeToString())
