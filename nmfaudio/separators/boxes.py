"""What somebody painted over a spectrogram: boxes and pictures that say which source is where."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio._common.files import show
from nmfaudio._common.files.sources import open_source
from nmfaudio._common.validation import as_number
from nmfaudio.errors import AudioFileError, ContentError, MissingExtraError, ParameterError

_BOX = ("start", "end", "low", "high")
_LARGEST = 64 * 2**20  # bytes of a file of boxes


@dataclass(frozen=True)
class Stroke:
    """A box, or a picture over all of the recording, that says where a source is.

    Parameters
    ----------
    source : str
        The name of the stem.
    weight : float
        0 to 1: how sure it is that only this source is heard there.
    start, end : float
        Seconds of a box.
    low, high : float
        Hz of a box.
    image : Path or None
        A picture instead of the box: time from left to right, frequency from 0 at the bottom to
        half the sample rate at the top, white (or opaque) where the source is.
    """

    source: str
    weight: float = 1.0
    start: float = 0.0
    end: float = 0.0
    low: float = 0.0
    high: float = 0.0
    image: Path | None = None


def read_strokes(given: str | os.PathLike[str] | Sequence[Mapping[str, Any]]) -> list[Stroke]:
    """Read what was painted.

    Parameters
    ----------
    given : path, or sequence of mapping
        A JSON file with a list of boxes, ``{"source": "voice", "start": 1.0, "end": 2.5, "low":
        200, "high": 900, "weight": 1}``, or pictures, ``{"source": "voice", "image":
        "voice.png"}``, with the picture's path relative to the file; or such a list itself.

    Returns
    -------
    list of Stroke

    Raises
    ------
    AudioFileError
        The file cannot be read, or is no JSON.
    ParameterError
        An entry is no box and no picture; the message says which and why.
    """
    if isinstance(given, str | os.PathLike):
        return [_stroke(one, i, Path(given).parent) for i, one in enumerate(_entries(given))]
    return [_stroke(one, i, Path()) for i, one in enumerate(given)]


def _entries(path: str | os.PathLike[str]) -> list[Any]:
    file, size = open_source(path)
    with file:
        if size > _LARGEST:
            raise AudioFileError(f"{show(path)}: has {size} bytes; at most {_LARGEST} are read")
        content = file.read()
    try:
        entries = json.loads(content)
    except ValueError as error:
        raise AudioFileError(f"{show(path)}: is no JSON: {error}") from None
    if not isinstance(entries, list):
        raise AudioFileError(f"{show(path)}: must hold a list of boxes, [{{...}}, ...]")
    return entries


def _stroke(entry: Any, number: int, folder: Path) -> Stroke:
    label = f"box {number + 1}"
    if isinstance(entry, Stroke):
        return entry
    if not isinstance(entry, Mapping) or not isinstance(entry.get("source"), str):
        raise ParameterError(f'{label} names no source; write {{"source": "voice", ...}}')
    unknown = sorted(set(entry) - {"source", "weight", "image", *_BOX})
    if unknown:
        raise ParameterError(f"{label} has {unknown[0]!r}; known are {', '.join(_BOX)}, weight, "
                             "image and source")  # fmt: skip
    weight = as_number(entry.get("weight", 1.0), f"weight of {label}", low=0)
    if weight > 1:
        raise ParameterError(f"weight of {label} is {weight:g}; it must be from 0 to 1")
    if "image" in entry:
        return Stroke(entry["source"], weight, image=folder / str(entry["image"]))
    missing = [name for name in _BOX if name not in entry]
    if missing:
        raise ParameterError(
            f"{label} has no {missing[0]!r}; a box needs start and end (s), low and high (Hz)"
        )
    start, end, low, high = (as_number(entry[name], f"{name} of {label}", low=0) for name in _BOX)
    for names, first, last in ((_BOX[:2], start, end), (_BOX[2:], low, high)):
        if first >= last:
            raise ParameterError(
                f"{label} has {names[0]} {first:g} and {names[1]} {last:g}; the first must be lower"
            )
    return Stroke(entry["source"], weight, start, end, low, high)


def rasterise(
    strokes: Sequence[Stroke], frequencies: np.ndarray, times: np.ndarray, dtype: Any
) -> dict[str, np.ndarray]:
    """How surely each bin belongs to each source.

    Parameters
    ----------
    strokes : sequence of Stroke
    frequencies : np.ndarray [shape=(freq,)]
        In Hz, ascending.
    times : np.ndarray [shape=(time,)]
        In seconds, ascending.
    dtype : np.dtype

    Returns
    -------
    dict of str to np.ndarray [shape=(freq, time)]
        Values from 0 to 1; sources in the order in which they first appear. Where strokes of one
        source overlap, the surest counts.

    Raises
    ------
    ContentError
        A box lies outside the recording, or a picture cannot be used.
    """
    painted: dict[str, np.ndarray] = {}
    for number, stroke in enumerate(strokes, 1):
        shape = len(frequencies), len(times)
        canvas = painted.setdefault(stroke.source, np.zeros(shape, dtype))
        if stroke.image is not None:
            shades = _shades(stroke.image, shape).astype(dtype)
            np.maximum(canvas, shades * dtype.type(stroke.weight), out=canvas)
            continue
        if stroke.start > times[-1] or stroke.low > frequencies[-1]:
            raise ContentError(
                f"box {number} begins at {stroke.start:g} s and {stroke.low:g} Hz, outside the "
                f"recording, which ends at {times[-1]:.3g} s and {frequencies[-1]:g} Hz"
            )
        rows = _covered(frequencies, stroke.low, stroke.high)
        columns = _covered(times, stroke.start, stroke.end)
        box = canvas[rows, columns]
        np.maximum(box, dtype.type(stroke.weight), out=box)
    return painted


def _covered(centres: np.ndarray, low: float, high: float) -> slice:
    """The bins with centres in between, or the one nearest to the middle where there is none."""
    first, last = np.searchsorted(centres, [low, high])
    last += int(last < len(centres) and centres[last] == high)
    if first >= last:
        first = int(np.abs(centres - (low + high) / 2).argmin())
        last = first + 1
    return slice(int(first), int(last))


def _shades(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """A picture as weights on a grid, each bin taking the nearest dot."""
    try:
        from matplotlib.image import imread
    except ImportError:
        raise MissingExtraError(
            "pictures need matplotlib; pip install 'nmfaudio[plot]', or use boxes"
        ) from None
    try:
        dots = np.asarray(imread(path))
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for broken files
        raise AudioFileError(f"{show(path)}: cannot be read as a picture: {error}") from None
    dots = dots / 255.0 if dots.dtype.kind == "u" else dots
    if dots.ndim == 3:
        see_through = dots.shape[2] == 4 and dots[..., 3].min() < 1
        dots = dots[..., 3] if see_through else dots[..., :3].mean(axis=2)
    rows, columns = (
        np.minimum((np.arange(n) + 0.5) * size / n, size - 1).astype(int)
        for n, size in zip(shape, dots.shape, strict=True)
    )
    shades: np.ndarray = dots[::-1][np.ix_(rows, columns)]
    return shades
