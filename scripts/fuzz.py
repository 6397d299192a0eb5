"""Thousands of damaged models, styles, settings, command lines, pictures and videos.

    python scripts/fuzz.py                                # 2,000 of each kind, some 40 minutes
    python scripts/fuzz.py --kinds models --count 200 --seed 7
    python scripts/fuzz.py --kinds videos --only 1234     # one input again, its words shown

Whatever comes in, the program ends with exit code 0, 1 or 2 and says what is wrong in sentences
of its own: no traceback, no "unforeseen error", no words of a library, no crash, no input that
takes more than WALL_S seconds or MEMORY bytes, and no file of the user's changed. Inputs are run
50 to a child process, which is begun anew when it dies. What failed is printed with its command
line, its input is kept, and the exit code is 1. Not part of `make test`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

BATCH = 50
WALL_S = 90.0  # an input's; the vetting of a model alone may take its 20 s twice
MEMORY = 3 * 2**30  # bytes, resident, of the child
KINDS = ("models", "styles", "settings", "commands", "pictures", "videos")


@dataclass
class Tally:
    """What came of one kind."""

    kind: str
    taken: int = 0
    refused: int = 0
    slowest: tuple[float, int] = (0.0, -1)
    failed: list[str] = field(default_factory=list)


def main() -> int:
    args = parsed()
    if args.child:
        from fuzz_child import child  # here: the parent needs none of the networks' builders

        return child(args.kinds[0], args.seed, range(*args.child), Path.cwd())
    started, bad = time.monotonic(), 0
    for kind in args.kinds:
        tally, begun = Tally(kind), time.monotonic()
        first = args.first if args.only is None else args.only
        last = args.first + args.count if args.only is None else args.only + 1
        starts = range(first, last, BATCH)
        with ThreadPoolExecutor(args.jobs) as pool:
            runs = [pool.submit(batch, args, tally, n, min(n + BATCH, last)) for n in starts]
            for run in runs:
                run.result()
        bad += len(tally.failed)
        print(
            f"{kind}: {last - first} inputs, {tally.taken} taken, {tally.refused} refused, "
            f"{len(tally.failed)} failed, {time.monotonic() - begun:.0f} s; the slowest, number "
            f"{tally.slowest[1]}, took {tally.slowest[0]:.1f} s",
            flush=True,
        )
    print(f"{bad} failed in {(time.monotonic() - started) / 60:.1f} minutes")
    return 1 if bad else 0


def parsed() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    p.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    p.add_argument("--count", type=int, default=2000)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--only", type=int, help="one input, with its command line and words")
    p.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="for inputs that failed")
    p.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    return p.parse_args()


_lock = Lock()


def batch(args: argparse.Namespace, tally: Tally, first: int, last: int) -> None:
    """Inputs first to last - 1, in as many children as it takes."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        at = first
        while at < last:
            for told in child_of(args, tally.kind, at, last, folder):
                at = told["number"] + 1
                with _lock:
                    note(args, tally, told)


def child_of(
    args: argparse.Namespace, kind: str, first: int, last: int, folder: Path
) -> Iterator[dict[str, Any]]:
    """Run a child; what it tells of each input, and at last of the one that it died of."""
    argv = [sys.executable, str(Path(__file__).resolve()), "--kinds", kind]
    argv += ["--seed", str(args.seed), "--child", str(first), str(last)]
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "STYLIZER_SETTINGS", "STYLIZER_DEBUG")
    env = {k: v for k, v in os.environ.items() if k not in hidden}
    env |= {"STYLIZER_VETTED": str(folder / "vetted"), "HOME": name_of(folder / "home")}
    env["STYLIZER_STYLES"] = name_of(folder / "styles")
    begun = first
    with open(folder / "said", "wb") as said:
        process = subprocess.Popen(
            argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip
    try:
        for told in follow(process, folder / "told"):
            if "code" in told or "why" in told:
                begun = told["number"] + 1
                yield told
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)  # its vetting children, too
        process.wait()
        (folder / "told").unlink(missing_ok=True)
    if process.returncode and begun < last:
        words = (folder / "said").read_text(errors="replace")[-300:]
        yield {"number": begun, "why": f"the process died ({process.returncode}) {words}"}


def name_of(folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    return str(folder)


def follow(process: subprocess.Popen[bytes], told: Path) -> Iterator[dict[str, Any]]:
    """The lines that a child appends to a file; it is killed where an input exceeds a limit."""
    seen, current, since = 0, None, time.monotonic()
    while True:
        ended = process.poll() is not None
        lines = told.read_text().splitlines(keepends=True)[seen:] if told.exists() else []
        for line in (x for x in lines if x.endswith("\n")):
            seen += 1
            current, since = json.loads(line), time.monotonic()
            yield current
        if ended:
            return
        why = ""
        if time.monotonic() - since > WALL_S:
            why = f"it did not end within {WALL_S:.0f} s"
        elif (used := resident(process.pid)) > MEMORY:
            why = f"it took {used / 2**30:.1f} GB of memory"
        if why and current is not None:
            process.kill()
            process.wait()
            yield current | {"why": f"{why} {current['argv']}"}
            return
        time.sleep(0.05)


def resident(pid: int) -> int:
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


def note(args: argparse.Namespace, tally: Tally, told: dict[str, Any]) -> None:
    """Count an input; keep and print one that failed."""
    tally.slowest = max(tally.slowest, (told.get("seconds", 0.0), told["number"]))
    why = told.get("why")
    if args.only is not None:
        print(json.dumps(told, indent=2))
    if not why:
        tally.taken += told["code"] == 0
        tally.refused += told["code"] != 0
        return
    kept = ""
    file = Path(told.get("file", ""))
    if file.is_file():
        args.keep.mkdir(parents=True, exist_ok=True)
        place = args.keep / f"{tally.kind}-{args.seed}-{told['number']}{file.suffix}"
        shutil.copyfile(file, place)
        kept = f" (kept as {place})"
    tally.failed.append(why)
    again = f"--kinds {tally.kind} --seed {args.seed} --only {told['number']}"
    print(f"FAILED {again}{kept}: {why}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
