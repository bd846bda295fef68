"""SI-SDR, and the assignment of estimates to references."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nmfaudio._common.validation import as_audio
from nmfaudio.errors import ContentError, ParameterError, ShapeError

_INFINITE = 1e4  # dB, in place of infinity; beyond any finite ratio of float64 energies


def si_sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    r"""Compute the scale-invariant signal-to-distortion ratio in dB; higher is better.

    Channels are concatenated, so that their balance matters; the scale of either signal does not.
    The mean is not removed.

    Parameters
    ----------
    reference : np.ndarray [shape=(channel, sample) or (sample,)]
        True source, not silent.
    estimate : np.ndarray [shape=(channel, sample) or (sample,)]
        Estimate of the source, of the same shape.

    Returns
    -------
    float
        Infinity if the estimate is an exact multiple of the reference, minus infinity if it is
        orthogonal to the reference or silent.

    Raises
    ------
    ShapeError, ParameterError
        The shapes differ, or either is not audio.
    ContentError
        The reference is silent, or either holds NaN or infinity.

    Notes
    -----
    With the projection of the estimate e on the reference s,

    .. math::
        \text{SI-SDR}(s, e) = 10 \log_{10} \frac{\|\alpha s\|^2}{\|e - \alpha s\|^2},
        \qquad \alpha = \frac{\langle e, s \rangle}{\langle s, s \rangle}.

    References
    ----------
    J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR: half-baked or well done?",
    ICASSP 2019, doi:10.1109/ICASSP.2019.8683855.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> na.metrics.si_sdr(np.array([1.0, 0.0, -1.0]), np.array([1.0, 1.0, -1.0]))
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
    distortion = e - target
    signal_energy, noise_energy = float(target @ target), float(distortion @ distortion)
    if noise_energy == 0:
        return math.inf
    return 10 * math.log10(signal_energy / noise_energy) if signal_energy > 0 else -math.inf


def best_assignment(
    references: Sequence[np.ndarray], estimates: Sequence[np.ndarray]
) -> tuple[int, ...]:
    """Assign estimates to references for the highest mean SI-SDR.

    Parameters
    ----------
    references : sequence of np.ndarray [shape=(channel, sample) or (sample,)]
        True sources, none of them silent.
    estimates : sequence of np.ndarray [shape=(channel, sample) or (sample,)]
        At least as many as references, in any order.

    Returns
    -------
    tuple of int
        ``estimates[result[i]]`` belongs to ``references[i]``; no index occurs twice.

    Raises
    ------
    ParameterError
        There are fewer estimates than references.
    ShapeError, ContentError
        As for `si_sdr`.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    >>> na.metrics.best_assignment([a, b], [b + 0.1, a])
    (1, 0)
    """
    if len(estimates) < len(references):
        raise ParameterError(
            f"got {len(estimates)} estimates for {len(references)} references; "
            "give at least one estimate per reference"
        )
    return assign(np.array([[si_sdr(r, e) for e in estimates] for r in references]))


def assign(scores: np.ndarray) -> tuple[int, ...]:
    """Assign a column to each row, none twice, for the highest sum of `scores`.

    Parameters
    ----------
    scores : np.ndarray [shape=(reference, estimate)]
        In dB; at least as many columns as rows. NaN counts as minus infinity.

    Returns
    -------
    tuple of int
    """
    from scipy.optimize import linear_sum_assignment

    finite = np.nan_to_num(scores, nan=-_INFINITE, posinf=_INFINITE, neginf=-_INFINITE)
    _, columns = linear_sum_assignment(finite, maximize=True)
    return tuple(int(k) for k in columns)


def _normalised(y: np.ndarray) -> np.ndarray:
    """All samples as one float64 vector with peak 1, whose squares neither over- nor underflow."""
    flat = y.astype(np.float64).ravel()
    flat /= np.abs(flat).max()
    return flat
