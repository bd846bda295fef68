"""The one loop: `decompose`, and its short form `nmf`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmfaudio._check import as_count, as_number
from nmfaudio._spectrogram import as_spectrogram
from nmfaudio.decomposition import Decomposition
from nmfaudio.divergences import Beta, Divergence, divergence_named
from nmfaudio.errors import NumericalError, ParameterError, ShapeError
from nmfaudio.factors import Factor
from nmfaudio.problem import Problem
from nmfaudio.solvers import Solver, solver_named
from nmfaudio.start import nndsvdar, power_of_two, random_factors, weighted_mean
from nmfaudio.structures import Product, Structure

# V's mean may lie between these as it is; beyond them float32 would run out of exponents.
QUIETEST, LOUDEST = 2.0**-16, 2.0**16


@dataclass(frozen=True)
class Progress:
    """How far a decomposition has come, as callbacks are told."""

    iteration: int
    max_iter: int
    loss: float
    start: int = 0
    """Which of the `n_init` starts this is."""


Callback = Callable[[Progress], bool | None]


def decompose(
    V: Any,
    factors: Sequence[Factor],
    *,
    structure: Structure | None = None,
    divergence: Divergence | None = None,
    solver: str | Solver = "auto",
    weights: Any = None,
    missing: str | None = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    check_every: int = 10,
    n_init: int = 1,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = None,
) -> Decomposition:
    """Factor V into any structure, under any divergence and any penalties.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative, float32 or float64 (the result has the same), e.g. ``abs(librosa.stft(y))``.
        In a masked array the masked bins have weight 0.
    factors : sequence of Factor
    structure : Structure, optional
        How the factors make up the model; default `Product`, plain NMF.
    divergence : Divergence, optional
        What a misfit costs; default ``Beta(1)``, Kullback–Leibler.
    solver : "auto", "mu", "bmme", "hals" or Solver
        "auto" is "mu", multiplicative updates, which take anything. "bmme" reaches the same in a
        half to a third of the iterations for plain NMF with 1 ≤ β ≤ 2, "hals" in far fewer for
        β = 2 without weights.
    weights : np.ndarray, optional
        How much each bin counts, ≥ 0, broadcastable to V. A bin of weight 0 has no influence on
        anything; it may be NaN in V.
    missing : "nan" or None
        "nan" gives the bins of V that are NaN weight 0; None refuses them.
    max_iter : int
        Iterations at most; 0 returns the start.
    tol : float
        Stop when the objective fell by less than this share of its first value since the last
        check; 0 never stops early.
    check_every : int
        Iterations between checks. A check costs about as much as an iteration.
    n_init : int
        How many starts to run in full; the best is kept.
    callback : callable, optional
        Gets a `Progress` at each check; returning True stops, further starts included.
    rng : int, np.random.Generator or None
        Where randomness comes from. The same seed gives the same bytes with any number of threads.

    Returns
    -------
    Decomposition

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument cannot work; the message names it, its value and what is allowed.
    NumericalError
        The iteration left the finite numbers.

    Examples
    --------
    Two templates are known, a third is found:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> W, H = rng.random((20, 3)), rng.random((3, 50))
    >>> d = na.decompose(W @ H, [na.Factor(W, free=np.array([False, False, True])),
    ...                          na.Factor(rng.random((3, 50)))])
    >>> bool((d.W[:, :2] == W[:, :2]).all())
    True
    """
    structure, divergence = structure or Product(), divergence or Beta()
    _require_parts(factors, structure, divergence)
    schedule = _Schedule(
        as_count(max_iter, "max_iter", low=0),
        as_number(tol, "tol", low=0),
        as_count(check_every, "check_every", low=1),
        callback,
    )
    data, said = as_spectrogram(V, weights=weights, missing=missing)
    starts = _generator(rng).spawn(as_count(n_init, "n_init", low=1))
    if len(starts) > 1 and not any(callable(f.start) for f in factors):
        raise ParameterError(f"n_init is {n_init}, but no factor starts at random; leave n_init=1")
    best: Decomposition | None = None
    for n, child in enumerate(starts):
        posed = _pose(data, said, structure, divergence, tuple(factors), child)
        found, stopped = _run(*posed, solver, schedule, n)
        if best is None or found.losses[-1] < best.losses[-1]:
            best = found
        if stopped:
            break
    return best  # type: ignore[return-value]  # there is at least one start


def _require_parts(factors: Sequence[Factor], structure: Any, divergence: Any) -> None:
    if not all(isinstance(f, Factor) for f in factors):
        kinds = ", ".join(type(f).__name__ for f in factors)
        raise ParameterError(f"factors are {kinds}; wrap each array as Factor(array)")
    if not isinstance(structure, Structure):
        raise ParameterError(f"structure is {structure!r}; it must be an instance of a Structure")
    if isinstance(divergence, type) or not hasattr(divergence, "halves"):
        raise ParameterError(f"divergence is {divergence!r}; it must be one, such as Beta(1)")


def _generator(rng: Any) -> np.random.Generator:
    try:
        if isinstance(rng, np.random.RandomState):
            raise TypeError
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ParameterError(
            f"rng is {rng!r}; it must be an integer ≥ 0, a numpy Generator or None"
        ) from None


@dataclass(frozen=True)
class _Schedule:
    max_iter: int
    tol: float
    check_every: int
    callback: Callback | None


def _pose(
    V: np.ndarray,
    weights: np.ndarray | None,
    structure: Structure,
    divergence: Divergence,
    factors: tuple[Factor, ...],
    rng: np.random.Generator,
) -> tuple[Problem, list[np.ndarray], list[np.ndarray]]:
    """The problem at a scale the arithmetic can bear, its starts, and these at that scale."""
    starts = [f.begin(V, weights, rng) for f in factors]
    shape = structure.shape(starts)
    if shape != V.shape:
        raise ShapeError(
            f"the factors' shapes {[F.shape for F in starts]} make a model of shape {shape}, "
            f"but V has {V.shape}; give factors that fit V"
        )
    scale = _scale(V, weights, divergence.degree)
    V, last = _divided(V, scale, None), _divided(starts[-1], scale, factors[-1].name)
    free = tuple(f.movable(F.shape) for f, F in zip(factors, starts, strict=True))
    prepared = divergence.prepare(V, weights)
    problem = Problem(prepared, weights, structure, divergence, factors, free, scale)
    if problem.units:
        problem.units.check(starts, free)
    return problem, starts, [*starts[:-1], last]


def _scale(V: np.ndarray, weights: np.ndarray | None, degree: float | None) -> float:
    """The power of two nearest to V's mean, or 1 where V can stay as it is.

    It cannot where a divergence of degree ≤ 0 needs all of the range below V's mean.
    """
    mean = weighted_mean(V, weights)
    stays = degree is None or (degree > 0 and QUIETEST <= mean <= LOUDEST)
    return 1.0 if stays else power_of_two(mean)


def _divided(F: np.ndarray, scale: float, name: str | None) -> np.ndarray:
    """F at another scale; a factor (it has a name) must not lose entries on the way."""
    if scale == 1.0:
        return F
    divided: np.ndarray = F / F.dtype.type(scale)
    if name is not None and (not np.isfinite(divided).all() or ((divided == 0) & (F > 0)).any()):
        raise ParameterError(
            f"{name or 'the last factor'} has values from {F[F > 0].min():g} to {F.max():g}, too "
            f"far from V's mean of about {scale:g} for {F.dtype}; bring them closer or use float64"
        )
    return divided


def _run(
    problem: Problem,
    starts: list[np.ndarray],
    X: list[np.ndarray],
    solver: str | Solver,
    schedule: _Schedule,
    number: int,
) -> tuple[Decomposition, bool]:
    """What the run from one start found, and whether the callback wants no more."""
    run = solver_named(solver, problem).begin(problem, X)
    losses, checks = [_finite(run.loss, 0)], [0]
    converged = stopped = False
    while checks[-1] < schedule.max_iter and not (converged or stopped):
        todo = min(schedule.check_every, schedule.max_iter - checks[-1])
        run.advance(todo)
        checks.append(checks[-1] + todo)
        losses.append(_finite(run.loss, checks[-1]))
        enough = schedule.tol * abs(losses[0])
        converged = 0 < enough >= losses[-2] - losses[-1] and todo == schedule.check_every
        progress = Progress(checks[-1], schedule.max_iter, run.loss, number)
        stopped = schedule.callback is not None and bool(schedule.callback(progress))
    found = Decomposition(
        _result(problem, starts, run.factors()),
        np.array(losses),
        np.array(checks),
        converged,
        problem.structure,
        problem.divergence,
    )
    return found, stopped


def _finite(loss: float, iteration: int) -> float:
    if not np.isfinite(loss):
        raise NumericalError(
            f"the objective is {loss} after {iteration} iterations; the result was thrown away; "
            "try float64, or another beta, start or weights"
        )
    return loss


def _result(
    problem: Problem, starts: list[np.ndarray], found: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """The factors at the caller's scale, in C order, the fixed entries exactly as they were."""
    out = list(found)
    if problem.scale != 1.0:
        out[-1] = out[-1] * out[-1].dtype.type(problem.scale)
    out = [
        F if free is False else np.where(free, G, F)
        for F, G, free in zip(starts, out, problem.free, strict=True)
    ]
    if problem.units:
        out = problem.units.normalised(out)
    if not all(np.isfinite(F).all() for F in out):
        raise NumericalError("a factor is not finite; the result was thrown away; try float64")
    return tuple(np.ascontiguousarray(F) for F in out)


def nmf(
    V: Any,
    n_components: int | None = None,
    *,
    beta_loss: str | float = "kl",
    solver: str | Solver = "auto",
    init: str = "random",
    W: Any = None,
    H: Any = None,
    update_W: bool | np.ndarray = True,
    update_H: bool | np.ndarray = True,
    weights: Any = None,
    missing: str | None = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    check_every: int = 10,
    n_init: int = 1,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = None,
) -> Decomposition:
    """Factor V into templates W and activations H: the short form of `decompose`.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative magnitudes or powers. In a masked array the masked bins have weight 0.
    n_components : int
        How many; may be left out where W or H is given.
    beta_loss : "kl", "is", "frobenius" or float
        The β of the beta-divergence: 1, 0, 2 or any other.
    solver : "auto", "mu", "bmme", "hals" or Solver
        As in `decompose`.
    init : "random" or "nndsvdar"
        How the factors that are not given start.
    W : np.ndarray [shape=(freq, component)], optional
    H : np.ndarray [shape=(component, time)], optional
        Where W and H start.
    update_W, update_H : bool or np.ndarray
        What of them moves: all, nothing, or booleans that broadcast to W or H, such as one per
        template for W. What does not move is returned exact to the bit.
    weights, missing, max_iter, tol, check_every, n_init, callback, rng
        As in `decompose`.

    Returns
    -------
    Decomposition

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument cannot work; the message names it, its value and what is allowed.

    References
    ----------
    D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix
    factorization", Nature 401, 1999, doi:10.1038/44565.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 2.0, 1.0])
    >>> d = na.nmf(V, 1, rng=0)
    >>> bool(np.allclose(d.W @ d.H, V))
    True
    """
    data, said = as_spectrogram(V, weights=weights, missing=missing)
    if data.ndim != 2:
        raise ShapeError(f"V has shape {data.shape}; nmf takes (freq, time)")
    rank = _rank(n_components, W, H)
    shapes = (len(data), rank), (rank, data.shape[1])
    _require_given("W", W, shapes[0], update_W)
    _require_given("H", H, shapes[1], update_H)
    if init not in ("random", "nndsvdar"):
        raise ParameterError(f"init is {init!r}; it must be 'random' or 'nndsvdar'")
    if init == "random":
        start: Any = random_factors(*shapes, W, H)
    elif W is None and H is None:
        start = nndsvdar(data, rank, weights=said, rng=_generator(rng))
    else:
        raise ParameterError("init='nndsvdar' makes both W and H; leave it out where one is given")
    return decompose(
        V,
        [Factor(start[0], update_W, name="W"), Factor(start[1], update_H, name="H")],
        divergence=divergence_named(beta_loss),
        solver=solver,
        weights=weights,
        missing=missing,
        max_iter=max_iter,
        tol=tol,
        check_every=check_every,
        n_init=n_init,
        callback=callback,
        rng=rng,
    )


def _require_given(name: str, F: Any, shape: tuple[int, int], update: bool | np.ndarray) -> None:
    if F is None:
        if update is False:
            raise ParameterError(f"update_{name} is False, but no {name} is given to keep")
        return
    if np.asarray(F).dtype.kind not in "fiu":
        raise ParameterError(f"{name} has dtype {np.asarray(F).dtype}; it must be real numbers")
    if np.shape(F) != shape:
        raise ShapeError(
            f"{name} has shape {np.shape(F)}; with this V and number of components it must be "
            f"{shape}"
        )


def _rank(n_components: int | None, W: Any, H: Any) -> int:
    if n_components is None:
        if W is None and H is None:
            raise ParameterError("n_components is needed where neither W nor H is given")
        n_components = np.atleast_1d(W).shape[-1] if W is not None else len(np.atleast_1d(H))
    return as_count(n_components, "n_components", low=1)
