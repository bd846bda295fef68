"""Majorisation-minimisation steps on factors of any shape."""

from __future__ import annotations

import numpy as np

from nmfaudio.factorisation.penalties import Terms
from nmfaudio.kernels import majorisation
from nmfaudio.kernels.bundles import StepTerms
from nmfaudio.kernels.threads import parallel_for

_TASK = 2**12  # entries per task, enough to outweigh the cost of a thread


def descend(
    F: np.ndarray,
    neg: np.ndarray,
    pos: np.ndarray,
    terms: Terms | None,
    free: bool | np.ndarray,
    exponents: tuple[float, float],
) -> None:
    """Move the C-contiguous F to the minimum of its majoriser, in place.

    `neg` and `pos` are the two parts of the gradient of the divergence, `terms` those of the
    penalties, and `exponents` (p, q) those of `Divergence.exponents`.
    """
    matrix = (-1, F.shape[-1])
    X = F.reshape(matrix)
    negative = np.ascontiguousarray(neg).reshape(matrix)
    positive = np.ascontiguousarray(pos).reshape(matrix)
    arrays = step_terms(terms, free, F)
    numbers = *exponents, factor_floor(F.dtype)
    rows = max(1, _TASK // F.shape[-1])

    def work(parts: range) -> None:
        for part in parts:
            block = slice(part * rows, (part + 1) * rows)
            of_block = StepTerms(*(array[block] if array.size else array for array in arrays))
            majorisation.step(X[block], negative[block], positive[block], of_block, *numbers)

    parallel_for(work, -(-len(X) // rows))


def step_terms(terms: Terms | None, free: bool | np.ndarray, F: np.ndarray) -> StepTerms:
    """Penalty terms of F and the mask of its free entries, as arguments of the kernels."""
    linear, quadratic, log, inverse = term_arrays(terms, F)
    return StepTerms(linear, quadratic, log, inverse, free_array(free, F))


def term_arrays(terms: Terms | None, F: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the four terms as float64 matrices like F; an absent term has size 0.

    Rescaled with V, they may be out of the range of float32.
    """

    def matrix(term: np.ndarray | float) -> np.ndarray:
        if np.ndim(term) == 0 and term == 0:
            return np.empty((0, 0))
        full = np.array(np.broadcast_to(term, F.shape), np.float64, order="C")
        return full.reshape(-1, F.shape[-1])

    return tuple(matrix(term) for term in terms or Terms())


def free_array(free: bool | np.ndarray, F: np.ndarray) -> np.ndarray:
    """Return the mask of free entries as a matrix like F, of size 0 if all are."""
    if free is True:
        return np.empty((0, 0), bool)
    return np.array(np.broadcast_to(free, F.shape), order="C").reshape(-1, F.shape[-1])


def factor_floor(dtype: np.dtype) -> float:
    """Return the lower bound of positive entries, well above denormal numbers, which are slow."""
    return 2.0**-100 if dtype == np.float32 else 2.0**-800
