"""Pictures dropped on a run become styles, which it then paints with. Main thread only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stylizer.errors import StylizerError
from stylizer.run.switching import Switching

if TYPE_CHECKING:
    from stylizer.painting.make import Painting


class Paintings:
    """Makes one style after another on a thread, so that no frame waits, and switches to it."""

    def __init__(self, switching: Switching, changed: Callable[[], None]) -> None:
        """changed: told when there is another style."""
        self._switching, self._changed = switching, changed
        self._thread: threading.Thread | None = None
        self._made: Painting | None = None
        self._failed = ""

    def take(self, picture: Path) -> str:
        """Make a style of a picture file and paint with it; the message to show."""
        from stylizer.painting.make import make

        return self._begin(partial(make, picture), picture.name)

    def mix(self, colors: str, strokes: str) -> str:
        """Paint with the strokes of one style in the colors of another; the message to show."""
        from stylizer.painting.make import mixed

        return self._begin(partial(mixed, colors, strokes), f"{colors} with strokes of {strokes}")

    def turn(self, at_s: float) -> list[str]:
        """Once a turn of the loop: messages to show."""
        if self._thread is None or self._thread.is_alive():
            return []
        self._thread.join()
        self._thread = None
        if self._made is None:
            return [self._failed]
        made, self._made = self._made, None
        self._changed()
        self._switching.use(made.model, at_s)
        return [f"{made.style}: one of your styles now, kept as {made.model}"]

    def close(self) -> None:
        """Wait for the style that is being made; may be called twice."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self, make: Callable[[], Painting], what: str) -> str:
        if self._thread is not None:
            return "one style is still being made"

        def work() -> None:
            try:
                self._made = make()
            except StylizerError as error:
                self._failed = str(error)
            except Exception as error:  # no thread may die unseen
                self._failed = f"{what}: no style could be made of it ({error})"

        self._failed, self._made = "", None
        self._thread = threading.Thread(target=work, name="painting", daemon=True)
        self._thread.start()
        return f"{what}: making a style of it"
