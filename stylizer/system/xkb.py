"""Names of keys as xkbcommon has them: for the desktops' own shortcuts.

xkbcommon-keysyms.h, and https://specifications.freedesktop.org/shortcuts-spec/latest
"""

from __future__ import annotations

from stylizer.hotkeys import KEY_NAMES, MODIFIERS, parse_combination

# pygame's name -> xkbcommon's, where it is not the same, with capitals and "_" for blanks
_SIGNS = {
    "!": "exclam", '"': "quotedbl", "#": "numbersign", "$": "dollar", "%": "percent",
    "&": "ampersand", "'": "apostrophe", "(": "parenleft", ")": "parenright", "*": "asterisk",
    "+": "plus", ",": "comma", "-": "minus", ".": "period", "/": "slash", ":": "colon",
    ";": "semicolon", "<": "less", "=": "equal", ">": "greater", "?": "question", "@": "at",
    "[": "bracketleft", "\\": "backslash", "]": "bracketright", "^": "asciicircum",
    "_": "underscore", "`": "grave", "[.]": "KP_Decimal", "[+]": "KP_Add", "[-]": "KP_Subtract",
    "[*]": "KP_Multiply", "[/]": "KP_Divide", "space": "space", "backspace": "BackSpace",
    "print screen": "Print", "numlock": "Num_Lock", "enter": "KP_Enter", "equals": "KP_Equal",
    "left shift": "Shift_L", "right shift": "Shift_R",
}  # fmt: skip


def key_name(key: str) -> str:
    """xkbcommon's name of the key that pygame calls so: "[" -> "bracketleft"."""
    if key in _SIGNS:
        return _SIGNS[key]
    if len(key) == 3 and key[0] + key[2] == "[]":  # the keypad's digits
        return f"KP_{key[1]}"
    return key if len(key) == 1 else key.replace(" ", "_").title()


def pygame_name(name: str) -> str:
    """What pygame calls the key of this name: "bracketleft" -> "["; other names as they are."""
    return next((key for key in KEY_NAMES if key_name(key) == name), name)


def trigger(combination: str, modifier_names: dict[str, str]) -> str:
    """ "ctrl+alt+[" -> "CTRL+ALT+bracketleft"; modifier_names: what each of ours is called there.

    Raises BadInput for what is no combination.
    """
    modifiers, key = parse_combination(combination)
    held = [modifier_names[m] for m in MODIFIERS if m in modifiers]
    return "+".join([*held, key_name(key)])
