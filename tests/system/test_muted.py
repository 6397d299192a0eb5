"""What libraries print is for nobody; what we print arrives."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import os, sys
from stylizer.system.muted import muted
os.write(2, b"before\\n")
with muted():
    os.write(1, b"a library")
    os.write(2, b"a library")
    print("ours")
    print("ours too", file=sys.stderr)
os.write(2, b"after\\n")
print("last")
"""


def test_only_libraries_are_muted():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "ours\nlast\n")
    assert done.stderr == "before\nours too\nafter\n"


def test_a_process_without_standard_streams_is_no_trouble():
    code = """
import os
from stylizer.system.muted import muted
os.close(1), os.close(2)
with muted():
    pass
os._exit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 7
