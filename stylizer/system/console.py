"""How results are printed: tables for people, made with rich."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stylizer.system import page
from stylizer.system.files import descriptor


def bench_table(rows: list[dict[str, Any]]) -> Table:
    """The comparison: model x size, with the ratio to the original."""
    m = rows[0]["machine"]
    table = Table(
        title=f"{m['cpu']}, {m['cores']} cores, {rows[0]['provider']}; "
        f"{rows[0]['frames']} frames a row, lock-step, {m['gl_renderer']}"
    )
    table.add_column("model")
    for name in ("size", "file KB", "styled fps", "p50 ms", "p99 ms", f"x {rows[0]['ratio_to']}"):
        table.add_column(name, justify="right")
    for row in rows:
        times = row["frame_time_ms"]
        table.add_row(
            row["model"],
            "{}x{}".format(*row["size"]),
            f"{row['model_bytes'] / 1000:,.0f}",
            f"{row['styled_fps']:.2f}",
            f"{times['p50']:.1f}",
            "–" if times["p99"] is None else f"{times['p99']:.1f}",
            "–" if row["ratio"] is None else f"{row['ratio']:.2f}",
        )
    return table


def print_table(report: dict[str, Any], lines: list[tuple[str, str]]) -> None:
    """The frame-time table of a run."""
    table = Table(title=f"{report['model']}, {report['provider']}", show_header=False)
    for name, value in lines:
        table.add_row(name, value)
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def print_facts(found: Any) -> None:
    """A list of dicts as a table, a dict as two columns."""
    rows = found if isinstance(found, list) else [{"": k, "value": v} for k, v in found.items()]
    table = Table()
    for name in rows[0] if rows else []:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(as_text(v)) for v in row.values()))  # no markup: "stylizer[cuda]"
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def say(text: str) -> None:
    """What a long command is doing now; standard output is for its result."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def beside(*written: Path | None) -> Iterator[None]:
    """In the block tables go to stderr where one of these files is standard output itself, whose
    reader wants that file and nothing else."""
    if any(path is not None and descriptor(path) == 1 for path in written):
        with redirect_stdout(sys.stderr):
            yield
    else:
        yield


def as_text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{k}: {as_text(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(as_text(v) for v in value)
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def as_page(table: Table, title: str) -> str:
    """A table of the console as an HTML page."""
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    header = [str(column.header) for column in table.columns]
    return page.html(title, [str(table.title)], header, list(zip(*columns, strict=True)))
