"""Convolutions of activations with envelopes in time, component by component.

Called by `factorisation.structures.attack_decay` and `factorisation.structures.convolutive`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.threads import parallel_for

ROWS = 64  # frames in one part of the work
LAGS = 16  # lags in one part of the work


def convolve(E: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Convolve activations with envelopes: ``out[s, t, k] = Σ_d E[s, d, k] H[t − d, k]``.

    Parameters
    ----------
    E : np.ndarray [shape=(stage, lag, component)]
    H : np.ndarray [shape=(time, component)]
        C-contiguous, like E.

    Returns
    -------
    np.ndarray [shape=(stage, time, component)]
    """
    out = np.zeros((len(E), *H.shape), H.dtype)
    active = np.asarray(E.any(axis=2))

    def work(parts: range) -> None:
        for part in parts:
            _convolve(E, active, H, part * ROWS, min((part + 1) * ROWS, len(H)), out)

    parallel_for(work, -(-len(H) // ROWS))
    return out


def correlate_envelopes(E: np.ndarray, G: np.ndarray) -> np.ndarray:
    """Transpose of `convolve` for H: ``out[t, k] = Σ_s Σ_d E[s, d, k] G[s, t + d, k]``.

    E is (stage, lag, component), G (stage, time, component), both C-contiguous, and the result
    (time, component).
    """
    out = np.zeros(G.shape[1:], G.dtype)
    active = np.asarray(E.any(axis=2))

    def work(parts: range) -> None:
        for part in parts:
            _correlate_envelopes(E, active, G, part * ROWS, min((part + 1) * ROWS, len(out)), out)

    parallel_for(work, -(-len(out) // ROWS))
    return out


def correlate_activations(G: np.ndarray, H: np.ndarray, lags: int) -> np.ndarray:
    """Transpose of `convolve` for E: ``out[s, d, k] = Σ_t G[s, t, k] H[t − d, k]``.

    G is (stage, time, component), H (time, component), both C-contiguous, and the result
    (stage, lag, component).
    """
    out = np.zeros((len(G), lags, H.shape[1]), H.dtype)
    used_lags = min(lags, len(H))

    def work(parts: range) -> None:
        for part in parts:
            _correlate_activations(G, H, part * LAGS, min((part + 1) * LAGS, used_lags), out)

    parallel_for(work, -(-used_lags // LAGS))
    return out


@kernel
def _convolve(
    E: np.ndarray, active: np.ndarray, H: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    """`convolve` for frames `first` … `last` − 1; `active` (stage, lag) tells where E is not 0."""
    for s in range(E.shape[0]):
        for t in range(first, last):
            for d in range(min(E.shape[1], t + 1)):
                if active[s, d]:
                    for k in range(E.shape[2]):
                        out[s, t, k] += E[s, d, k] * H[t - d, k]


@kernel
def _correlate_envelopes(
    E: np.ndarray, active: np.ndarray, G: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    """`correlate_envelopes` for frames `first` … `last` − 1, with `active` as above."""
    for s in range(E.shape[0]):
        for t in range(first, last):
            for d in range(min(E.shape[1], G.shape[1] - t)):
                if active[s, d]:
                    for k in range(E.shape[2]):
                        out[t, k] += E[s, d, k] * G[s, t + d, k]


@kernel
def _correlate_activations(
    G: np.ndarray, H: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    """`correlate_activations` for lags `first` … `last` − 1."""
    for s in range(G.shape[0]):
        for d in range(first, last):
            for t in range(d, G.shape[1]):
                for k in range(G.shape[2]):
                    out[s, d, k] += G[s, t, k] * H[t - d, k]
