"""Weights of frequencies, learned together with the factors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta, divergence_named
from nmfaudio.factorisation.engine import generator, nmf, schedule_of
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean
from nmfaudio.factorisation.recipes.warm_start import solver_without_zeros
from nmfaudio.kernels import beta_divergence


@dataclass(frozen=True, eq=False)
class FeatureWeighted:
    """A decomposition, and how much each frequency counted in it.

    Attributes
    ----------
    decomposition : Decomposition
        Its losses are the total objective, in which the weights are variables too.
    feature_weights : np.ndarray [shape=(freq,)]
        λ, with mean 1; what `exponent` has not yet been applied to.
    """

    decomposition: Decomposition
    feature_weights: np.ndarray = field(repr=False)


def feature_weighted_nmf(
    V: Any,
    n_components: int,
    *,
    exponent: float = 2.0,
    floor: float = 0.1,
    beta_loss: str | float = "frobenius",
    init: str = "random",
    weights: Any = None,
    missing: str | None = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    check_every: int = 10,
    rng: int | np.random.Generator | None = None,
) -> FeatureWeighted:
    """Factor V while learning which of its frequencies can be relied on.

    Minimises ``Σ_f λ_f^p · (D(v_f | (WH)_f) + ε)`` over the factors and, in turn, over weights λ of
    mean 1, of which the best is proportional to ``(D_f + ε)^(−1/(p − 1))``. A frequency that so few
    components cannot explain, such as one of noise, loses its say.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative magnitudes or powers. A louder frequency has larger misfits; where all shall
        be judged alike, divide V by its mean over time, or use ``beta_loss="is"``.
    n_components : int
    exponent : float
        p > 1. Near 1 the best frequencies take all the weight, the larger it is the more equal are
        the weights.
    floor : float
        ε > 0, as a share of the mean cost of a frequency in the first fit. It bounds what
        frequencies that fit all too well, such as silent ones, can gain.
    beta_loss : "kl", "is", "frobenius" or float
    init, weights, missing, max_iter, tol
        As in `nmf`; `weights` are those of single bins and stay as they are.
    check_every : int
        Iterations between updates of λ.
    rng : int, np.random.Generator or None
        Where randomness comes from.

    Returns
    -------
    FeatureWeighted

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument cannot work; the message names it, its value and what is allowed.

    References
    ----------
    M. Chen, M. Gong and X. Li, "Feature weighted non-negative matrix factorization", IEEE
    Transactions on Cybernetics 53(2), 2023, doi:10.1109/TCYB.2021.3100067, arXiv:2103.13491.
    (There several sets of weights are learned, here one.)

    Examples
    --------
    Of twenty frequencies the last five are noise:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((20, 3)) @ rng.random((3, 60))
    >>> V[15:] = 2 * rng.random((5, 60))
    >>> found = na.recipes.feature_weighted_nmf(V, 3, rng=0)
    >>> bool(found.feature_weights[15:].max() < found.feature_weights[:15].min())
    True
    """
    data, said = as_spectrogram(V, weights=weights, missing=missing)
    if data.ndim != 2:
        raise ShapeError(f"V has shape {data.shape}; feature_weighted_nmf takes (freq, time)")
    share = as_number(floor, "floor", above=0)
    when = schedule_of(max_iter, tol, check_every, None)
    divergence = divergence_named(beta_loss)
    rows = _Rows(data, said, divergence, as_number(exponent, "exponent", above=1))
    schedule: dict[str, Any] = {
        "beta_loss": beta_loss,
        "solver": solver_without_zeros(divergence),
        "tol": 0,
        "check_every": when.check_every,
    }
    todo = min(when.check_every, when.max_iter)
    found = nmf(
        data, n_components, init=init, weights=said, max_iter=todo, rng=generator(rng), **schedule
    )
    costs = rows.costs(found)
    epsilon = share * float(costs[rows.heard].mean()) or 1.0
    first = float(found.losses[0]) + epsilon * float(rows.heard.sum())
    losses, checks, converged = [first], [0], False
    while True:
        learned, loss = rows.learn(costs + epsilon)
        losses.append(loss)
        checks.append(checks[-1] + todo)
        converged = todo == when.check_every and losses[-2] - loss < when.tol * abs(first)
        todo = min(check_every, when.max_iter - checks[-1])
        if converged or todo == 0:
            break
        weights = rows.weights(learned)
        found = nmf(data, W=found.W, H=found.H, weights=weights, max_iter=todo, **schedule)
        costs = rows.costs(found)
    total = replace(found, losses=np.array(losses), checks=np.array(checks), converged=converged)
    return FeatureWeighted(total, learned)


class _Rows:
    """What each frequency costs, and how much it then shall count."""

    def __init__(
        self, V: np.ndarray, weights: np.ndarray | None, divergence: Beta, exponent: float
    ) -> None:
        self._scale = power_of_two(weighted_mean(V, weights))
        V = divergence.prepare(V / V.dtype.type(self._scale), weights)
        self._V = np.ascontiguousarray(V)[:, None]
        self._said = np.ones((1, 1), V.dtype) if weights is None else np.ascontiguousarray(weights)
        self._beta, self._floor = divergence.beta, divergence.model_floor(V.dtype)
        self._exponent = exponent
        self.heard = np.broadcast_to(self._said.any(1), len(V))

    def costs(self, found: Decomposition) -> np.ndarray:
        """The divergence of each frequency [shape=(freq,)]."""
        model = found.model()
        Y = np.ascontiguousarray(model / model.dtype.type(self._scale))[:, None]
        said = np.broadcast_to(self._said, model.shape)[:, None]
        rows = zip(self._V, Y, np.ascontiguousarray(said), strict=True)
        costs = [beta_divergence.divergence(v, y, m, self._beta, self._floor) for v, y, m in rows]
        size = float(self._scale**self._beta)
        return size * np.array(costs, np.float64)

    def learn(self, costs: np.ndarray) -> tuple[np.ndarray, float]:
        """The λ of mean 1 over what is heard that minimises ``Σ λ^p · costs``, and that sum."""
        best = np.where(self.heard, (costs / costs.min()) ** (-1 / (self._exponent - 1)), 0.0)
        best *= np.count_nonzero(self.heard) / best.sum()
        return best, float((best**self._exponent * costs).sum())

    def weights(self, learned: np.ndarray) -> np.ndarray:
        """What λ makes of the weights of the bins, broadcastable to V."""
        counts: np.ndarray = (learned**self._exponent).astype(self._V.dtype)[:, None] * self._said
        return counts
