"""A seeded moving pattern with its frame number burned in, for tests and benchmarks."""

from __future__ import annotations

import time
from typing import final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylizer.errors import BadInput
from stylizer.frame import Frame, InputState
from stylizer.settings import Settings
from stylizer.stages import Source

NUMBER_BITS = 24
CHECK_BITS = 8
TICKS_PER_S = 10_000  # of a burned-in time: 0.1 ms
START, END = (1, 0, 1, 0), (0, 1, 0, 1)  # white and black cells that give the threshold
CELLS = len(START) + NUMBER_BITS + CHECK_BITS + len(END)
BAND = 18  # the code's row of cells is 1 / BAND of the height, at the top, over the whole width
MIN_CONTRAST = 50.0  # between white and black cells, of 255
DIGITS = 6
SHAPES = 420


@final
class SyntheticSource(Source):
    """Gives a new frame of `settings.size` at every read, RGBA, without end.

    Frame n is a window into a periodic painted picture that drifts by (3, 1) pixels a frame; a
    smaller pane moves against it, so that there are edges that cover and uncover. Equal
    (size, seed, n) give equal pixels. The number stands in it as digits and as a row of cells
    that `read_frame_number` reads after scaling and lossy coding (from about 160x90 pixels on).
    """

    capture_method = "synthetic pattern"
    renders = True

    def __init__(self, settings: Settings) -> None:
        if min(settings.size) < 1:
            raise BadInput(f"a frame needs pixels: --size {settings.size} is too small")
        self.size = settings.size
        self._number = 0
        picture = paint(self.size, settings.seed)
        # Twice in both directions: every window of the periodic picture is then one slice.
        self._tile = np.tile(picture, (2, 2, 1))
        self._cell_of_x = np.arange(self.size[0]) * CELLS // self.size[0]
        self._band = max(1, self.size[1] // BAND)
        self._digits = _digit_pictures(self._band * 2)

    def read(self, inputs: InputState) -> Frame:
        """The next frame (0.3 ms at 1280x720, nearly all of it one copy)."""
        captured_at = time.perf_counter()
        frame = Frame(self.draw(self._number), "RGBA", captured_at, self._number)
        self._number += 1
        return frame

    def close(self) -> None:
        """Nothing is held."""

    def draw(self, number: int) -> np.ndarray:
        """uint8 (height, width, 4) RGBA of frame `number`."""
        width, height = self.size
        x, y = 3 * number % width, number % height
        pixels = self._tile[y : y + height, x : x + width].copy()
        pane_w, pane_h = width // 3, height // 3
        left = width // 3 + round(width / 4 * np.sin(number / 40))
        top = height // 2 + round(height / 8 * np.cos(number / 25))
        x, y = -2 * number % width, -number % height
        pixels[top : top + pane_h, left : left + pane_w] = self._tile[
            y : y + pane_h, x : x + pane_w
        ]
        self._burn_in(pixels, number)
        return pixels

    def _burn_in(self, pixels: np.ndarray, number: int) -> None:
        row = np.empty((self.size[0], 4), np.uint8)
        row[:] = (_code(number) * 255)[self._cell_of_x][:, None]
        row[:, 3] = 255
        pixels[: self._band] = row
        x, y = self._band, self._band * 2
        for digit in f"{number:0{DIGITS}d}":
            picture = self._digits[int(digit)]
            place = pixels[y : y + picture.shape[0], x : x + picture.shape[1]]
            place[:] = picture[: place.shape[0], : place.shape[1]]
            x += picture.shape[1]


def burn_time(pixels: np.ndarray, at_s: float) -> None:
    """Write a time as a row of cells at the bottom, in ticks of 0.1 ms that start anew after 28
    minutes; `perf_counter` counts alike in all processes of one Linux machine (CLOCK_MONOTONIC).

    pixels: uint8 (height, width, 4), changed.
    """
    height, width = pixels.shape[:2]
    cells = np.arange(width) * CELLS // width
    ticks = round(at_s * TICKS_PER_S)
    pixels[height - max(1, height // BAND) :, :, :3] = (_code(ticks) * 255)[cells][:, None]


def read_age_ms(rgb: np.ndarray, now_s: float) -> float | None:
    """How long before `now_s` the time burned in was, to 0.1 ms; None when it cannot be read.

    rgb: uint8 (height, width, 3 or 4) showing the whole frame.
    """
    ticks = read_frame_number(rgb[::-1])  # the same code, from the other edge
    if ticks is None:
        return None
    turn = 1 << NUMBER_BITS
    # Up to half a turn either way: a time that lies ahead shows as a negative age.
    age = (round(now_s * TICKS_PER_S) - ticks + turn // 2) % turn - turn // 2
    return age * 1000 / TICKS_PER_S


def read_frame_number(rgb: np.ndarray) -> int | None:
    """The frame number burned into a synthetic picture; None when it cannot be read surely.

    rgb: uint8 (height, width, 3 or 4) showing the whole frame, at any scale.
    """
    height, width = rgb.shape[:2]
    band = height / BAND
    rows = rgb[round(band * 0.25) : max(round(band * 0.75), round(band * 0.25) + 1), :, :3]
    brightness = rows.mean(axis=(0, 2), dtype=np.float64)
    edges = (np.arange(CELLS)[:, None] + (0.25, 0.75)) * width / CELLS
    cells = np.array([brightness[int(a) : max(int(b), int(a) + 1)].mean() for a, b in edges])
    known = np.array(START + END, bool)
    ends = np.concatenate([cells[: len(START)], cells[-len(END) :]])
    white, black = ends[known].min(), ends[~known].max()
    if white - black < MIN_CONTRAST:
        return None
    bits = (cells > (white + black) / 2)[len(START) : -len(END)]
    value = int("".join("1" if bit else "0" for bit in bits), 2)
    number, check = value >> CHECK_BITS, value & 0xFF
    return number if check == _crc8(number) else None


def _code(number: int) -> np.ndarray:
    """uint8 (CELLS,) of 0 and 1."""
    number %= 1 << NUMBER_BITS
    value = number << CHECK_BITS | _crc8(number)
    bits = [value >> shift & 1 for shift in reversed(range(NUMBER_BITS + CHECK_BITS))]
    return np.array([*START, *bits, *END], np.uint8)


def _crc8(number: int) -> int:
    """CRC-8 of the 24-bit number, polynomial 0x07, start 0xFF (so that all black is no code)."""
    crc = 0xFF
    for byte in number.to_bytes(NUMBER_BITS // 8, "big"):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc


def _digit_pictures(height: int) -> list[np.ndarray]:
    """Ten opaque uint8 (height, width, 4) pictures, white on black, all of one width."""
    font = ImageFont.load_default(size=max(8, round(height * 0.9)))
    width = max(4, round(height * 0.62))
    pictures = []
    for digit in "0123456789":
        picture = Image.new("RGBA", (width, max(8, height)), (0, 0, 0, 255))
        center = (picture.width / 2, picture.height / 2)
        ImageDraw.Draw(picture).text(center, digit, (255, 255, 255), font, anchor="mm")
        pictures.append(np.array(picture))
    return pictures


def paint(size: tuple[int, int], seed: int) -> np.ndarray:
    """uint8 (height, width, 4): a picture without seams, rich in colors and edges of all scales.

    A color wash of long waves, then shapes from a fifth of the height down to 2 pixels.
    """
    random = np.random.default_rng(seed)
    picture = Image.fromarray(_wash(size, random))
    pen = ImageDraw.Draw(picture)
    width, height = size
    largest = max(3.0, height / 5)
    # Large ones first, so that the small ones stay visible.
    radii = np.sort(np.exp(random.uniform(np.log(2), np.log(largest), SHAPES)))[::-1]
    for radius in radii:
        x, y, kind = random.uniform(0, width), random.uniform(0, height), random.integers(4)
        fill, line = (tuple(int(v) for v in random.integers(0, 256, 3)) for _ in range(2))
        reach = radius * 1.5
        for dx in _repeats(x, reach, width):
            for dy in _repeats(y, reach, height):
                _shape(pen, int(kind), x + dx, y + dy, radius, fill, line)
    return np.array(picture.convert("RGBA"))


def _repeats(at: float, reach: float, period: int) -> list[int]:
    """Shifts by the period under which something at `at` still touches 0..period."""
    return [s for s in (-period, 0, period) if at + s + reach >= 0 and at + s - reach <= period]


def _wash(size: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """uint8 (height, width, 3) of slow periodic waves in every channel."""
    x = np.linspace(0, 2 * np.pi, size[0], endpoint=False, dtype=np.float32)[None]
    y = np.linspace(0, 2 * np.pi, size[1], endpoint=False, dtype=np.float32)[:, None]
    channels = []
    for _ in range(3):
        wave = np.zeros((size[1], size[0]), np.float32)
        for amplitude in (1.0, 0.7, 0.5):
            fx, fy = random.integers(-3, 4, 2)
            wave += amplitude * np.sin(fx * x + fy * y + random.uniform(0, 2 * np.pi))
        channels.append(128 + 55 * wave)
    return np.clip(np.stack(channels, axis=2), 0, 255).astype(np.uint8)


def _shape(
    pen: ImageDraw.ImageDraw, kind: int, x: float, y: float, r: float, fill: tuple, line: tuple
) -> None:
    """A disc with a rim, a striped box, a checkered box or a triangle, within 1.5 r."""
    box = (round(x - r), round(y - r), round(x + r), round(y + r))
    if kind == 0:
        pen.ellipse(box, fill, line, max(1, round(r / 8)))
        return
    if kind == 1:
        pen.polygon([(x, y - 1.4 * r), (x + 1.2 * r, y + r), (x - 1.2 * r, y + r)], fill, line)
        return
    pen.rectangle(box, fill)
    step = max(1, round(r / 4))
    for row, top in enumerate(range(box[1], box[3], step)):
        bottom = min(top + step - 1, box[3])
        if kind == 2 and row % 2:
            pen.rectangle((box[0], top, box[2], bottom), line)
        for column, left in enumerate(range(box[0], box[2], step)):
            if kind == 3 and (row + column) % 2:
                pen.rectangle((left, top, min(left + step - 1, box[2]), bottom), line)
