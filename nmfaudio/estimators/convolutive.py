"""Convolutive NMF as an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.estimators.base import Estimator
from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import random_factors
from nmfaudio.factorisation.solvers import Solver
from nmfaudio.factorisation.structures import Convolutive, Structure


class ConvolutiveNMF(Estimator):
    """Convolutive NMF (NMFD), with components of several consecutive samples.

    Samples are consecutive frames: unlike in other transformers their order matters, and
    `transform` of some of them is not part of `transform` of all. Pass each recording as one X, and
    do not shuffle samples for cross-validation.

    Parameters
    ----------
    n_components : int, "auto" or None
        Number of components; "auto" and None mean the smaller of the numbers of samples and
        features.
    n_lags : int
        Samples per component, limited to those of X.
    beta_loss : str, float or Divergence
        As in `nmfaudio.nmf`: a number, a name or a `Divergence`.
    solver : "auto", "mu", "bmme", "pg" or Solver
        As in `nmfaudio.decompose`.
    max_iter : int
        Largest number of iterations of `fit`.
    tol : float
        `fit` stops when ten iterations decreased the objective by less than `tol` times its first
        value.
    random_state : int, RandomState or None
        Seed or generator of the random initial values, as in scikit-learn.

    Attributes
    ----------
    components_ : np.ndarray [shape=(component, lag, feature)]
        Components of Euclidean norm 1.
    reconstruction_err_, n_iter_, n_features_in_, feature_names_in_
        As in `nmfaudio.estimators.NMF`.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed; raised at the first access to this class.

    References
    ----------
    P. Smaragdis, "Non-negative matrix factor deconvolution; extraction of multiple sound sources
    from monophonic inputs", ICA 2004, doi:10.1007/978-3-540-30110-3_63.

    Examples
    --------
    Onsets of a pattern of four frames:

    >>> import numpy as np, nmfaudio as na
    >>> pattern = np.random.default_rng(0).random((4, 10))
    >>> X = np.zeros((30, 10))
    >>> for onset in (2, 11, 20):
    ...     X[onset:onset + 4] += pattern
    >>> model = na.estimators.ConvolutiveNMF(1, n_lags=4, random_state=0).fit(X)
    >>> np.flatnonzero(model.transform(X)[:, 0] > 1).tolist()
    [2, 11, 20]
    """

    def __init__(
        self,
        n_components: int | str | None = "auto",
        *,
        n_lags: int = 8,
        beta_loss: str | float | Divergence = "kl",
        solver: str | Solver = "auto",
        max_iter: int = 200,
        tol: float = 1e-4,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.n_lags = n_lags
        self.beta_loss = beta_loss
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _learn(self, V: np.ndarray) -> tuple[np.ndarray, int]:
        rank, time = self._rank(V), V.shape[1]
        lags = min(as_count(self.n_lags, "n_lags", low=1), time)
        W, H = random_factors((lags, len(V), rank), (rank, time), None, None)
        d = decompose(
            V,
            [Factor(W, unit="l2", name="W"), Factor(H, name="H")],
            structure=self._structure(),
            divergence=self._divergence(),
            solver=self.solver,
            max_iter=as_count(self.max_iter, "max_iter", low=1),
            tol=self.tol,
            rng=self._seed(),
        )
        return np.ascontiguousarray(d.W.transpose(2, 0, 1)), d.n_iter

    def _structure(self) -> Structure:
        return Convolutive()

    def _W(self) -> np.ndarray:
        return self.components_.transpose(1, 2, 0)
