"""NMF with learned weights of frequencies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.figures import draw
from nmfaudio._common.validation import as_number
from nmfaudio.errors import ShapeError
from nmfaudio.factorisation.checks import as_spectrogram
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta, beta_named
from nmfaudio.factorisation.engine import generator, nmf, schedule_of
from nmfaudio.factorisation.initialisation import power_of_two, weighted_mean
from nmfaudio.factorisation.recipes.warm_start import solver_without_zeros
from nmfaudio.kernels import beta_divergence


@dataclass(frozen=True, eq=False)
class FeatureWeighted(EqualByContent):
    """Decomposition and weights of frequencies.

    Parameters
    ----------
    decomposition : Decomposition
        Factors; the losses are the objective over factors and weights.
    feature_weights : np.ndarray [shape=(freq,)]
        Weights λ of mean 1, before `exponent` is applied.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 60))
    >>> result = na.recipes.feature_weighted_nmf(V, 3, rng=0)
    >>> result.decomposition.W.shape, result.feature_weights.shape
    ((20, 3), (20,))
    """

    decomposition: Decomposition
    feature_weights: np.ndarray = field(repr=False)

    def plot(self, **options: Any) -> Any:
        """Draw the weight of each frequency.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_feature_weights`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_feature_weights", self, **options)


def feature_weighted_nmf(
    V: Any,
    n_components: int,
    *,
    exponent: float = 2.0,
    floor: float = 0.1,
    beta_loss: str | float | Beta = "frobenius",
    init: str = "random",
    weights: Any = None,
    missing: str | None = None,
    max_iter: int = 200,
    tol: float = 1e-4,
    check_every: int = 10,
    rng: int | np.random.Generator | None = None,
) -> FeatureWeighted:
    r"""Factorise V and learn a weight of each frequency.

    Frequencies that the components cannot model, such as those of noise, get small weights.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative magnitudes or powers. Frequencies of higher level have larger divergences; to
        treat all alike, divide V by its mean over time, or use ``beta_loss="is"``.
    n_components : int
        Number of components.
    exponent : float
        Exponent p > 1 of the weights. Near 1 the best frequencies take all the weight; larger
        values make weights more equal.
    floor : float
        ε > 0 relative to the mean divergence of a frequency after the first iterations. It limits
        the weights of frequencies that fit almost exactly, such as silent ones.
    beta_loss : str, float or Beta
        β-divergence, as a number, a name as in `nmf`, or a `Beta`.
    init : "random", "nndsvdar" or "spa"
        Initialisation, as in `nmf`.
    weights : np.ndarray, optional
        Fixed weights of single bins, as in `nmf`.
    missing : "nan" or None
        As in `nmf`.
    max_iter : int
        Largest number of iterations.
    tol : float
        As in `nmf`.
    check_every : int
        Iterations between updates of the weights.
    rng : int, np.random.Generator or None
        Random generator or seed.

    Returns
    -------
    FeatureWeighted
        Decomposition and weights of frequencies.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        An argument is invalid.

    Notes
    -----
    Minimises over the factors and the weights λ, with frequency f of V denoted by :math:`v_f`,

    .. math::
        \min_{W, H, \lambda \ge 0} \; \sum_f \lambda_f^p
        \left(D_\beta\left(v_f \mid (WH)_f\right) + \varepsilon\right)
        \quad \text{subject to} \quad \frac{1}{F} \sum_f \lambda_f = 1.

    Updates of the factors for weights :math:`\lambda_f^p`, as in `nmf`, alternate with the minimum
    over the weights, :math:`\lambda_f \propto (D_f + \varepsilon)^{-1 / (p - 1)}`.

    References
    ----------
    M. Chen, M. Gong and X. Li, "Feature weighted non-negative matrix factorization", IEEE
    Transactions on Cybernetics 53(2), 2023, doi:10.1109/TCYB.2021.3100067, arXiv:2103.13491.
    (They learn several sets of weights.)

    Examples
    --------
    The last five of twenty frequencies are noise:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V = rng.random((20, 3)) @ rng.random((3, 60))
    >>> V[15:] = 2 * rng.random((5, 60))
    >>> result = na.recipes.feature_weighted_nmf(V, 3, rng=0)
    >>> bool(result.feature_weights[15:].max() < result.feature_weights[:15].min())
    True
    """
    data, bin_weights = as_spectrogram(V, weights=weights, missing=missing)
    if data.ndim != 2:
        raise ShapeError(f"V has shape {data.shape}; feature_weighted_nmf needs (freq, time)")
    relative_floor = as_number(floor, "floor", above=0)
    limits = schedule_of(max_iter, tol, check_every, None)
    divergence = beta_named(beta_loss, "feature_weighted_nmf")
    rows = _Rows(data, bin_weights, divergence, as_number(exponent, "exponent", above=1))
    schedule: dict[str, Any] = {
        "beta_loss": divergence,
        "solver": solver_without_zeros(divergence),
        "tol": 0,
        "check_every": limits.check_every,
    }
    n_iter = min(limits.check_every, limits.max_iter)
    fitted = nmf(
        data,
        n_components,
        init=init,
        weights=bin_weights,
        max_iter=n_iter,
        rng=generator(rng),
        **schedule,
    )
    costs = rows.costs(fitted)  # (freq,)
    epsilon = relative_floor * float(costs[rows.active].mean()) or 1.0
    # Objective of the initial factors, with λ = 1 for all frequencies that count.
    first = float(fitted.losses[0]) + epsilon * float(rows.active.sum())
    losses, checks, converged = [first], [0], False
    while True:
        # Minimum over λ for fixed factors, then iterations over the factors for fixed λ.
        feature_weights, loss = rows.learn(costs + epsilon)
        losses.append(loss)
        checks.append(checks[-1] + n_iter)
        converged = n_iter == limits.check_every and losses[-2] - loss < limits.tol * abs(first)
        n_iter = min(check_every, limits.max_iter - checks[-1])
        if converged or n_iter == 0:
            break
        total_weights = rows.weights(feature_weights)
        fitted = nmf(
            data, W=fitted.W, H=fitted.H, weights=total_weights, max_iter=n_iter, **schedule
        )
        costs = rows.costs(fitted)
    fitted = replace(fitted, losses=np.array(losses), checks=np.array(checks), converged=converged)
    return FeatureWeighted(fitted, feature_weights)


class _Rows:
    """Divergences of single frequencies (rows of V), and the weights that follow from them."""

    def __init__(
        self, V: np.ndarray, weights: np.ndarray | None, divergence: Beta, exponent: float
    ) -> None:
        self._scale = power_of_two(weighted_mean(V, weights))
        V = divergence.prepare(V / V.dtype.type(self._scale), weights)
        self._V = np.ascontiguousarray(V)[:, None]
        self._weights = (
            np.ones((1, 1), V.dtype) if weights is None else np.ascontiguousarray(weights)
        )
        self._beta, self._floor = divergence.beta, divergence.model_floor(V.dtype)
        self._exponent = exponent
        self.active = np.broadcast_to(self._weights.any(1), len(V))  # any bin of positive weight

    def costs(self, fitted: Decomposition) -> np.ndarray:
        """Divergence of each frequency [shape=(freq,)]."""
        model = fitted.model()
        Y = np.ascontiguousarray(model / model.dtype.type(self._scale))[:, None]
        weights = np.broadcast_to(self._weights, model.shape)[:, None]
        rows = zip(self._V, Y, np.ascontiguousarray(weights), strict=True)
        costs = [beta_divergence.divergence(v, y, m, self._beta, self._floor) for v, y, m in rows]
        unit = float(self._scale**self._beta)  # D(sV, sY) = s^β D(V, Y)
        return unit * np.array(costs, np.float64)

    def learn(self, costs: np.ndarray) -> tuple[np.ndarray, float]:
        """Minimise ``Σ λ^p · costs`` over λ of mean 1 on active rows; return λ and the minimum."""
        weights = np.where(self.active, (costs / costs.min()) ** (-1 / (self._exponent - 1)), 0.0)
        weights *= np.count_nonzero(self.active) / weights.sum()
        return weights, float((weights**self._exponent * costs).sum())

    def weights(self, feature_weights: np.ndarray) -> np.ndarray:
        """Weights of bins times λ^p, broadcastable to V."""
        factors = (feature_weights**self._exponent).astype(self._V.dtype)[:, None]
        weights: np.ndarray = factors * self._weights
        return weights
