"""Importing this keeps a process from writing: to the terminal, or into a pipe whose reader would
wait for its end. For helper processes, what libraries say there is for nobody."""

from __future__ import annotations

import os

_nowhere = os.open(os.devnull, os.O_WRONLY)
for _number in (1, 2):
    os.dup2(_nowhere, _number)
os.close(_nowhere)
