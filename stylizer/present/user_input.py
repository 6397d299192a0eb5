"""pygame's key and mouse events as Actions and camera input."""

from __future__ import annotations

import pygame

from stylizer.frame import InputState
from stylizer.hotkeys import HELD_ACTIONS, Action, key_bindings

LEFT, RIGHT = 1, 3
# (positive keys, negative keys) of each camera axis; a key that is bound to an action is left out.
_AXES = {
    "right": (("d", "right"), ("a", "left")),
    "up": (("e", "page up"), ("q", "page down")),
    "forward": (("w", "up"), ("s", "down")),
}


class UserInput:
    """Follows what is held down; one for each window.

    keys: action -> key name, the user's rebinding.
    """

    def __init__(self, keys: dict[str, str]) -> None:
        self._bindings = {key.lower(): action for key, action in key_bindings(keys).items()}
        self._down: dict[int, str | None] = {}  # key code -> action it began
        self._dragging = self._looking = False
        self._look = [0.0, 0.0]
        self._axes = {
            axis: tuple([_codes(names, self._bindings) for names in pair])
            for axis, pair in _AXES.items()
        }

    def actions(self, event: pygame.Event) -> list[Action]:
        """What this event asks for; [] for most."""
        if event.type == pygame.KEYDOWN:
            return self._key_down(event.key, event.mod)
        if event.type == pygame.KEYUP:
            return self._key_up(event.key)
        if event.type == pygame.WINDOWFOCUSLOST:
            return self._focus_lost()
        if event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP):
            return self._button(event.button, event.type == pygame.MOUSEBUTTONDOWN, event.pos[0])
        if event.type == pygame.MOUSEMOTION:
            return self._motion(event)
        return []

    def inputs(self) -> InputState:
        """Camera input since the last call: axes that are held now, pixels looked since."""
        pressed = pygame.key.get_pressed()

        def axis(name: str) -> float:
            more, less = (any(pressed[code] for code in codes) for codes in self._axes[name])
            return float(more) - float(less)

        look_x, look_y = self._look
        self._look = [0.0, 0.0]
        return InputState(axis("right"), axis("up"), axis("forward"), look_x, look_y)

    def _key_down(self, code: int, modifiers: int) -> list[Action]:
        if code in self._down:  # key repeat must not flip a toggle again
            return []
        name = pygame.key.name(code)
        if modifiers & (pygame.KMOD_ALT | pygame.KMOD_CTRL | pygame.KMOD_META):
            return []  # the desktop's: Alt+Tab is not "next style"
        action = self._bindings.get(f"shift+{name}") if modifiers & pygame.KMOD_SHIFT else None
        action = action or self._bindings.get(name)
        self._down[code] = action
        if action is None:
            return []
        return [Action(action, 1.0 if action in HELD_ACTIONS else 0.0)]

    def _key_up(self, code: int) -> list[Action]:
        action = self._down.pop(code, None)
        return [Action(action, 0.0)] if action in HELD_ACTIONS else []

    def _focus_lost(self) -> list[Action]:
        released = [action for code in list(self._down) for action in self._key_up(code)]
        self._dragging = False
        self._look_around(False)
        return released

    def _button(self, button: int, down: bool, x: int) -> list[Action]:
        if button == RIGHT:
            self._look_around(down)
        if button != LEFT:
            return []
        self._dragging = down
        return [Action("wipe", float(x))] if down else []

    def _motion(self, event: pygame.Event) -> list[Action]:
        if self._looking:
            self._look[0] += event.rel[0]
            self._look[1] += event.rel[1]
        return [Action("wipe", float(event.pos[0]))] if self._dragging else []

    def _look_around(self, on: bool) -> None:
        if on != self._looking:
            self._looking = on
            pygame.mouse.set_relative_mode(on)  # hidden, and free of the screen's edges


def _codes(names: tuple[str, ...], bound: dict[str, str]) -> list[int]:
    return [pygame.key.key_code(name) for name in names if name not in bound]
