"""bench, models, flicker and the lab: what is done with models beside running them."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style.export import PROGRAMS
from stylizer.system.terminal import tell

LAB_PACKAGES = ("torch", "safetensors", "scipy")


def bench_command(args: argparse.Namespace) -> int:
    from rich.console import Console

    from stylizer.measure.bench import bench
    from stylizer.run.report import to_json
    from stylizer.system.console import as_page, bench_table, beside
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
    with beside(args.json, args.html):
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
        for sentence in filter(None, (catalog.unreadable(), *catalog.damaged())):
            tell(sentence)
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
        *others, last = PROGRAMS
        names = f"{', '.join(others)} or {last}"
        raise BadInput(f"`models export` needs --to PROGRAM: --to {names}")
    from stylizer.style.export.files import export

    written = export(args.model, args.to, args.out or Path(), settings, args.overwrite)
    print(f"wrote {' and '.join(map(str, written.paths))}: {written.advice}")
    return 0


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


def learn(*given: Any) -> None:
    """Train beside a picture, in a process of its own: see `run.learning.Lesson`."""
    lab("learn", "learn")(*given)


def lab_missing() -> str:
    """Which package of the lab extra is not installed, and the line that installs it; "" where all
    are there."""
    missing = [n for n in LAB_PACKAGES if importlib.util.find_spec(n) is None]
    if not missing:
        return ""
    return f"training needs the package {missing[0]}: pip install 'stylizer[lab]'"


def lab(name: str, module: str) -> Callable[..., int]:
    """A command of the lab. Raises BadInput when the lab extra is not installed."""
    try:
        commands = importlib.import_module(f"stylizer.lab.commands.{module}")
    except ModuleNotFoundError as error:
        if error.name in LAB_PACKAGES:
            raise BadInput(
                f"this command needs the package {error.name}: pip install 'stylizer[lab]'"
            ) from error
        raise
    return getattr(commands, name)


def base_settings(args: argparse.Namespace) -> Settings:
    """Settings from whatever options the command has."""
    names = {k: v for k, v in vars(args).items() if k in Settings.__dataclass_fields__}
    return Settings(**{k: v for k, v in names.items() if v is not None})
