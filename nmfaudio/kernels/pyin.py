"""Pitch candidates of frames, and the most likely path through them, for pYIN.

Called by `separators.pyin`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nmfaudio.kernels.jit import inlined_kernel, kernel

TINY = 2.0**-1022  # least normal number; added to what may be 0 before its logarithm


class Periods(NamedTuple):
    """Range of periods in samples, and their conversion to bins of pitch.

    Parameters
    ----------
    shortest, longest : int
        Periods in samples.
    reference : float
        Period of bin 0 in samples.
    bins_per_octave : int
    """

    shortest: int
    longest: int
    reference: float
    bins_per_octave: int


class Prior(NamedTuple):
    """Prior probabilities of the thresholds and of the dips below them.

    Parameters
    ----------
    thresholds : np.ndarray [shape=(threshold,)]
        Ascending.
    shares : np.ndarray [shape=(threshold,)]
        Probability of each threshold.
    decay : float
        Of two successive dips below a threshold, the longer period is less likely by e^−decay.
    no_dip : float
        Probability of the deepest dip where none is below the threshold.
    """

    thresholds: np.ndarray
    shares: np.ndarray
    decay: float
    no_dip: float


@kernel
def observe(
    y: np.ndarray,
    hop: int,
    acf: np.ndarray,
    periods: Periods,
    prior: Prior,
    observed: np.ndarray,
    first: int,
) -> None:
    """Compute the probability of each bin of pitch in some frames.

    Parameters
    ----------
    y : np.ndarray [shape=(sample,)]
        Samples; frame t begins at t · hop.
    hop : int
    acf : np.ndarray [shape=(frame, lag)]
        Autocorrelation of each frame, from lag 0 to the longest period.
    periods : Periods
    prior : Prior
    observed : np.ndarray [shape=(frame, bin)]
        Result, which begins as zeros.
    first : int
        Number of the first frame.
    """
    count = periods.longest - periods.shortest + 1
    curve = np.empty(count)
    dips = np.empty(count, np.int64)
    shares = np.empty(count)
    for n in range(len(acf)):
        _normalised_difference(y, (first + n) * hop, acf[n], periods, curve)
        found = _find_dips(curve, dips)
        if found == 0:
            continue
        _weigh_dips(curve, dips[:found], prior, shares)
        for k in range(found):
            if shares[k] > 0:
                period = periods.shortest + dips[k] + _parabolic_shift(curve, dips[k])
                octaves = math.log2(periods.reference / period)
                bin_index = np.rint(periods.bins_per_octave * octaves)
                if bin_index < observed.shape[1]:
                    observed[n, max(int(bin_index), 0)] = shares[k]


@inlined_kernel
def _normalised_difference(
    y: np.ndarray, start: int, acf: np.ndarray, periods: Periods, curve: np.ndarray
) -> None:
    """Difference of a frame from itself one period later, relative to its mean up to there.

    Equation 8 of de Cheveigné and Kawahara (2002), doi:10.1121/1.1458024.
    """
    energy, total = 0.0, 0.0
    for k in range(1, periods.longest + 1):
        sample = float(y[start + k - 1])
        energy += sample * sample
        difference = 2.0 * (float(acf[0]) - float(acf[k])) - energy
        total += difference
        if k >= periods.shortest:
            curve[k - periods.shortest] = difference / (total / k + TINY)


@inlined_kernel
def _find_dips(curve: np.ndarray, dips: np.ndarray) -> int:
    """Write the indices of local minima, and return their number; a rising curve begins with one.

    Of equal neighbours the first is the minimum.
    """
    found, last = 0, len(curve) - 1
    for i in range(last + 1):
        falls = i == 0 or curve[i] < curve[i - 1]
        rises = i == last or (curve[i] < curve[i + 1] if i == 0 else curve[i] <= curve[i + 1])
        if falls and rises:
            dips[found] = i
            found += 1
    return found


@inlined_kernel
def _weigh_dips(curve: np.ndarray, dips: np.ndarray, prior: Prior, shares: np.ndarray) -> None:
    """Write the probability of each dip, summed over the thresholds."""
    lowest = 0
    for k in range(len(dips)):
        shares[k] = 0.0
        if curve[dips[k]] < curve[dips[lowest]]:
            lowest = k
    fall = math.exp(-prior.decay)
    for n in range(len(prior.thresholds)):
        threshold = prior.thresholds[n]
        below = 0
        for k in range(len(dips)):
            below += curve[dips[k]] < threshold
        if below == 0:
            shares[lowest] += prior.no_dip * prior.shares[n]
            continue
        # Boltzmann distribution over the dips below the threshold, the shortest period first.
        share = prior.shares[n] * (1.0 - fall) / (1.0 - fall**below)
        for k in range(len(dips)):
            if curve[dips[k]] < threshold:
                shares[k] += share
                share *= fall


@inlined_kernel
def _parabolic_shift(curve: np.ndarray, i: int) -> float:
    """Distance from index i to the extremum of the parabola through its neighbours."""
    if i == 0 or i == len(curve) - 1:
        return 0.0
    bend: float = curve[i + 1] + curve[i - 1] - 2.0 * curve[i]
    slope: float = (curve[i + 1] - curve[i - 1]) / 2.0
    if abs(slope) >= abs(bend):  # it would be outside the neighbours
        return 0.0
    return -slope / bend


@kernel
def most_likely_path(
    observed: np.ndarray, stay: np.ndarray, switch: np.ndarray, reach: int
) -> np.ndarray:
    """Most likely sequence of pitch bins, each voiced or unvoiced (Viterbi).

    A bin changes by at most `reach` from frame to frame.

    Parameters
    ----------
    observed : np.ndarray [shape=(time, bin)]
        Probability of each voiced bin; the rest is divided evenly among the unvoiced ones.
    stay, switch : np.ndarray [shape=(2 · reach + 1, bin)]
        Logarithms of the probabilities of a change to a bin from ``bin + d − reach`` for each d:
        with the same voicing, and with the other. Those of sources out of range are not used.
    reach : int

    Returns
    -------
    np.ndarray [shape=(time,)]
        Bin of each frame, plus the number of bins where it is unvoiced.
    """
    frames, bins = observed.shape
    # Scores of both voicings, with −∞ for bins out of range on both sides.
    scores = np.full((2, bins + 2 * reach), -np.inf)
    best = np.empty((2, bins))
    sources = np.zeros((frames, 2, bins), np.int32)
    for t in range(frames):
        if t > 0:
            for voicing in range(2):
                best[voicing] = -np.inf
                # Of equal sources the first counts: voiced before unvoiced, low before high.
                for origin in range(2):
                    table = stay if origin == voicing else switch
                    _extend_paths(scores[origin], table, best[voicing], sources[t, voicing], origin)
        voiced = min(observed[t].sum(), 1.0)
        silence = math.log((1.0 - voiced) / bins + TINY)
        for i in range(bins):
            before, unvoiced_before = (best[0, i], best[1, i]) if t > 0 else (0.0, 0.0)
            scores[0, reach + i] = before + math.log(observed[t, i] + TINY)
            scores[1, reach + i] = unvoiced_before + silence
    path = np.empty(frames, np.int64)
    voicing = 0 if scores[0].max() >= scores[1].max() else 1
    place = int(scores[voicing].argmax()) - reach
    for t in range(frames - 1, -1, -1):
        path[t] = voicing * bins + place
        if t > 0:
            source = sources[t, voicing, place]
            voicing, place = source % 2, place + source // 2 - reach
    return path


@inlined_kernel
def _extend_paths(
    scores: np.ndarray, table: np.ndarray, best: np.ndarray, sources: np.ndarray, origin: int
) -> None:
    """Update the best score of each bin, and its source 2 · d + origin, with paths from `scores`.

    No branch depends on a value, so that the inner loop becomes vector code.
    """
    for d in range(table.shape[0]):
        row, shifted, source = table[d], scores[d:], np.int32(2 * d + origin)
        for i in range(len(best)):
            score = shifted[i] + row[i]
            better = score > best[i]
            best[i] = score if better else best[i]
            sources[i] = source if better else sources[i]
