"""Multiplicative updates with diagonal activations, for audio mosaics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.validation import as_count
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run, Solver
from nmfaudio.factorisation.solvers.mu import mu_step
from nmfaudio.factorisation.structures import Product


@inherits_docstrings(Solver)
@dataclass(frozen=True)
class Diagonal:
    r"""Multiplicative updates of H with sparse, diagonal activations, for audio mosaics.

    The columns of W are the frames of a recording in order. An activation that continues along a
    diagonal of H plays them in that order and so preserves the timbre of the recording over time.
    The objective may rise in the first `iterations` iterations, after which it never does. Give
    `decompose` more than that, and ``tol=0``.

    Parameters
    ----------
    repeat : int
        Repetition restriction: an entry is kept only if none in its row within this many frames
        before or after is larger, so a frame of the recording does not repeat within a short time.
        0 disables it.
    polyphony : int
        Polyphony restriction: number of entries kept per column.
    continuity : int
        Number of entries before and after an entry that are added along its diagonal. 0 disables
        it.
    iterations : int
        Number of iterations over which the restrictions fade in.

    Raises
    ------
    ParameterError
        A parameter is out of range.

    Notes
    -----
    In iteration n of N = `iterations`, H is first summed along its diagonals,

    .. math::

        H_{kt} \leftarrow \sum_{|i| \le c} H_{k+i,t+i}

    then updated as by `MU`, and then all entries but those that `repeat` and `polyphony` keep are
    multiplied by :math:`1 - n / N`. After iteration N only the updates remain, and entries that are
    0 stay so.

    In the paper the restrictions precede the sum and the update; here they follow, so that they
    hold in the result. Entries of a column are compared by their contribution to the model,
    :math:`H_{kt} \sum_f W_{fk}`, so that the norm of templates has no influence.

    References
    ----------
    J. Driedger, T. Prätzlich, M. Müller, "Let it Bee – towards NMF-inspired audio mosaicing",
    ISMIR 2015, doi:10.5281/zenodo.1415698.

    Examples
    --------
    Frames 3 to 7 of a recording, recognised in it as one diagonal:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.random.default_rng(0).random((30, 12))
    >>> d = na.decompose(W[:, 3:8], [na.Factor(W, free=False), na.Factor(np.ones((12, 5)))],
    ...                  solver=na.solvers.Diagonal(polyphony=1), max_iter=25, tol=0)
    >>> [row.tolist() for row in np.nonzero(d.H)]
    [[3, 4, 5, 6, 7], [0, 1, 2, 3, 4]]
    """

    repeat: int = 3
    polyphony: int = 10
    continuity: int = 3
    iterations: int = 20

    def __post_init__(self) -> None:
        as_count(self.repeat, "repeat", low=0)
        as_count(self.polyphony, "polyphony", low=1)
        as_count(self.continuity, "continuity", low=0)
        as_count(self.iterations, "iterations", low=1)

    def supports(self, problem: Problem) -> str | None:
        if type(problem.structure) is not Product or len(problem.factors) != 2:
            return "it requires plain NMF, the product of two factors"
        if problem.free[0] is not False or problem.free[1] is not True:
            return "it moves all of H and nothing else; give Factor(W, free=False) and a free H"
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return _DiagonalRun(self, problem, factors)


class _DiagonalRun:
    """Multiplicative updates of H with restrictions that fade in."""

    loss: float

    def __init__(self, options: Diagonal, problem: Problem, factors: Sequence[np.ndarray]) -> None:
        self._options = options
        self._problem = problem
        self._W, self._H = factors
        self._done = 0
        self.loss = problem.loss(factors)

    def advance(self, iterations: int) -> None:
        for _ in range(iterations):
            self._done += 1
            factor = 1 - self._done / self._options.iterations  # of suppressed entries, 0 at last
            if factor >= 0:
                self._H = along_diagonals(self._H, self._options.continuity)
            self._H = mu_step(1, self.factors(), self._problem)
            if factor >= 0:
                self._H = _restricted(self._H, self._W, self._options, factor)
        self.loss = self._problem.loss(self.factors())

    def factors(self) -> list[np.ndarray]:
        return [self._W, self._H]


def along_diagonals(H: np.ndarray, reach: int) -> np.ndarray:
    """Return each entry plus `reach` entries before and after on its diagonal."""
    out = H.copy()
    for step in range(1, min(reach + 1, *H.shape)):
        out[step:, step:] += H[:-step, :-step]
        out[:-step, :-step] += H[step:, step:]
    return out


def _restricted(H: np.ndarray, W: np.ndarray, options: Diagonal, factor: float) -> np.ndarray:
    """Return H with all but the strongest entries multiplied by `factor`."""
    from scipy.ndimage import maximum_filter1d

    gain = H.dtype.type(factor)
    # Repetition: entries below a neighbour in their row.
    maxima = maximum_filter1d(H, 2 * options.repeat + 1, axis=1, mode="constant")
    H = np.where(H < maxima, H * gain, H)
    if options.polyphony >= len(H):
        return H
    # Polyphony: all but the entries of a column that contribute most to the model.
    levels = H * W.sum(axis=0)[:, np.newaxis]
    weak = np.argpartition(levels, -options.polyphony, axis=0)[: -options.polyphony]
    np.put_along_axis(H, weak, np.take_along_axis(H, weak, axis=0) * gain, axis=0)
    return H
