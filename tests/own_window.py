"""A window of the program's own, and what is done to it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pygame
from whole_program import xdotool

from stylizer.hotkeys import Action
from stylizer.present.window import WindowPresenter

SIZE = (640, 360)


def focus(presenter: WindowPresenter) -> None:
    """Without a window manager nobody gives a new window the keyboard."""
    xdotool("windowfocus", presenter._handle, "mousemove", "--window", presenter._handle, 50, 50)
    wait_for(presenter, lambda _: pygame.key.get_focused())


def settle(presenter: WindowPresenter, rounds: int = 10) -> list[Action]:
    actions = []
    for _ in range(rounds):
        actions += presenter.poll()
        presenter.framebuffer.clear(0.1, 0.2, 0.3)
        presenter.present()
        time.sleep(0.005)
    return actions


def wait_for(
    presenter: WindowPresenter, done: Callable[[list[Action]], object], seconds: float = 10
) -> list[Action]:
    """Run the window until `done` with the actions so far; what came until then."""
    actions: list[Action] = []
    until = time.monotonic() + seconds
    while not done(actions):
        assert time.monotonic() < until, f"the window never got there, only {actions}"
        actions += settle(presenter, 1)
    return actions


def press(presenter: WindowPresenter, *keys: str) -> list[Action]:
    xdotool("key", *keys)
    return wait_for(presenter, bool) + settle(presenter, 3)
