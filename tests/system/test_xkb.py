"""Names of keys for the desktops' own shortcuts."""

from __future__ import annotations

import sys

import pytest

from stylizer.errors import BadInput
from stylizer.hotkeys import KEY_NAMES
from stylizer.system.xkb import key_name, trigger


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks libX11")
def test_every_key_has_a_name_that_x_knows():
    """xkbcommon's names are X's; those of signs stand for the sign."""
    from stylizer.system.xlib import library

    x = library("X11")
    numbers = {name: x.XStringToKeysym(key_name(name).encode()) for name in KEY_NAMES}
    assert all(numbers.values()), [name for name, number in numbers.items() if not number]
    assert len(set(numbers.values())) == len(numbers)
    assert all(number == ord(name) for name, number in numbers.items() if len(name) == 1)
    assert trigger("ctrl+alt+shift+tab", {"ctrl": "C", "alt": "A", "shift": "S"}) == "C+A+S+Tab"
    with pytest.raises(BadInput, match="no modifier"):
        trigger("jump+a", {})
