"""Keys that act wherever the keyboard is, by XGrabKey: the program in front does not see them."""

from __future__ import annotations

import ctypes as c
from collections import defaultdict
from collections.abc import Iterable
from itertools import product

from stylizer.errors import BadInput
from stylizer.hotkeys import (
    DEFAULT_KEYS,
    HELD_ACTIONS,
    MODIFIERS,
    Action,
    global_combinations,
    parse_combination,
)
from stylizer.present.keyboard import sign_of
from stylizer.present.reserved import INSTEAD, reserved
from stylizer.system.x11 import Display
from stylizer.system.xkb import key_name
from stylizer.system.xlib import KEY_PRESS, XEvent, input_event, library

KEY_RELEASE, MAPPING = 3, 34  # event types of X.h
SHIFT, CAPS_LOCK, CONTROL = 1, 2, 4  # modifier bits of X.h; the others differ between keyboards
ASYNC = 1  # GrabModeAsync: nothing is held back from anybody
# modifier -> (keysym that bears it, its usual bit)
_MOVABLE = {"alt": (b"Alt_L", 1 << 3), "num lock": (b"Num_Lock", 1 << 4), "super": (b"Super_L", 64)}

QUIT_KEYS = ("q", "f12", "end", "x")  # with all of these, for there must be a way out

Key = tuple[int, int]  # keycode, modifier bits without the locks


class GlobalKeys:
    """The actions' key combinations, on a connection of their own. One thread.

    overrides: action -> combination, as in settings.global_keys. Where another program or the
    desktop has a default combination, one of INSTEAD takes its place; quit finds one in any
    case. That, and what the keyboard lacks, is told by `take_notices`; the others work. names: what
    works. Raises BadInput for combinations that cannot be, StylizerError without an X server.
    """

    def __init__(self, overrides: dict[str, str]) -> None:
        # The user's own come last, so that they win where a default means the same keys.
        names = sorted(
            global_combinations(overrides).items(), key=lambda item: item[0] in overrides
        )
        self._combinations = {action: (text, *parse_combination(text)) for action, text in names}
        self._chosen = {action for action in overrides if action != "quit"}  # nothing instead
        self._own = set(overrides)
        self._reserved = [parse_combination(text) for text in reserved()]
        self._symbols = {key: keysym(key) for _, _, key in self._combinations.values()}
        self._symbols |= {key: keysym(key) for key in QUIT_KEYS}
        self._display = Display()
        self._x, self._pointer = self._display.x, self._display.pointer
        # A held key then sends presses without releases between them.
        self._x.XkbSetDetectableAutoRepeat(self._pointer, 1, None)
        self._wanted: dict[Key, str] = {}  # as the keyboard is
        self._kept: set[Key] = set()  # by the desktop
        self._grabbed: dict[Key, str] = {}  # what we have of it, and what instead
        self.names: dict[str, str] = {}  # action -> the combination that works
        self._down: dict[int, str] = {}  # keycode -> action it began
        self._notices: list[str] = []
        self._grab_all()

    def actions(self) -> list[Action]:
        """What was pressed since the last call, and the release of held actions."""
        found: list[Action] = []
        for event in self._display.events():
            if event.type == MAPPING:
                self._follow_keyboard(event)
            elif event.type in (KEY_PRESS, KEY_RELEASE):
                key = input_event(event)
                down = event.type == KEY_PRESS
                found += self._press(key.detail, key.state) if down else self._lift(key.detail)
        return found

    def take_notices(self) -> list[str]:
        """What the user should know of keys that do not work, since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def close(self) -> None:
        """Give the keys back; may be called twice."""
        self._display.close()  # the server frees a closed connection's grabs

    def _press(self, keycode: int, state: int) -> list[Action]:
        if keycode in self._down:  # key repeat must not flip a toggle again
            return []
        action = self._grabbed.get((keycode, state & self._meant))
        if action is None:
            return []
        self._down[keycode] = action
        return [Action(action, 1.0 if action in HELD_ACTIONS else 0.0)]

    def _lift(self, keycode: int) -> list[Action]:
        action = self._down.pop(keycode, None)
        return [Action(action, 0.0)] if action in HELD_ACTIONS else []

    def _follow_keyboard(self, event: XEvent) -> None:
        """Another layout: the same signs may lie on other keys."""
        self._x.XRefreshKeyboardMapping(c.byref(event))
        if self._resolve()[0] != self._wanted:
            for (keycode, bits), lock in product(self._grabbed, self._locks):
                self._x.XUngrabKey(self._pointer, keycode, bits | lock, self._display.root)
            self._grab_all()

    def _grab_all(self) -> None:
        self._wanted, problems = self._resolve()
        self._grabbed, self.names = {}, {}
        taken: list[str] = []
        for key, action in self._wanted.items():
            if self._grab(*key):
                self._have(key, action, self._combinations[action][1])
            else:
                taken.append(action)
        for action in sorted(taken, key=lambda a: a != "quit"):
            self._grab_instead(action)
        problems["taken by another program"] = taken
        for why, actions in problems.items():
            named = ", ".join(self._words(action) for action in sorted(actions))
            if named:
                self._notices.append(
                    f"global keys {why}: {named}; bind others by global_keys in the settings"
                )

        if "quit" in taken:
            self._notices.append(self._way_out())

    def _way_out(self) -> str:
        """Short, for it is shown in the picture."""
        if "quit" not in self.names:
            return "no key to quit is free: Ctrl+C in the terminal does"
        shown = f"; {self.names['help']}: all keys" if "help" in self.names else ""
        return f"{self.names['quit']}: quit{shown}"

    def _words(self, action: str) -> str:
        """A combination that does not work, and what does."""
        words = f"{self._combinations[action][0]} ({DEFAULT_KEYS[action][1]})"
        return f"{words}: {self.names[action]} instead" if action in self.names else words

    def _have(self, key: Key, action: str, modifiers: Iterable[str]) -> None:
        self._grabbed[key] = action
        held = [m for m in MODIFIERS if m in modifiers]
        self.names[action] = "+".join([*held, self._base(key[0], self._combinations[action][2])])

    def _base(self, keycode: int, meant: str) -> str:
        """What the key gives alone: on a German keyboard Ctrl+Alt+8 is pressed for "["."""
        alone = sign_of(self._x.XkbKeycodeToKeysym(self._pointer, keycode, 0, 0))
        return alone.lower() if alone and len(meant) == 1 else meant

    def _grab_instead(self, action: str) -> None:
        """Another combination for one that another program has, if the user has not chosen it."""
        if action in self._chosen:
            return
        own = self._combinations[action][2]
        for key in (own, *(QUIT_KEYS if action == "quit" else ())):
            keycode = self._x.XKeysymToKeycode(self._pointer, self._symbols[key])
            for modifiers in INSTEAD:
                place = (keycode, sum(self._bits[m] for m in modifiers))
                if not keycode or place in self._wanted or place in self._grabbed:
                    continue
                if self._grab(*place):
                    self._have(place, action, modifiers)
                    if key != own:
                        self.names[action] = "+".join([*modifiers, key])
                    return

    def _resolve(self) -> tuple[dict[Key, str], dict[str, list[str]]]:
        """Which keys mean which action on the keyboard as it is, and what is wrong with the rest.

        A sign is found on whatever key bears it, with or without Shift or AltGr.
        """
        bits = {"ctrl": CONTROL, "shift": SHIFT}
        for name, (symbol, usual) in _MOVABLE.items():
            number = self._x.XStringToKeysym(symbol)
            bits[name] = self._x.XkbKeysymToModifiers(self._pointer, number) or usual
        locks = (0, CAPS_LOCK, bits["num lock"], CAPS_LOCK | bits["num lock"])
        self._locks, self._bits = locks, bits
        self._meant = CONTROL | SHIFT | bits["alt"] | bits["super"]
        keys: dict[Key, str] = {}
        problems: dict[str, list[str]] = defaultdict(list)
        for action, (_, modifiers, key) in self._combinations.items():
            keycode = self._x.XKeysymToKeycode(self._pointer, self._symbols[key])
            if not keycode:
                problems["not on this keyboard"].append(action)
                continue
            place = (keycode, sum(bits[m] for m in modifiers))
            if place in keys:
                problems["that mean two actions"].append(keys[place])
            keys[place] = action
        self._kept = {
            (self._x.XKeysymToKeycode(self._pointer, keysym(key)), sum(bits[m] for m in modifiers))
            for modifiers, key in self._reserved
        } - {place for place, action in keys.items() if action in self._own}
        return keys, problems

    def _grab(self, keycode: int, modifiers: int) -> bool:
        """With each state of the locks; False when somebody else has one of them."""
        if (keycode, modifiers) in self._kept:
            return False
        with self._display.trying() as errors:
            for lock in self._locks:
                self._x.XGrabKey(
                    self._pointer, keycode, modifiers | lock, self._display.root, 0, ASYNC, ASYNC
                )
        if errors:
            for lock in self._locks:
                self._x.XUngrabKey(self._pointer, keycode, modifiers | lock, self._display.root)
        return not errors


def keysym(name: str) -> int:
    """X's number of the key that pygame calls `name`. Raises BadInput for an unknown name."""
    if len(name) == 1:
        return ord(name) if ord(name) < 0x100 else 0x1000000 | ord(name)  # as in keysymdef.h
    number = library("X11").XStringToKeysym(key_name(name).encode())
    if number:
        return number
    raise BadInput(f"global_keys: there is no key {name!r}; names are as in escape, tab, [, f1")
