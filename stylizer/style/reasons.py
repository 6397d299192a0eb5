"""What a runtime says, in few words for the user: its errors, and what it runs where."""

from __future__ import annotations

import re
from typing import Any

LONGEST = 160
MOST_NAMED = 3  # operators in a sentence

_KIND = re.compile(r"^\[ONNXRuntimeError\] : -?\d+ : \w+ : ")
# Where ONNX Runtime says in which of its own lines it gave up: "/…/cuda_call.cc:129 void f(…) "
_PLACE = re.compile(r"^(?:/|[A-Za-z]:\\)\S+:\d+:? ")
_TAIL = " ; "  # then come GPU, host name, file, line and expression


def first_line(error: BaseException) -> str:
    """The first line of an error without ONNX Runtime's own source places, its last sentence where
    it is longer than `LONGEST` characters, without a full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = _without_place(_KIND.sub("", lines[0])).split(_TAIL)[0].strip().rstrip(". ")
    if len(text) > LONGEST:
        text = re.split(r"(?<=[.!?]) ", text)[-1]
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _without_place(text: str) -> str:
    """What stands behind a source line and the signature of the function in it."""
    place = _PLACE.match(text)
    if place is None:
        return text
    rest = text[place.end() :]
    end = _closed(rest, rest.find("("))
    if not end:
        return rest
    while rest[end:].lstrip().startswith("["):  # "[with T = …]"
        end = _closed(rest, rest.index("[", end)) or len(rest)
    return rest[end:].removeprefix(" const").strip() or text


def _closed(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`; 0 where there is none."""
    depth = 0
    for at in range(max(start, 0), len(text)):
        depth += (text[at] in "([") - (text[at] in ")]")
        if depth == 0 and start >= 0:
            return at + 1
    return 0


def left_to_the_cpu(session: Any) -> str:
    """For the reason shown: how many operators of another provider's session run on the CPU, with
    copies to it and back, and which; "" for none, and for the CPU's own session."""
    kinds: dict[str, int] = {}
    everything = 0
    for part in session.get_provider_graph_assignment_info():
        for node in part.get_nodes():
            everything += 1
            if part.ep_name == "CPUExecutionProvider":
                kinds[node.op_type] = kinds.get(node.op_type, 0) + 1
    left = sum(kinds.values())
    if not left or left == everything:
        return ""
    usual = sorted(kinds, key=kinds.__getitem__, reverse=True)
    named = ", ".join(usual[:MOST_NAMED]) + (" ..." if len(usual) > MOST_NAMED else "")
    return f", {left} of {everything} operators on the CPU ({named})"
