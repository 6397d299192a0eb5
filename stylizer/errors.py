"""The errors a user sees: one sentence (what, where, what to do) and an exit code."""

from __future__ import annotations

import unicodedata


class StylizerError(Exception):
    """Failed while running; the message is one sentence for the user."""

    exit_code = 1


class BadInput(StylizerError, ValueError):
    """Bad use or bad input: an option, a file or a device the user named."""

    exit_code = 2


def one_sentence(error: BaseException) -> str:
    """The message on one line."""
    return printable(" ".join(str(error).split())) or type(error).__name__


def printable(text: str) -> str:
    """The text without what a terminal obeys (escape sequences) or what turns its direction:
    titles and names of files come from others."""
    return "".join("\ufffd" if c in _TURNS or unicodedata.category(c) == "Cc" else c for c in text)


_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
