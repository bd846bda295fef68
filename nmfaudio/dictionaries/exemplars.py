"""Exemplars: frames selected from spectrograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio.kernels.products import product

# Level below which a frame is silence between sounds, or the end of one that dies away, whose
# spectrum fits many sounds; in shares of the highest level of its spectrogram. With 1e-3, singing
# voices were separated 1 dB worse.
QUIET = 0.03
SAME = 1e-3  # squared Hellinger distance below which two exemplars are the same
_CANDIDATES = 2**26  # numbers at most: a quarter of a GiB in float32


def choose_exemplars(
    spectrograms: Sequence[np.ndarray], size: int, lags: int, rng: np.random.Generator
) -> np.ndarray:
    """Select exemplars that are loud and unlike one another, by the seeding of k-means++.

    The first exemplar is the loudest. Each further one is drawn with a probability proportional to
    the square root of its level times its squared Hellinger distance to the nearest exemplar
    selected before. Exemplars nearer than `SAME` to a selected one are never drawn, so that there
    may be fewer than `size`.

    Parameters
    ----------
    spectrograms : sequence of np.ndarray [shape=(freq, time)]
        No exemplar extends from one into the next; those with fewer than `lags` frames are padded
        with zeros.
    size : int
        Maximum number of exemplars.
    lags : int
        Frames of an exemplar.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray [shape=(lag, freq, component)]
        Each component sums to one. Silence has no exemplars.

    References
    ----------
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.

    Examples
    --------
    Two notes, long and short, and silence:

    >>> V = np.zeros((4, 9))
    >>> V[0, :6] = V[1, 6] = 1.0
    >>> chosen = choose_exemplars([V], 5, 1, np.random.default_rng(0))
    >>> chosen[0].T.tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    """
    rows = [_padded(V, lags) for V in spectrograms]
    levels = [_levels(frames, lags) for frames in rows]
    places = [(i, t) for i, level in enumerate(levels) for t in _active(level)]
    limit = max(size, _CANDIDATES // (lags * len(spectrograms[0])))
    if len(places) > limit:
        places = [places[k] for k in np.sort(rng.choice(len(places), limit, replace=False))]
    if not places:
        return np.zeros((lags, len(spectrograms[0]), 0), spectrograms[0].dtype)
    candidates = np.stack([rows[i][t : t + lags].ravel() for i, t in places])
    sums = np.array([levels[i][t] for i, t in places])
    chosen = _spread(candidates, sums, size, rng)
    shares = candidates[chosen] / sums[chosen, None]
    templates = shares.reshape(len(chosen), lags, -1).astype(candidates.dtype)
    return np.ascontiguousarray(templates.transpose(1, 2, 0))


def active_frames(V: np.ndarray) -> np.ndarray:
    """Return the indices of the frames that are louder than silence between sounds.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]

    Returns
    -------
    np.ndarray [shape=(frame,)]
    """
    return _active(V.sum(axis=0, dtype=np.float64))


def _active(levels: np.ndarray) -> np.ndarray:
    return np.flatnonzero((levels > 0) & (levels >= QUIET * levels.max()))


def _padded(V: np.ndarray, lags: int) -> np.ndarray:
    """Frames of V, padded with silence to at least `lags` [shape=(time, freq)]."""
    rows = np.ascontiguousarray(V.T)
    missing = max(lags - len(rows), 0)
    return np.concatenate([rows, np.zeros((missing, len(V)), V.dtype)]) if missing else rows


def _levels(rows: np.ndarray, lags: int) -> np.ndarray:
    """Sum of the `lags` frames from each frame on."""
    sums = rows.sum(axis=1, dtype=np.float64)
    levels: np.ndarray = np.lib.stride_tricks.sliding_window_view(sums, lags).sum(axis=1)
    return levels


def _spread(
    candidates: np.ndarray, levels: np.ndarray, size: int, rng: np.random.Generator
) -> list[int]:
    """Indices of candidates that are far from one another, preferably loud ones."""
    # For p, q of sum 1, the squared Hellinger distance is 2 - 2 Σ √p √q.
    roots = np.ascontiguousarray(np.sqrt(candidates / candidates.sum(axis=1, keepdims=True)).T)
    weight = np.sqrt(levels)
    chosen = [int(levels.argmax())]
    distance = np.full(len(levels), np.inf)  # to the nearest chosen one
    while len(chosen) < size:
        affinity = product(roots.T, roots[:, chosen[-1:]])[:, 0]
        np.minimum(distance, 2 - 2 * affinity.astype(np.float64), out=distance)
        odds = np.where(distance > SAME, distance * weight, 0)
        total = odds.sum()
        if total == 0:
            break
        chosen.append(int(rng.choice(len(odds), p=odds / total)))
    return chosen
