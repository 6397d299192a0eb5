"""What is told on the terminal, and on one that is gone."""

import sys
from pathlib import Path

from stylizer.system.terminal import tell


class Closed:
    """A terminal that was closed: each write fails, as on the real one."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def write(self, _text: str) -> int:
        raise self._error

    def flush(self) -> None:
        raise self._error


def test_a_sentence_is_told_by_name(capsys):
    tell("nothing can be captured")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "stylizer: nothing can be captured\n")


def test_a_terminal_that_is_gone_ends_nothing(monkeypatch):
    for error in (OSError(5, "gone"), ValueError("I/O operation on closed file")):
        monkeypatch.setattr(sys, "stderr", Closed(error))
        tell("nobody reads this")


def test_nothing_else_prints_our_name():
    """One place knows how the program speaks, so that none dies of a closed terminal."""
    package = Path(__file__).parents[2] / "stylizer"
    said = [p for p in package.rglob("*.py") if 'f"stylizer: ' in p.read_text(encoding="utf-8")]
    assert [path.name for path in said] == ["terminal.py"]
