"""Writes the tables of docs/settings.md and docs/report.md from the program's own tables.

`python scripts/reference.py` writes them; the text around them is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from stylizer import rules  # noqa: E402
from stylizer.app.settings_file.table import GAME_RULES  # noqa: E402
from stylizer.hotkeys import DEFAULT_KEYS, global_combinations  # noqa: E402
from stylizer.run.report import DEFINITIONS, make_report  # noqa: E402
from stylizer.run.result import unopened  # noqa: E402
from stylizer.settings import OPTIONS, Group, Option, Settings  # noqa: E402

DOCS = ROOT / "docs"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in lines)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def settings_tables() -> str:
    """One table a group: option, value, default, whether the file knows it, keys, meaning."""
    parts = []
    for group in get_args(Group):
        rows = (row_of(o) for o in OPTIONS.values() if o.group == group)
        head = ("option", "value", "default", "in the file", "key", "what it does")
        parts.append(f"### {group.capitalize()}\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def row_of(option: Option) -> tuple[str, ...]:
    spelled = option.spellings[0]
    if option.rule is rules.SWITCH:
        spelled = f"--[no-]{spelled[2:]}"
    older = f"; also {code(option.spellings[1])}" if option.alias else ""
    return (
        code(spelled) + older,
        ", ".join(option.rule.choices) or option.rule.metavar or "on or off",
        code(default_of(option)),
        code(option.name) if option.in_file else "",
        " ".join(code(DEFAULT_KEYS[action][0]) for action in option.hotkeys),
        option.help,
    )


def default_of(option: Option) -> str:
    """What it is where nobody says anything, as the user would write it; "" for nothing."""
    value = option.default if option.unsaid in (..., None) else option.unsaid
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(option.rule.plain(value))


def keys_table() -> str:
    anywhere = global_combinations({})
    rows = (
        (code(action), code(key), code(anywhere.get(action, "")), meaning)
        for action, (key, meaning) in DEFAULT_KEYS.items()
    )
    return table(("action", "key", "over a game", "what it does"), rows)


def games_table() -> str:
    return table(("rule", "what it fits"), ((code(r), m) for r, m in GAME_RULES.items()))


def report_table() -> str:
    """Every key of the report, in its order; the parts of one below it."""
    made = make_report(unopened(Settings(), KeyboardInterrupt()))
    return table(("key", "what it is"), report_rows(made))


def report_rows(made: dict[str, Any], above: str = "") -> Iterable[tuple[str, ...]]:
    for key, value in made.items():
        if key == "definitions":
            yield code(key), "this table, in the report itself"
            continue
        yield code(above + key), DEFINITIONS.get(key, "")
        if key == "stage_ms":
            yield from report_rows(value, f"{key}.")


TABLES = {
    "settings.md": {"settings": settings_tables, "keys": keys_table, "games": games_table},
    "report.md": {"report": report_table},
}


def with_tables(file: str, text: str) -> str:
    """The text with the tables between its marks made anew."""
    for name, make in TABLES[file].items():
        begin, end = f"<!-- {name}: made by scripts/reference.py -->", f"<!-- end of {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
        text, found = pattern.subn(lambda _, m=make, b=begin, e=end: f"{b}\n{m()}\n{e}", text)
        if found != 1:
            raise SystemExit(f"docs/{file}: the marks of {name!r} stand there {found} times")
    return text


def main() -> None:
    for file in TABLES:
        path = DOCS / file
        path.write_text(with_tables(file, path.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote docs/{file}")


if __name__ == "__main__":
    main()
