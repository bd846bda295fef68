"""Frames chosen from spectrograms to stand for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio.kernels.products import product

# Of the loudest stretch of its spectrogram: what is quieter is silence between sounds, or what is
# left of one that dies away, and looks like many. With 1e-3, singing voices came out 1 dB worse.
QUIET = 0.03
SAME = 1e-3  # squared Hellinger distance below which two stretches tell nothing different
_CANDIDATES = 2**26  # numbers at most, a quarter of a GiB in float32


def choose_exemplars(
    spectrograms: Sequence[np.ndarray], size: int, lags: int, rng: np.random.Generator
) -> np.ndarray:
    """Stretches of `lags` frames that are loud enough to matter and unlike one another.

    The first is the loudest. Each further one is drawn with a probability in proportion to the root
    of its loudness times its squared Hellinger distance to the nearest one chosen before, both of
    L1 norm 1: the seeding of k-means++, in which loud frames count more, and quiet ones still
    count. What lies next to a chosen one is never drawn, so that there may be fewer than `size`.

    Parameters
    ----------
    spectrograms : sequence of np.ndarray [shape=(freq, time)]
        No stretch reaches from one into the next; one that is shorter than a stretch goes on with
        zeros.
    size : int
        How many at most.
    lags : int
        Frames in a stretch.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray [shape=(lag, freq, component)]
        Each component sums to one. Where all is silent there are none.

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
    rows = [_long_enough(V, lags) for V in spectrograms]
    levels = [_levels(frames, lags) for frames in rows]
    heard = [(i, t) for i, level in enumerate(levels) for t in _heard(level)]
    room = max(size, _CANDIDATES // (lags * len(spectrograms[0])))
    if len(heard) > room:
        heard = [heard[k] for k in np.sort(rng.choice(len(heard), room, replace=False))]
    if not heard:
        return np.zeros((lags, len(spectrograms[0]), 0), spectrograms[0].dtype)
    stretches = np.stack([rows[i][t : t + lags].ravel() for i, t in heard])
    loudness = np.array([levels[i][t] for i, t in heard])
    chosen = _spread(stretches, loudness, size, rng)
    shares = stretches[chosen] / loudness[chosen, None]
    templates = shares.reshape(len(chosen), lags, -1).astype(stretches.dtype)
    return np.ascontiguousarray(templates.transpose(1, 2, 0))


def loud_frames(V: np.ndarray) -> np.ndarray:
    """The indices of the frames of V that are more than silence between sounds."""
    return _heard(V.sum(axis=0, dtype=np.float64))


def _heard(level: np.ndarray) -> np.ndarray:
    return np.flatnonzero((level > 0) & (level >= QUIET * level.max()))


def _long_enough(V: np.ndarray, lags: int) -> np.ndarray:
    """The frames of V [shape=(time, freq)], followed by silence if they are fewer than `lags`."""
    rows = np.ascontiguousarray(V.T)
    missing = max(lags - len(rows), 0)
    return np.concatenate([rows, np.zeros((missing, len(V)), V.dtype)]) if missing else rows


def _levels(rows: np.ndarray, lags: int) -> np.ndarray:
    """The sum of each stretch."""
    sums = rows.sum(axis=1, dtype=np.float64)
    levels: np.ndarray = np.lib.stride_tricks.sliding_window_view(sums, lags).sum(axis=1)
    return levels


def _spread(
    stretches: np.ndarray, loudness: np.ndarray, size: int, rng: np.random.Generator
) -> list[int]:
    """Which stretches to take: far from one another, loud ones rather than quiet ones."""
    roots = np.ascontiguousarray(np.sqrt(stretches / stretches.sum(axis=1, keepdims=True)).T)
    weight = np.sqrt(loudness)
    chosen = [int(loudness.argmax())]
    distance = np.full(len(loudness), np.inf)
    while len(chosen) < size:
        alike = product(roots.T, roots[:, chosen[-1:]])[:, 0]
        np.minimum(distance, 2 - 2 * alike.astype(np.float64), out=distance)
        odds = np.where(distance > SAME, distance * weight, 0)
        total = odds.sum()
        if total == 0:
            break
        chosen.append(int(rng.choice(len(odds), p=odds / total)))
    return chosen
