"""Any picture as a style, in a second: its colors as a grade, its strokes as a canvas.

What is made is a style of the user's own beside the bundled ones: files of a fast network.
"""

from __future__ import annotations

import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import onnx

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import CANVAS_MIDDLE_BYTE, LUMA
from stylizer.painting.grade import GAMES, Grade, colors_of, grade_between, moments
from stylizer.painting.network import grade_of, recolored, repainted, tile_of
from stylizer.painting.quilt import colored, half_tile
from stylizer.source.picture_file import load_rgba
from stylizer.style import catalog, graph
from stylizer.style.kin import made_of
from stylizer.style.metadata import RECIPE_KEY, metadata_of, texts_of
from stylizer.system.files import atomic_write
from stylizer.system.resources import STYLES_VARIABLE, own_styles_folder

CONTRAST, SATURATION = 1.3, 0.65  # of the grade
CANVAS_COLOR = 1.6  # of the strokes, their light kept
SHORT_SIDE = 480  # pixels that a painting is scaled to: strokes come out 10 to 40 pixels wide
MOST_OBLONG = 3.0  # of a picture's sides: of a longer one the middle is taken
LEAST_SIDE = 48  # pixels: nothing smaller has strokes
BANDS = (0.7, 1.4, 2.8, 5.6, 11.2)  # sigmas in pixels of the tile between which texture is weighed
RULES = 7  # another number makes the user's paintings anew
LONGEST_NAME = 40
LONGEST_NAME_BYTES = 120  # with the name of strokes: a file system takes 255, not all of them ours


class Painting(NamedTuple):
    """A style that was made: its name, the bundled style whose network paints it, and whether it
    was there already."""

    style: str
    network: str
    known: bool

    @property
    def model(self) -> str:
        """What `--model` takes."""
        return f"{self.style}-fast"


def make(picture: Path, strokes: str | None = None) -> Painting:
    """A style in the colors of a picture file, with its strokes or those of another style.

    Raises BadInput for a file that is no picture, one too small, and a style that is not there.
    """
    pixels = painting_of(picture)
    mark = _mark(strokes, pixels.tobytes())
    words = re.sub(r"[^\w]+", "-", picture.stem.lower().replace("_", "-")).strip("-")
    wanted = words[:LONGEST_NAME].strip("-") or "painting"
    style, known = free_name(f"{wanted}-with-{strokes}" if strokes else wanted, mark)
    if known is not None:
        return Painting(style, known, True)
    grade = grade_between(GAMES, moments(colors_of([pixels])), CONTRAST, SATURATION)
    noted = {"picture": picture.name, "mark": mark}
    if strokes is not None:
        return _with_strokes(style, grade, strokes, noted | {"strokes": strokes})
    tile = colored(half_tile(pixels.astype(np.float32) / 255), CANVAS_COLOR)
    base = nearest(tile)
    write(base, grade, tile, style, noted | {"of": base})
    return Painting(style, base, False)


def mixed(colors: str, strokes: str) -> Painting:
    """A style in the colors of one that is there, with the strokes of another. Raises BadInput."""
    if colors == strokes:
        return Painting(colors, network_of(colors), True)
    grade = grade_of(graph.read(files_of(colors)[0].path))
    mark = _mark(strokes, repr([np.round(part, 4).tolist() for part in grade]).encode())
    style, known = free_name(f"{colors}-with-{strokes}", mark)
    if known is not None:
        return Painting(style, known, True)
    return _with_strokes(
        style, grade, strokes, {"colors": colors, "strokes": strokes, "mark": mark}
    )


def parts_of(style: str) -> tuple[str, str]:
    """The styles that one has its colors and its strokes of, itself where it was made so; "" twice
    where they cannot be told apart."""
    try:
        noted = made_of(graph.read(files_of(style)[0].path))
    except BadInput:
        return "", ""
    return noted.get("colors", style), noted.get("strokes", style)


def network_of(style: str) -> str:
    """The bundled style whose network paints this one. Raises BadInput."""
    return made_of(graph.read(files_of(style)[0].path)).get("of", style)


def _with_strokes(style: str, grade: Grade, strokes: str, noted: dict[str, str]) -> Painting:
    path = files_of(strokes)[0].path
    proto = graph.read(path)
    base = network_of(strokes)
    try:
        tile = recolored(tile_of(proto), grade_of(proto), grade)
    except BadInput:
        raise
    except Exception as error:  # what broken metadata may cause in Pillow, base64 and numpy
        raise BadInput(f"the strokes in {path} are damaged; remove that file") from error
    write(base, grade, tile, style, noted | {"of": base})
    return Painting(style, base, False)


def _mark(strokes: str | None, content: bytes) -> str:
    """Tells what was made of the same from what was made of something else."""
    return hashlib.sha256(f"{RULES} {strokes} ".encode() + content).hexdigest()[:16]


def painting_of(path: Path) -> np.ndarray:
    """uint8 (H, W, 3) RGB of a picture file, its short side SHORT_SIDE. Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"{path}: no picture is there; name a file")
    pixels = load_rgba(path)[..., :3]
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise BadInput(
            f"the picture {path} has {width}x{height} pixels, too few to see strokes in; "
            f"take one of {LEAST_SIDE} pixels and more a side"
        )
    side = round(min(height, width) * MOST_OBLONG)
    top, left = max(0, height - side) // 2, max(0, width - side) // 2
    pixels = pixels[top : top + side, left : left + side]
    scale = SHORT_SIDE / min(height, width)
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=how))


def write(base: str, grade: Grade, tile: np.ndarray, style: str, noted: dict) -> None:
    """The bundled style's fast files, each with this grade and canvas, into the user's folder: all
    of them or none. The integer one, by which `free_name` knows a style, comes last."""
    folder = own_styles_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StylizerError(
            f"the folder of your styles, {folder}, cannot be made ({error.strerror}): mend that, "
            f"or name another in {STYLES_VARIABLE}"
        ) from error
    written: list[Path] = []
    try:
        for model in reversed(files_of(base)):
            proto = graph.read(model.path)
            metadata_of(proto, model.path)  # says what is wrong with it
            proto = repainted(proto, grade, tile, style, noted)
            precision = f"-{model.precision}" if model.precision else ""
            path = folder / f"{style}-fast{precision}.onnx"
            with atomic_write(path) as file:
                file.write(proto.SerializeToString())
            written.append(path)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def nearest(tile: np.ndarray) -> str:
    """The bundled style whose canvas is most like this one, uint8 (side, side, 3)."""
    mine = texture(tile)
    protos = {style: graph.read(file.path) for style, file in _networks().items()}
    apart = {
        style: float(np.abs(mine - texture(tile_of(proto))).sum())
        for style, proto in protos.items()
        if lays_strokes(proto)
    }
    if not apart:
        raise BadInput("no fast model is bundled that could paint it")
    return min(apart, key=lambda style: apart[style])


def texture(tile: np.ndarray) -> np.ndarray:
    """How much of a canvas, uint8 (side, side, 3), is how fine, and how much of it is color."""
    values = tile.astype(np.float32) - CANVAS_MIDDLE_BYTE
    luma = values @ LUMA.astype(np.float32)
    blurs = [cv2.GaussianBlur(luma, (0, 0), sigma) for sigma in BANDS]
    parts = [luma - blurs[0], *(a - b for a, b in pairwise(blurs))]
    energies = np.array([float(part.std()) for part in parts])
    color = float((values - luma[..., None]).std()) / max(float(values.std()), 1.0)
    return np.append(energies / max(energies.sum(), 1.0), color)


def _networks() -> dict[str, catalog.Bundled]:
    """Bundled style -> its fast file that is read soonest."""
    found = {}
    for model in catalog.bundled(own=False):
        if model.tier == "fast" and (model.style not in found or model.precision == "int8"):
            found[model.style] = model
    return found


def lays_strokes(proto: onnx.ModelProto) -> bool:
    """Whether a network learned to lay a canvas as it is; panes with joints are another thing."""
    recipe = json.loads(texts_of(proto).get(RECIPE_KEY, "{}"))
    return (recipe.get("paint") or {}).get("joints") == 0


def files_of(style: str) -> list[catalog.Bundled]:
    """All fast files of a style, the integer one first. Raises BadInput for one without."""
    models = [m for m in catalog.bundled() if (m.style, m.tier) == (style, "fast")]
    if not models:
        there = ", ".join(sorted({m.style for m in catalog.bundled() if m.tier == "fast"}))
        raise BadInput(f"there is no style {style!r} with strokes; choose one of {there}")
    return sorted(models, key=lambda m: m.precision != "int8")


def free_name(wanted: str, mark: str) -> tuple[str, str | None]:
    """A name that no other style has, and the network where the style is there already. Raises
    BadInput."""
    wanted = wanted.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore").strip("-")
    if why := catalog.unreadable():
        raise BadInput(why)
    taken = {m.style for m in catalog.bundled(own=False)}
    for number in range(1, 1000):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if name in taken:
            continue
        there = own_styles_folder() / f"{name}-fast-int8.onnx"
        if not there.exists():
            return name, None
        noted = _noted(there)
        if noted.get("mark") == mark and "of" in noted:
            return name, noted["of"]
    raise BadInput(f"{own_styles_folder()} has a thousand styles named {wanted}: remove some")


def _noted(path: Path) -> dict[str, str]:
    """What `make` noted in a file; empty for any other."""
    try:
        return made_of(graph.read(path))
    except BadInput:  # a damaged file is none of ours
        return {}
