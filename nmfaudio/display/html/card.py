"""One piece of HTML from a title, a table with players, a picture and remarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from nmfaudio.display.html.picture import Picture
from nmfaudio.display.html.players import Players, encode_players

MOST_BYTES = 1_500_000
"""Largest size of a piece, most of it the sound of its players."""
MOST_ROWS = 12
"""Largest number of rows of a table."""

_TEXT_BYTES = 100_000  # room for the text
_LONGEST = 80  # letters of a cell, so that the text fits
_CELL = "padding:.3em .9em .3em 0;text-align:{};vertical-align:middle;white-space:nowrap"
_DIM = "margin:.4em 0;opacity:.75;font-size:90%"
# Viewers that remove players, as GitHub does, show the text within them.
_WITHOUT_SOUND = "run the notebook to listen"


@dataclass(frozen=True, eq=False)
class Row:
    """Row of a table.

    Parameters
    ----------
    cells : sequence of str
        The first is a name, the others are values.
    sound : np.ndarray [shape=(channel, sample)], optional
        Sound that a player at the end of the row plays.
    strong : bool
        Whether the row stands out.
    """

    cells: Sequence[str]
    sound: np.ndarray | None = None
    strong: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Card:
    """Contents of a piece of HTML.

    Parameters
    ----------
    title : str
        Kind of the result.
    facts : sequence of str
        Phrases beside the title.
    columns : sequence of str
        Headings of the table, that of the names first.
    rows : sequence of Row
        Rows of the table, of which `MOST_ROWS` are shown.
    sr : int, optional
        Sample rate of all sounds in Hz.
    samples : int, optional
        Length of the recording; by default that of the longest sound.
    picture : Picture, optional
    remarks : sequence of str
        Sentences below.
    """

    title: str
    facts: Sequence[str]
    columns: Sequence[str] = ()
    rows: Sequence[Row] = ()
    sr: int | None = None
    samples: int | None = None
    picture: Picture | None = None
    remarks: Sequence[str] = ()

    def html(self) -> str:
        """Build the HTML, of at most `MOST_BYTES`.

        Returns
        -------
        str
        """
        rows = self.rows[:MOST_ROWS]
        image, missing = ("", "") if self.picture is None else self.picture.html()
        sounds = [row.sound for row in rows]
        players = encode_players(
            sounds, self.sr, limit=MOST_BYTES - _TEXT_BYTES - len(image), whole=self.samples
        )
        omitted = len(self.rows) - len(rows)
        remarks = [
            f"{omitted} more {'row is' if omitted == 1 else 'rows are'} not shown." * bool(omitted),
            players.remark,
            *self.remarks,
            missing,
        ]
        heading = " · ".join([f"<strong>{escape(self.title)}</strong>", *map(_text, self.facts)])
        return "\n".join(
            filter(
                None,
                [
                    '<div style="max-width:900px;overflow-x:auto">',
                    f'<p style="margin:.4em 0">{heading}</p>',
                    self._table(rows, players) if rows else "",
                    image,
                    *(f'<p style="{_DIM}">{_text(text, 400)}</p>' for text in remarks if text),
                    "</div>",
                ],
            )
        )

    def _table(self, rows: Sequence[Row], players: Players) -> str:
        """Table of the rows; players are in a column of their own if there are any."""
        sounding = any(players.sources)
        headings = [*self.columns, *(["listen"] if sounding else [])]
        numbers = len(self.columns)
        head = "".join(_cell("th", _text(text), i, numbers) for i, text in enumerate(headings))
        lines = []
        for row, source in zip(rows, players.sources, strict=True):
            texts = [f"<strong>{_text(c)}</strong>" if row.strong else _text(c) for c in row.cells]
            if sounding:
                texts.append(_player(row.cells[0], source) if source else "")
            cells = "".join(_cell("td", text, i, numbers) for i, text in enumerate(texts))
            lines.append(f"<tr>{cells}</tr>")
        return (
            '<table style="border-collapse:collapse;margin:.4em 0">'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody></table>"
        )


def _cell(tag: str, content: str, i: int, numbers: int) -> str:
    """Cell of a table: names and players are aligned left, values right."""
    style = _CELL.format("right" if 0 < i < numbers else "left")
    return f'<{tag} style="{style}">{content}</{tag}>'


def _player(name: str, source: str) -> str:
    """Player with the name of its row for screen readers."""
    return (
        f'<audio controls preload="metadata" aria-label="{_text(name)}" src="{source}" '
        f'style="height:34px;width:280px;vertical-align:middle">{_WITHOUT_SOUND}</audio>'
    )


def _text(text: str, longest: int = _LONGEST) -> str:
    """Escaped text, cut where it is longer than a line."""
    return escape(text if len(text) <= longest else text[: longest - 1] + "…")
