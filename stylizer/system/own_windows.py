"""How a stylizer's own windows are told from a game's, and the programs that started this one."""

from __future__ import annotations

NAME = "stylizer"  # the class of our windows, and the end of their titles


def title(words: str) -> str:
    """A window's title; words: what it shows, "" for nothing yet."""
    return f"{words} – {NAME}" if words else NAME


def is_titled_ours(text: str) -> bool:
    """Whether that is the title of a stylizer that shows something: it names its game, too."""
    return text.endswith(f"– {NAME}")


def started_us() -> set[int]:
    """Process numbers of the programs that started this one: a terminal shows the running command,
    and so the game's name, in its title."""
    import psutil

    return {process.pid for process in psutil.Process().parents()}
