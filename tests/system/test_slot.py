"""The hand-over between threads: newest wins, the end and errors come after the last value."""

import threading

import pytest

from stylizer.system.slot import Slot


def test_the_newest_value_wins_and_the_others_are_counted():
    slot: Slot[int] = Slot()
    assert slot.take(0.0) is None
    for value in range(3):
        slot.put(value)
    assert slot.take(0.0) == 2
    assert slot.overwritten == 2
    slot.put(3)
    threading.Timer(0.05, slot.take, (0.0,)).start()
    slot.wait_taken(5.0)
    assert slot.take(0.0) is None


def test_the_end_is_told_after_the_last_value():
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.end()
    assert slot.ended
    assert slot.take(0.0) == 1
    assert slot.take(5.0) is None, "at once"


def test_the_first_error_is_raised_after_the_last_value():
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.end(ValueError("first"))
    slot.end(ValueError("second"))
    assert slot.take(0.0) == 1
    with pytest.raises(ValueError, match="first"):
        slot.take(5.0)
