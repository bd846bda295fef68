"""Activations through envelopes: convolutions in time, component by component."""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.threads import parallel_for

ROWS = 64  # frames in one part of the work
LAGS = 16  # lags in one part of the work


def through(E: np.ndarray, H: np.ndarray) -> np.ndarray:
    """``out[s, t, k] = Σ_d E[s, d, k] H[t − d, k]``.

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
    heard = np.asarray(E.any(axis=2))

    def work(parts: range) -> None:
        for part in parts:
            _through(E, heard, H, part * ROWS, min((part + 1) * ROWS, len(H)), out)

    parallel_for(work, -(-len(H) // ROWS))
    return out


def back_through(E: np.ndarray, G: np.ndarray) -> np.ndarray:
    """The transpose of `through` for H: ``out[t, k] = Σ_s Σ_d E[s, d, k] G[s, t + d, k]``.

    G is (stage, time, component), C-contiguous, and the result (time, component).
    """
    out = np.zeros(G.shape[1:], G.dtype)
    heard = np.asarray(E.any(axis=2))

    def work(parts: range) -> None:
        for part in parts:
            _back_through(E, heard, G, part * ROWS, min((part + 1) * ROWS, len(out)), out)

    parallel_for(work, -(-len(out) // ROWS))
    return out


def gathered(G: np.ndarray, H: np.ndarray, lags: int) -> np.ndarray:
    """The transpose of `through` for E: ``out[s, d, k] = Σ_t G[s, t, k] H[t − d, k]``.

    G is (stage, time, component), H (time, component), both C-contiguous.
    """
    out = np.zeros((len(G), lags, H.shape[1]), H.dtype)
    reached = min(lags, len(H))

    def work(parts: range) -> None:
        for part in parts:
            _gather(G, H, part * LAGS, min((part + 1) * LAGS, reached), out)

    parallel_for(work, -(-reached // LAGS))
    return out


@kernel
def _through(
    E: np.ndarray, heard: np.ndarray, H: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    for s in range(E.shape[0]):
        for t in range(first, last):
            for d in range(min(E.shape[1], t + 1)):
                if heard[s, d]:
                    for k in range(E.shape[2]):
                        out[s, t, k] += E[s, d, k] * H[t - d, k]


@kernel
def _back_through(
    E: np.ndarray, heard: np.ndarray, G: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    for s in range(E.shape[0]):
        for t in range(first, last):
            for d in range(min(E.shape[1], G.shape[1] - t)):
                if heard[s, d]:
                    for k in range(E.shape[2]):
                        out[t, k] += E[s, d, k] * G[s, t + d, k]


@kernel
def _gather(G: np.ndarray, H: np.ndarray, first: int, last: int, out: np.ndarray) -> None:
    for s in range(G.shape[0]):
        for d in range(first, last):
            for t in range(d, G.shape[1]):
                for k in range(G.shape[2]):
                    out[s, d, k] += G[s, t, k] * H[t - d, k]
