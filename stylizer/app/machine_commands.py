"""doctor, windows, key, settings and the desktop entry: this machine and its user."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from stylizer.app.run_settings import click_a_window, only_on_x11
from stylizer.app.settings_file.read import read_file, settings_path
from stylizer.errors import BadInput
from stylizer.system.terminal import tell

if TYPE_CHECKING:
    from stylizer.app.doctor import Finding


def doctor_command(args: argparse.Namespace) -> int:
    from stylizer.app import bug_report
    from stylizer.app.doctor import examine
    from stylizer.run.report import to_json
    from stylizer.system.console import beside
    from stylizer.system.files import write_text
    from stylizer.system.outputs import Permission

    if args.report is not None:
        Permission(overwrite=args.overwrite).check(args.report, "json")
    findings = examine()
    if args.report is not None:
        write_text(args.report, to_json(bug_report.make(findings)))
    with beside(args.report):
        show_findings(findings, args.json)
    return 0 if all(f.works for f in findings if f.needed) else 1


def show_findings(findings: list[Finding], as_json: bool) -> None:
    """Print what works here and what not."""
    from stylizer.system.console import print_facts

    if as_json:
        print(json.dumps([f.as_dict() for f in findings], indent=2))
    else:
        rows = [
            {"": "ok" if f.works else "--", "what": f.what, "found": f.found, "fix": f.fix}
            for f in findings
        ]
        print_facts(rows)
        lacking = [f.what for f in findings if f.needed and not f.works]
        print(
            f"needed and not here: {', '.join(lacking)}" if lacking
            else "All that is needed works; -- marks what only some uses need."
        )  # fmt: skip


def install_desktop_command(args: argparse.Namespace) -> int:
    from stylizer.app.desktop_files import install

    for path in install(args.remove):
        print(f"{'removed' if args.remove else 'wrote'} {path}")
    return 0


def windows_command(args: argparse.Namespace) -> int:
    from stylizer.source.x11.window_list import list_windows, native_windows
    from stylizer.system.console import print_facts
    from stylizer.system.x11 import Display

    only_on_x11()
    others: tuple[str, ...] = ()
    if args.pick:
        found = [click_a_window()]
    else:
        others = native_windows()
        display = Display()
        try:
            found = [window.as_dict() for window in list_windows(display)]
        finally:
            display.close()
    if args.json:
        print(json.dumps(found, indent=2))
    elif found:
        # As text: a pid is a name to be typed, not a quantity with a comma in it.
        words = [(w, "–" if w["pid"] is None else str(w["pid"])) for w in found]
        print_facts([w | {"size": "{}x{}".format(*w["size"]), "pid": pid} for w, pid in words])
    else:
        kind = "X11 window" if others else "window"
        print(f"no {kind} is open that could be captured")
    for words in others:
        tell(words)
    return 0


def key_command(args: argparse.Namespace) -> int:
    from stylizer.hotkeys import DEFAULT_KEYS, HELD_ACTIONS
    from stylizer.system.remote import send

    if sys.platform == "win32":
        raise BadInput("`stylizer key` works on Linux and macOS only")
    if args.sway:
        from stylizer.app.desktop_keys import sway_lines

        file = read_file(settings_path())
        print("\n".join(sway_lines(file.values.get("global_keys", {}))))
        return 0
    if args.action is None:
        raise BadInput(f"which key? name one of {', '.join(DEFAULT_KEYS)}, or --sway")
    if args.release and args.action not in HELD_ACTIONS:
        raise BadInput(f"--release belongs to {', '.join(HELD_ACTIONS)}, not to {args.action}")
    send(args.action, args.release)
    return 0


def settings_command(args: argparse.Namespace) -> int:
    from stylizer.app.settings_file import text
    from stylizer.system.console import print_facts

    path = settings_path(args.settings)
    if args.init:
        text.write_commented_file(path)
        print(f"wrote {path}: every setting is in it, as a comment")
        return 0
    file = read_file(path, required=args.settings is not None)
    if args.json:
        print(json.dumps(text.in_force(file), indent=2))
        return 0
    print(
        f"{path}" if file.exists else f"{path} is not there; `stylizer settings --init` writes it"
    )
    print_facts(text.in_force_rows(file))
    return 0
