"""What C libraries' functions return and take, told to ctypes."""

from __future__ import annotations

from typing import Any

Signatures = dict[str, tuple[Any, list[Any]]]  # function: result, arguments


def declare(library: Any, signatures: Signatures) -> None:
    """Tell ctypes, for which every number is an int: a 64-bit pointer would be cut in half."""
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
