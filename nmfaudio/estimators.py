"""NMF as scikit-learn estimators; needs the extra ``nmfaudio[sklearn]``.

On this border, and only here, data is (sample, feature), as everywhere in scikit-learn: the
transpose of V (freq, time), so that a sample is a frame, ``components_`` is the transpose of W and
what `transform` returns that of H.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.errors import MissingExtraError

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data
except ImportError as error:
    raise MissingExtraError(
        f"the estimators need scikit-learn 1.6 or later ({error}); pip install 'nmfaudio[sklearn]'"
    ) from error

from nmfaudio._check import as_count, as_number
from nmfaudio.divergences import Beta, divergence_named
from nmfaudio.engine import decompose
from nmfaudio.errors import ParameterError
from nmfaudio.factors import Factor
from nmfaudio.online import OnlineNMF, activations
from nmfaudio.penalties import L1, Penalty
from nmfaudio.solvers import Solver
from nmfaudio.start import INITS, STARTS, random_factors
from nmfaudio.structures import Convolutive, Product, Structure

# Multiplicative updates that `transform` takes: a fixed number, so that no sample sways another.
UPDATES = 200


class _Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What the estimators share; each has its way to find templates, `_learn`."""

    n_components: int | str | None
    beta_loss: str | float
    random_state: Any
    components_: np.ndarray
    n_iter_: int

    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the components of X; `y` is ignored.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]
            Non-negative, dense.

        Returns
        -------
        The estimator itself.
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Find the components of X and return what `transform` then makes of it.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]

        Returns
        -------
        np.ndarray [shape=(sample, component)]
        """
        V = self._as_V(X, reset=True)
        self.components_, self.n_iter_ = self._learn(V)
        H = self._activations(V)
        self.reconstruction_err_ = float(np.sqrt(2 * max(self._misfit(V, H), 0.0)))
        return H.T

    def transform(self, X: Any) -> np.ndarray:
        """Activations of the components found, for samples known or new.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]

        Returns
        -------
        np.ndarray [shape=(sample, component)]
        """
        check_is_fitted(self)
        return self._activations(self._as_V(X, reset=False)).T

    def inverse_transform(self, X: Any) -> np.ndarray:
        """The model that activations make.

        Parameters
        ----------
        X : array_like [shape=(sample, component)]

        Returns
        -------
        np.ndarray [shape=(sample, feature)]
        """
        check_is_fitted(self)
        return self._structure().forward((self._W(), np.asarray(X, self.components_.dtype).T)).T

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the mean divergence between the entries of X and their model; higher is better.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]

        Returns
        -------
        float
        """
        check_is_fitted(self)
        V = self._as_V(X, reset=False)
        return -self._misfit(V, self._activations(V)) / V.size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def _learn(self, V: np.ndarray) -> tuple[np.ndarray, int]:
        """Components as `components_` has them, and in how many iterations they were found."""
        raise NotImplementedError

    def _structure(self) -> Structure:
        return Product()

    def _penalties(self) -> tuple[Penalty, ...]:
        return ()

    def _W(self) -> np.ndarray:
        return self.components_.T

    def _divergence(self) -> Beta:
        return divergence_named(self.beta_loss)

    def _activations(self, V: np.ndarray) -> np.ndarray:
        return activations(
            V,
            self._W(),
            self._divergence(),
            structure=self._structure(),
            penalties=self._penalties(),
            max_iter=UPDATES,
        )

    def _misfit(self, V: np.ndarray, H: np.ndarray) -> float:
        divergence, model = self._divergence(), self._structure().forward((self._W(), H))
        return divergence.value(divergence.prepare(V, None), model, None)

    def _as_V(self, X: Any, *, reset: bool) -> np.ndarray:
        checked = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])
        check_non_negative(checked, f"{type(self).__name__} (input X)")
        return np.asfortranarray(checked.T)

    def _rank(self, V: np.ndarray) -> int:
        if self.n_components in (None, "auto"):
            return int(min(V.shape))
        return int(as_count(self.n_components, "n_components", low=1))

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31))


class NMF(_Estimator):
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
    ...     make_pipeline(na.NMF(max_iter=50, random_state=0), RidgeClassifier()),
    ...     {"nmf__n_components": [2, 16]}, cv=2)
    >>> search.fit(X[:400], y[:400]).best_params_
    {'nmf__n_components': 16}

    It also serves librosa: ``librosa.decompose.decompose(S, transformer=na.NMF(8))``.
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


class ConvolutiveNMF(_Estimator):
    """Samples in time order as sums of components that last several samples (NMFD).

    Samples are consecutive frames: unlike with other transformers their order matters, and
    `transform` of some of them is not part of `transform` of all. So shuffled cross-validation
    makes no sense, and each recording is one X.

    Parameters
    ----------
    n_components : int, "auto" or None
        "auto" and None mean as many as there are samples or features, whichever are fewer.
    n_lags : int
        How many samples a component lasts; no more than there are in X.
    beta_loss, solver, max_iter, tol, random_state
        As in `nmfaudio.NMF`. The start is random.

    Attributes
    ----------
    components_ : np.ndarray [shape=(component, lag, feature)]
        Of Euclidean norm 1.
    reconstruction_err_, n_iter_, n_features_in_, feature_names_in_
        As in `nmfaudio.NMF`.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed (on first use of the name).

    References
    ----------
    P. Smaragdis, "Non-negative matrix factor deconvolution; extraction of multiple sound sources
    from monophonic inputs", ICA 2004, doi:10.1007/978-3-540-30110-3_63.

    Examples
    --------
    A pattern of four frames, heard three times, is found whole:

    >>> import numpy as np, nmfaudio as na
    >>> pattern = np.random.default_rng(0).random((4, 10))
    >>> X = np.zeros((30, 10))
    >>> for onset in (2, 11, 20):
    ...     X[onset:onset + 4] += pattern
    >>> model = na.ConvolutiveNMF(1, n_lags=4, random_state=0).fit(X)
    >>> np.flatnonzero(model.transform(X)[:, 0] > 1).tolist()
    [2, 11, 20]
    """

    def __init__(
        self,
        n_components: int | str | None = "auto",
        *,
        n_lags: int = 8,
        beta_loss: str | float = "kl",
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


class MiniBatchNMF(_Estimator):
    """NMF that sees its samples batch by batch, for more of them than fit into memory.

    Parameters
    ----------
    n_components : int, "auto" or None
        "auto" and None mean as many as there are samples (of the first batch) or features,
        whichever are fewer.
    beta_loss : "kl", "is", "frobenius" or float
        The β of the beta-divergence, from 0 to 2.
    batch_size : int
        Samples that `fit` takes at a time.
    forget_factor : float
        `memory` of `nmfaudio.OnlineNMF`: the share of its weight that each batch keeps when the
        next one comes. Where `fit` has one batch only, that alone counts.
    max_iter : int
        How often `fit` goes through all samples, in another order each time.
    random_state : int, RandomState or None

    Attributes
    ----------
    components_, n_features_in_, feature_names_in_
        As in `nmfaudio.NMF`.
    reconstruction_err_ : float
        As in `nmfaudio.NMF`; after `fit` only.
    n_iter_ : int
        Times that `fit` went through all samples, or calls of `partial_fit`.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed (on first use of the name).

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Online algorithms for nonnegative matrix factorization
    with the Itakura–Saito divergence", WASPAA 2011, doi:10.1109/ASPAA.2011.6082314.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> parts = rng.random((2, 20))
    >>> model = na.MiniBatchNMF(2, random_state=0)
    >>> for _ in range(20):
    ...     model = model.partial_fit(rng.random((50, 2)) @ parts)
    >>> X = rng.random((5, 2)) @ parts
    >>> error = np.abs(model.inverse_transform(model.transform(X)) - X)
    >>> bool(error.mean() < 0.05 * X.mean())
    True
    """

    def __init__(
        self,
        n_components: int | str | None = "auto",
        *,
        beta_loss: str | float = "kl",
        batch_size: int = 1024,
        forget_factor: float = 0.7,
        max_iter: int = 20,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.beta_loss = beta_loss
        self.batch_size = batch_size
        self.forget_factor = forget_factor
        self.max_iter = max_iter
        self.random_state = random_state

    def partial_fit(self, X: Any, y: Any = None) -> MiniBatchNMF:
        """Adapt the components to one batch; `y` is ignored.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]

        Returns
        -------
        The estimator itself.
        """
        first = not hasattr(self, "components_")
        V = self._as_V(X, reset=first)
        if first:
            self._online = self._begin(V, self._seed(), self.forget_factor)
            self.n_iter_ = 0
        self._online.partial_fit(V)
        self.components_ = np.ascontiguousarray(self._online.W.T)
        self.n_iter_ += 1
        return self

    def _learn(self, V: np.ndarray) -> tuple[np.ndarray, int]:
        size = as_count(self.batch_size, "batch_size", low=1)
        passes = as_count(self.max_iter, "max_iter", low=1)
        seed = self._seed()
        shuffle = np.random.default_rng(seed)
        memory = self.forget_factor if V.shape[1] > size else 0
        self._online = self._begin(V, seed, memory)
        for _ in range(passes):
            order = shuffle.permutation(V.shape[1])
            for first in range(0, len(order), size):
                self._online.partial_fit(V[:, order[first : first + size]])
        return np.ascontiguousarray(self._online.W.T), passes

    def _begin(self, V: np.ndarray, seed: int, memory: float) -> OnlineNMF:
        return OnlineNMF(self._rank(V), beta_loss=self.beta_loss, memory=memory, rng=seed)
