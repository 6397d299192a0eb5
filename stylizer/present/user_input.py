"""pygame's key and mouse events as Actions and camera input."""

from __future__ import annotations

from collections.abc import Callable

import pygame

from stylizer.frame import InputState, Rect, UiEvent
from stylizer.hotkeys import HELD_ACTIONS, Action, key_bindings
from stylizer.present.keyboard import Place

LEFT, RIGHT = 1, 3
_BUTTONS = {1: 0, 3: 1, 2: 2}  # SDL's number -> the panel's
_MODIFIERS = (
    (pygame.KMOD_CTRL, "ctrl+"), (pygame.KMOD_ALT, "alt+"), (pygame.KMOD_SHIFT, "shift+"),
    (pygame.KMOD_META, "super+"),
)  # fmt: skip
PLACES_FROM = 1 << 30  # codes of keys without a sign begin here (SDLK_SCANCODE_MASK)
# Place of a key -> what it gives on an American keyboard (USB HID usage tables, section 10).
US_SIGNS = dict(enumerate("abcdefghijklmnopqrstuvwxyz1234567890", 4)) | {47: "[", 48: "]"}
# (positive keys, negative keys) of each camera axis; a key that is bound to an action is left out.
_AXES = {
    "right": (("d", "right"), ("a", "left")),
    "up": (("e", "page up"), ("q", "page down")),
    "forward": (("w", "up"), ("s", "down")),
}


class UserInput:
    """Follows what is held down; one for each window.

    keys: action -> key name, the user's rebinding. Keys count by the sign they give, `lay_out` says
    where it lies; where a keyboard has no Latin letters, by the place of the key.
    """

    def __init__(self, keys: dict[str, str]) -> None:
        self._placed: dict[Place, str] = {}  # signs that need Shift or AltGr here -> action
        self.names: dict[str, str] = {}  # their actions -> "altgr+8"
        self.bind(keys)
        self._down: dict[int, str | None] = {}  # key code -> action it began
        self._dragging = self._looking = False
        self._look = [0.0, 0.0]
        self.panel: Rect | None = None  # where the open panel lies: the mouse over it is its own
        self.typing = False  # the keyboard is the panel's
        self._panel_buttons: set[int] = set()  # pressed over the panel, until they are let go
        self._ui: list[UiEvent] = []
        self.hud: Rect | None = None  # where the HUD's figures lie: the mouse drags them
        self._hud_held: tuple[float, float] | None = None  # where the mouse was last, while it does
        self._hud_drag = [0.0, 0.0]

    def bind(self, keys: dict[str, str]) -> None:
        """Other keys from now on; keys: action -> key name."""
        self._bindings = {key.lower(): action for key, action in key_bindings(keys).items()}
        self._axes = {
            axis: tuple([_codes(names, self._bindings) for names in pair])
            for axis, pair in _AXES.items()
        }

    def show_panel(self, area: Rect | None, typing: bool) -> None:
        """Where the panel lies from now on, None where it is closed; whether the keyboard is its
        own."""
        self.panel, self.typing = area, typing
        if area is None:
            self._panel_buttons.clear()

    def take_ui_events(self) -> list[UiEvent]:
        """What the panel should know since the last call."""
        events, self._ui = self._ui, []
        return events

    def take_hud_drag(self) -> tuple[float, float]:
        """By how many pixels the HUD was dragged since the last call."""
        x, y = self._hud_drag
        self._hud_drag = [0.0, 0.0]
        return x, y

    def lay_out(self, find: Callable[[str], Place | None]) -> None:
        """Ask where each bound sign lies on the keyboard as it is."""
        signs = {key: action for key, action in self._bindings.items() if len(key) == 1}
        found = {action: find(sign) for sign, action in signs.items()}
        self._placed = {place: action for action, place in found.items() if place}
        self.names = {action: str(place) for place, action in self._placed.items()}

    def actions(self, event: pygame.Event) -> list[Action]:
        """What this event asks for; [] for most."""
        if self.panel is not None and self._is_panels(event, self.panel):
            return []
        if self._is_huds(event):
            return []
        if event.type == pygame.KEYDOWN:
            return self._key_down(event.key, event.mod, event.scancode)
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
            if self.typing:
                return 0.0
            more, less = (any(pressed[code] for code in codes) for codes in self._axes[name])
            return float(more) - float(less)

        look_x, look_y = self._look
        self._look = [0.0, 0.0]
        return InputState(axis("right"), axis("up"), axis("forward"), look_x, look_y)

    def _key_down(self, code: int, modifiers: int, scancode: int) -> list[Action]:
        if code in self._down:  # key repeat must not flip a toggle again
            return []
        action = self._action(code, modifiers, scancode)
        if action is None:
            return []
        self._down[code] = action
        if action == "quit" and self.panel is not None:
            action = "panel"  # the key that quits closes what is in front first
        return [Action(action, 1.0 if action in HELD_ACTIONS else 0.0)]

    def _is_huds(self, event: pygame.Event) -> bool:
        """Drag the HUD by the event; True when it is nobody else's."""
        held = self._hud_held
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == LEFT:
            if self.hud is not None and self.hud.contains(*event.pos):
                self._hud_held = event.pos
            return self._hud_held is not None
        if held is not None and event.type == pygame.MOUSEMOTION:
            self._hud_drag[0] += event.pos[0] - held[0]
            self._hud_drag[1] += event.pos[1] - held[1]
            self._hud_held = event.pos
            return True
        if held is not None and event.type == pygame.MOUSEBUTTONUP and event.button == LEFT:
            self._hud_held = None
            return True
        return False

    def _is_panels(self, event: pygame.Event, panel: Rect) -> bool:
        """Tell the panel of the event; True when it is nobody else's."""
        if event.type == pygame.MOUSEMOTION:
            self._ui.append(UiEvent("move", event.pos[0], event.pos[1]))
            return bool(self._panel_buttons)
        if event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP):
            return self._panels_button(event, panel)
        if event.type == pygame.MOUSEWHEEL:
            self._ui.append(UiEvent("wheel", event.precise_x, event.precise_y))
        elif event.type == pygame.TEXTINPUT:
            self._ui.append(UiEvent("text", text=event.text))
        elif event.type in (pygame.KEYDOWN, pygame.KEYUP) and self.typing:
            down, pressed = event.type == pygame.KEYDOWN, _combination(event)
            if down and pressed == "ctrl+v":
                self._ui.append(UiEvent("text", text=_clipboard()))
            else:
                self._ui.append(UiEvent("key", down=down, text=pressed))
            if down:
                self._down.setdefault(event.key, None)  # held on, it begins no action afterwards
                return True
        return False

    def _panels_button(self, event: pygame.Event, panel: Rect) -> bool:
        number = _BUTTONS.get(event.button)
        if number is None:  # the wheel's old events
            return panel.contains(*event.pos)
        down = event.type == pygame.MOUSEBUTTONDOWN
        its = panel.contains(*event.pos) if down else event.button in self._panel_buttons
        # A press beside the panel ends a text that is being typed.
        self._ui += [
            UiEvent("move", event.pos[0], event.pos[1]),
            UiEvent("button", 0, 0, number, down),
        ]
        if its:
            (self._panel_buttons.add if down else self._panel_buttons.discard)(event.button)
        return its

    def _action(self, code: int, modifiers: int, scancode: int) -> str | None:
        name = pygame.key.name(code) or (chr(code) if code < PLACES_FROM else "")
        shift = "shift" if modifiers & pygame.KMOD_SHIFT else ""
        altgr = "altgr" if modifiers & (pygame.KMOD_MODE | pygame.KMOD_RALT) else ""
        placed = self._placed.get(Place(name, "+".join(filter(None, (shift, altgr)))))
        if placed is not None:
            return placed
        if modifiers & (pygame.KMOD_ALT | pygame.KMOD_CTRL | pygame.KMOD_META):
            return None  # the desktop's: Alt+Tab is not "next style"
        action = self._bindings.get(f"shift+{name}") if shift else None
        action = action or self._bindings.get(name)
        if action is None and 0x7F < code < PLACES_FROM:  # no Latin letter
            action = self._bindings.get(US_SIGNS.get(scancode, ""))
        return action

    def _key_up(self, code: int) -> list[Action]:
        action = self._down.pop(code, None)
        return [Action(action, 0.0)] if action in HELD_ACTIONS else []

    def _focus_lost(self) -> list[Action]:
        released = [action for code in list(self._down) for action in self._key_up(code)]
        self._dragging, self._hud_held = False, None
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


def _combination(event: pygame.Event) -> str:
    """ "ctrl+alt+k", in the order of the settings file."""
    held = "".join(text for bit, text in _MODIFIERS if event.mod & bit)
    return held + pygame.key.name(event.key)


def _clipboard() -> str:
    """The text that was copied, as one line; "" where there is none."""
    return " ".join(pygame.scrap.get_text().split("\n")).strip()


def _codes(names: tuple[str, ...], bound: dict[str, str]) -> list[int]:
    return [pygame.key.key_code(name) for name in names if name not in bound]
