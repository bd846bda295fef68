"""Activations in sparse diagonals: stretches of a dictionary in their own order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run
from nmfaudio.factorisation.solvers.mu import mu_step
from nmfaudio.factorisation.structures import Product


@dataclass(frozen=True)
class Diagonal:
    """Multiplicative updates of H that leave few activations, in diagonals, for audio mosaics.

    The columns of W are the frames of a recording in their order. An activation that goes on along
    a diagonal of H plays them in that order, so that the recording's own sound is kept. In each of
    the first `iterations` iterations H is summed along its diagonals, updated, and then, of each
    row and of each column, only the strongest entries are left as they are. All others are
    multiplied by a number that falls from iteration to iteration and is 0 in the last. From then
    on the updates are plain ones of the entries left. So the objective may rise at first; after
    `iterations` iterations it never does. Give `decompose` more than that, and ``tol=0``.

    The paper ends each iteration with the sum and the update; here the restrictions come last, so
    that they hold in the end. And here the strongest entries of a column are those that add most
    to the model, whatever the norm of their templates.

    Parameters
    ----------
    repeat : int
        An entry is left only if none in its row within so many frames before or after is stronger:
        so a template does not sound twice in a short time. 0 restricts nothing.
    polyphony : int
        How many entries of a column are left.
    continuity : int
        How many entries before and after are added along the diagonal. 0 adds none.
    iterations : int
        Over which the restrictions fade in.

    Raises
    ------
    ParameterError
        A parameter is out of range.

    References
    ----------
    J. Driedger, T. Prätzlich, M. Müller, "Let it Bee – towards NMF-inspired audio mosaicing",
    ISMIR 2015, doi:10.5281/zenodo.1415698.

    Examples
    --------
    Frames 3 to 7 of a recording are found in it again, as one diagonal:

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
            return "it is for plain NMF, the product of two factors"
        if problem.free[0] is not False or problem.free[1] is not True:
            return "it moves all of H and nothing else; give Factor(W, free=False) and a free H"
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        return _DiagonalRun(self, problem, factors)


class _DiagonalRun:
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
            rest = 1 - self._done / self._options.iterations
            if rest >= 0:
                self._H = along_diagonals(self._H, self._options.continuity)
            self._H = mu_step(1, self.factors(), self._problem)
            if rest >= 0:
                self._H = _restricted(self._H, self._W, self._options, rest)
        self.loss = self._problem.loss(self.factors())

    def factors(self) -> list[np.ndarray]:
        return [self._W, self._H]


def along_diagonals(H: np.ndarray, reach: int) -> np.ndarray:
    """Each entry plus `reach` entries before and after on its diagonal."""
    out = H.copy()
    for step in range(1, min(reach + 1, *H.shape)):
        out[step:, step:] += H[:-step, :-step]
        out[:-step, :-step] += H[step:, step:]
    return out


def _restricted(H: np.ndarray, W: np.ndarray, options: Diagonal, rest: float) -> np.ndarray:
    """H with all but the strongest entries multiplied by `rest`."""
    from scipy.ndimage import maximum_filter1d

    factor = H.dtype.type(rest)
    nearby = maximum_filter1d(H, 2 * options.repeat + 1, axis=1, mode="constant")
    H = np.where(H < nearby, H * factor, H)
    if options.polyphony >= len(H):
        return H
    heard = H * W.sum(axis=0)[:, np.newaxis]
    weak = np.argpartition(heard, -options.polyphony, axis=0)[: -options.polyphony]
    np.put_along_axis(H, weak, np.take_along_axis(H, weak, axis=0) * factor, axis=0)
    return H
