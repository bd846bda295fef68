"""From a divergence that is easy to minimise to one that is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nmfaudio.decomposition import Decomposition
from nmfaudio.divergences import Beta
from nmfaudio.engine import Callback, decompose, generator
from nmfaudio.errors import ParameterError
from nmfaudio.factors import Factor
from nmfaudio.solvers import Solver
from nmfaudio.structures import Structure


def temper(
    V: Any,
    factors: Sequence[Factor],
    *,
    betas: Sequence[float] = (2.0, 1.5, 1.0, 0.5, 0.0),
    structure: Structure | None = None,
    solver: str | Solver = "mu",
    weights: Any = None,
    missing: str | None = None,
    max_iter: int = 50,
    tol: float = 1e-4,
    check_every: int = 10,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = None,
) -> Decomposition:
    """Decompose under one β after another, each from where the one before it ended.

    The Itakura–Saito divergence (β = 0) hears quiet and loud alike and has many poor local minima.
    The squared distance (β = 2) follows the loudest, and has fewer. So β goes down slowly, as a
    temperature does.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative; for β = 0 a power spectrogram.
    factors : sequence of Factor
        As in `decompose`; their starts are those of the first β.
    betas : sequence of float
        The last is the one that is meant.
    structure, weights, missing
        As in `decompose`.
    solver : "mu", "bmme", "hals" or Solver
        As in `decompose`. "hals" leaves exact zeros, which those that come after it cannot move.
    max_iter, tol, check_every, callback
        As in `decompose`, for each β; the callback stops only that one.
    rng : int, np.random.Generator or None
        Where randomness comes from.

    Returns
    -------
    Decomposition
        That of the last β. Its `about` has the ``"tempering"``: a list with the beta, the checks
        and the losses of each stage.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument cannot work; the message names it, its value and what is allowed.
    NumericalError
        The iteration left the finite numbers.

    References
    ----------
    N. Bertin, C. Févotte and R. Badeau, "A tempering approach for Itakura-Saito non-negative matrix
    factorization. With application to music transcription", ICASSP 2009,
    doi:10.1109/ICASSP.2009.4959891.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((20, 3)) @ rng.random((3, 50)) ** 4
    >>> d = na.temper(V, [na.Factor(rng.random((20, 3))), na.Factor(rng.random((3, 50)))])
    >>> d.divergence.beta, [stage["beta"] for stage in d.about["tempering"]]
    (0.0, [2.0, 1.5, 1.0, 0.5, 0.0])
    """
    schedule = [Beta(beta) for beta in betas]
    if not schedule:
        raise ParameterError("betas is empty; give at least one, the last being the one meant")
    rng = generator(rng)
    stages: list[Decomposition] = []
    for divergence in schedule:
        if stages:
            factors = [
                replace(factor, start=found)
                for factor, found in zip(factors, stages[-1].factors, strict=True)
            ]
        stages.append(
            decompose(
                V,
                factors,
                structure=structure,
                divergence=divergence,
                solver=solver,
                weights=weights,
                missing=missing,
                max_iter=max_iter,
                tol=tol,
                check_every=check_every,
                callback=callback,
                rng=rng,
            )
        )
    story = [
        {"beta": divergence.beta, "checks": d.checks.tolist(), "losses": d.losses.tolist()}
        for divergence, d in zip(schedule, stages, strict=True)
    ]
    return replace(stages[-1], about={"tempering": story})
