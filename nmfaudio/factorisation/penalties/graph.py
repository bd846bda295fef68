"""Penalty on differences along the edges of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.validation import as_count
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.factorisation.penalties.base import Penalty, Terms, Weighted, parabola
from nmfaudio.kernels.products import product

FRAMES = 1024  # frames per block of the similarity matrix, to bound memory


@inherits_docstrings(Penalty)
@dataclass(frozen=True, eq=False)
class Graph(Weighted):
    r"""Graph regularisation, ``weight / 2 · Σ A_ij ‖f_i − f_j‖²`` over the edges of a graph.

    Neighbours in the graph get similar activations. Cai et al. combine it with ‖V − WH‖²; here it
    is available for any divergence. Give the `Factor` of W ``unit="l2"``: without a norm, H only
    shrinks and W grows.

    Parameters
    ----------
    weight : float
        ≥ 0.
    adjacency : scipy sparse matrix or np.ndarray [shape=(n, n)]
        Weights A of the edges, symmetric and ≥ 0, for instance from `nearest_neighbours`. The
        diagonal has no effect.
    axis : int
        Axis of F whose entries are the vertices: −1 is time (or samples) in H.

    Raises
    ------
    ParameterError
        `weight` is out of range, or A has negative or non-finite entries or is not symmetric.
    ShapeError
        A is not square, or its size is not that of F along `axis`.

    Notes
    -----
    With :math:`f_i` the i-th slice of F along `axis`, degrees :math:`d_i = \sum_j A_{ij}` and the
    Laplacian :math:`L = \operatorname{diag}(d) - A`,

    .. math::

        \Omega(F) = \frac{\lambda}{2} \sum_{i<j} A_{ij} \lVert f_i - f_j \rVert^2
            = \frac{\lambda}{2} \operatorname{tr}(F L F^\top)
            \le \mathrm{const} + \sum_i \Big( \lambda d_i \lVert f_i \rVert^2
            - \lambda \Big\langle f_i, \sum_j A_{ij} (\tilde f_i + \tilde f_j) \Big\rangle \Big)

    where each squared difference is majorised by two separate squares (De Pierro), as in `Smooth`.

    References
    ----------
    D. Cai, X. He, J. Han and T. S. Huang, "Graph regularized nonnegative matrix factorization for
    data representation", IEEE Transactions on Pattern Analysis and Machine Intelligence 33(8),
    2011, doi:10.1109/TPAMI.2010.231.

    A. R. De Pierro, "A modified expectation maximization algorithm for penalized likelihood
    estimation in emission tomography", IEEE Transactions on Medical Imaging 14(1), 1995,
    doi:10.1109/42.370409.

    Examples
    --------
    Frames of a verse and of its repetition are neighbours, however distant in time:

    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> verse = rng.random((30, 4)) @ rng.random((4, 25)) ** 4
    >>> V = np.hstack([verse, verse]) * rng.gamma(4, 1 / 4, (30, 50))
    >>> graph = na.penalties.nearest_neighbours(V, 3)
    >>> distances = []
    >>> for weight in (0.0, 3.0):
    ...     W = na.Factor(rng.random((30, 4)), unit="l2")
    ...     H = na.Factor(rng.random((4, 50)), penalties=(na.penalties.Graph(weight, graph),))
    ...     H = na.decompose(V, [W, H]).H
    ...     distances.append(np.square(H[:, :25] - H[:, 25:]).sum() / np.square(H).sum())
    >>> bool(distances[1] < distances[0] / 2)
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
        return 0.25 * self.weight * float((edges.data * squares).sum())  # each edge is in A twice

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = self._matrix(F)
        degree = np.asarray(self.adjacency.sum(1)).reshape(-1, 1)
        slope = self.weight * (degree * X - self.adjacency @ X)
        linear, quadratic = parabola(X, slope, np.broadcast_to(2 * self.weight * degree, X.shape))
        return Terms(self._like(linear, F), self._like(quadratic, F))

    def _matrix(self, F: np.ndarray) -> np.ndarray:
        """Return F as (vertex, all other axes)."""
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        if len(X) != self.adjacency.shape[0]:
            raise ShapeError(
                f"adjacency has shape {self.adjacency.shape}, but the factor has {len(X)} entries "
                f"along axis {self.axis}; give a graph with one vertex per entry"
            )
        return X.reshape(len(X), -1)

    def _like(self, X: np.ndarray, F: np.ndarray) -> np.ndarray:
        """Return X (vertex, all other axes) in the shape of F."""
        shape = np.moveaxis(F, self.axis, 0).shape
        return np.moveaxis(X.reshape(shape), 0, self.axis)


def _checked(adjacency: Any) -> Any:
    """Return a validated sparse row array of doubles, without edges of weight 0."""
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
    asymmetry = abs(A - A.T).max() if A.nnz else 0.0
    if asymmetry > 1e-9 * A.data.max(initial=0.0):
        raise ParameterError(
            f"adjacency differs from its transpose by {asymmetry:g}; symmetrise it, e.g. by "
            "(A + A.T) / 2"
        )
    return A


def nearest_neighbours(
    V: np.ndarray, k: int = 5, *, weighting: Literal["binary", "cosine"] = "binary"
) -> Any:
    """Return the graph of nearest neighbours among the columns of V.

    Similarity is the cosine of the angle between columns, independent of their level. Two columns
    are joined if either is among the nearest neighbours of the other. Columns of zeros have no
    edges.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Non-negative and finite; the columns are frames, documents or samples.
    k : int
        Number of neighbours of each column, 1 to time − 1.
    weighting : "binary" or "cosine"
        Weight of an edge: 1, or the cosine similarity.

    Returns
    -------
    scipy.sparse.csr_array [shape=(time, time)]
        Symmetric adjacency matrix, for `Graph`.

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
    similarity, columns = _nearest(X, min(k, len(X) - 1))
    rows = np.broadcast_to(np.arange(len(X))[:, None], columns.shape)
    joined = similarity > 0  # columns that share no bin are not neighbours
    data = similarity[joined] if weighting == "cosine" else np.ones(np.count_nonzero(joined))
    A = csr_array((data, (rows[joined], columns[joined])), shape=(len(X), len(X)))
    return A.maximum(A.T).tocsr()


def _nearest(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k largest inner products of each row of X with other rows, and their indices.

    Rows of X have norm 1; both arrays have the shape (row, k).
    """
    similarity, indices = np.empty((len(X), k)), np.empty((len(X), k), np.intp)
    for first in range(0, len(X), FRAMES):
        rows = np.arange(first, min(first + FRAMES, len(X)))
        cosine = np.ascontiguousarray(product(X[rows], X.T))  # (row of the block, row)
        cosine[np.arange(len(rows)), rows] = -1  # no row is its own neighbour
        indices[rows] = np.argpartition(-cosine, k - 1, axis=1)[:, :k] if k else 0
        similarity[rows] = np.take_along_axis(cosine, indices[rows], axis=1)
    return similarity, indices
