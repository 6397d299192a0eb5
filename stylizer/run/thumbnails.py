"""Every style's picture of the frame that is shown, made beside the run in what time is left over.

A thread that gives way loads the fast models one after another, and as long as it lives makes one
picture a second anew. The main thread only hands it frames and takes what is ready. It does not
stand lower than other threads that give way: what holds Python's lock and is never run stops all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np

from stylizer.errors import BadInput, StylizerError
from stylizer.frame import Frame, Size
from stylizer.settings import Settings
from stylizer.stages import StyleBackend
from stylizer.system.priority import give_way

# Strokes keep their size in pixels: a smaller frame would be all strokes.
INFERENCE_SIZE: Size = (480, 272)
SHOWN: Size = (240, 136)
BETWEEN_S, AGAIN_S = 0.03, 1.0  # from picture to picture at first, and when all are there


class Thumbnails:
    """Of the styles that were added before the first `look`, and since. Closed by `close`, which
    does not wait."""

    def __init__(self) -> None:
        self._models: dict[str, str] = {}
        self._settings = Settings(provider="cpu")  # quick enough for so small a picture
        self._frame: Frame | None = None
        self._ready: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()
        self._stop, self._asked = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="thumbnails", daemon=True)
        self._thread.start()

    def look(self, frame: Frame) -> None:
        """The frame that the next pictures are made of."""
        self._frame = frame
        self._asked.set()

    def add(self, models: dict[str, str]) -> None:
        """Styles, each with the name of the model that paints it; their pictures come in turn."""
        self._models.update(models)

    def take(self) -> dict[str, np.ndarray]:
        """Pictures made since the last call: style -> uint8 (height, width, 3) RGB."""
        with self._lock:
            ready, self._ready = self._ready, {}
        return ready

    def close(self) -> None:
        """Make no more; the thread ends when its picture is done."""
        self._stop.set()
        self._asked.set()

    def join(self) -> None:
        """Wait until its thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        give_way()
        backends: dict[str, _Opened] = {}
        try:
            self._asked.wait()
            pause = BETWEEN_S
            while self._models and not self._stop.is_set():
                for style in list(self._models):
                    if self._stop.wait(pause):
                        return
                    self._make(style, backends)
                pause = AGAIN_S
        finally:
            for opened in backends.values():
                opened.backend.close()

    def _make(self, style: str, backends: dict[str, _Opened]) -> None:
        from stylizer.style.scaling import resize

        assert self._frame is not None
        frame = _cut(self._frame)
        try:
            backend = self._backend(style, backends)
            backend.forget()
            image = backend.style(frame).image
        except StylizerError:  # its name alone stays; choosing it says why
            del self._models[style]
            return
        if image is not None:
            with self._lock:
                self._ready[style] = resize(np.ascontiguousarray(image.rgb()), SHOWN)

    def _backend(self, style: str, backends: dict[str, _Opened]) -> StyleBackend:
        """The style's model, opened anew where its file has changed: it may be trained just now.
        Raises StylizerError."""
        from stylizer.style.opening import open_style

        name = self._models[style]
        stamp = _stamp(name)
        was = backends.get(style)
        if was is None or was.stamp != stamp:
            backends[style] = _Opened(open_style(self._settings, name, INFERENCE_SIZE), stamp)
            if was is not None:
                was.backend.close()
        return backends[style].backend


@dataclass(frozen=True)
class _Opened:
    """A model, and which state of its file it was read from."""

    backend: StyleBackend
    stamp: tuple[int, int]


def _stamp(name: str) -> tuple[int, int]:
    """Another one when the model's file was written anew. Raises BadInput where there is none."""
    from stylizer.style import catalog

    path = catalog.resolve(name, "cpu").path
    assert path is not None
    try:
        found = path.stat()
    except OSError as error:
        raise BadInput(f"there is no {path}") from error
    return found.st_ino, found.st_mtime_ns


def _cut(frame: Frame) -> Frame:
    """The frame's middle in the pictures' shape and size."""
    from stylizer.style.scaling import resize

    width, height = frame.size
    wide = min(width, max(1, height * INFERENCE_SIZE[0] // INFERENCE_SIZE[1]))
    tall = min(height, max(1, width * INFERENCE_SIZE[1] // INFERENCE_SIZE[0]))
    x, y = (width - wide) // 2, (height - tall) // 2
    part = np.ascontiguousarray(frame.pixels[y : y + tall, x : x + wide])
    return replace(frame, picture=resize(part, INFERENCE_SIZE))
