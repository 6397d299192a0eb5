"""run, play and paint: from parsed arguments to a run and its report."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stylizer.app.options import EXPORT_S, PLAY_FPS, TRAIN_STEPS
from stylizer.app.run_settings import pick, run_settings
from stylizer.app.settings_file.keep import FilePresets
from stylizer.app.settings_file.read import settings_path
from stylizer.errors import BadInput
from stylizer.settings import USUAL_SHARE, Settings
from stylizer.system.ending import INTERRUPTED
from stylizer.system.installed import fitting
from stylizer.system.terminal import tell

if TYPE_CHECKING:
    from stylizer.run.learning import Lesson

PLAY = {"target_fps": PLAY_FPS, "game_share": USUAL_SHARE}  # over a game, where nobody says more


def run_command(args: argparse.Namespace) -> int:
    if args.pick:
        pick(args)
    return run_with(run_settings(args), args)


def play_command(args: argparse.Namespace) -> int:
    if getattr(args, "present", "overlay") != "overlay":
        raise BadInput("play paints over the game itself: `run --window NAME` has other ways")
    args.present = "overlay"
    program: list[str] | None = getattr(args, "program", None)
    if (program is None) == (getattr(args, "window", None) is None):
        raise BadInput("play which game? name its window, or start it: `stylizer play -- PROGRAM`")
    if program is not None:
        from stylizer.app.start_game import start_game

        if not program:
            raise BadInput("play -- which program? write it and its own options behind")
        args.window = program[0]
        run_settings(args, PLAY)  # what is wrong with our own words is said before a game starts
        args.window = start_game(program)
    return run_with(run_settings(args, PLAY), args)


def paint_command(args: argparse.Namespace) -> int:
    from stylizer.painting.make import make, mixed
    from stylizer.style import catalog

    if not args.train and (args.steps or args.export_every):
        raise BadInput("--steps and --export-every belong to --train")

    style = str(args.picture)
    if args.strokes and not args.picture.exists() and style in catalog.styles():
        made = mixed(style, args.strokes)
    else:
        made = make(args.picture, args.strokes)
    was = "is there already" if made.known else "made"
    tell(f"{made.style}: {was}, painted by the network of {made.network}; --model {made.model}")
    lesson = lesson_of(made.style, args) if args.train else None
    args.model = made.model
    over = getattr(args, "present", "") == "overlay"
    return run_with(run_settings(args, PLAY if over else None), args, lesson)


def lesson_of(style: str, args: argparse.Namespace) -> Lesson:
    """What `--train` trains beside the picture; where the lab is missing it is told, and the run
    goes on without."""
    from stylizer.app.model_commands import lab_missing, learn
    from stylizer.run.learning import Lesson
    from stylizer.system.resources import own_styles_folder

    if not (own_styles_folder() / f"{style}-fast.onnx").exists():
        raise BadInput(f"--train: {style} is bundled and stays as it is; give a picture")
    missing = lab_missing()
    if missing:
        tell(missing)
    steps, every_s = args.steps or TRAIN_STEPS, args.export_every or EXPORT_S
    return Lesson(style, steps, every_s, learn, fitting(missing))


def run_with(settings: Settings, args: argparse.Namespace, lesson: Lesson | None = None) -> int:
    """Run, write the report where one is asked for; the exit code. lesson: what is trained."""
    from stylizer.run.opened import opens_nothing
    from stylizer.run.pipeline import run
    from stylizer.run.report import make_report, summary, to_json
    from stylizer.run.result import RunResult
    from stylizer.system.console import beside, print_table
    from stylizer.system.files import write_text

    if settings.preset:
        tell(settings.preset)

    def write_report(result: RunResult) -> None:
        if settings.report is not None:
            write_text(settings.report, to_json(make_report(result)))

    with progress(settings) as on_present:
        presets = FilePresets(settings_path(getattr(args, "settings", None)))
        result = run(
            settings, on_present=on_present, on_end=write_report, presets=presets, lesson=lesson,
            opened_ahead=getattr(args, "opened_ahead", opens_nothing),
        )  # fmt: skip
    report = make_report(result)
    if settings.present == "offscreen" or settings.report is not None:
        with beside(settings.report, settings.screenshot):
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
