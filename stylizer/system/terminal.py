"""What the program says of itself on the terminal."""

from __future__ import annotations

import sys
from contextlib import suppress

from stylizer.system.installed import fitting


def tell(sentence: str) -> None:
    """One sentence on stderr, where there still is one: the terminal may have been closed."""
    with suppress(OSError, ValueError):
        print(f"stylizer: {fitting(sentence)}", file=sys.stderr, flush=True)
