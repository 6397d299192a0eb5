"""The errors a user sees: one sentence (what, where, what to do) and an exit code."""

from __future__ import annotations


class StylizerError(Exception):
    """Failed while running; the message is one sentence for the user."""

    exit_code = 1


class BadInput(StylizerError, ValueError):
    """Bad use or bad input: an option, a file or a device the user named."""

    exit_code = 2


def one_sentence(error: BaseException) -> str:
    """The message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
