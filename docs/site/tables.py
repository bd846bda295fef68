"""Tables that can be read on a phone."""

from __future__ import annotations

import html
import re
from typing import Any

_TABLE = re.compile(r'<table class="table">.*?</table>', re.S)
_HEAD = re.compile(r'<th class="head[^>]*>(.*?)</th>', re.S)
_ROW = re.compile(r"<tr[^>]*>.*?</tr>", re.S)
_CELL = re.compile(r"<td(?=[ >])(.*?)</td>", re.S)
_TAG = re.compile(r"<[^>]+>")
_NUMBER = re.compile(r"[−–+±×<>~%()/.,:\d\s-]*( (s|h|min|MB|GB|GiB|MiB|dB|Hz|kHz|ms))?")
_LONGEST = 60  # letters of a cell of a table of numbers
_MOST_TEXT = 0.5  # of the cells of a table of numbers, besides the first column


def adapt_tables(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    """Tell phones which tables to stack, cell by cell with their headings, and which have numbers.

    In a stacked table each cell needs its heading, which style sheets take from an attribute; the
    first column of a table of numbers stays in view while the others scroll.
    """
    if "body" in context:
        context["body"] = _TABLE.sub(lambda match: adapted(match[0]), context["body"])


def adapted(table: str) -> str:
    """Return a table with its class, and with the headings of its cells if it will be stacked."""
    headings = [_text(heading) for heading in _HEAD.findall(table)]
    rows = [_CELL.findall(row) for row in _ROW.findall(table)]
    others = [_text(f"<td{cell}") for row in rows for cell in row[1:]]
    text = sum(_NUMBER.fullmatch(cell) is None for cell in others)
    brief = max(map(len, others), default=0) <= _LONGEST
    if not headings or (brief and text <= _MOST_TEXT * len(others)):
        return table.replace('class="table"', 'class="table numbers"', 1)
    stacked = table.replace('class="table"', 'class="table stacked"', 1)
    return _ROW.sub(lambda row: _labelled(row[0], headings), stacked)


def _labelled(row: str, headings: list[str]) -> str:
    """Return a row whose cells have their headings as attributes."""
    names = iter(headings)

    def labelled(cell: re.Match[str]) -> str:
        heading = html.escape(next(names, ""))
        return f'<td data-heading="{heading}"{cell[1]}</td>'

    return _CELL.sub(labelled, row)


def _text(markup: str) -> str:
    """Text of HTML."""
    return html.unescape(_TAG.sub("", markup)).strip()
