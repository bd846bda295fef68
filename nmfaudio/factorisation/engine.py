"""Where a decomposition is asked for: `decompose`, and its short form `nmf`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio._public import public
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta, Divergence, divergence_named
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import INITS, STARTS, random_factors
from nmfaudio.factorisation.loop import Callback, Progress, Schedule, Task, best_of
from nmfaudio.factorisation.solvers import Solver
from nmfaudio.factorisation.structures import Product, Structure

__all__ = ["Callback", "Progress", "decompose", "nmf"]


@public
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
        Non-negative, float32 or float64 (the result has the same), e.g. ``abs(librosa.stft(y))``;
        for `Channels` of shape (channel, freq, time). In a masked array the masked bins have
        weight 0.
    factors : sequence of Factor
    structure : Structure, optional
        How the factors make up the model; default `Product`, plain NMF.
    divergence : Divergence, optional
        What a misfit costs; default ``Beta(1)``, Kullback–Leibler.
    solver : "auto", "mu", "bmme", "hals", "pg", "ccd" or Solver
        "mu", multiplicative updates, takes anything and is the strict reference. "bmme", the same
        with extrapolation, needs a half to a third of the iterations for plain and convolutive
        NMF with β ≤ 2. The others move zeros of a start, which those keep: "hals" is by far the
        fastest for plain NMF with β = 2 without weights; "pg", projected gradient, is for all else
        with β = 2; "ccd", coordinate descent, is slow but exact, for plain NMF with β = 1. "auto"
        is the fastest that keeps what the start says.
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
        How many starts to run in full; the best is kept, the first of equals. As many run side by
        side as there are threads, each with factors of its own.
    callback : callable, optional
        Gets a `Progress` at each check; returning True stops, all starts included. With `n_init`
        above 1 it may be called from other threads, by one start at a time, in any order of
        starts.
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
    schedule = schedule_of(max_iter, tol, check_every, callback)
    data, said = as_spectrogram(V, weights=weights, missing=missing)
    task = Task(data, said, structure, divergence, tuple(factors), solver, schedule)
    return best_of(task, _generators(rng, n_init, factors))


def _require_parts(factors: Sequence[Factor], structure: Any, divergence: Any) -> None:
    if not all(isinstance(f, Factor) for f in factors):
        kinds = ", ".join(type(f).__name__ for f in factors)
        raise ParameterError(f"factors are {kinds}; wrap each array as Factor(array)")
    if not isinstance(structure, Structure):
        raise ParameterError(f"structure is {structure!r}; it must be an instance of a Structure")
    if isinstance(divergence, type) or not hasattr(divergence, "gradient_parts"):
        raise ParameterError(f"divergence is {divergence!r}; it must be one, such as Beta(1)")


def schedule_of(max_iter: int, tol: float, check_every: int, callback: Callback | None) -> Schedule:
    """When to check and when to end; `ParameterError` where a number is out of range."""
    return Schedule(
        as_count(max_iter, "max_iter", low=0),
        as_number(tol, "tol", low=0),
        as_count(check_every, "check_every", low=1),
        callback,
    )


def _generators(rng: Any, n_init: int, factors: Sequence[Factor]) -> list[np.random.Generator]:
    """One per start."""
    rngs = generator(rng).spawn(as_count(n_init, "n_init", low=1))
    if n_init > 1 and not any(callable(f.initial) for f in factors):
        raise ParameterError(f"n_init is {n_init}, but no factor starts at random; leave n_init=1")
    return rngs


def generator(rng: Any) -> np.random.Generator:
    """The generator that `rng` means; `ParameterError` where it means none."""
    try:
        if isinstance(rng, np.random.RandomState):
            raise TypeError
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ParameterError(
            f"rng is {rng!r}; it must be an integer ≥ 0, a numpy Generator or None"
        ) from None


@public
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
    solver : "auto", "mu", "bmme", "hals", "pg", "ccd" or Solver
        As in `decompose`.
    init : "random", "nndsvdar" or "spa"
        How the factors that are not given start: at random at V's loudness, from V's leading
        singular vectors, or from the frames of V that are least like one another. The last two
        make both W and H.
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
    _require_given("W", W, (len(data), rank), update_W)
    _require_given("H", H, (rank, data.shape[1]), update_H)
    start = _starts(init, data, rank, said, W, H, rng)
    task = Task(
        data,
        said,
        Product(),
        divergence_named(beta_loss),
        (Factor(start[0], update_W, name="W"), Factor(start[1], update_H, name="H")),
        solver,
        schedule_of(max_iter, tol, check_every, callback),
    )
    return best_of(task, _generators(rng, n_init, task.factors))


def _starts(
    init: str, V: np.ndarray, rank: int, weights: np.ndarray | None, W: Any, H: Any, rng: Any
) -> tuple[Any, Any]:
    """Where W and H start, each as `Factor` takes it."""
    if init not in INITS:
        names = " or ".join(repr(name) for name in INITS)
        raise ParameterError(f"init is {init!r}; it must be {names}")
    if init == "random":
        return random_factors((len(V), rank), (rank, V.shape[1]), W, H)
    if W is not None or H is not None:
        raise ParameterError(f"init={init!r} makes both W and H; leave it out where one is given")
    return STARTS[init](V, rank, weights=weights, rng=generator(rng))


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
