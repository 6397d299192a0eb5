"""A page of HTML that holds all it shows: a table and pictures, in light and dark desktops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from stylizer.system.outputs import REMARK

_CSS = """
body { font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1320px; padding: 0 1rem;
  color: #1d2430; background: #fff }
table { border-collapse: collapse; width: 100% } td, th { padding: .3rem .6rem; text-align: right;
  border-bottom: 1px solid #d8dde6 } td:first-child, th:first-child { text-align: left }
figure { margin: 2rem 0 } figcaption { font-weight: 600; margin-bottom: .4rem }
.pair { display: grid; grid-template-columns: 2fr 1fr; gap: 8px; align-items: start }
.pair img { width: 100%; display: block } .crop { image-rendering: pixelated }
@media (prefers-color-scheme: dark) { body { color: #e8ebf0; background: #14171c }
  td, th { border-color: #343b47 } }
"""


def html(
    title: str,
    notes: Iterable[str],
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    figures: str = "",
) -> str:
    """The page, with our mark; figures are HTML already, all else is text."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><style>{_CSS}</style>'
        f"<h1>{escape(title)}</h1>"
        + "".join(f"<p>{escape(note)}</p>" for note in notes)
        + f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        + f"{figures}</html><!-- {REMARK} -->\n"
    )
