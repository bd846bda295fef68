"""Entries that are alike where the data are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.factorisation.penalties.base import Terms, Weighted, parabola
from nmfaudio.kernels.products import product

FRAMES = 1024  # whose similarities to all are held at a time


@dataclass(frozen=True, eq=False)
class Graph(Weighted):
    """``weight / 2 · Σ A_ij ‖f_i − f_j‖²`` over edges: neighbours in a graph get like activations.

    With f_i the i-th slice of F along `axis`, each edge counted once, this is
    ``weight / 2 · tr(F L Fᵀ)`` for the graph's Laplacian L. Cai et al. minimise it beside
    ``‖V − WH‖²``; here it goes with any divergence. Give W's `Factor` ``unit="l2"``: without a
    norm, H only shrinks and W grows.

    Parameters
    ----------
    weight : float
        ≥ 0.
    adjacency : scipy sparse matrix or np.ndarray [shape=(n, n)]
        A, symmetric and ≥ 0, for instance from `nearest_neighbours`. The diagonal has no effect.
    axis : int
        The axis of F whose entries are the graph's vertices: −1 is time (or samples) in H.

    Raises
    ------
    ParameterError
        `weight` is out of range, or A has negative or non-finite entries or is not symmetric.
    ShapeError
        A is not square, or does not have as many vertices as F has entries along `axis`.

    References
    ----------
    D. Cai, X. He, J. Han and T. S. Huang, "Graph regularized nonnegative matrix factorization for
    data representation", IEEE Transactions on Pattern Analysis and Machine Intelligence 33(8),
    2011, doi:10.1109/TPAMI.2010.231. Majorised as in De Pierro 1995, doi:10.1109/42.370409.

    Examples
    --------
    The frames of a verse and of its repetition are neighbours, however far apart:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> verse = rng.random((30, 4)) @ rng.random((4, 25)) ** 4
    >>> V = np.hstack([verse, verse]) * rng.gamma(4, 1 / 4, (30, 50))
    >>> graph = na.penalties.nearest_neighbours(V, 3)
    >>> apart = []
    >>> for weight in (0.0, 3.0):
    ...     W = na.Factor(rng.random((30, 4)), unit="l2")
    ...     H = na.Factor(rng.random((4, 50)), penalties=(na.penalties.Graph(weight, graph),))
    ...     H = na.decompose(V, [W, H]).H
    ...     apart.append(np.square(H[:, :25] - H[:, 25:]).sum() / np.square(H).sum())
    >>> bool(apart[1] < apart[0] / 2)
    True
    """

    adjacency: Any
    axis: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "adjacency", _checked(self.adjacency))

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        X = self._matrix(F)
        edges = self.adjacency.tocoo()
        squares = np.square(X[edges.row] - X[edges.col]).sum(1)
        return 0.25 * self.weight * float((edges.data * squares).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = self._matrix(F)
        degree = np.asarray(self.adjacency.sum(1)).reshape(-1, 1)
        slope = self.weight * (degree * X - self.adjacency @ X)
        linear, quadratic = parabola(X, slope, np.broadcast_to(2 * self.weight * degree, X.shape))
        return Terms(self._like(linear, F), self._like(quadratic, F))

    def _matrix(self, F: np.ndarray) -> np.ndarray:
        """F as (vertex, everything else)."""
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        if len(X) != self.adjacency.shape[0]:
            raise ShapeError(
                f"adjacency has shape {self.adjacency.shape}, but the factor has {len(X)} entries "
                f"along axis {self.axis}; give a graph of as many vertices"
            )
        return X.reshape(len(X), -1)

    def _like(self, X: np.ndarray, F: np.ndarray) -> np.ndarray:
        shape = np.moveaxis(F, self.axis, 0).shape
        return np.moveaxis(X.reshape(shape), 0, self.axis)


def _checked(adjacency: Any) -> Any:
    """As a compressed sparse row array of doubles, without edges of weight 0."""
    from scipy.sparse import csr_array

    if np.ndim(adjacency) != 2 and getattr(adjacency, "ndim", 0) != 2:
        raise ShapeError(f"adjacency has {np.ndim(adjacency)} dimensions; it must be (n, n)")
    A = csr_array(adjacency, dtype=np.float64, copy=True)
    if A.shape[0] != A.shape[1]:
        raise ShapeError(f"adjacency has shape {A.shape}; it must be square")
    A.eliminate_zeros()
    if not np.isfinite(A.data).all() or (A.data < 0).any():
        raise ParameterError(
            f"adjacency has values from {A.data.min()} to {A.data.max()}; all must be finite "
            "and ≥ 0"
        )
    uneven = abs(A - A.T).max() if A.nnz else 0.0
    if uneven > 1e-9 * A.data.max(initial=0.0):
        raise ParameterError(
            f"adjacency differs from its transpose by {uneven:g}; symmetrise it, e.g. (A + A.T) / 2"
        )
    return A


def nearest_neighbours(
    V: np.ndarray, k: int = 5, *, weighting: Literal["binary", "cosine"] = "binary"
) -> Any:
    """The graph that joins each column of V to those most like it in shape.

    Likeness is the cosine of the angle between columns, so loudness does not matter. An edge that
    either end asks for is there. Columns that are 0 everywhere have no edges.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative and finite; the columns are frames, documents or samples.
    k : int
        How many neighbours each column asks for, 1 to time − 1.
    weighting : "binary" or "cosine"
        What an edge weighs: 1, or the likeness itself.

    Returns
    -------
    scipy.sparse.csr_array [shape=(time, time)]
        Symmetric, for `Graph`.

    Raises
    ------
    ParameterError
        `k` or `weighting` is out of range.
    ShapeError
        V does not have two axes.
    ContentError
        V has values that are NaN, infinite or negative.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.array([[1.0, 2.0, 0.0, 0.1], [0.0, 0.1, 3.0, 1.0]])
    >>> na.penalties.nearest_neighbours(V, 1).toarray().astype(int).tolist()
    [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    """
    from scipy.sparse import csr_array

    X = np.asarray(V, dtype=np.float64).T
    if X.ndim != 2:
        raise ShapeError(f"V has shape {np.shape(V)}; nearest_neighbours takes (freq, time)")
    if not np.isfinite(X).all() or (X < 0).any():
        raise ContentError("V has values that are NaN, infinite or negative; all must be ≥ 0")
    as_count(k, "k", low=1, high=max(len(X) - 1, 1))
    if weighting not in ("binary", "cosine"):
        raise ParameterError(f"weighting is {weighting!r}; it must be 'binary' or 'cosine'")
    peaks = X.max(1, keepdims=True)
    X = np.divide(X, peaks, out=np.zeros_like(X), where=peaks > 0)  # squares stay in range
    norms = np.sqrt(np.square(X).sum(1, keepdims=True))
    X = np.divide(X, norms, out=np.zeros_like(X), where=norms > 0)
    likeness, columns = _most_alike(X, min(k, len(X) - 1))
    rows = np.broadcast_to(np.arange(len(X))[:, None], columns.shape)
    real = likeness > 0
    data = likeness[real] if weighting == "cosine" else np.ones(np.count_nonzero(real))
    A = csr_array((data, (rows[real], columns[real])), shape=(len(X), len(X)))
    return A.maximum(A.T).tocsr()


def _most_alike(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row of X, of norm 1, its products with the k rows most like it, and which."""
    best, which = np.empty((len(X), k)), np.empty((len(X), k), np.intp)
    for start in range(0, len(X), FRAMES):
        some = np.arange(start, min(start + FRAMES, len(X)))
        cosine = np.ascontiguousarray(product(X[some], X.T))
        cosine[np.arange(len(some)), some] = -1  # nobody is their own neighbour
        which[some] = np.argpartition(-cosine, k - 1, axis=1)[:, :k] if k else 0
        best[some] = np.take_along_axis(cosine, which[some], axis=1)
    return best, which
