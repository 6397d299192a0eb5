"""Where the program begins: before the first slow import."""

from __future__ import annotations

import os
import signal
import sys


def main() -> int:
    """Run the command line; returns the exit code.

    Ctrl+C while the program is being loaded ends it without a word, as there is nothing to save;
    from then on `ending.on_signals` answers. An interrupted process is left at once: taking down
    what it has loaded is for nobody, and takes up to a second.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from stylizer.app import cli
    from stylizer.system.ending import INTERRUPTED

    code = cli.main()
    if code == INTERRUPTED or _still_loading():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # all that was made is written
    return code


def _still_loading() -> bool:
    from stylizer.run.models import still_loading

    return still_loading()
