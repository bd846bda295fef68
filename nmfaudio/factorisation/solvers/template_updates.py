"""Multiplicative updates of the templates of plain and convolutive NMF, from sums over frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.descent import descend
from nmfaudio.kernels import layout
from nmfaudio.kernels.products import accumulate
from nmfaudio.kernels.threads import parallel_for


class TemplateUpdates(ABC):
    """Run whose updates of W need nothing but sums over frames, wherever these are computed.

    A subclass has the activations, and computes the sums in `_sweep`.
    """

    loss: float
    _free_H: bool | np.ndarray
    """Whether H may change, or a mask of its free entries."""
    _gram: bool
    """Whether ``H Hᵀ`` replaces ``B Hᵀ``; see `_gram_in_range`."""
    _plain_H = True
    """Whether H is a factor itself, not computed from others."""

    def __init__(self, problem: Problem, divergence: Beta, W: np.ndarray) -> None:
        self._problem = problem
        self._beta = divergence.beta
        self._exponents = divergence.exponents
        self._dtype = W.dtype
        self._W_shape = W.shape  # (freq, component) or (lag, freq, component)
        self._lags = len(W) if W.ndim == 3 else 1
        self._widths = layout.strip_widths(self._dtype)
        # _W are the templates that H is updated for, _W_next those that the next update of W starts
        # from. They differ only in subclasses that extrapolate. (lag · component, freq), padded.
        self._W = self._W_next = self._packed(W)
        self._free_W = self._movable_W()
        # β = 1 without weights: B is 1, so B Hᵀ is Σ_t H[k, t] for every frequency.
        self._constant_B = self._beta == 1 and problem.weights is None

    def _movable_W(self) -> bool | np.ndarray:
        """Return whether W may change, or a mask of its free entries in the shape of packed W."""
        free = self._problem.free[0]
        return free if isinstance(free, bool) else self._packed(free)

    def _gram_in_range(self, factors: Sequence[np.ndarray]) -> bool:
        """Return whether a Gram matrix can replace ``B Hᵀ``.

        For β = 2 without weights B is Y, so ``B Hᵀ`` is ``W (H Hᵀ)``. The entries of ``H Hᵀ`` are
        squares, which must stay in the exponent range of the dtype (2^±126 and 2^±1022).
        """
        unweighted = self._problem.weights is None
        in_range = squares_in_range(self._dtype, [F.max() for F in factors])
        return self._beta == 2 and unweighted and self._lags == 1 and in_range and self._plain_H

    def advance(self, iterations: int) -> None:
        for left in range(iterations - 1, -1, -1):
            if self._free_W is not False:
                self._update_W()
            self._sweep(update=self._free_H is not False, want_loss=left == 0)

    @abstractmethod
    def _sweep(self, *, update: bool, want_loss: bool) -> None:
        """Update H if `update`; accumulate the gradient for W; compute the loss if `want_loss`."""

    @abstractmethod
    def _terms_of_W(self) -> Terms | None:
        """Return the penalty terms of W at `_W_next`."""

    @abstractmethod
    def _negative_part(self) -> np.ndarray:
        """Return ``A Hᵀ``, the negative part of the gradient for W, in the shape of packed W."""

    @abstractmethod
    def _sum_of_BHt(self) -> np.ndarray:
        """Return ``B Hᵀ`` in the shape of packed W."""

    @abstractmethod
    def _sums_of_H(self) -> np.ndarray:
        """Return, for each row (lag, component) of packed W, the sum of its activations in V."""

    @abstractmethod
    def _sum_of_squares(self) -> np.ndarray:
        """Return ``H Hᵀ`` [shape=(depth, depth)] in the dtype of W."""

    def _update_W(self) -> None:
        """Update W with the gradient that the last sweep accumulated."""
        terms = self._packed_terms(self._terms_of_W())
        neg, pos = self._negative_part(), self._positive_part()
        self._W = self._W_next = layout.padded(self._W_next, self._W.shape)
        descend(self._W, neg, pos, terms, self._free_W, self._exponents)

    def _positive_part(self) -> np.ndarray:
        """Return the positive part of the gradient for W, in the shape of packed W.

        It is the denominator of the multiplicative update.
        """
        if self._constant_B:
            return np.broadcast_to(self._sums_of_H()[:, None], self._W.shape)
        if not self._gram:
            return self._sum_of_BHt()
        pos = np.zeros_like(self._W)  # (H Hᵀ) Wᵀ, since packed W is transposed
        accumulate(self._sum_of_squares(), self._W_next, pos)
        return pos

    def _packed(self, W: np.ndarray) -> np.ndarray:
        """Reshape an array of W's shape to (lag · component, freq), padded for the kernels."""
        rows = W.reshape(self._lags, -1, W.shape[-1]).transpose(0, 2, 1)
        flat = rows.reshape(-1, rows.shape[-1])
        return layout.padded(flat, layout.padded_shape(*flat.shape, self._dtype))

    def _unpacked(self, W: np.ndarray) -> np.ndarray:
        """Reshape a packed array back to the shape of W."""
        freq, rank = self._W_shape[-2:]
        rows = W[: self._lags * rank, :freq].reshape(self._lags, rank, freq).transpose(0, 2, 1)
        out: np.ndarray = rows.reshape(self._W_shape)
        return out

    def _packed_terms(self, terms: Terms | None) -> Terms | None:
        """Reshape the penalty terms of W as `_packed` reshapes W."""
        if terms is None:
            return None
        return Terms(
            *(
                t if np.ndim(t) == 0 else self._packed(np.broadcast_to(t, self._W_shape))
                for t in terms
            )
        )

    def _n_strips(self) -> int:
        """Return the number of strips of packed W."""
        return int(-(-self._W.shape[1] // self._widths[0]))

    def _for_strips(self, work: Callable[[int, int], None]) -> None:
        """Call `work` with the first strip and one past the last, on all threads."""

        def each(strips: range) -> None:
            for s in strips:
                work(s, s + 1)

        parallel_for(each, self._n_strips())


def squares_in_range(dtype: np.dtype, maxima: Sequence[float]) -> bool:
    """Return whether squares of numbers stay in the exponent range of a dtype."""
    bits = 30 if dtype == np.float32 else 400
    return all(2.0**-bits < maximum < 2.0**bits for maximum in maxima)
