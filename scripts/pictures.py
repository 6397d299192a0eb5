"""Make the README's and the cards' pictures from the demo scene with the bundled models.

.venv/bin/python scripts/pictures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylizer.source.demo.scene import DemoScene

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FRAME = 900  # of the flight: lighthouse, bay and village
STYLES = ("mosaic", "starry-night", "great-wave", "the-scream", "composition-vii", "udnie")
STYLES_FRAME = 60  # mountains, village and a flat foreground
CARD = (960, 540)
THUMB = (520, 292)
LABEL, GAP = 36, 8  # pixels


def main() -> None:
    scene = DemoScene((1280, 720), 0)
    try:
        before_after = scene.render(FRAME)[:, :, :3].copy()
        frame = scene.render(STYLES_FRAME)[:, :, :3].copy()
    finally:
        scene.close()
    painted(before_after, "mosaic-small", "--wipe", "0.5").save(DOCS / "before-after.png")
    cards = [painted(frame, f"{style}-fast").resize(CARD) for style in STYLES]
    for style, card in zip(STYLES, cards, strict=True):
        card.save(DOCS / "styles" / f"{style}.jpg", quality=85)
    sheet(cards).save(DOCS / "styles.jpg", quality=85)


def painted(pixels: np.ndarray, model: str, *flags: str) -> Image.Image:
    """uint8 (H, W, 3) RGB, by the program as a user runs it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(pixels).save(folder / "frame.png")
        argv = ["run", "--source", "images", "--input", str(folder / "frame.png")]
        argv += ["--present", "offscreen", "--model", model, "--provider", "cpu", *flags]
        argv += ["--output", str(folder / "out")]
        subprocess.run(
            [sys.executable, "main.py", *argv], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        with Image.open(folder / "out" / "frame.png") as picture:
            return picture.convert("RGB")


def sheet(cards: list[Image.Image]) -> Image.Image:
    """The six with their names, three in a row."""
    width, height = THUMB[0] + GAP, THUMB[1] + LABEL
    made = Image.new("RGB", (3 * width - GAP, 2 * height), "white")
    pen = ImageDraw.Draw(made)
    font = ImageFont.load_default(size=20)
    for k, (style, card) in enumerate(zip(STYLES, cards, strict=True)):
        x, y = k % 3 * width, k // 3 * height
        made.paste(card.resize(THUMB), (x, y))
        place = (x + THUMB[0] / 2, y + THUMB[1] + LABEL / 2)
        pen.text(place, style, "#202020", font, anchor="mm")
    return made


if __name__ == "__main__":
    main()
