"""Tables as text for papers and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
}


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, whose first column is aligned left and the others right.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequence of str

    Returns
    -------
    str
        Lines that end with a line feed.
    """
    ruler = ["---", *["---:"] * (len(columns) - 1)]
    cells = [[cell.replace("|", r"\|") for cell in row] for row in (columns, ruler, *rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def csv_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table as comma-separated values.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequence

    Returns
    -------
    str
        Lines that end with a line feed.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns, *rows])
    return text.getvalue()


def latex_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in LaTeX with the rules of the package booktabs.

    Parameters
    ----------
    columns : sequence of str
    rows : sequence of sequence of str

    Returns
    -------
    str
        A ``tabular``; special characters are escaped.
    """
    lines = [" & ".join(map(_latex_text, row)) + r" \\" for row in (columns, *rows)]
    layout = "l" + "r" * (len(columns) - 1)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{layout}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _latex_text(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
