"""Arguments -> Settings -> a command. Errors end as one sentence on stderr and an exit code."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stylizer.app.options import PLAY_FPS, build_parser
from stylizer.app.run_settings import click_a_window, only_on_x11, pick, run_settings
from stylizer.app.settings_file.keep import FilePresets
from stylizer.app.settings_file.read import read_file, settings_path
from stylizer.app.start_window import choose, has_display
from stylizer.errors import BadInput, StylizerError, one_sentence
from stylizer.settings import Settings
from stylizer.system.ending import GRACE_S, INTERRUPTED, on_signals
from stylizer.system.installed import fitting

LAB_COMMANDS = ("train", "quantize", "prune")
LAB_GRACE_S = 20.0  # a training writes its checkpoint first


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (0, 1 failed while running, 2 bad use)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a dash or a name must not end a run
            stream.reconfigure(errors="backslashreplace")
    if not sys.warnoptions and not os.environ.get("STYLIZER_DEBUG"):
        warnings.simplefilter("ignore")  # libraries' own, which say nothing to a user
    try:
        args = parse(words_or_chosen(sys.argv[1:] if argv is None else argv))
        with on_signals(LAB_GRACE_S if args.command in LAB_COMMANDS else GRACE_S):
            return COMMANDS[args.command](args)
    except StylizerError as error:
        tell(one_sentence(error))
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("STYLIZER_DEBUG"):
            raise
        tell(
            f"unforeseen error, {type(error).__name__}: {one_sentence(error)}; "
            "set STYLIZER_DEBUG=1 for the details and report it"
        )
        return 1


def tell(sentence: str) -> None:
    """One sentence on stderr, where there still is one: the terminal may have been closed."""
    with suppress(OSError):
        print(f"stylizer: {fitting(sentence)}", file=sys.stderr, flush=True)


def words_or_chosen(words: list[str]) -> list[str]:
    """The words of the command line; without any, those of what is chosen in the start window."""
    if words or not has_display():
        return words
    chosen = choose()
    if chosen is None:
        raise SystemExit(0)
    print(f"stylizer: {' '.join(chosen)}", file=sys.stderr, flush=True)
    return chosen


def parse(argv: list[str]) -> argparse.Namespace:
    """Parsed arguments; `run` is meant where no command is named. Raises BadInput."""
    if not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version")):
        argv = ["run", *argv]
    args = build_parser().parse_args(argv)
    if not hasattr(args, "command"):
        raise BadInput("name a command; `stylizer --help` lists them")
    return args


def run_command(args: argparse.Namespace) -> int:
    if args.pick:
        pick(args)
    return run_with(run_settings(args), args)


def play_command(args: argparse.Namespace) -> int:
    if getattr(args, "present", "overlay") != "overlay":
        raise BadInput("play paints over the game itself: `run --window NAME` has other ways")
    args.present = "overlay"
    return run_with(run_settings(args, {"target_fps": PLAY_FPS}), args)


def paint_command(args: argparse.Namespace) -> int:
    from stylizer.painting.make import make

    made = make(args.picture, args.strokes)
    was = "is there already" if made.known else "made"
    tell(f"{made.style}: {was}, painted by the network of {made.network}; --model {made.model}")
    args.model = made.model
    over = getattr(args, "present", "") == "overlay"
    return run_with(run_settings(args, {"target_fps": PLAY_FPS} if over else None), args)


def run_with(settings: Settings, args: argparse.Namespace) -> int:
    """Run, write the report where one is asked for; the exit code."""
    from stylizer.run.pipeline import run
    from stylizer.run.report import make_report, summary, to_json
    from stylizer.run.result import RunResult
    from stylizer.system.console import print_table
    from stylizer.system.files import write_text

    if settings.preset:
        print(f"stylizer: {settings.preset}", file=sys.stderr)

    def write_report(result: RunResult) -> None:
        if settings.report is not None:
            write_text(settings.report, to_json(make_report(result)))

    with progress(settings) as on_present:
        presets = FilePresets(settings_path(getattr(args, "settings", None)))
        result = run(settings, on_present=on_present, on_end=write_report, presets=presets)
    report = make_report(result)
    if settings.present == "offscreen" or settings.report is not None:
        print_table(report, summary(report))
    return INTERRUPTED if result.facts["interrupted"] else 0


@contextmanager
def progress(settings: Settings) -> Iterator[Callable[[Any], None]]:
    """A progress bar for headless runs in a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    shown = settings.present == "offscreen" and console.is_terminal
    with Progress(console=console, disable=not shown, transient=True) as bar:
        task = bar.add_task("painting", total=settings.frames)
        yield lambda stats: bar.update(task, completed=stats.presented)


def bench_command(args: argparse.Namespace) -> int:
    from rich.console import Console

    from stylizer.measure.bench import bench
    from stylizer.run.report import to_json
    from stylizer.system.console import as_page, bench_table
    from stylizer.system.files import write_text
    from stylizer.system.machine import machine

    if args.compression:
        return lab("compare_command", "compare")(args, base_settings(args))
    models = models_to_bench(args)
    console = Console(stderr=True)
    base = base_settings(args)
    with console.status("warming up") as status:
        rows = bench(
            models,
            args.sizes,
            base,
            args.frames,
            args.rounds,
            lambda i, n, case: status.update(
                f"round {i + 1} of {n}: {case.model} at {case.size[0]}x{case.size[1]}"
            ),
        )
    found = {"rows": rows, "machine": machine(rows[0]["machine"]["gl_renderer"])}
    if args.json is not None:
        write_text(args.json, to_json(found))
    table = bench_table(rows)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    if args.html is not None:
        write_text(args.html, as_page(table, "Style models, timed by turns"))
    return 0


def models_to_bench(args: argparse.Namespace) -> list[str]:
    """The models that are compared. Raises BadInput for options that cannot be followed."""
    from stylizer.style import catalog
    from stylizer.system.outputs import Permission, distinct

    if args.md or args.content or args.style or args.vgg:
        raise BadInput("--md, --content, --style and --vgg belong to --compression")
    distinct((args.json, args.html))
    permission = Permission(overwrite=args.overwrite)
    if args.json is not None:
        permission.check(args.json, "json")
    if args.html is not None:
        permission.check(args.html, "page")
    models = args.models.split(",") if args.models else catalog.bench_models()
    if not models:
        raise BadInput("there is no bundled model to bench; name some with --models")
    return models


def models_command(args: argparse.Namespace) -> int:
    from stylizer.style import catalog, inspection
    from stylizer.system.console import print_facts

    settings = base_settings(args)
    if args.what != "export" and (args.to or args.out or args.overwrite):
        raise BadInput("--to, --out and --overwrite belong to `models export`")
    if args.what != "list" and args.model is None:
        raise BadInput(f"`models {args.what}` needs a model: STYLE-TIER or PATH.onnx")
    if args.what == "list":
        found: Any = catalog.list_models()
    elif args.what == "export":
        return export_command(args, settings)
    elif args.what == "inspect":
        found = inspection.inspect(args.model, settings)
    else:
        found = inspection.check(args.model, settings, args.size)
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        print_facts(found)
    return 0


def export_command(args: argparse.Namespace, settings: Settings) -> int:
    if args.to is None:
        raise BadInput("`models export` needs --to PROGRAM: --to mpv")
    from stylizer.style.gl.export import export

    path = export(args.model, args.to, args.out or Path(), settings, args.overwrite)
    print(f"wrote {path}: mpv --glsl-shader={shlex.quote(str(path))} VIDEO")
    return 0


def doctor_command(args: argparse.Namespace) -> int:
    from stylizer.app import bug_report
    from stylizer.app.doctor import examine
    from stylizer.run.report import to_json
    from stylizer.system.console import print_facts
    from stylizer.system.files import write_text
    from stylizer.system.outputs import Permission

    if args.report is not None:
        Permission(overwrite=args.overwrite).check(args.report, "json")
    findings = examine()
    if args.report is not None:
        write_text(args.report, to_json(bug_report.make(findings)))
    if args.json:
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
    return 0 if all(f.works for f in findings if f.needed) else 1


def install_desktop_command(args: argparse.Namespace) -> int:
    from stylizer.app.desktop_files import install

    for path in install(args.remove):
        print(f"{'removed' if args.remove else 'wrote'} {path}")
    return 0


def windows_command(args: argparse.Namespace) -> int:
    from stylizer.source.x11.window_list import list_windows
    from stylizer.system.console import print_facts
    from stylizer.system.x11 import Display

    only_on_x11()
    if args.pick:
        found = [click_a_window()]
    else:
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
        print("no window is open that could be captured")
    return 0


def key_command(args: argparse.Namespace) -> int:
    from stylizer.hotkeys import HELD_ACTIONS
    from stylizer.system.remote import send

    if sys.platform == "win32":
        raise BadInput("`stylizer key` works on Linux and macOS only")
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


def train_command(args: argparse.Namespace) -> int:
    return lab("train_command", "train")(args)


def judge_command(args: argparse.Namespace) -> int:
    return lab("judge_command", "train")(args, base_settings(args))


def quantize_command(args: argparse.Namespace) -> int:
    return lab("quantize_command", "quantize")(args)


def prune_command(args: argparse.Namespace) -> int:
    return lab("prune_command", "prune")(args)


def mosaic_picture_command(args: argparse.Namespace) -> int:
    return lab("mosaic_picture_command", "mosaic_picture")(args)


def flicker_command(args: argparse.Namespace) -> int:
    from stylizer.measure import flicker, following
    from stylizer.style.opening import open_style

    if (args.source == "video") != (args.input is not None):
        raise BadInput("--source video and --input CLIP belong together")
    settings = base_settings(args)
    backend = open_style(settings, args.model, settings.size)
    try:
        followed = following.follow(backend, args.model, settings).as_dict()
        figures = flicker.measure(backend, settings, args.frames).as_dict() | followed
        facts = {"model": backend.model, "provider": backend.provider, "source": settings.source}
    finally:
        backend.close()
    print(json.dumps(facts | {"size": settings.size} | figures, indent=2))
    return 0


def lab(name: str, module: str) -> Callable[..., int]:
    """A command of the lab. Raises BadInput when the lab extra is not installed."""
    try:
        commands = importlib.import_module(f"stylizer.lab.commands.{module}")
    except ModuleNotFoundError as error:
        if error.name in ("torch", "safetensors", "scipy"):
            raise BadInput(
                f"this command needs the package {error.name}: pip install 'stylizer[lab]'"
            ) from error
        raise
    return getattr(commands, name)


def base_settings(args: argparse.Namespace) -> Settings:
    """Settings from whatever options the command has."""
    names = {k: v for k, v in vars(args).items() if k in Settings.__dataclass_fields__}
    return Settings(**{k: v for k, v in names.items() if v is not None})


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": run_command,
    "play": play_command,
    "paint": paint_command,
    "bench": bench_command,
    "models": models_command,
    "doctor": doctor_command,
    "install-desktop": install_desktop_command,
    "windows": windows_command,
    "key": key_command,
    "settings": settings_command,
    "train": train_command,
    "judge": judge_command,
    "quantize": quantize_command,
    "prune": prune_command,
    "mosaic-picture": mosaic_picture_command,
    "flicker": flicker_command,
}
