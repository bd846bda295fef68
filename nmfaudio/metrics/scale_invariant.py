"""SI-SDR, and which estimate belongs to which reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nmfaudio._common.validation import as_audio
from nmfaudio.errors import ContentError, ParameterError, ShapeError

_BEYOND = 1e4  # dB: stands for infinity where a finite number is needed; float64 never gets there


def si_sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, higher is better.

    The estimate is split into the multiple of the reference nearest to it and the rest; this is
    the ratio of their energies. The scale of either signal does not matter. Several channels count
    as one long signal, so that their balance does. The mean is not removed.

    Parameters
    ----------
    reference : np.ndarray [shape=(channel, sample) or (sample,)]
        The true source, not silent.
    estimate : np.ndarray [shape=(channel, sample) or (sample,)]
        What a separation made of it, of the same shape.

    Returns
    -------
    float
        Infinity where the estimate is a multiple of the reference to the last bit, minus infinity
        where it has nothing of it or is silent.

    Raises
    ------
    ShapeError, ParameterError
        The shapes differ, or either is not audio.
    ContentError
        The reference is silent, or either holds NaN or infinity.

    References
    ----------
    J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR: half-baked or well done?",
    ICASSP 2019, doi:10.1109/ICASSP.2019.8683855.

    Examples
    --------
    >>> si_sdr(np.array([1.0, 0.0, -1.0]), np.array([1.0, 1.0, -1.0]))
    3.010299956639812
    """
    r, e = as_audio(reference, "reference"), as_audio(estimate, "estimate")
    if r.shape != e.shape:
        raise ShapeError(
            f"the estimate has shape {e.shape} and the reference {r.shape}; they must be the same"
        )
    if not r.any():
        raise ContentError("the reference is silent; SI-SDR needs one with a signal")
    if not e.any():
        return -math.inf
    r, e = _normalised(r), _normalised(e)
    target = (e @ r) / (r @ r) * r
    rest = e - target
    wanted, unwanted = float(target @ target), float(rest @ rest)
    if unwanted == 0:
        return math.inf
    return 10 * math.log10(wanted / unwanted) if wanted > 0 else -math.inf


def best_assignment(
    references: Sequence[np.ndarray], estimates: Sequence[np.ndarray]
) -> tuple[int, ...]:
    """Which estimate to take for which reference, for the highest mean SI-SDR.

    Parameters
    ----------
    references : sequence of np.ndarray [shape=(channel, sample) or (sample,)]
        The true sources, none of them silent.
    estimates : sequence of np.ndarray [shape=(channel, sample) or (sample,)]
        At least as many, in any order.

    Returns
    -------
    tuple of int
        ``estimates[result[i]]`` belongs to ``references[i]``; each estimate is taken once at most.

    Raises
    ------
    ParameterError
        There are fewer estimates than references.
    ShapeError, ContentError
        As for `si_sdr`.

    Examples
    --------
    >>> a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    >>> best_assignment([a, b], [b + 0.1, a])
    (1, 0)
    """
    if len(estimates) < len(references):
        raise ParameterError(
            f"there are {len(estimates)} estimates for {len(references)} references; "
            "each reference needs one of its own"
        )
    return assign(np.array([[si_sdr(r, e) for e in estimates] for r in references]))


def assign(scores: np.ndarray) -> tuple[int, ...]:
    """The column for each row, none of them twice, with the highest sum of `scores`.

    Parameters
    ----------
    scores : np.ndarray [shape=(reference, estimate)]
        In dB, at least as many columns as rows. NaN counts as minus infinity.

    Returns
    -------
    tuple of int
    """
    from scipy.optimize import linear_sum_assignment

    known = np.nan_to_num(scores, nan=-_BEYOND, posinf=_BEYOND, neginf=-_BEYOND)
    _, chosen = linear_sum_assignment(known, maximize=True)
    return tuple(int(k) for k in chosen)


def _normalised(y: np.ndarray) -> np.ndarray:
    """All samples in one float64 vector with peak 1, so that no square over- or underflows."""
    flat = y.astype(np.float64).ravel()
    flat /= np.abs(flat).max()
    return flat
