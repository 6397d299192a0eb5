"""Foreign models are first run in a child process with limits: native code obeys no signal.

A graph may hold a Loop without end, or shapes made at run time that take all memory, and nothing
in this process could stop that. A file that came through is remembered by its hash, so that the
child is needed once for each file and way of looking at it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

import onnx
import platformdirs
import psutil

from stylizer.errors import BadInput, StylizerError
from stylizer.style.kin import is_kin
from stylizer.style.metadata import CONTRACT_KEY, texts_of
from stylizer.style.remembered import file_hash
from stylizer.system.resources import models_folder

TIME_LIMIT_S = 20.0
MEMORY_LIMIT = min(4 * 2**30, psutil.virtual_memory().total // 4)  # bytes, resident
# The first picture of a run, as large as its frames. A network may be slow there, and large; what
# grows out of all measure with the picture must not take the machine with it.
WHOLE_TIME_LIMIT_S = 120.0
WHOLE_MEMORY_LIMIT = psutil.virtual_memory().total // 2
START_LIMIT_S = 60.0  # a fresh interpreter on a busy machine
LOOK_S = 0.05  # how often the child's memory is looked at
RULES = "1"  # another number makes every file foreign again
QUIET = "stylizer.system.quiet"  # the first thing that the server imports
FOLDER_VARIABLE = "STYLIZER_VETTED"

# A server that has imported the runtime forks a child in some 30 ms; a fresh interpreter takes 1 s.
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_context: Any = multiprocessing.get_context(_METHOD)
_asked = threading.local()  # over: the event at which this thread needs no answer any more


def vet(
    path: Path,
    proto: onnx.ModelProto,
    work: Callable[..., object],
    *arguments: Any,
    size: tuple[int, int] | None = None,
) -> None:
    """Run `work(*arguments)` in a child first, unless the file came through it before.

    size: of the frames, where it is their first picture; else it is a small one.

    work: a module's own function; it raises BadInput for what cannot be used, and so does this,
    also for a file that exceeds a limit. Bundled models are no strangers.
    """
    if multiprocessing.parent_process() is not None:
        return  # in the child itself
    ours = CONTRACT_KEY in texts_of(proto)
    if ours and (path.resolve().parent == models_folder().resolve() or is_kin(proto)):
        return
    place = _place(path, proto, work.__qualname__, arguments)
    if place.exists():
        return
    in_child(path, work, *arguments, size=size)
    with contextlib.suppress(OSError):  # else it is vetted again the next time
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def in_child(
    path: Path,
    work: Callable[..., object],
    *arguments: Any,
    size: tuple[int, int] | None = None,
) -> None:
    """Run `work(*arguments)` in a child with limits. Raises what it raises, and BadInput where the
    child had to be killed or died."""
    ours, theirs = _context.Pipe(duplex=False)
    child = _context.Process(target=_serve, args=(theirs, work, arguments), daemon=True)
    with _deaf():
        if _METHOD == "forkserver":
            # What is run, too, or each child would import it anew, for a quarter of a second.
            known = [QUIET, "onnx", "onnxruntime", __name__, work.__module__]
            _context.set_forkserver_preload(known)
        child.start()
    theirs.close()
    try:
        kind, text = _answer(path, child, ours, size)
    except EOFError:
        child.join(5)
        raise BadInput(
            f"{path} made the runtime crash (exit {child.exitcode}); export it again"
        ) from None
    finally:
        if child.is_alive():
            child.kill()
        child.join()
        ours.close()
    if kind != "done":
        raise (BadInput if kind == "bad" else StylizerError)(text)


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started in the block never hears Ctrl+C, which a terminal sends to all: it would
    print where it was. Its parent ends it."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # deaf by itself, it gives this thread its ears back
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def needed_until(over: threading.Event) -> Iterator[None]:
    """In the block, on this thread, a child is given up as soon as `over` is set: BadInput."""
    _asked.over = over
    try:
        yield
    finally:
        _asked.over = None


def _answer(
    path: Path, child: BaseProcess, pipe: Connection, size: tuple[int, int] | None
) -> tuple[str, str]:
    """The child's last word. Raises BadInput at a limit, EOFError when it died."""
    limit_s, memory = TIME_LIMIT_S, MEMORY_LIMIT
    where, instead = "on a small picture", ""
    if size is not None:
        limit_s, memory = WHOLE_TIME_LIMIT_S, WHOLE_MEMORY_LIMIT
        where, instead = f"at {size[0]}x{size[1]}", "; choose a smaller --inference-size"
    deadline, begun = time.monotonic() + START_LIMIT_S, False
    while True:
        if wait([pipe], LOOK_S):
            kind, text = pipe.recv()
            if kind != "begun":
                return kind, text
            deadline, begun = time.monotonic() + limit_s, True
        over = getattr(_asked, "over", None)
        if over is not None and over.is_set():
            raise BadInput(f"{path} was not looked at to its end: nobody needs it any more")
        if time.monotonic() > deadline:
            raise BadInput(
                f"{path} was given up: it did not come to an end within {limit_s:.0f} s "
                f"{where}{instead}"
                if begun
                else f"{path}: no process to look at it could be started"
            )
        if _resident(child) > memory:
            raise BadInput(
                f"{path} was given up: it takes more than {memory / 2**30:.1f} GB of memory "
                f"{where}{instead}"
            )


def _resident(child: BaseProcess) -> int:
    try:
        return psutil.Process(child.pid).memory_info().rss
    except psutil.Error:
        return 0


def _serve(pipe: Connection, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """In the child: do it and send one word and a sentence."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where no mask keeps it away, see _deaf
    threading.Thread(target=_end_with_parent, daemon=True).start()
    importlib.import_module(QUIET)  # where no server did
    if sys.platform != "win32":
        import resource

        # Where native code keeps this process's own threads from running, the kernel counts.
        limit = int(WHOLE_TIME_LIMIT_S * 2) * (os.cpu_count() or 1)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe.send(("begun", ""))
    try:
        work(*arguments)
        answer = "done", ""
    except BadInput as error:
        answer = "bad", str(error)
    except Exception as error:
        answer = "failed", str(error)
    pipe.send(answer)


def _end_with_parent() -> NoReturn:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(1)


def _place(path: Path, proto: onnx.ModelProto, kind: str, arguments: tuple[Any, ...]) -> Path:
    """The empty file that says this content came through this work."""
    folder = os.environ.get(FOLDER_VARIABLE)
    base = Path(folder or platformdirs.user_cache_dir("stylizer", appauthor=False)) / "vetted"
    facts = repr((RULES, kind, [a for a in arguments if a != path], _weights(path, proto)))
    way = hashlib.sha256(facts.encode()).hexdigest()[:12]
    return base / f"{file_hash(path)}-{way}"


def _weights(path: Path, proto: onnx.ModelProto) -> list[tuple[str, int, int]]:
    """Name, size and time of the files that hold weights outside of the model."""
    entries = [e for w in proto.graph.initializer for e in w.external_data if e.key == "location"]
    found = []
    for name in sorted({entry.value for entry in entries}):
        there = (path.parent / name).stat()
        found.append((name, there.st_size, there.st_mtime_ns))
    return found
