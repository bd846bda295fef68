"""Multiplicative updates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.base import Run, Solver, Stepwise
from nmfaudio.factorisation.solvers.bilinear import BilinearRun, is_bilinear
from nmfaudio.factorisation.solvers.descent import descend
from nmfaudio.factorisation.solvers.fused import FusedRun, can_fuse
from nmfaudio.factorisation.solvers.gliding import GlidingRun, can_sweep
from nmfaudio.factorisation.solvers.row_weights import begin_fused
from nmfaudio.factorisation.solvers.sum_of_products import SumRun, is_sum_of_products


@inherits_docstrings(Solver)
@dataclass(frozen=True)
class MU:
    r"""Multiplicative updates, for any structure, divergence and penalty.

    The objective never rises. Exact zeros stay, so a support needs no `free`.

    Notes
    -----
    Each factor in turn moves to the minimum of its majoriser. For H in plain NMF under a
    beta-divergence with weights M, the update is

    .. math::

        H \leftarrow H \odot \left(
            \frac{W^\top (M \odot V \odot Y^{\beta - 2})}{W^\top (M \odot Y^{\beta - 1})}
            \right)^{\gamma(\beta)}, \qquad
        \gamma(\beta) = \begin{cases}
            1 / (2 - \beta) & \beta < 1 \\
            1 & 1 \le \beta \le 2 \\
            1 / (\beta - 1) & \beta > 2
        \end{cases}

    with :math:`Y = WH`, and :math:`\odot`, fractions and powers entrywise; that of W is its
    transpose. Those of Lee and Seung are the cases β = 1 and 2. For other structures
    :math:`W^\top` is replaced by `Structure.adjoint`.

    Penalties add their majoriser (`Terms`, with coefficients a, b, c, e): the update of an entry
    from :math:`\tilde x` to :math:`x = u \tilde x` solves

    .. math::

        B u^p - A u^q + a + b\, \tilde x u - \frac{c}{\tilde x u}
            - \frac{e}{(\tilde x u)^2} = 0

    where A and B are the numerator and the denominator above, :math:`p = \max(\beta - 1, 0)`
    and :math:`q = \min(\beta - 2, 0)`.

    Under a beta-divergence the model of all frames is never stored: plain and convolutive NMF are
    computed in one pass over V per iteration; a `Bilinear` structure takes one more for each
    further factor of its templates, and a `SumOfProducts` one for each of its factors of templates.
    Sounds of gliding pitch under the Kullback–Leibler divergence have a sweep of their own.
    Everything else is computed factor by factor.

    References
    ----------
    C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
    β-divergence", Neural Computation 23(9), 2011, doi:10.1162/NECO_a_00168.

    D. D. Lee and H. S. Seung, "Algorithms for non-negative matrix factorization", Advances in
    Neural Information Processing Systems 13, 2000.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 40))
    >>> d = na.nmf(V, 3, beta_loss="kl", solver=na.solvers.MU(), max_iter=100, rng=0)
    >>> bool((np.diff(d.losses) <= 0).all())
    True
    """

    def supports(self, problem: Problem) -> str | None:
        return None

    def begin(self, problem: Problem, factors: Sequence[np.ndarray]) -> Run:
        if can_fuse(problem):
            return begin_fused(FusedRun, problem, factors)
        if can_sweep(problem):
            return GlidingRun(problem, factors)
        if is_bilinear(problem):
            return BilinearRun(problem, cast(Beta, problem.divergence), factors)
        if is_sum_of_products(problem, factors):
            return SumRun(problem, cast(Beta, problem.divergence), factors)
        return Stepwise(mu_step, problem, factors)


def mu_step(i: int, factors: list[np.ndarray], problem: Problem) -> np.ndarray:
    """Return factor `i` at the minimum of its majoriser, with the other factors fixed."""
    neg, pos = problem.gradient_parts(i, factors)
    F = np.array(factors[i], order="C")  # a copy, updated in place
    terms, free = problem.majorize(i, factors), problem.free[i]
    descend(F, neg, pos, terms, free, problem.divergence.exponents)
    return F
