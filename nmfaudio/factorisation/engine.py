"""Decomposition into any structure (`decompose`), and plain NMF (`nmf`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number, shown
from nmfaudio._public import public
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import (
    Beta,
    Divergence,
    divergence_named,
    require_divergence,
)
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
    r"""Decompose V into any structure, under any divergence and any penalties.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative, float32 or float64 (also the dtype of the result), e.g.
        ``abs(librosa.stft(y))``; (channel, freq, time) for `Channels`. Masked bins of a masked
        array have weight 0.
    factors : sequence of Factor
        Initial values, free entries and penalties of the factors, in the order of the structure.
    structure : Structure, optional
        Model of V as a function of the factors. Default: `Product`, plain NMF.
    divergence : Divergence, optional
        Divergence of the model from V. Default: ``Beta(1)``, Kullback–Leibler.
    solver : "auto", "mu", "bmme", "hals", "pg", "ccd" or Solver
        "mu", multiplicative updates, supports all structures, divergences and penalties, and never
        increases the objective. "bmme", extrapolated multiplicative updates, needs a half to a
        third of the iterations for plain and convolutive NMF with β ≤ 2. Both keep zeros of the
        initial factors; the others may change them. "hals" is by far the fastest for plain NMF
        with β = 2 and no weights; "pg", projected gradient, for other structures with β = 2; "ccd",
        coordinate descent, is slow but exact, for plain NMF with β = 1. "auto" selects the fastest
        solver that keeps zeros.
    weights : np.ndarray, optional
        Weight of each bin in the objective, ≥ 0, broadcastable to V. Bins of weight 0 have no
        influence, and may be NaN in V.
    missing : "nan" or None
        "nan" gives weight 0 to bins that are NaN; None raises an error for them.
    max_iter : int
        Largest number of iterations; 0 returns the initial factors.
    tol : float
        Stop when the objective decreased since the last check by less than `tol` times its first
        value, or that of a constant model if it is smaller; 0 never stops early.
    check_every : int
        Iterations between checks. A check takes about as long as an iteration.
    n_init : int
        Number of starts, of which the result with the lowest objective is returned. They run in
        parallel, as many at a time as there are threads, each with factors in memory.
    callback : callable, optional
        Called with a `Progress` at each check; returning True stops all starts. With several starts
        it is called from several threads, though never concurrently, in no fixed order of starts.
    rng : int, np.random.Generator or None
        Random generator or seed. The same seed gives the same result for any number of threads.

    Returns
    -------
    Decomposition
        Factors, and the objective at each check.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument is invalid.
    NumericalError
        The objective or a factor is not finite.

    See Also
    --------
    nmf : Plain NMF, with fewer arguments.

    Notes
    -----
    The objective is the weighted divergence of the model :math:`\hat V` from V plus the penalties
    of all factors :math:`X_i`,

    .. math::
        \min_{X_1, \ldots, X_n \ge 0} \;
        \sum_{f, t} M_{ft} \, d\left(V_{ft} \mid \hat V_{ft}(X_1, \ldots, X_n)\right)
        + \sum_i P_i(X_i).

    The solver "mu" minimises a majoriser of this objective over one factor at a time (Févotte and
    Idier, 2011). For the beta-divergence without penalties, the update of a factor is

    .. math::
        X_i \leftarrow X_i \odot \left(
        \frac{\nabla_{X_i}^- D}{\nabla_{X_i}^+ D}\right)^{\gamma(\beta)},
        \qquad \gamma(\beta) = \begin{cases}
        1 / (2 - \beta) & \beta < 1 \\ 1 & 1 \le \beta \le 2 \\ 1 / (\beta - 1) & \beta > 2
        \end{cases}

    where :math:`\nabla^+ D - \nabla^- D` is the gradient of the divergence, split into non-negative
    parts.

    References
    ----------
    C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
    β-divergence", Neural Computation 23(9), 2011, doi:10.1162/NECO_a_00168.

    Examples
    --------
    Two known templates, and a third to be estimated:

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
    data, weights = as_spectrogram(V, weights=weights, missing=missing)
    task = Task(data, weights, structure, divergence, tuple(factors), solver, schedule)
    return best_of(task, _generators(rng, n_init, factors))


def _require_parts(factors: Sequence[Factor], structure: Any, divergence: Any) -> None:
    """`ParameterError` for arguments of the wrong type."""
    if not np.iterable(factors):
        raise ParameterError(
            f"factors is {shown(factors)}; it must be a list of one Factor per factor of the "
            "structure, e.g. [Factor(W), Factor(H)]"
        )
    if not all(isinstance(f, Factor) for f in factors):
        kinds = ", ".join(type(f).__name__ for f in factors)
        raise ParameterError(f"factors are {kinds}; wrap each array as Factor(array)")
    if not isinstance(structure, Structure):
        raise ParameterError(
            f"structure is {structure!r}; it must be an instance of "
            "Structure, e.g. nmfaudio.structures.Convolutive()"
        )
    require_divergence(divergence)


def schedule_of(max_iter: int, tol: float, check_every: int, callback: Callback | None) -> Schedule:
    """Validated stopping criteria; `ParameterError` if one is out of range."""
    if not (callback is None or callable(callback)):
        raise ParameterError(
            f"callback is {shown(callback)}; it must be a function of a Progress, or None"
        )
    return Schedule(
        as_count(max_iter, "max_iter", low=0),
        as_number(tol, "tol", low=0),
        as_count(check_every, "check_every", low=1),
        callback,
    )


def _generators(rng: Any, n_init: int, factors: Sequence[Factor]) -> list[np.random.Generator]:
    """Independent generators, one per start."""
    rngs = generator(rng).spawn(as_count(n_init, "n_init", low=1))
    if n_init > 1 and not any(callable(f.initial) for f in factors):
        raise ParameterError(f"n_init is {n_init}, but no factor starts at random; use n_init=1")
    return rngs


def generator(rng: Any) -> np.random.Generator:
    """Generator from a seed, a generator or None; `ParameterError` for anything else."""
    try:
        if isinstance(rng, np.random.RandomState):
            raise TypeError  # numpy would take it, but its stream differs from that of its seed
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ParameterError(
            f"rng is {_shown_rng(rng)}; it must be an integer ≥ 0, a numpy Generator or None"
        ) from None


def _shown_rng(rng: Any) -> str:
    """Return a seed or generator for a message, without its address."""
    return "a RandomState" if isinstance(rng, np.random.RandomState) else shown(rng)


@public
def nmf(
    V: Any,
    n_components: int | None = None,
    *,
    beta_loss: str | float | Divergence = "kl",
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
    r"""Factorise V into templates W and activations H (plain NMF).

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative magnitudes or powers. Masked bins of a masked array have weight 0.
    n_components : int, optional
        Number of components. Default: that of W or H.
    beta_loss : str, float or Divergence
        Divergence of the model from V: β of the beta-divergence, a number or a name ("kl" or
        "kullback-leibler" for 1, "is" or "itakura-saito" for 0, "frobenius" or "euclidean" for 2),
        or any `Divergence`.
    solver : "auto", "mu", "bmme", "hals", "pg", "ccd" or Solver
        As in `decompose`.
    init : "random", "nndsvdar" or "spa"
        Initialisation of factors that are not passed: random values at the scale of V, leading
        singular vectors of V (NNDSVDar), or extreme frames of V by successive projections (SPA).
        The latter two initialise both W and H.
    W : np.ndarray [shape=(freq, component)], optional
        Initial templates.
    H : np.ndarray [shape=(component, time)], optional
        Initial activations.
    update_W, update_H : bool or np.ndarray
        Entries of W and H to update: all, none, or booleans that broadcast to W or H, e.g. one per
        template. Fixed entries are returned bitwise unchanged.
    weights : np.ndarray, optional
        Weight of each bin, as in `decompose`.
    missing : "nan" or None
        "nan" gives weight 0 to bins that are NaN.
    max_iter : int
        Largest number of iterations.
    tol : float
        Stop when the objective decreased since the last check by less than `tol` times its first
        value, or that of a constant model if it is smaller.
    check_every : int
        Iterations between checks.
    n_init : int
        Number of starts, of which the best result is returned.
    callback : callable, optional
        Called with a `Progress` at each check; returning True stops.
    rng : int, np.random.Generator or None
        Random generator or seed. The same seed gives the same result for any number of threads.

    Returns
    -------
    Decomposition
        Templates ``W``, activations ``H``, and the objective at each check.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument is invalid.
    NumericalError
        The objective or a factor is not finite.

    See Also
    --------
    decompose : Other structures, divergences and penalties.

    Notes
    -----
    Minimises the beta-divergence (see `Beta`) of WH from V, with weights M,

    .. math::
        \min_{W, H \ge 0} \; D_\beta(V \mid WH)
        = \sum_{f, t} M_{ft} \, d_\beta\left(V_{ft} \mid (WH)_{ft}\right).

    The solver "mu" alternates the multiplicative updates (Févotte and Idier, 2011)

    .. math::
        W \leftarrow W \odot \left(
        \frac{\left(M \odot V \odot (WH)^{\beta - 2}\right) H^\top}
        {\left(M \odot (WH)^{\beta - 1}\right) H^\top}\right)^{\gamma(\beta)},
        \qquad
        H \leftarrow H \odot \left(
        \frac{W^\top \left(M \odot V \odot (WH)^{\beta - 2}\right)}
        {W^\top \left(M \odot (WH)^{\beta - 1}\right)}\right)^{\gamma(\beta)}

    with powers and fractions taken elementwise, and the exponent :math:`\gamma(\beta)` given in
    `decompose`: 1 for β from 1 to 2, which are the updates of Lee and Seung for β = 1 and 2.

    References
    ----------
    D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix
    factorization", Nature 401, 1999, doi:10.1038/44565.

    C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
    β-divergence", Neural Computation 23(9), 2011, doi:10.1162/NECO_a_00168.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 2.0, 1.0])
    >>> d = na.nmf(V, 1, rng=0)
    >>> bool(np.allclose(d.W @ d.H, V))
    True
    """
    data, weights = as_spectrogram(V, weights=weights, missing=missing)
    if data.ndim != 2:
        raise ShapeError(f"V has shape {data.shape}; nmf needs (freq, time)")
    rank = rank_of(n_components, W, H)
    require_initial("W", W, (len(data), rank), update_W)
    require_initial("H", H, (rank, data.shape[1]), update_H)
    W, H = _initial(init, data, rank, weights, W, H, rng)
    task = Task(
        data,
        weights,
        Product(),
        divergence_named(beta_loss),
        (Factor(W, update_W, name="W"), Factor(H, update_H, name="H")),
        solver,
        schedule_of(max_iter, tol, check_every, callback),
    )
    return best_of(task, _generators(rng, n_init, task.factors))


def _initial(
    init: str, V: np.ndarray, rank: int, weights: np.ndarray | None, W: Any, H: Any, rng: Any
) -> tuple[Any, Any]:
    """Initial values of W and H, as arrays or functions for `Factor`."""
    if not isinstance(init, str) or init not in INITS:
        names = " or ".join(repr(name) for name in INITS)
        hint = "" if isinstance(init, str) else "; pass initial arrays as W and H"
        raise ParameterError(f"init is {shown(init)}; it must be {names}{hint}")
    if init == "random":
        return random_factors((len(V), rank), (rank, V.shape[1]), W, H)
    if W is not None or H is not None:
        raise ParameterError(
            f"init={init!r} makes both W and H; use init='random' to pass one of them"
        )
    return STARTS[init](V, rank, weights=weights, rng=generator(rng))


def require_initial(name: str, F: Any, shape: tuple[int, int], update: bool | np.ndarray) -> None:
    """Check dtype and shape of an initial W or H, which a fixed factor requires."""
    if np.asarray(update).dtype != bool:
        kind = np.asarray(update).dtype
        raise ParameterError(f"update_{name} has dtype {kind}; it must be boolean")
    if F is None:
        if update is False:
            raise ParameterError(f"update_{name} is False, but no {name} is given; pass {name}")
        return
    if np.asarray(F).dtype.kind not in "fiu":
        raise ParameterError(f"{name} has dtype {np.asarray(F).dtype}; it must be real numbers")
    if np.shape(F) != shape:
        axes = "(freq, component)" if name == "W" else "(component, time)"
        known = 0 if name == "W" else 1  # axis that V has too
        if np.ndim(F) == 2 and np.shape(F)[1 - known] == shape[known] != np.shape(F)[known]:
            raise ShapeError(
                f"{name} has shape {np.shape(F)} and looks transposed; it must be {axes}: pass "
                f"{name}.T"
            )
        raise ShapeError(
            f"{name} has shape {np.shape(F)}; with this V and number of components it must be "
            f"{shape}, {axes}"
        )


def rank_of(n_components: int | None, W: Any, H: Any) -> int:
    """Number of components, by default that of W or H."""
    if n_components is None:
        if W is None and H is None:
            raise ParameterError("n_components is needed unless W or H is passed")
        n_components = np.atleast_1d(W).shape[-1] if W is not None else len(np.atleast_1d(H))
    return as_count(n_components, "n_components", low=1)
