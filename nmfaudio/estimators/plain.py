"""Plain NMF as an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio.errors import ParameterError
from nmfaudio.estimators.base import Estimator
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import INITS, STARTS, random_factors
from nmfaudio.factorisation.penalties import L1, Penalty
from nmfaudio.factorisation.solvers import Solver


class NMF(Estimator):
    """Samples as non-negative sums of non-negative components.

    As `sklearn.decomposition.NMF`, with two differences one can rely on: `transform` returns for
    the training data what `fit_transform` returned, and what it returns for a sample does not
    depend on which others are there. (For β ≤ 0 the floor under zeros depends on the largest.)

    Parameters
    ----------
    n_components : int, "auto" or None
        "auto" and None mean as many as there are samples or features, whichever are fewer.
    beta_loss : "kl", "is", "frobenius" or float
        The β of the beta-divergence: 1, 0, 2 or any other.
    solver : "auto", "mu", "bmme", "hals" or Solver
        As in `nmfaudio.decompose`.
    init : "nndsvdar", "random" or "spa"
        How both factors start, as in `nmfaudio.nmf`.
    max_iter : int
        Iterations of `fit` at most.
    tol : float
        `fit` ends when ten iterations lowered the objective by less than this share of its first
        value.
    sparsity : float
        Weight of the sum of all activations beside the divergence: more of it makes more of them
        zero. It means components of Euclidean norm 1, which they always have here.
    random_state : int, RandomState or None

    Attributes
    ----------
    components_ : np.ndarray [shape=(component, feature)]
        Of Euclidean norm 1.
    reconstruction_err_ : float
        √(2 · divergence) between X and its model: the Frobenius norm of the error for β = 2.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : np.ndarray [shape=(feature,)]
        Where X had names.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed (on first use of the name).

    References
    ----------
    D. D. Lee and H. S. Seung, "Learning the parts of objects by non-negative matrix
    factorization", Nature 401, 1999, doi:10.1038/44565.

    Examples
    --------
    Features for a classifier, their number chosen by it:

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

    It also serves librosa: ``librosa.decompose.decompose(S, transformer=na.estimators.NMF(8))``.
    """

    def __init__(
        self,
        n_components: int | str | None = "auto",
        *,
        beta_loss: str | float = "kl",
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
        W, H = self._start(V, rng)
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

    def _start(self, V: np.ndarray, rng: np.random.Generator) -> tuple[Any, Any]:
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
