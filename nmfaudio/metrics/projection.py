"""Least squares on delayed signals: what of an estimate short filters can make of the references.

All that the projections need are correlations over few lags. They are summed over blocks of the
signals in the frequency domain, so that the long signals are transformed once however many pairs
there are, and an hour needs no more memory than a minute.
"""

from __future__ import annotations

import numpy as np

TAPS = 512
"""Length of the filters, in samples: what BSS-eval has always allowed."""

_LAG = TAPS - 1
_BLOCK = 1 << 14  # samples whose products are summed in one transform
_AT_ONCE = 8  # blocks in memory


def correlate(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlations of all pairs of signals over the lags within `TAPS`, in float64.

    Parameters
    ----------
    x, y : np.ndarray [shape=(…, sample)]
        Signals of the same length.

    Returns
    -------
    np.ndarray [shape=(x's signals, y's signals, 2 · TAPS − 1)]
        At ``[i, j, TAPS − 1 + lag]`` the sum over n of ``x_i[n] · y_j[n + lag]``.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    x, y = (signals.reshape(-1, signals.shape[-1]) for signals in (x, y))
    size = next_fast_len(_BLOCK + 2 * _LAG, real=True)
    total = np.zeros((size // 2 + 1, len(x), len(y)), np.complex128)
    step = _AT_ONCE * _BLOCK
    for begin in range(0, x.shape[1], step):
        X = rfft(_blocks(x, begin, 0), size)
        Y = rfft(_blocks(y, begin, _LAG), size)
        total += X.conj().transpose(2, 0, 1) @ Y.transpose(2, 1, 0)
    lags: np.ndarray = irfft(total, size, axis=0)[: 2 * _LAG + 1]
    return np.ascontiguousarray(lags.transpose(1, 2, 0))


def _blocks(x: np.ndarray, begin: int, context: int) -> np.ndarray:
    """Up to `_AT_ONCE` blocks from `begin` on, with so many samples more on either side."""
    length = x.shape[1]
    count = min(_AT_ONCE, -(-(length - begin) // _BLOCK))
    first, last = begin - context, begin + count * _BLOCK + context
    there = slice(max(first, 0), min(last, length))
    held = np.zeros((len(x), last - first))
    held[:, there.start - first : there.stop - first] = x[:, there]
    windows = np.lib.stride_tricks.sliding_window_view(held, _BLOCK + 2 * context, axis=1)
    return np.asarray(windows[:, ::_BLOCK])


class Subspace:
    """All that filters of `TAPS` taps can make of some signals.

    Parameters
    ----------
    correlations : np.ndarray [shape=(signal, signal, 2 · TAPS − 1)]
        Of the signals among themselves, as `correlate` gives them.
    """

    def __init__(self, correlations: np.ndarray) -> None:
        from scipy.linalg import cho_factor

        self._gram = _toeplitz_blocks(correlations)
        size = len(self._gram)
        loaded = self._gram.copy()
        # As much as rounding does to the Gram matrix, so that even that of a single tone, which
        # has two eigenvalues that are not zero, can be factored.
        load = np.finfo(float).eps * np.trace(loaded)
        loaded.flat[:: size + 1] += max(load, np.finfo(float).tiny)
        self._factor = cho_factor(loaded, lower=True, overwrite_a=True, check_finite=False)

    def filters(self, products: np.ndarray) -> np.ndarray:
        """The filters that come nearest to something, from its products with the signals.

        Parameters
        ----------
        products : np.ndarray [shape=(signal, tap, …)]
            Inner products with each signal delayed by each number of samples.

        Returns
        -------
        np.ndarray [shape=(signal, tap, …)]
        """
        D = products.reshape(len(self._gram), -1)
        C = self._solve(D)
        C += self._solve(D - self._gram @ C)  # what the loading has cost
        return C.reshape(products.shape)

    def energy(self, products: np.ndarray) -> float:
        """How much of something's energy lies in the subspace, from the same products."""
        D = products.reshape(len(self._gram), -1)
        C = self.filters(D)
        # Not ⟨D, C⟩: this one feels errors of the filters only in second order.
        return max(float(2 * np.sum(D * C) - np.sum(C * (self._gram @ C))), 0.0)

    def _solve(self, D: np.ndarray) -> np.ndarray:
        from scipy.linalg import cho_solve

        solved: np.ndarray = cho_solve(self._factor, D, check_finite=False)
        return solved


def _toeplitz_blocks(correlations: np.ndarray) -> np.ndarray:
    """The Gram matrix of the delayed signals: signals outside, delays inside."""
    count = len(correlations)
    gram = np.empty((count, TAPS, count, TAPS))
    # Delayed by a and by b, two signals have the product of lag a − b.
    backwards = np.lib.stride_tricks.sliding_window_view(correlations[..., ::-1], TAPS, axis=2)
    gram[:] = backwards[:, :, ::-1].transpose(0, 2, 1, 3)
    return gram.reshape(count * TAPS, count * TAPS)
