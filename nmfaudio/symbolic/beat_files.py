"""Reading of beats: JAMS documents and tables of annotators."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nmfaudio._common.files.names import show
from nmfaudio._common.files.sources import MALFORMED, Source, read_bytes
from nmfaudio._public import public
from nmfaudio.errors import AudioFileError, AudioWarning, ParameterError
from nmfaudio.symbolic.beats import Beats

_NEED = "need a JAMS file with beat, or rows of seconds and optionally the number of the beat"
_MAX_BYTES = 4 * 2**20  # a day of beats needs half of it
_Row = tuple[float, int | None]  # seconds, and the number of the beat in its bar, from 1


@public
def read_beats(path: Source) -> Beats:
    """Read beats from a JAMS document or a table.

    Parameters
    ----------
    path : str, bytes, os.PathLike or binary file object
        JAMS is recognised by its content. Tables are text in UTF-8, with a beat in each row:
        seconds and optionally the number of the beat in its bar from 1, separated by spaces, tabs
        or commas. A header and lines that begin with ``#`` are passed over.

    Returns
    -------
    Beats
        The first annotation in the namespace ``beat`` of a JAMS document. The number of beats of a
        bar is the commonest; without numbers it is 1, so that each beat begins a bar. Beats are
        compound if the file was written by `nmfaudio.write_notes` and they were.

    Raises
    ------
    AudioFileError
        The file cannot be read, is larger than 4 MiB, has no beats, or they do not increase.

    Warns
    -----
    AudioWarning
        Some bars have another number of beats, since `Beats` have one time signature.

    Examples
    --------
    >>> import io
    >>> import nmfaudio as na
    >>> na.symbolic.read_beats(io.BytesIO(b"0.5 3\\n1.0 1\\n1.5 2\\n2.0 3\\n2.5 1\\n"))
    Beats(5 beats, 120.0 per minute, 3/4)
    """
    label = show(path)
    content = read_bytes(path, _MAX_BYTES, "cut the table")
    compound = False
    if content.lstrip()[:1] == b"{":
        rows, compound = _jams_rows(content, label)
    else:
        rows = _table_rows(content, label)
    per_bar, first = _bars([number for _, number in rows], label)
    try:
        return Beats(np.array([time for time, _ in rows]), per_bar, first, compound)
    except ParameterError as error:
        raise AudioFileError(f"{label}: {error}; correct it") from None


def _jams_rows(content: bytes, label: str) -> tuple[list[_Row], bool]:
    """Rows of the first annotation of beats, and whether they are compound."""
    try:
        annotations = json.loads(content)["annotations"]
        found = next((a for a in annotations if a["namespace"] == "beat"), None)
        if found is None:
            names = ", ".join(sorted({str(a["namespace"]) for a in annotations})) or "none"
            raise AudioFileError(f"{label}: has no beats, but annotations of {names}; {_NEED}")
        data = found["data"]
        if isinstance(data, dict):  # columns
            pairs: Iterable[Any] = zip(data["time"], data["value"], strict=True)
        else:
            pairs = ((row["time"], row["value"]) for row in data)
        signature = (found.get("sandbox") or {}).get("time_signature", (4, 4))
        return [(float(time), _number(value)) for time, value in pairs], signature[1] == 8
    except MALFORMED as error:
        raise AudioFileError(
            f"{label}: a damaged JAMS file: {type(error).__name__} {error}; export it again"
        ) from None


def _table_rows(content: bytes, label: str) -> list[_Row]:
    """Rows of a table."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise AudioFileError(f"{label}: is neither JAMS nor text in UTF-8; {_NEED}") from None
    rows: list[_Row] = []
    has_header = False
    for count, line in enumerate(lines, 1):
        cells = re.split(r"[\s,;]+", line.strip())
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            rows.append((float(cells[0]), _number(cells[1]) if len(cells) > 1 else None))
        except ValueError:
            if rows or has_header:
                raise AudioFileError(
                    f"{label}: line {count}: {line.strip()!r} is no beat; {_NEED}"
                ) from None
            has_header = True
    if not rows:
        raise AudioFileError(f"{label}: has no beats; {_NEED}")
    return rows


def _number(value: Any) -> int | None:
    """Number of a beat in its bar, None where there is none; raises ValueError if it is none."""
    number = math.nan if value in (None, "") else float(value)
    if math.isnan(number) or number < 1:
        return None
    if not number.is_integer():
        raise ValueError(f"{value!r} is no number of a beat")
    return int(number)


def _bars(numbers: Sequence[int | None], label: str) -> tuple[int, int]:
    """Beats of a bar, and the index of the first downbeat."""
    known = [(index, number) for index, number in enumerate(numbers) if number is not None]
    if not known:
        return 1, 0
    downbeats = [index for index, number in known if number == 1]
    lengths = np.diff(downbeats).tolist() or [max(number for _, number in known)]
    per_bar = Counter(lengths).most_common(1)[0][0]
    places = Counter((index - number + 1) % per_bar for index, number in known)
    first = places.most_common(1)[0][0]
    others = len(known) - places[first]
    if others:
        warnings.warn(
            f"{label}: {others} of {len(known)} beats have other numbers than in bars of "
            f"{per_bar} beats from beat {first} on; downbeats are counted in such bars",
            AudioWarning,
            stacklevel=3,
        )
    return per_bar, first
