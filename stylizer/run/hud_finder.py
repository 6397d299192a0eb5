"""Finds a game's HUD: edges that stand still while the rest of the picture moves.

Television logos are found in this way (Santos and Kim 2006, on averaged gradients): where an edge
stands still the mean of its gradient is as long as the gradient itself, where things pass by the
means of all directions cancel out. Flat parts, a sky for example, have no edge and are nowhere
found, however still they stand. Frames in which nothing moves tell nothing and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylizer.frame import Shape

WIDE = 480  # pixels of a row that are looked at, about
EDGE = 10.0  # of 255 from pixel to pixel: what counts as an edge
CHANGE = 8.0  # of 255: what counts as a change
MOVES = 0.3  # share of the edges that have changed where the picture as a whole moves
HORIZON = 40  # frames that the means go back to
ENOUGH = 12  # frames that moved before anything is said
STILL, MOVED = 0.72, 0.45  # share of its length that an edge's mean keeps: found, lost again
CUT = 4  # looked-at pixels from one possible cut through a part to the next
CELL = 8  # looked-at pixels a side; parts closer than that belong together
GRAY = np.array([0.3, 0.4, 0.3], np.float32)  # near enough, in either order of colors
FEW = 3  # edge pixels in a cell below which it is empty
SAVED, SAVED_GAP = 0.29, 0.15  # share of a box that a cut must leave out; through nothing
STRAY = 0.2  # percent of a part's pixels that may be left out at each side
SMALLEST = 24  # edge pixels of a part
DENSE = 0.04  # edge pixels a pixel of a part's box
ONE_WAY = 0.06  # of the edges' strength across their direction, below which they are a line
STILL_PART = 0.78  # mean of STILL's measure over a part
CENTER, STILL_CENTER = 0.2, 0.9  # around the middle stands the player's own figure: more is asked
RIM = 2  # looked-at pixels around a part

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass
class _Means:
    """Running means of the gradient (x, y) and of its square; float32 (height, width) each."""

    x: np.ndarray
    y: np.ndarray
    square: np.ndarray


class HudFinder:
    """Told frames, a few a second; says what stands still. Any one thread.

    moved: frames so far in which the picture moved, of which `ENOUGH` are needed. found: bool
    (height, width), the pixels looked at whose edges stand still.
    """

    def __init__(self) -> None:
        self.moved = 0
        self._before: np.ndarray | None = None
        self._means: _Means | None = None
        self.found: np.ndarray = np.zeros((0, 0), bool)

    def look(self, pixels: np.ndarray) -> None:
        """The next frame: uint8 (height, width, 3 or 4), colors in any order."""
        step = max(1, round(pixels.shape[1] / WIDE))
        small = pixels[::step, ::step, :3].astype(np.float32) @ GRAY
        before, self._before = self._before, small
        if before is None or before.shape != small.shape:
            self.moved, self._means = 0, None
            self.found = np.zeros(small.shape, bool)
            return
        x, y = _gradient(small)
        square = x * x + y * y
        edges = square > EDGE * EDGE
        changed = np.abs(small - before) > CHANGE
        if np.count_nonzero(changed & edges) >= MOVES * max(1, np.count_nonzero(edges)):
            self._add(x, y, square)

    @property
    def ready(self) -> bool:
        """Whether enough has moved to tell."""
        return self.moved >= ENOUGH

    def shapes(self) -> tuple[Shape, ...]:
        """Boxes around what stands still, none before `ready`."""
        if not self.ready or self._means is None:
            return ()
        height, width = self.found.shape
        return tuple(
            Shape("rectangle", ((x0 / width, y0 / height), (x1 / width, y1 / height)))
            for x0, y0, x1, y1 in _boxes(self.found, self._means)
        )

    def _add(self, x: np.ndarray, y: np.ndarray, square: np.ndarray) -> None:
        self.moved += 1
        if self._means is None:
            self._means = _Means(x, y, square)
            return
        share = 1 / min(self.moved, HORIZON)
        m = self._means
        for mean, new in ((m.x, x), (m.y, y), (m.square, square)):
            mean += share * (new - mean)
        if not self.ready:
            return
        length = m.x * m.x + m.y * m.y
        # Hysteresis: what was found stays until it has clearly moved.
        needed = np.where(self.found, MOVED, STILL).astype(np.float32)
        needed *= m.square
        self.found = (length > needed) & (length > EDGE * EDGE)


def _gradient(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) differences to the next pixel, 0 at the end."""
    x, y = np.zeros_like(picture), np.zeros_like(picture)
    np.subtract(picture[:, 1:], picture[:, :-1], out=x[:, :-1])
    np.subtract(picture[1:], picture[:-1], out=y[:-1])
    return x, y


def _boxes(found: np.ndarray, means: _Means) -> list[Box]:
    """Around each part that is a HUD's, as far as can be told."""
    full = _cells(found, CELL) >= FEW
    height, width = found.shape
    found = found & full.repeat(CELL, axis=0).repeat(CELL, axis=1)[:height, :width]
    cells = _cells(found, CUT) > 0
    boxes = []
    for part in _parts(full):
        rows, columns = np.array(part).T * (CELL // CUT)
        bounds = _tight(
            cells,
            (int(columns.min()), int(rows.min()),
             int(columns.max()) + CELL // CUT, int(rows.max()) + CELL // CUT),
        )  # fmt: skip
        if not _is_line(found, means, _pixels(bounds)):
            split = [_trimmed(found, _pixels(box)) for box in _split(cells, bounds)]
            boxes += [box for box in split if _is_huds(found, means, box)]
    return [
        (max(0, x0 - RIM), max(0, y0 - RIM), min(width, x1 + RIM), min(height, y1 + RIM))
        for x0, y0, x1, y1 in boxes
    ]


def _pixels(box: Box) -> Box:
    """A box of cells of CUT as one of pixels."""
    return box[0] * CUT, box[1] * CUT, box[2] * CUT, box[3] * CUT


def _is_line(found: np.ndarray, means: _Means, box: Box) -> bool:
    """Whether all edges run the same way: what slides along itself, a horizon or the rim of a road,
    seems to stand still (the aperture problem). By the structure tensor's eigenvalues."""
    part = np.s_[box[1] : box[3], box[0] : box[2]]
    x, y = means.x[part][found[part]], means.y[part][found[part]]
    low, high = np.linalg.eigvalsh([[x @ x, x @ y], [x @ y, y @ y]])
    return bool(low < ONE_WAY * high)


def _is_huds(found: np.ndarray, means: _Means, box: Box) -> bool:
    part = np.s_[box[1] : box[3], box[0] : box[2]]
    its = found[part]
    if np.count_nonzero(its) < max(SMALLEST, DENSE * its.size) or _is_line(found, means, box):
        return False
    x, y, square = means.x[part][its], means.y[part][its], means.square[part][its]
    still = float(((x * x + y * y) / square).mean())
    height, width = found.shape
    off_x = abs((box[0] + box[2]) / 2 / width - 0.5)
    off_y = abs((box[1] + box[3]) / 2 / height - 0.5)
    return still >= (STILL_CENTER if max(off_x, off_y) < CENTER else STILL_PART)


def _tight(found: np.ndarray, box: Box) -> Box:
    """As much of a box as holds its true pixels."""
    block = found[box[1] : box[3], box[0] : box[2]]
    y, x = np.nonzero(block.any(axis=1))[0], np.nonzero(block.any(axis=0))[0]
    if not len(y):
        return box[0], box[1], box[0], box[1]
    return box[0] + int(x[0]), box[1] + int(y[0]), box[0] + int(x[-1]) + 1, box[1] + int(y[-1]) + 1


def _trimmed(found: np.ndarray, box: Box) -> Box:
    """The box without strays at its sides."""
    y, x = np.nonzero(found[box[1] : box[3], box[0] : box[2]])
    left, right = np.percentile(x, (STRAY, 100 - STRAY), method="nearest")
    top, bottom = np.percentile(y, (STRAY, 100 - STRAY), method="nearest")
    return box[0] + int(left), box[1] + int(top), box[0] + int(right) + 1, box[1] + int(bottom) + 1


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _split(found: np.ndarray, box: Box) -> list[Box]:
    """The box, or the boxes of its two sides where a cut leaves out enough that is empty."""
    x0, y0, x1, y1 = box
    cuts = [((x0, y0, x, y1), (x, y0, x1, y1)) for x in range(x0 + 1, x1)]
    cuts += [((x0, y0, x1, y), (x0, y, x1, y1)) for y in range(y0 + 1, y1)]
    best, pair = 0.0, None
    for cut in cuts:
        first, second = _tight(found, cut[0]), _tight(found, cut[1])
        gap = second[0] > first[2] or second[1] > first[3]
        saved = 1 - (_area(first) + _area(second)) / _area(box) - (SAVED_GAP if gap else SAVED)
        if saved > best:
            best, pair = saved, (first, second)
    return [box] if pair is None else _split(found, pair[0]) + _split(found, pair[1])


def _cells(found: np.ndarray, side: int) -> np.ndarray:
    """How many pixels of each square of `side` pixels are true."""
    height, width = (-(-length // side) for length in found.shape)
    padded = np.zeros((height * side, width * side), bool)
    padded[: found.shape[0], : found.shape[1]] = found
    return padded.reshape(height, side, width, side).sum(axis=(1, 3))


def _parts(cells: np.ndarray) -> list[list[tuple[int, int]]]:
    """Groups of true cells that touch, at their corners too."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(cells), strict=True)}
    parts = []
    while left:
        ahead, part = [left.pop()], []
        while ahead:
            y, x = ahead.pop()
            part.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            ahead += near
        parts.append(part)
    return parts
