"""The child of scripts/fuzz.py: runs damaged inputs in one process and writes what came of each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from fuzz_inputs import bases, case

OURS = ("photo.png", "notes.txt", "clip.mp4", "net.onnx")  # a user's files in the working folder


def child(kind: str, seed: int, numbers: range, folder: Path) -> int:
    """Run the inputs in this process, and tell of each in the file "told"."""
    place = folder / "work"
    shutil.rmtree(place, ignore_errors=True)
    bases(kind, folder)
    prints = belongings(place)
    os.chdir(place)
    with open(folder / "told", "a") as told:
        for number in numbers:
            for old in folder.glob("input*"):
                old.unlink()
            shutil.rmtree(folder / "styles", ignore_errors=True)
            made = case(kind, seed, number, folder)
            found: dict[str, Any] = {"number": number, "argv": made.argv, "file": str(made.file)}
            print(json.dumps(found), file=told, flush=True)
            before = made.file.read_bytes() if made.file else b""
            begun = time.perf_counter()
            code, words = run(made.argv, folder / "words")
            found |= {"code": code, "words": words[-2000:], "seconds": time.perf_counter() - begun}
            why = wrong(code, words) or changed(made.argv, prints, place)
            if made.file and made.file.read_bytes() != before:
                why = "it changed its input"
            if why:
                found["why"] = f"{why} {made.argv}"
                if made.file:  # the next input takes its place
                    shutil.copyfile(made.file, folder / f"failed-{made.file.name}")
                    found["file"] = str(folder / f"failed-{made.file.name}")
            print(json.dumps(found), file=told, flush=True)
    return 0


def run(argv: list[str], words: Path) -> tuple[int | None, str]:
    """The exit code and all that was written to standard error, by native code too."""
    from stylizer.app import cli

    kept = os.dup(1), os.dup(2)
    with open(words, "w+b") as err, open(os.devnull, "wb") as out:
        direct(out.fileno(), err.fileno())
        try:
            code: int | None = cli.main(argv)
        except SystemExit as end:  # --help
            code = end.code if isinstance(end.code, int) else 1
        except BaseException as error:
            print(f"{type(error).__name__}: {error} (Traceback)", file=sys.stderr)
            code = None
        finally:
            direct(*kept)
            for number in kept:
                os.close(number)
        err.seek(0)
        return code, err.read().decode(errors="backslashreplace")


def direct(out: int, err: int) -> None:
    """Let standard output and standard error go there."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(out, 1)
    os.dup2(err, 2)


def wrong(code: int | None, words: str) -> str:
    """What the program did wrong, in words; "" for nothing."""
    if code not in (0, 1, 2):
        return f"exit code {code}: {words[-300:]}"
    for word in ("Traceback", "unforeseen", "Warning"):
        if word in words:
            return words[-600:]
    lines = words.splitlines()
    foreign = [line for line in lines if not line.startswith("stylizer: ")]
    if foreign:
        return f"foreign words: {foreign[0][:300]}"
    if code and not lines:
        return f"exit code {code} without a word"
    return ""


def belongings(place: Path) -> dict[str, str]:
    """A user's files in the working folder, each with its hash."""
    (place / "sub").mkdir(parents=True)
    for name in OURS:
        (place / name).write_bytes(hashlib.sha256(name.encode()).digest() * 20)
    return {name: hash_of(place / name) for name in OURS}


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "gone"


def changed(argv: list[str], prints: dict[str, str], place: Path) -> str:
    """Which of the user's files were touched without --overwrite; what else was written goes."""
    lost = [name for name in OURS if hash_of(place / name) != prints[name]]
    for path in place.iterdir():
        if path.name not in OURS:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (place / "sub").mkdir()
    if lost:
        belongings(shutil.rmtree(place) or place)
    return f"it changed {lost[0]}" if lost and "--overwrite" not in argv else ""
