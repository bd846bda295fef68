"""Boxes and pictures that assign regions of a spectrogram to sources."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from nmfaudio._common.extras import missing_extra
from nmfaudio._common.files import show
from nmfaudio._common.files.json_files import read_json
from nmfaudio._common.files.sources import read_bytes
from nmfaudio._common.validation import as_number
from nmfaudio.errors import AudioFileError, ContentError, ParameterError

_MAX_PICTURE_BYTES = 64 * 2**20
_MAX_PIXELS = 2**24
_BOX = ("start", "end", "low", "high")


@dataclass(frozen=True)
class Stroke:
    """Region of one source: a box, or a picture over the complete spectrogram.

    Parameters
    ----------
    source : str
        Name of the stem.
    weight : float
        Certainty from 0 to 1 that the region belongs to this source alone.
    start, end : float
        Time range of a box in seconds.
    low, high : float
        Frequency range of a box in Hz.
    image : Path or None
        Picture instead of a box: time from left to right, frequency from 0 at the bottom to half
        the sample rate at the top, white (or opaque) where the source is.
    """

    source: str
    weight: float = 1.0
    start: float = 0.0
    end: float = 0.0
    low: float = 0.0
    high: float = 0.0
    image: Path | None = None


def read_strokes(boxes: str | os.PathLike[str] | Sequence[Mapping[str, Any]]) -> list[Stroke]:
    """Read boxes and pictures.

    Parameters
    ----------
    boxes : path, or sequence of mapping
        A JSON file with a list of boxes, ``{"source": "voice", "start": 1.0, "end": 2.5, "low":
        200, "high": 900, "weight": 1}``, or pictures, ``{"source": "voice", "image":
        "voice.png"}``, with the picture's path relative to the file; or such a list itself.

    Returns
    -------
    list of Stroke
        The entries in their order.

    Raises
    ------
    AudioFileError
        The file cannot be read or is not JSON.
    ParameterError
        An entry is neither a box nor a picture; the message names it and the reason.
    """
    if isinstance(boxes, str | os.PathLike):
        folder = Path(boxes).parent
        return [_stroke(entry, i, folder) for i, entry in enumerate(_entries(boxes))]
    return [_stroke(entry, i, Path()) for i, entry in enumerate(boxes)]


def as_boxes(strokes: Sequence[Stroke]) -> tuple[dict[str, Any], ...]:
    """Return strokes as the mappings that `read_strokes` takes.

    Parameters
    ----------
    strokes : sequence of Stroke

    Returns
    -------
    tuple of dict
        JSON-serialisable; pictures by their absolute path.
    """
    return tuple(
        {"source": each.source, "weight": each.weight}
        | (
            {name: getattr(each, name) for name in _BOX}
            if each.image is None
            else {"image": str(each.image.absolute())}
        )
        for each in strokes
    )


def _entries(path: str | os.PathLike[str]) -> list[Any]:
    """Read the list in a JSON file."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise AudioFileError(f"{show(path)}: must hold a list of boxes, [{{...}}, ...]")
    return entries


def _stroke(entry: Any, number: int, folder: Path) -> Stroke:
    """Validate one entry of a list of boxes and pictures."""
    label = f"box {number + 1}"
    if isinstance(entry, Stroke):
        return entry
    if not isinstance(entry, Mapping) or not isinstance(entry.get("source"), str):
        raise ParameterError(f'{label} has no source; write {{"source": "voice", ...}}')
    unknown = sorted(set(entry) - {"source", "weight", "image", *_BOX})
    if unknown:
        raise ParameterError(
            f"{label} has the unknown key {unknown[0]!r}; choose from source, weight, image, "
            f"{', '.join(_BOX)}"
        )
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
                f"{label} has {names[0]} {first:g} and {names[1]} {last:g}; "
                f"{names[0]} must be lower"
            )
    return Stroke(entry["source"], weight, start, end, low, high)


def rasterise(
    strokes: Sequence[Stroke],
    frequencies: np.ndarray,
    times: np.ndarray,
    dtype: Any,
    *,
    end: float | None = None,
    frames: np.ndarray | None = None,
    pictures: Mapping[Path, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Compute the weight of each source in every bin.

    Parameters
    ----------
    strokes : sequence of Stroke
        Boxes and pictures.
    frequencies : np.ndarray [shape=(freq,)]
        Centres of the bins in Hz, ascending.
    times : np.ndarray [shape=(time,)]
        Centres of the frames in seconds, ascending; of an excerpt, from the beginning of its file.
    dtype : np.dtype
        Type of the weights.
    end : float, optional
        End in seconds of the file; by default that of the frames.
    frames : np.ndarray [shape=(frame,)], optional
        Ascending indices of `times` at which the weights are needed; by default all.
    pictures : mapping of Path to np.ndarray, optional
        Pictures that were read before, see `read_pictures`.

    Returns
    -------
    dict of str to np.ndarray [shape=(freq, frame)]
        Weights from 0 to 1, by source in the order of first appearance. Where strokes of one
        source overlap, the largest weight counts. Boxes outside an excerpt are left out.

    Raises
    ------
    ContentError
        A box lies outside the recording, or all boxes of a source lie outside the excerpt.
    AudioFileError
        A picture cannot be read.
    """
    end = times[-1] if end is None else max(end, times[-1])
    frames = np.arange(len(times)) if frames is None else frames
    pictures = read_pictures(strokes) if pictures is None else pictures
    weights: dict[str, np.ndarray] = {}
    drawn = set()
    for number, stroke in enumerate(strokes, 1):
        shape = len(frequencies), len(frames)
        canvas = weights.setdefault(stroke.source, np.zeros(shape, dtype))
        if stroke.image is not None:
            grid = len(frequencies), len(times)
            pixels = pictures[stroke.image]
            picture = _scaled_picture(pixels, grid, _share(times, end), frames).astype(dtype)
            np.maximum(canvas, picture * dtype.type(stroke.weight), out=canvas)
            drawn.add(stroke.source)
            continue
        check_within(stroke, number, end, frequencies[-1])
        if stroke.end <= times[0] or stroke.start > times[-1]:
            continue
        drawn.add(stroke.source)
        rows = _covered(frequencies, stroke.low, stroke.high)
        covered = _covered(times, stroke.start, stroke.end)
        columns = slice(*np.searchsorted(frames, [covered.start, covered.stop]))
        box = canvas[rows, columns]
        np.maximum(box, dtype.type(stroke.weight), out=box)
    for source in weights:
        if source not in drawn:
            raise ContentError(
                f"no box of {source} lies within {times[0]:.6g}-{times[-1]:.6g} s of the "
                "recording; draw one there, or choose another excerpt"
            )
    return weights


def check_within(stroke: Stroke, number: int, end: float, highest: float) -> None:
    """Refuse a box outside a recording.

    Parameters
    ----------
    stroke : Stroke
        The box.
    number : int
        Its number in messages, from 1 on.
    end : float
        End of the recording in seconds.
    highest : float
        Highest frequency in Hz.

    Raises
    ------
    ContentError
        The box begins after the end, or above the highest frequency.
    """
    if stroke.start > end or stroke.low > highest:
        raise ContentError(
            f"box {number} begins at {stroke.start:g} s and {stroke.low:g} Hz, outside the "
            f"recording, which ends at {end:.6g} s and {highest:g} Hz"
        )


def _share(times: np.ndarray, end: float) -> tuple[float, float]:
    """Begin and end of an excerpt as fractions of its file."""
    if len(times) == 1:
        return 0.0, 1.0
    hop = times[1] - times[0]
    return float(times[0] / end), min(1.0, float((times[-1] + hop) / end))


def _covered(centres: np.ndarray, low: float, high: float) -> slice:
    """Bins with centres from `low` to `high`, or else the one nearest to their middle."""
    first, last = np.searchsorted(centres, [low, high])
    last += int(last < len(centres) and centres[last] == high)
    if first >= last:
        first = int(np.abs(centres - (low + high) / 2).argmin())
        last = first + 1
    return slice(int(first), int(last))


def read_pictures(strokes: Sequence[Stroke]) -> dict[Path, np.ndarray]:
    """Read all pictures among strokes.

    Parameters
    ----------
    strokes : sequence of Stroke

    Returns
    -------
    dict of Path to np.ndarray [shape=(row, column)]
        Weights from 0 to 1 of each picture.

    Raises
    ------
    AudioFileError
        A picture cannot be read.
    """
    return {stroke.image: _read_picture(stroke.image) for stroke in strokes if stroke.image}


def _read_picture(path: Path) -> np.ndarray:
    """Read a picture as weights."""
    try:
        from matplotlib.image import imread
        from PIL.Image import DecompressionBombError, DecompressionBombWarning, open
    except ImportError:
        raise missing_extra("plot", "pictures", "use boxes") from None
    content = read_bytes(path, _MAX_PICTURE_BYTES, "make it smaller")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DecompressionBombWarning)
            with open(BytesIO(content)) as picture:
                width, height = picture.size
        if width * height > _MAX_PIXELS:
            raise AudioFileError(
                f"{show(path)}: has {width} × {height} pixels, at most {_MAX_PIXELS} are read; "
                "make it smaller"
            )
        pixels = np.asarray(imread(BytesIO(content), path.suffix.lstrip(".")))
    except AudioFileError:
        raise
    except DecompressionBombError:
        raise AudioFileError(f"{show(path)}: has too many pixels; make it smaller") from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's errors for broken files
        raise AudioFileError(f"{show(path)}: cannot be read as a picture: {error}") from None
    pixels = pixels / 255.0 if pixels.dtype.kind == "u" else pixels
    if pixels.ndim == 3:
        has_alpha = pixels.shape[2] == 4 and pixels[..., 3].min() < 1
        pixels = pixels[..., 3] if has_alpha else pixels[..., :3].mean(axis=2)
    return pixels


def _scaled_picture(
    pixels: np.ndarray, shape: tuple[int, int], share: tuple[float, float], frames: np.ndarray
) -> np.ndarray:
    """Scale a share of a picture's width to the bins of some frames, by the nearest pixel."""
    rows, columns = (
        np.minimum((first + (np.arange(n) + 0.5) / n * (last - first)) * size, size - 1).astype(int)
        for n, size, (first, last) in zip(shape, pixels.shape, ((0, 1), share), strict=True)
    )
    # The first row of a picture is its top, the first bin the lowest frequency.
    picture: np.ndarray = pixels[::-1][np.ix_(rows, columns[frames])]
    return picture


def painted_frames(strokes: Sequence[Stroke], times: np.ndarray) -> list[np.ndarray]:
    """Return the frames of each box; pictures are over all frames.

    Parameters
    ----------
    strokes : sequence of Stroke
        Boxes and pictures.
    times : np.ndarray [shape=(time,)]
        Centres of the frames in seconds, ascending.

    Returns
    -------
    list of np.ndarray [shape=(frame,)]
        Indices of the frames of each box within the recording.
    """
    boxes = [
        stroke
        for stroke in strokes
        if stroke.image is None and stroke.end > times[0] and stroke.start <= times[-1]
    ]
    everything = np.arange(len(times))
    return [everything[_covered(times, box.start, box.end)] for box in boxes]
