"""What the parts of drum kits sound like, learned from recordings whose hits are known."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio._version import __version__
from nmfaudio.audio.io.samples import as_samples
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.drum_model import drum_bands, hit_transform, nmfd
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factorisation.engine import Callback, generator
from nmfaudio.symbolic.drum_hits import read_hits
from nmfaudio.symbolic.names import DRUM_PARTS, part_named
from nmfaudio.symbolic.note import Note

if TYPE_CHECKING:
    from nmfaudio.audio.io.samples import Audio

Hits = str | os.PathLike[str] | Sequence[Note] | Mapping[str, Iterable[float]]

_EARLY, _LATE = 0.02, 0.012  # s before and after its time that a hit may begin
_LIKELY = 0.003  # s; the further from its time, by this scale, the less likely it does
_SECONDS = 0.046  # of a template
_LONGER = 2  # as long as templates are, what is learned from hits
_OTHER = "other"


def learn_drums(
    pieces: Iterable[tuple[Audio | tuple[np.ndarray, int], Hits]],
    *,
    size: int = 1,
    lags: int | None = None,
    transform: Stft | None = None,
    max_iter: int = 40,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Dictionary:
    """Learn what the parts of drum kits sound like from recordings whose hits are known.

    Convolutive NMF in which each part may begin only where it is hit. All strokes should be named,
    for what is not named is taken for parts of the others. Templates are learned at twice their
    length and cut: how a hit dies away is then not blamed on the next.

    Parameters
    ----------
    pieces : iterable of (audio, hits)
        Audio is a path, or samples and their rate in Hz. Hits are notes with the pitches of General
        MIDI drums, part to seconds, or a table or MIDI file of them (see `read_hits`). Pitches of
        no known part are learned as ``other``.
    size : int
        Components of each part.
    lags : int, optional
        Frames in a template; by default those in 46 ms.
    transform : Stft, optional
        By default frames of 23 ms, 6 ms apart, as `DrumTranscriber` uses.
    max_iter : int
        Iterations.
    callback : callable, optional
        Gets a `Progress` every ten iterations; True stops.
    rng : int, np.random.Generator or None
        Where chance comes from; the same seed gives the same bytes.

    Returns
    -------
    Dictionary
        Labels are parts, in the order kick, snare, hihat, toms, cymbals, then others; each
        component sums to one.

    Raises
    ------
    ParameterError
        There are no pieces, a setting is out of range, or sample rates differ.
    ContentError
        No hit lies within the sound of the recordings.
    AudioFileError
        A file cannot be read.

    References
    ----------
    C. Dittmar and M. Müller, "Reverse engineering the Amen break: score-informed separation and
    restoration applied to drum recordings", IEEE/ACM TASLP 24(9), 2016,
    doi:10.1109/TASLP.2016.2567645.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(8000) / 8000
    >>> y = np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.05)
    >>> na.dictionaries.learn_drums([((y, 8000), {"kick": [0.0]})])
    Dictionary(1 label: kick 1; convolutive of 6 frames and 129 frequencies, stft, 8000 Hz)
    """
    size = as_count(size, "size", low=1)
    spectrograms, hits = [], []
    for audio, struck in pieces:
        y, sr = as_samples(*audio) if isinstance(audio, tuple) else as_samples(audio, None)
        transform = hit_transform(sr) if transform is None else transform
        if sr != transform.sr:
            raise ParameterError(
                f"a piece has a sample rate of {sr} Hz, {transform.sr} Hz is needed; resample it"
            )
        V = analyse(y, transform)
        spectrograms.append(V / (V.mean() or 1))
        hits.append(by_part(struck))
    if transform is None:
        raise ParameterError("there are no pieces; give some (audio, hits)")
    step = transform.hop_seconds
    lags = max(2, round(_SECONDS / step)) if lags is None else as_count(lags, "lags", low=2)
    gates = _gates(spectrograms, hits, step, _LONGER * lags)
    V = np.concatenate(
        [part for V in spectrograms for part in (V, np.zeros((len(V), _LONGER * lags), V.dtype))],
        axis=1,
    )
    W, labels = _templates(V, gates, size, lags, max_iter, callback, generator(rng))
    metadata = {"max_iter": max_iter, "nmfaudio": __version__}
    return Dictionary(W, tuple(labels), transform, kind="convolutive", metadata=metadata)


def by_part(hits: Hits) -> dict[str, list[float]]:
    """The seconds of each part."""
    if isinstance(hits, str | os.PathLike):
        return read_hits(hits)
    found: dict[str, list[float]] = {}
    if isinstance(hits, Mapping):
        for name, seconds in hits.items():
            found.setdefault(part_named(name) or name, []).extend(seconds)
        return found
    for note in hits:
        found.setdefault(part_named(f"{note.pitch:g}") or _OTHER, []).append(note.onset)
    return found


def _gates(
    spectrograms: Sequence[np.ndarray],
    hits: Sequence[Mapping[str, Sequence[float]]],
    step: float,
    gap: int,
) -> dict[str, np.ndarray]:
    """How likely each part begins where, in all pieces one after another with gaps between."""
    there = dict.fromkeys(part for struck in hits for part in struck)
    order = [part for part in DRUM_PARTS if part in there]
    gates = {}
    for part in [*order, *(p for p in there if p not in order)]:
        rows = []
        for V, struck in zip(spectrograms, hits, strict=True):
            times = np.arange(V.shape[1]) * step
            onsets = np.asarray(struck.get(part, []), np.float64)[:, None]
            late = times - onsets
            likely = np.exp(-np.abs(late) / _LIKELY) * ((late >= -_EARLY) & (late <= _LATE))
            rows += [likely.max(axis=0, initial=0.0) * V.any(axis=0), np.zeros(gap)]
        gate = np.concatenate(rows)
        if gate.any():
            gates[part] = gate
    if not gates:
        raise ContentError(
            "no hit lies within the sound of the pieces; give seconds from its start"
        )
    return gates


def _templates(
    V: np.ndarray,
    gates: Mapping[str, np.ndarray],
    size: int,
    lags: int,
    max_iter: int,
    callback: Callback | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Templates of each part, that begin where they may [shape=(lag, freq, component)]."""
    bands = drum_bands(len(V))
    pooled = bands.pool(V)
    labels = [part for part in gates for _ in range(size)]
    H = np.array([gates[part] for part in labels]) * rng.uniform(
        0.5, 1.5, (len(labels), V.shape[1])
    )
    W = pooled.mean(axis=1)[:, None] * rng.uniform(
        0.8, 1.2, (_LONGER * lags, len(pooled), len(labels))
    )
    found = nmfd(pooled, W.astype(V.dtype), H.astype(V.dtype), max_iter=max_iter, callback=callback)
    kept = bands.spread(found.W[:lags])
    sums = kept.sum(axis=(0, 1))
    used = np.flatnonzero((sums > 0) & found.H.any(axis=1))
    return kept[..., used] / sums[used], tuple(labels[k] for k in used)
