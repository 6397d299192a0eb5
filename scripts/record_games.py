"""Record frames of Debian's free games, to train a style network on what a game really shows.

    .venv/bin/python scripts/record_games.py --out DIR [--games a,b] [--frames 60] [--seed 1]

Every game of games.toml runs alone under an Xvfb of its own with software GL and a fresh home
folder, played by xdotool: through `start`, then a step of `play`, chosen by chance, before every
frame. Frames nearly black or nearly the same as an earlier one are dropped, and a game that gives
too few in its time is left with fewer. Training frames go to DIR/games/NAME/*.jpg; the two games
for validation go to DIR/validation/NAME/*.jpg with NAME.mp4, 8 s at 30 fps: never train on those.
The seed fixes the choice of steps; a game keeps its own time, so a second recording shows the same
scenes, not the same pixels.

Licenses: programs and artwork are free (GPL and CC-BY-SA for most; see each package's
/usr/share/doc/PACKAGE/copyright), and a frame is a picture of that artwork. Frames are therefore
not committed and not passed on: record them where you train.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

import av
import mss
import numpy as np
from PIL import Image
from xvfb_player import Player, Stop, running, screen

TABLE = Path(__file__).with_name("games.toml")
DARK = 6.0  # mean of 255 under which a frame counts as black
SAME = 1.6  # mean difference of 255 between thumbnails under which two frames are the same
PATIENCE_S = 3.0  # for one frame, before the next run of a game has its turn
VIDEO_FPS, VIDEO_S, CRF = 30, 8, "12"


class Game(NamedTuple):
    """A row of games.toml, which says what the fields hold."""

    name: str
    package: str
    command: str
    start: str
    play: str
    scenes: list[str] | None = None
    files: dict[str, str] | None = None
    validation: bool = False
    film: str | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--games", help="names, separated by commas (default: all)")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the game and its display too
    try:
        games = present(chosen(args.games))
        for game in games:
            folder = args.out / ("validation" if game.validation else "games") / game.name
            kept = record(game, folder, args.frames, random.Random(f"{args.seed} {game.name}"))
            print(f"{game.name}: {kept} frames in {folder}", flush=True)
    except KeyboardInterrupt:
        return 130
    except (Stop, OSError, mss.ScreenShotError) as error:
        print(f"record_games: {error}", file=sys.stderr)
        return 1
    return 0


def chosen(names: str | None) -> list[Game]:
    rows = tomllib.loads(TABLE.read_text())["game"]
    table = {row["name"]: Game(**row) for row in rows}
    if names is None:
        return list(table.values())
    unknown = [name for name in names.split(",") if name not in table]
    if unknown:
        raise Stop(f"no game named {', '.join(unknown)}; there are {', '.join(table)}.")
    return [table[name] for name in names.split(",")]


def present(games: list[Game]) -> list[Game]:
    """Those whose packages are installed; prints how to install the others."""
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        raise Stop("Xvfb or xdotool is missing: apt-get install xvfb xdotool.")
    missing = []
    for game in games:
        ask = ["dpkg-query", "-W", "-f", "${db:Status-Status} ", *game.package.split()]
        states = subprocess.run(ask, capture_output=True, text=True).stdout.split()
        if states != ["installed"] * len(game.package.split()):
            missing.append(game)
    if missing:
        print("missing:", ", ".join(game.name for game in missing))
        print("  apt-get install", *(game.package for game in missing), flush=True)
    return [game for game in games if game not in missing]


def record(game: Game, folder: Path, frames: int, chance: random.Random) -> int:
    """Play every scene of the game for its share of the frames; the count kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
    seen: list[np.ndarray] = []
    scenes = game.scenes or [""]
    for k, scene in enumerate(scenes):
        words, _, keys = scene.partition(";;")
        goal = frames * (k + 1) // len(scenes)
        with (
            screen() as display,
            running(game.command, game.files or {}, words.split(), display) as process,
        ):
            player = Player(display, chance)
            player.do(f"{game.start} {keys}")
            play(game, player, process, folder, seen, goal)
            if game.validation and k == len(scenes) - 1:
                film(game, player, folder / f"{game.name}.mp4")
    return len(seen)


def play(game: Game, player: Player, process, folder: Path, seen: list, goal: int) -> None:
    """Steps by chance, a frame after each, until `goal` frames are in `seen` or time is up."""
    box = player.window()
    deadline = time.monotonic() + PATIENCE_S * (goal - len(seen))
    with mss.MSS(display=player.display) as grabber:
        while len(seen) < goal and time.monotonic() < deadline and process.poll() is None:
            player.step(game.play)
            shot = grabber.grab(box)
            frame = Image.frombytes("RGB", shot.size, shot.rgb)
            thumb = np.asarray(frame.convert("L").resize((64, 36)), np.float32)
            near = any(np.abs(thumb - other).mean() < SAME for other in seen)
            if thumb.mean() < DARK or near or process.poll() is not None:
                continue
            frame.save(folder / f"{len(seen):03d}.jpg", quality=92, subsampling=0)
            seen.append(thumb)


def film(game: Game, player: Player, path: Path) -> None:
    """Eight seconds at 30 fps while the game is played on; encoded after, not to slow the game."""
    over = threading.Event()

    def keep_playing() -> None:
        while not over.is_set():
            player.step(game.film or game.play)

    hands = threading.Thread(target=keep_playing)
    box, shots = player.window(), []
    hands.start()
    try:
        with mss.MSS(display=player.display) as grabber:
            begin = time.monotonic()
            for k in range(VIDEO_FPS * VIDEO_S):
                time.sleep(max(0.0, begin + k / VIDEO_FPS - time.monotonic()))
                shots.append(np.asarray(grabber.grab(box)))
            took = time.monotonic() - begin
    finally:
        over.set()
        hands.join()
    new = sum(not np.array_equal(a, b) for a, b in itertools.pairwise(shots))
    print(f"{path.name}: {len(shots)} frames in {took:.1f} s, {new} differ from the one before")
    encode(shots, path)


def encode(shots: list[np.ndarray], path: Path) -> None:
    """uint8 (H, W, 4) BGRA frames with even sides, as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=VIDEO_FPS, options={"crf": CRF})
        stream.height, stream.width = shots[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for shot in shots:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shot, format="bgra")))
        container.mux(stream.encode())


if __name__ == "__main__":
    sys.exit(main())
