"""What the parts of a drum kit sound like: shipped templates, and bands that fit a kit's sounds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from nmfaudio._common.files import show
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.learning import learn
from nmfaudio.dictionaries.recordings import SUFFIXES
from nmfaudio.errors import AudioFileError, ContentError
from nmfaudio.symbolic.names import DRUM_PARTS, part_named

_SHIPPED = Path(__file__).resolve().parents[1] / "data" / "drums.npz"
_LAST_SINGLE = 24  # bins below this one are bands of their own
_OWN, _OWN_SECONDS, _OWN_ITERATIONS = 4, 0.186, 40  # templates of a part of a kit's own
_WIDTH = 0.06  # of the bands above, as a share of their frequency


@cache
def shipped_kit() -> Dictionary:
    """What ships with the package: kick, snare, hihat, toms and cymbals."""
    return Dictionary.load(_SHIPPED)


def shipped_templates(parts: Sequence[str], transform: Transform) -> np.ndarray:
    """The template of each part that ships with the package, for a transform.

    The templates were learned at 44.1 kHz. For another transform each is interpolated, linearly,
    at the frequencies of its bins in Hz and the times of its frames in seconds; beyond 22.05 kHz
    and after the last frame the nearest value holds. It covers the same stretch of time.

    Parameters
    ----------
    parts : sequence of str
        Labels of the shipped dictionary.
    transform : Transform

    Returns
    -------
    np.ndarray [shape=(lag, freq, part)]
        Each part sums to one.
    """
    known = shipped_kit().select(parts)
    return fitted(known.templates, known.transform, transform)


def fitted(templates: np.ndarray, own: Transform, other: Transform) -> np.ndarray:
    """Convolutive templates of one transform as they are under another; see `shipped_templates`.

    Parameters
    ----------
    templates : np.ndarray [shape=(lag, freq, component)]
    own, other : Transform

    Returns
    -------
    np.ndarray [shape=(lag, freq, component)]
    """
    ratio = other.hop_seconds / own.hop_seconds
    lags = max(1, round(len(templates) / ratio))
    by_time = _interpolated(templates, np.arange(lags) * ratio, axis=0)
    bins = other.frequencies / own.frequencies[1]
    W = _interpolated(by_time, bins, axis=1)
    shares: np.ndarray = W / np.maximum(W.sum(axis=(0, 1)), np.finfo(W.dtype).tiny)
    return shares


def _interpolated(X: np.ndarray, places: np.ndarray, *, axis: int) -> np.ndarray:
    """X between its entries along an axis, linearly; beyond the last it holds."""
    places = np.minimum(places, X.shape[axis] - 1)
    low = places.astype(int)
    high = np.minimum(low + 1, X.shape[axis] - 1)
    share = (places - low).astype(X.dtype).reshape([-1 if a == axis else 1 for a in range(X.ndim)])
    between: np.ndarray = X.take(low, axis) * (1 - share) + X.take(high, axis) * share
    return between


def own_templates(
    folder: str | os.PathLike[str],
    parts: Sequence[str] | None,
    transform: Transform,
    *,
    rng: int | np.random.Generator | None,
) -> Dictionary:
    """Templates of a kit from recordings of its parts, each by itself.

    Parameters
    ----------
    folder : str or os.PathLike
        With a folder for each part, or files whose names begin with the part's (``kick-2.wav``).
        Names of parts that are known (``BD``) are brought to ours, others stay as they are.
    parts : sequence of str, optional
        Those that are wanted; by default all there are.
    transform : Transform
    rng : int, np.random.Generator or None

    Returns
    -------
    Dictionary
        Labels are parts, those of a kit in the order of `DRUM_PARTS`.

    Raises
    ------
    ContentError
        There are no recordings, or none of a part that is wanted.
    AudioFileError
        A recording cannot be read.
    """
    found = _recordings(folder)
    missing = [part for part in parts or () if part not in found]
    if missing or not found:
        there = f"there are {', '.join(found)}" if found else "there are no recordings"
        raise ContentError(
            f"{show(folder)}: holds no {' and no '.join(missing or ['hits'])}, {there}; need "
            "kick/*.wav or kick*.wav, and so on"
        )
    wanted = {part: found[part] for part in parts or found}
    return learn(
        wanted,
        kind="convolutive",
        size=_OWN,
        lags=max(2, round(_OWN_SECONDS / transform.hop_seconds)),
        transform=transform,
        max_iter=_OWN_ITERATIONS,
        resample=True,
        rng=rng,
    )


def _recordings(folder: str | os.PathLike[str]) -> dict[str, list[Path]]:
    """The audio files of each part."""
    try:
        entries = sorted(Path(folder).iterdir())
    except OSError as error:
        raise AudioFileError(f"{show(folder)}: {os.strerror(error.errno or 0)}") from None
    found: dict[str, list[Path]] = {}
    for entry in entries:
        inside = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        files = [file for file in inside if file.suffix.lower() in SUFFIXES]
        if files:
            found.setdefault(_part(entry), []).extend(files)
    order = [part for part in DRUM_PARTS if part in found]
    return {part: found[part] for part in [*order, *(p for p in found if p not in order)]}


def _part(entry: Path) -> str:
    """The part that a folder or a file is of."""
    if entry.is_dir():
        return part_named(entry.name) or entry.name
    begin = re.split(r"[^A-Za-z]", entry.stem, maxsplit=1)[0]
    return part_named(entry.stem) or part_named(begin) or begin or entry.stem


def part_levels(W: np.ndarray, H: np.ndarray, groups: Iterable[Sequence[int]]) -> np.ndarray:
    """How much sound each part begins, frame by frame.

    Parameters
    ----------
    W : np.ndarray [shape=(lag, freq, component)]
    H : np.ndarray [shape=(component, time)]
    groups : iterable of sequence of int
        The components of each part.

    Returns
    -------
    np.ndarray [shape=(part, time)]
        The activations times the sums of their templates.
    """
    levels = W.sum(axis=(0, 1), dtype=np.float64)[:, None].astype(H.dtype) * H
    return np.array([levels[list(members)].sum(axis=0) for members in groups])


@dataclass(frozen=True, eq=False)
class Bands:
    """Neighbouring bins taken together, so that a kit is learned in a tenth of the time.

    Parameters
    ----------
    edges : np.ndarray [shape=(band,)]
        The first bin of each band, ascending from 0.
    n_bins : int
    """

    edges: np.ndarray
    n_bins: int

    @classmethod
    def of(cls, n_bins: int) -> Bands:
        """Single bins below, then bands as wide as a share of their frequency."""
        edges = list(range(min(n_bins, _LAST_SINGLE + 1)))
        while (following := max(edges[-1] + 1, int(edges[-1] * (1 + _WIDTH)))) < n_bins:
            edges.append(following)
        return cls(np.array(edges), n_bins)

    def pool(self, X: np.ndarray) -> np.ndarray:
        """The sum over each band; frequency is the last axis but one."""
        return np.add.reduceat(X, self.edges, axis=-2)

    def spread(self, X: np.ndarray) -> np.ndarray:
        """Each band's value shared out evenly among its bins."""
        widths = np.diff(self.edges, append=self.n_bins)
        even: np.ndarray = np.repeat(X / widths[:, None].astype(X.dtype), widths, axis=-2)
        return even
