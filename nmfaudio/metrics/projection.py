"""Least-squares projection of estimates on delayed copies of reference signals.

The projections need correlations over few lags only. These are summed over blocks of the signals in
the frequency domain: each signal is transformed once for all pairs, in memory that does not grow
with its length.
"""

from __future__ import annotations

import numpy as np

TAPS = 512
"""Length of the filters in samples, as in all versions of BSS-eval."""

_LAG = TAPS - 1
_BLOCK = 1 << 14  # samples per transform
_BATCH = 8  # blocks in memory


def correlate(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Compute the correlations of all pairs of signals over the lags below `TAPS`, in float64.

    Parameters
    ----------
    x, y : np.ndarray [shape=(…, sample)]
        Signals of the same length.

    Returns
    -------
    np.ndarray [shape=(signal of x, signal of y, 2 · TAPS − 1)]
        At ``[i, j, TAPS − 1 + lag]`` the sum over n of ``x_i[n] · y_j[n + lag]``.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    x, y = (signals.reshape(-1, signals.shape[-1]) for signals in (x, y))
    size = next_fast_len(_BLOCK + 2 * _LAG, real=True)
    total = np.zeros((size // 2 + 1, len(x), len(y)), np.complex128)
    step = _BATCH * _BLOCK
    for begin in range(0, x.shape[1], step):
        X = rfft(_blocks(x, begin, 0), size)
        Y = rfft(_blocks(y, begin, _LAG), size)  # (signal, block, freq)
        # Cross spectra; the sum over blocks is the inner dimension of the product.
        total += X.conj().transpose(2, 0, 1) @ Y.transpose(2, 1, 0)
    lags: np.ndarray = irfft(total, size, axis=0)[: 2 * _LAG + 1]
    return np.ascontiguousarray(lags.transpose(1, 2, 0))


def _blocks(x: np.ndarray, begin: int, context: int) -> np.ndarray:
    """Up to `_BATCH` blocks from `begin` on, with `context` more samples on either side.

    The result has shape (signal, block, sample); samples beyond the signals are 0.
    """
    length = x.shape[1]
    count = min(_BATCH, -(-(length - begin) // _BLOCK))
    first, last = begin - context, begin + count * _BLOCK + context
    available = slice(max(first, 0), min(last, length))
    padded = np.zeros((len(x), last - first))
    padded[:, available.start - first : available.stop - first] = x[:, available]
    windows = np.lib.stride_tricks.sliding_window_view(padded, _BLOCK + 2 * context, axis=1)
    return np.asarray(windows[:, ::_BLOCK])


class Subspace:
    """Span of signals filtered with `TAPS` taps.

    Parameters
    ----------
    correlations : np.ndarray [shape=(signal, signal, 2 · TAPS − 1)]
        Correlations of the signals with one another, from `correlate`.
    """

    def __init__(self, correlations: np.ndarray) -> None:
        from scipy.linalg import cho_factor

        self._gram = _toeplitz_blocks(correlations)
        size = len(self._gram)
        loaded = self._gram.copy()
        # Diagonal loading of the size of rounding, so that the Cholesky factorisation succeeds for
        # singular matrices: that of a pure tone has rank 2.
        load = np.finfo(float).eps * np.trace(loaded)
        loaded.flat[:: size + 1] += max(load, np.finfo(float).tiny)
        self._factor = cho_factor(loaded, lower=True, overwrite_a=True, check_finite=False)

    def filters(self, products: np.ndarray) -> np.ndarray:
        """Compute the filters of the least-squares projection of a signal.

        Parameters
        ----------
        products : np.ndarray [shape=(signal, tap, …)]
            Inner products of the signal with each reference delayed by 0 to `TAPS` − 1 samples.

        Returns
        -------
        np.ndarray [shape=(signal, tap, …)]
        """
        D = products.reshape(len(self._gram), -1)
        C = self._solve(D)
        C += self._solve(D - self._gram @ C)  # one step of refinement undoes the loading
        return C.reshape(products.shape)

    def energy(self, products: np.ndarray) -> float:
        """Energy of the projection of a signal, from its inner products as in `filters`."""
        D = products.reshape(len(self._gram), -1)
        C = self.filters(D)
        # Equal to ⟨D, C⟩ for exact filters C, but errors of C enter in second order only.
        return max(float(2 * np.sum(D * C) - np.sum(C * (self._gram @ C))), 0.0)

    def _solve(self, D: np.ndarray) -> np.ndarray:
        from scipy.linalg import cho_solve

        solved: np.ndarray = cho_solve(self._factor, D, check_finite=False)
        return solved


def _toeplitz_blocks(correlations: np.ndarray) -> np.ndarray:
    """Gram matrix of the delayed signals, ordered by signal and then by delay."""
    count = len(correlations)
    gram = np.empty((count, TAPS, count, TAPS))
    # The inner product of two signals delayed by a and b is their correlation at lag a − b.
    backwards = np.lib.stride_tricks.sliding_window_view(correlations[..., ::-1], TAPS, axis=2)
    gram[:] = backwards[:, :, ::-1].transpose(0, 2, 1, 3)
    return gram.reshape(count * TAPS, count * TAPS)
