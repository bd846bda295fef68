"""Recursions over time of `transcription.offsets`: decaying maxima, and paths of two states."""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel


def decaying_maximum(X: np.ndarray, decay: float) -> np.ndarray:
    """Return maxima along the rows that decay: ``max(X[t], decay · out[t − 1])``.

    Parameters
    ----------
    X : np.ndarray [shape=(row, time)]
        C-contiguous.
    decay : float
        Factor per step, computed in float64.

    Returns
    -------
    np.ndarray [shape=(row, time)]
        Of the dtype of X.
    """
    out = np.empty_like(X)
    if X.size:
        _decaying_maximum(X, float(decay), out)
    return out


def likeliest_states(log_odds: np.ndarray, cost: float) -> np.ndarray:
    """Return the most likely path of two states along each row (Viterbi).

    Only the difference d of the two states' scores matters. In the forward pass,
    ``d[t] = log_odds[t] + clip(d[t − 1], −cost, cost)``: beyond ±cost the better predecessor of
    both states is the same one, reached with a change by the other state.

    Parameters
    ----------
    log_odds : np.ndarray [shape=(row, time)]
        Log odds of True against False, C-contiguous, at least one frame.
    cost : float
        Log odds of staying in a state against changing it, ≥ 0.

    Returns
    -------
    np.ndarray [shape=(row, time)]
        bool.
    """
    states = np.empty(log_odds.shape, bool)
    _likeliest_states(log_odds.copy(), float(cost), states)
    return states


@kernel
def _decaying_maximum(X: np.ndarray, decay: float, out: np.ndarray) -> None:
    for row in range(X.shape[0]):
        out[row, 0] = X[row, 0]
        for t in range(1, X.shape[1]):
            out[row, t] = max(X[row, t], out[row, t - 1] * decay)


@kernel
def _likeliest_states(d: np.ndarray, cost: float, states: np.ndarray) -> None:
    """`likeliest_states`; `d` are log odds, and become differences of scores."""
    for row in range(d.shape[0]):
        for t in range(1, d.shape[1]):
            d[row, t] += min(max(d[row, t - 1], -cost), cost)
        # A state's predecessor is True if its score, less the cost of a change, is higher.
        state = d[row, -1] > 0
        states[row, -1] = state
        for t in range(d.shape[1] - 2, -1, -1):
            state = d[row, t] >= -cost if state else d[row, t] > cost
            states[row, t] = state
