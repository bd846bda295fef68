"""Templates of the parts of drum kits, learned from recordings whose hits are known."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio._common.validation import as_count, as_pair
from nmfaudio._version import __version__
from nmfaudio.audio.io.samples import as_samples
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.drum_detection import hit_transform
from nmfaudio.dictionaries.drum_model import drum_bands, nmfd
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factorisation.engine import Callback, generator
from nmfaudio.symbolic.conversion import Notes, as_notes
from nmfaudio.symbolic.drum_hits import read_hits
from nmfaudio.symbolic.names import DRUM_PARTS, part_named

if TYPE_CHECKING:
    from nmfaudio.audio.io.samples import Audio

Hits = Notes | Mapping[str, Iterable[float]]

_EARLY, _LATE = 0.02, 0.012  # s before and after its annotated time that a hit may begin
_TIME_SCALE = 0.003  # s in which the initial activation falls to 1/e around the annotated time
_SECONDS = 0.046  # of a template
_LEARNED_LENGTH = 2  # length of the learned templates, in lengths of the returned ones
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
    """Learn the templates of the parts of drum kits from recordings whose hits are known.

    Convolutive NMF in which the activations of a part are zero away from its hits. All hits should
    be annotated, since the sound of the others enters the templates of these. Templates are learned
    at twice their length and cut, so that the decay of a hit does not enter the template of the
    next.

    Parameters
    ----------
    pieces : iterable of (audio, hits)
        Audio is a path, or samples and their rate in Hz. Hits are notes with the pitches of General
        MIDI drums, a mapping of parts to seconds, or a table or MIDI file of them; see `read_hits`.
        Pitches of no known part are learned as ``other``.
    size : int
        Number of components of each part.
    lags : int, optional
        Number of frames of a template; by default those in 46 ms.
    transform : Stft, optional
        By default frames of 23 ms every 6 ms, as `DrumTranscriber` uses.
    max_iter : int
        Number of iterations.
    callback : callable, optional
        Gets a `Progress` every ten iterations; True stops iterating.
    rng : int, np.random.Generator or None
        Seed or generator; the same seed gives the same bytes.

    Returns
    -------
    Dictionary
        Labels are parts, in the order kick, snare, hihat, toms, cymbals, then others. Each
        component sums to one.

    Raises
    ------
    ParameterError
        There are no pieces, a setting is out of range, or sample rates differ.
    ContentError
        No hit lies where a recording has sound.
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
    for piece in pieces:
        audio, annotation = as_pair(piece, "pieces", "(audio, hits)")
        y, sr = as_samples(*audio) if isinstance(audio, tuple) else as_samples(audio, None)
        transform = hit_transform(sr) if transform is None else transform
        if sr != transform.sr:
            raise ParameterError(
                f"a piece has a sample rate of {sr} Hz, not {transform.sr} Hz; resample it"
            )
        V = analyse(y, transform)
        spectrograms.append(V / (V.mean() or 1))
        hits.append(hits_by_part(annotation))
    if transform is None:
        raise ParameterError("no pieces; give at least one (audio, hits)")
    hop = transform.hop_seconds
    lags = max(2, round(_SECONDS / hop)) if lags is None else as_count(lags, "lags", low=2)
    # Pieces follow one another, with gaps that no template bridges.
    length = _LEARNED_LENGTH * lags
    gates = _gates(spectrograms, hits, hop, length)
    gap = np.zeros((len(spectrograms[0]), length), spectrograms[0].dtype)
    V = np.concatenate([part for piece in spectrograms for part in (piece, gap)], axis=1)
    W, labels = _templates(V, gates, size, lags, max_iter, callback, generator(rng))
    metadata = {"max_iter": max_iter, "nmfaudio": __version__}
    return Dictionary(W, tuple(labels), transform, kind="convolutive", metadata=metadata)


def hits_by_part(hits: Hits) -> dict[str, list[float]]:
    """Return the times of the hits of each part in seconds.

    Parameters
    ----------
    hits : path, notes in any form of `as_notes`, or mapping of str to iterable of float
        As for `learn_drums`.

    Returns
    -------
    dict of str to list of float
    """
    if isinstance(hits, str | os.PathLike):
        return read_hits(hits)
    times: dict[str, list[float]] = {}
    if isinstance(hits, Mapping):
        for name, seconds in hits.items():
            times.setdefault(part_named(name) or name, []).extend(seconds)
        return times
    for note in as_notes(hits, "hits"):
        times.setdefault(part_named(f"{note.pitch:g}") or _OTHER, []).append(note.onset)
    return times


def _gates(
    spectrograms: Sequence[np.ndarray],
    hits: Sequence[Mapping[str, Sequence[float]]],
    hop: float,
    gap: int,
) -> dict[str, np.ndarray]:
    """Initial activations of each part [shape=(time,)], with gaps of zeros after all pieces."""
    annotated = dict.fromkeys(part for piece in hits for part in piece)
    order = [part for part in DRUM_PARTS if part in annotated]
    gates = {}
    for part in [*order, *(p for p in annotated if p not in order)]:
        rows = []
        for V, piece in zip(spectrograms, hits, strict=True):
            times = np.arange(V.shape[1]) * hop
            onsets = np.asarray(piece.get(part, []), np.float64)[:, None]
            delay = times - onsets  # (hit, time)
            near = (delay >= -_EARLY) & (delay <= _LATE)
            likelihood = np.exp(-np.abs(delay) / _TIME_SCALE) * near
            rows += [likelihood.max(axis=0, initial=0.0) * V.any(axis=0), np.zeros(gap)]
        gate = np.concatenate(rows)
        if gate.any():
            gates[part] = gate
    if not gates:
        raise ContentError(
            "no hit lies where the pieces have sound; give seconds from the start of a piece"
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
    """Templates with their labels [shape=(lag, freq, component)]."""
    bands = drum_bands(len(V))
    pooled = bands.pool(V)
    labels = [part for part in gates for _ in range(size)]
    H = np.array([gates[part] for part in labels]) * rng.uniform(
        0.5, 1.5, (len(labels), V.shape[1])
    )
    W = pooled.mean(axis=1)[:, None] * rng.uniform(
        0.8, 1.2, (_LEARNED_LENGTH * lags, len(pooled), len(labels))
    )
    fit = nmfd(pooled, W.astype(V.dtype), H.astype(V.dtype), max_iter=max_iter, callback=callback)
    templates = bands.spread(fit.W[:lags])
    sums = templates.sum(axis=(0, 1))
    used = np.flatnonzero((sums > 0) & fit.H.any(axis=1))
    return templates[..., used] / sums[used], tuple(labels[k] for k in used)
