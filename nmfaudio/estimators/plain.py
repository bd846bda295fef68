"""Plain NMF as an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError
from nmfaudio.estimators.base import Estimator
from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import INITS, STARTS, random_factors
from nmfaudio.factorisation.penalties import L1, Penalty
from nmfaudio.factorisation.solvers import Solver


class NMF(Estimator):
    """Non-negative matrix factorisation.

    Compatible with `sklearn.decomposition.NMF`, with two additional guarantees: `transform` of the
    training data equals the result of `fit_transform`, and the activations of a sample do not
    depend on other samples. (For β ≤ 0 the floor under zeros depends on the largest entry of X.)

    Parameters
    ----------
    n_components : int, "auto" or None
        Number of components; "auto" and None mean the smaller of the numbers of samples and
        features.
    beta_loss : str, float or Divergence
        As in `nmfaudio.nmf`: a number, a name or a `Divergence`.
    solver : "auto", "mu", "bmme", "hals" or Solver
        As in `nmfaudio.decompose`.
    init : "nndsvdar", "random" or "spa"
        Initialisation of both factors, as in `nmfaudio.nmf`.
    max_iter : int
        Largest number of iterations of `fit`.
    tol : float
        `fit` stops when ten iterations decreased the objective by less than `tol` times its first
        value.
    sparsity : float
        Weight of the sum of all activations in the objective, for components of Euclidean norm 1;
        larger values give more zeros.
    random_state : int, RandomState or None
        Seed or generator, as in scikit-learn.

    Attributes
    ----------
    components_ : np.ndarray [shape=(component, feature)]
        Components of Euclidean norm 1.
    reconstruction_err_ : float
        √(2 · divergence) of the model from X; for β = 2 the Frobenius norm of the error.
    n_iter_ : int
        Number of iterations.
    n_features_in_ : int
        Number of features of the training data.
    feature_names_in_ : np.ndarray [shape=(feature,)]
        Names of features, if X had names.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed; raised at the first access to this class.

    References
    ----------
    D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix
    factorization", Nature 401, 1999, doi:10.1038/44565.

    Examples
    --------
    Features for a classifier, with the number of components selected by cross-validation:

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> import nmfaudio as na
    >>> X, y = load_digits(return_X_y=True)
    >>> search = GridSearchCV(
    ...     make_pipeline(na.estimators.NMF(max_iter=50, random_state=0), RidgeClassifier()),
    ...     {"nmf__n_components": [2, 16]}, cv=2)
    >>> search.fit(X[:400], y[:400]).best_params_
    {'nmf__n_components': 16}

    In librosa: ``librosa.decompose.decompose(S, transformer=na.estimators.NMF(8))``.
    """

    def __init__(
        self,
        n_components: int | str | None = "auto",
        *,
        beta_loss: str | float | Divergence = "kl",
        solver: str | Solver = "auto",
        init: str = "nndsvdar",
        max_iter: int = 200,
        tol: float = 1e-4,
        sparsity: float = 0.0,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.beta_loss = beta_loss
        self.solver = solver
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.sparsity = sparsity
        self.random_state = random_state

    def _learn(self, V: np.ndarray) -> tuple[np.ndarray, int]:
        rng = np.random.default_rng(self._seed())
        W, H = self._initial(V, rng)
        d = decompose(
            V,
            [Factor(W, unit="l2", name="W"), Factor(H, True, self._penalties(), name="H")],
            divergence=self._divergence(),
            solver=self.solver,
            max_iter=as_count(self.max_iter, "max_iter", low=1),
            tol=self.tol,
            rng=rng,
        )
        return np.ascontiguousarray(d.W.T), d.n_iter

    def _initial(self, V: np.ndarray, rng: np.random.Generator) -> tuple[Any, Any]:
        """Initial values of W and H."""
        rank = self._rank(V)
        if self.init == "random":
            return random_factors((len(V), rank), (rank, V.shape[1]), None, None)
        if self.init not in STARTS:
            names = " or ".join(repr(name) for name in INITS)
            raise ParameterError(f"init is {self.init!r}; it must be {names}")
        return STARTS[self.init](V, rank, rng=rng)

    def _penalties(self) -> tuple[Penalty, ...]:
        weight = as_number(self.sparsity, "sparsity", low=0)
        return (L1(weight),) if weight else ()
