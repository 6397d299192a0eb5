"""Make the README's and the cards' pictures from the demo scene with the bundled models.

.venv/bin/python scripts/pictures.py
.venv/bin/python scripts/pictures.py --paintings A.jpg B.jpg C.jpg D.jpg   # docs/painting.jpg only
.venv/bin/python scripts/pictures.py --game CLIP.mkv   # docs/game.webp only, of 6 s of a game
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylizer.source.demo.scene import DemoScene

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STYLES = (
    "mosaic", "starry-night", "great-wave", "the-scream",
    "composition-vii", "udnie", "stained-glass", "ink",
)  # fmt: skip
STYLES_FRAME = 60  # mountains, village and a flat foreground
CARD = (960, 540)
THUMB = (520, 292)
LABEL, GAP = 36, 8  # pixels
PAINTED, INSET = (640, 360), (130, 130)  # of docs/painting.jpg
ACROSS = 2  # thumbs in a row
MOVING = (720, 405)
MOVING_STYLES = ("mosaic", "great-wave", "starry-night", "composition-vii", "the-scream")
SCENE_FPS, KEPT = 30, 2  # every so many of the frames
SECONDS_EACH, QUALITY = 1.2, 46
MOST_BYTES = 4_000_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--paintings", type=Path, nargs="+", default=())
    parser.add_argument("--game", type=Path)
    args = parser.parse_args()
    if args.paintings:
        by_paintings(args.paintings).save(DOCS / "painting.jpg", quality=85)
    if args.game:
        moving_picture(DOCS / "game.webp", ["--source", "video", "--input", str(args.game)])
    if args.paintings or args.game:
        return
    scene = DemoScene((1280, 720), 0)
    try:
        frame = scene.render(STYLES_FRAME)[:, :, :3].copy()
    finally:
        scene.close()
    cards = [painted(frame, f"{style}-fast").resize(CARD) for style in STYLES]
    for style, card in zip(STYLES, cards, strict=True):
        card.save(DOCS / "styles" / f"{style}.jpg", quality=85)
    sheet(cards).save(DOCS / "styles.jpg", quality=85)


def by_paintings(paintings: list[Path]) -> Image.Image:
    """The demo scene by styles made of pictures, two in a row, with the picture in the corner."""
    width, height = PAINTED
    rows = -(-len(paintings) // ACROSS)
    made = Image.new("RGB", (ACROSS * (width + GAP) - GAP, rows * (height + GAP) - GAP), "white")
    for number, path in enumerate(paintings):
        with tempfile.TemporaryDirectory() as name:
            argv = ["paint", str(path), "--present", "offscreen", "--seed", "0", "--sync"]
            argv += ["--frames", "1", "--warmup", "0", "--provider", "cpu"]
            argv += ["--screenshot", f"{name}/shown.png"]
            run(argv)
            with Image.open(f"{name}/shown.png") as picture:
                card = picture.convert("RGB").resize(PAINTED, Image.Resampling.LANCZOS)
        with Image.open(path) as picture:
            small = picture.convert("RGB")
            small.thumbnail(INSET, Image.Resampling.LANCZOS)
        corner = (width - small.width - 12, height - small.height - 12)
        card.paste("white", (corner[0] - 3, corner[1] - 3, width - 9, height - 9))
        card.paste(small, corner)
        row, column = divmod(number, ACROSS)
        made.paste(card, (column * (width + GAP), row * (height + GAP)))
    return made


def painted(pixels: np.ndarray, model: str, *flags: str) -> Image.Image:
    """uint8 (H, W, 3) RGB, by the program as a user runs it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(pixels).save(folder / "frame.png")
        argv = ["run", "--source", "images", "--input", str(folder / "frame.png")]
        argv += ["--present", "offscreen", "--model", model, "--provider", "cpu", *flags]
        argv += ["--output", str(folder / "out")]
        run(argv)
        with Image.open(folder / "out" / "frame.png") as picture:
            return picture.convert("RGB")


def run(argv: list[str]) -> None:
    """Run the program; where it fails it has said why, and so does this, by its exit code."""
    done = subprocess.run([sys.executable, "main.py", *argv], cwd=ROOT, stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(done.returncode)


def moving_picture(path: Path, source: list[str]) -> None:
    """What a source shows, going on while style after style wipes over it, first over the bare
    frames."""
    each = round(SECONDS_EACH * SCENE_FPS)
    clips = [first_frames(source, "none", each)]  # bare frames are seen at first only
    for turn, style in enumerate(MOVING_STYLES):
        clips.append(first_frames(source, f"{style}-fast", each * (turn + 2)))
    frames = []
    for n in range(0, each * len(MOVING_STYLES), KEPT):
        turn, part = divmod(n, each)
        before, after = clips[turn][n], clips[turn + 1][n]
        edge = round(MOVING[0] * min(1.0, part / (0.6 * each)))
        frames.append(wiped(before, after, edge))
    wait = 1000 * KEPT // SCENE_FPS
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=wait,
        loop=0,
        quality=QUALITY,
        method=4,
    )
    assert path.stat().st_size < MOST_BYTES, f"{path}: {path.stat().st_size} bytes"


def first_frames(source: list[str], model: str, count: int) -> list[Image.Image]:
    """The first frames of a source, by the program as a user runs it."""
    with tempfile.TemporaryDirectory() as name:
        argv = ["run", *source, "--sync", "--frames", str(count)]
        argv += ["--present", "offscreen", "--model", model, "--provider", "cpu"]
        argv += ["--output", name]
        run(argv)
        made = []
        for path in sorted(Path(name).glob("*.png")):
            with Image.open(path) as picture:
                made.append(picture.convert("RGB").resize(MOVING, Image.Resampling.LANCZOS))
        return made


def wiped(before: Image.Image, after: Image.Image, edge: int) -> Image.Image:
    """`after` left of the edge, `before` right of it, a white line between."""
    made = before.copy()
    made.paste(after.crop((0, 0, edge, MOVING[1])), (0, 0))
    if 0 < edge < MOVING[0]:
        ImageDraw.Draw(made).line([(edge, 0), (edge, MOVING[1])], "white", 2)
    return made


def sheet(cards: list[Image.Image]) -> Image.Image:
    """All with their names."""
    width, height = THUMB[0] + GAP, THUMB[1] + LABEL
    rows = -(-len(STYLES) // ACROSS)
    made = Image.new("RGB", (ACROSS * width - GAP, rows * height), "white")
    pen = ImageDraw.Draw(made)
    font = ImageFont.load_default(size=20)
    for k, (style, card) in enumerate(zip(STYLES, cards, strict=True)):
        x, y = k % ACROSS * width, k // ACROSS * height
        made.paste(card.resize(THUMB), (x, y))
        place = (x + THUMB[0] / 2, y + THUMB[1] + LABEL / 2)
        pen.text(place, style, "#202020", font, anchor="mm")
    return made


if __name__ == "__main__":
    main()
