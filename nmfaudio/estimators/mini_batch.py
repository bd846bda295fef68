"""Online NMF as an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.estimators.base import Estimator
from nmfaudio.factorisation.divergences import Divergence
from nmfaudio.factorisation.online import OnlineNMF


class MiniBatchNMF(Estimator):
    """NMF of batches of samples, for data that do not fit into memory.

    Parameters
    ----------
    n_components : int, "auto" or None
        Number of components; "auto" and None mean the smaller of the numbers of samples (of the
        first batch) and features.
    beta_loss : str, float or Beta
        β-divergence with β from 0 to 2, as a number, a name as in `nmfaudio.nmf`, or a `Beta`.
    batch_size : int
        Samples per batch of `fit`.
    forget_factor : float
        Factor that multiplies the weight of past batches at each new batch, `memory` of
        `nmfaudio.factorisation.OnlineNMF`. Ignored by `fit` if all samples are one batch.
    max_iter : int
        Passes of `fit` over all samples, shuffled before each.
    random_state : int, RandomState or None
        Seed or generator, as in scikit-learn.

    Attributes
    ----------
    components_, n_features_in_, feature_names_in_
        As in `nmfaudio.estimators.NMF`.
    reconstruction_err_ : float
        As in `nmfaudio.estimators.NMF`; set by `fit` only.
    n_iter_ : int
        Number of passes of `fit`, or of calls of `partial_fit`.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed; raised at the first access to this class.

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Online algorithms for nonnegative matrix factorization
    with the Itakura–Saito divergence", WASPAA 2011, doi:10.1109/ASPAA.2011.6082314.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> parts = rng.random((2, 20))
    >>> model = na.estimators.MiniBatchNMF(2, random_state=0)
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
        beta_loss: str | float | Divergence = "kl",
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
        """Adapt the components to one batch.

        Parameters
        ----------
        X : array_like [shape=(sample, feature)]
            Non-negative, dense.
        y : object
            Ignored.

        Returns
        -------
        MiniBatchNMF
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
        self._online = self._begin(V, seed, self.forget_factor)
        for _ in range(passes):
            order = shuffle.permutation(V.shape[1])
            if len(order) <= size:  # a single batch must not count as its own past
                self._online.forget()
            for first in range(0, len(order), size):
                self._online.partial_fit(V[:, order[first : first + size]])
        return np.ascontiguousarray(self._online.W.T), passes

    def _begin(self, V: np.ndarray, seed: int, memory: float) -> OnlineNMF:
        """New online decomposition for data like V."""
        return OnlineNMF(self._rank(V), beta_loss=self.beta_loss, memory=memory, rng=seed)
