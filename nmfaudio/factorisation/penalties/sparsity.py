"""Few large entries instead of many small ones, or no single large ones."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.penalties.base import Terms, Weighted


@dataclass(frozen=True)
class L1(Weighted):
    """``weight · Σ F``: few activations instead of many small ones.

    While W is free and has no unit norm this only moves scale from H to W: give W's
    `Factor` ``unit="l2"``. (With ``unit="l1"`` it is without effect under KL, where ΣWH = ΣH.)

    References
    ----------
    P. O. Hoyer, "Non-negative sparse coding", IEEE Workshop on Neural Networks for Signal
    Processing, 2002, doi:10.1109/NNSP.2002.1030067.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> V, W, H = rng.random((20, 40)), rng.random((20, 5)), rng.random((5, 40))
    >>> few = []
    >>> for weight in (0.0, 2.0):
    ...     sparse = na.Factor(H, penalties=(na.penalties.L1(weight),))
    ...     d = na.decompose(V, [na.Factor(W, unit="l2"), sparse])
    ...     few.append((d.H < 1e-3).mean())
    >>> bool(few[1] > few[0])
    True
    """

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return self.weight * float(F.sum(dtype=np.float64))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(linear=self.weight)


@dataclass(frozen=True)
class L2(Weighted):
    """``weight / 2 · Σ F²``: no single large entries.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V = np.random.default_rng(0).random((20, 40))
    >>> W, H = np.ones((20, 1)), np.ones((1, 40))
    >>> largest = [
    ...     na.decompose(V, [na.Factor(W, free=False), na.Factor(H, penalties=p)]).H.max()
    ...     for p in ((), (na.penalties.L2(10.0),))
    ... ]
    >>> bool(largest[1] < largest[0])
    True
    """

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return 0.5 * self.weight * float(np.square(F, dtype=np.float64).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(quadratic=self.weight)


@dataclass(frozen=True)
class Log(Weighted):
    """``weight · Σ log(1 + F / eps)``: sparser than `L1`, and it spares the large entries.

    An entry well below `eps` costs ``weight / eps`` times itself, as under `L1`; one well above
    costs hardly more when it grows. Give W's `Factor` ``unit="l2"``, as for `L1`.

    Parameters
    ----------
    weight : float
        ≥ 0.
    eps : float
        > 0, in units of F: about the size below which an entry is to vanish.

    Raises
    ------
    ParameterError
        `weight` or `eps` is out of range.

    References
    ----------
    E. J. Candès, M. B. Wakin and S. P. Boyd, "Enhancing sparsity by reweighted ℓ1 minimization",
    Journal of Fourier Analysis and Applications 14, 2008, doi:10.1007/s00041-008-9045-x (the
    tangent as majoriser).

    A. Marmin, J. H. de M. Goulart and C. Févotte, "Majorization-minimization for sparse
    nonnegative matrix factorization with the β-divergence", IEEE Transactions on Signal Processing
    71, 2023, doi:10.1109/TSP.2023.3296035.

    Examples
    --------
    What a note leaves behind in the others' activations goes, and what was played stays:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.array([[1.0, 0.2], [0.2, 1.0]])
    >>> V = W @ [[8.0, 0.0], [0.5, 6.0]]
    >>> H = na.Factor(np.ones((2, 2)), penalties=(na.penalties.Log(0.1, eps=0.1),))
    >>> d = na.decompose(V, [na.Factor(W, free=False), H])
    >>> d.H.round(1).tolist()
    [[8.4, 0.0], [0.0, 5.9]]
    """

    eps: float

    def __post_init__(self) -> None:
        super().__post_init__()
        as_number(self.eps, "eps of Log", above=0)

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        return self.weight * float(np.log1p(F.astype(np.float64) / self.eps).sum())

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        return Terms(linear=self.weight / (F.astype(np.float64) + self.eps))


@dataclass(frozen=True)
class GroupSparsity(Weighted):
    """``weight · Σ_t Σ_g ‖F[g, t]‖₂``: components of one group sound together or not at all.

    The groups are the templates of a note, or those of a source: in a frame a whole group is
    silent at once, while within a group nothing is. Give W's `Factor` ``unit="l2"``, as for `L1`.

    Parameters
    ----------
    weight : float
        ≥ 0.
    groups : sequence
        The group of each component, by any name: ``["piano", "piano", "bass"]``, or pitches.
    axis : int
        The axis of F that lists components: 0 in H, −1 in W.

    Raises
    ------
    ParameterError
        `weight` is out of range, or a group's name cannot be hashed.
    ShapeError
        There are more or fewer groups than components.

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Itakura–Saito nonnegative matrix factorization with group
    sparsity", ICASSP 2011, doi:10.1109/ICASSP.2011.5946318 (groups of components as sources; there
    with a logarithm of the norm).

    Examples
    --------
    A piano note of two templates, then a bass note that the piano's would like to help explain:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.array([[1.0, 0.3, 0.3], [0.3, 1.0, 0.1], [0.2, 0.3, 1.0]])
    >>> V = W @ [[4.0, 0.1], [1.0, 0.1], [0.1, 5.0]]
    >>> penalty = na.penalties.GroupSparsity(1.0, ["piano", "piano", "bass"])
    >>> H = na.Factor(np.ones((3, 2)), penalties=(penalty,))
    >>> d = na.decompose(V, [na.Factor(W, free=False), H], divergence=na.Beta(2))
    >>> (d.H > 0.02).astype(int).tolist()
    [[1, 0], [1, 0], [0, 1]]
    """

    groups: tuple[Hashable, ...]
    axis: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "groups", tuple(self.groups))
        try:
            set(self.groups)
        except TypeError:
            raise ParameterError(
                f"groups is {self.groups!r}; name the group of each component by a string or number"
            ) from None

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        return self.weight * float(sum(norm.sum() for _, norm in self._norms(X)))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """By ``n ≤ n²/2ñ + ñ/2``, and ‖·‖₂ ≤ ‖·‖₁ where the norm ñ is 0."""
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        linear, quadratic = np.zeros_like(X), np.zeros_like(X)
        for members, norm in self._norms(X):
            linear[members] = np.where(norm == 0, self.weight, 0.0)
            quadratic[members] = np.divide(
                self.weight, norm, out=np.zeros_like(norm), where=norm > 0
            )
        return Terms(np.moveaxis(linear, 0, self.axis), np.moveaxis(quadratic, 0, self.axis))

    def _norms(self, X: np.ndarray) -> list[tuple[list[int], np.ndarray]]:
        """Each group's components, and their norm over the other entries of X (component, …)."""
        return [(some, np.sqrt(np.square(X[some]).sum(0))) for some in self._members(X)]

    def _members(self, X: np.ndarray) -> list[list[int]]:
        """The components of each group of X (component, …)."""
        if len(X) != len(self.groups):
            raise ShapeError(
                f"groups has {len(self.groups)} entries, but there are {len(X)} components along "
                f"axis {self.axis}; name one group for each"
            )
        members: dict[Hashable, list[int]] = {}
        for component, group in enumerate(self.groups):
            members.setdefault(group, []).append(component)
        return list(members.values())


@dataclass(frozen=True)
class LogGroupSparsity(GroupSparsity):
    """``weight · Σ_t Σ_g log(1 + Σ_{k∈g} F[k, t] / eps)``: few groups sound, each as it likes.

    `GroupSparsity` shrinks loud groups as much as soft ones; this one spares the loud, and says
    nothing of how a group's level is shared out within it. Under Kullback–Leibler with templates
    that sum to one, where an L1 norm is without effect, it still tells few groups from many.

    Parameters
    ----------
    weight : float
        ≥ 0.
    groups : sequence
        The group of each component, by any name.
    eps : float
        > 0, in units of F: about the level below which a group is to vanish.
    axis : int
        The axis of F that lists components: 0 in H, −1 in W.

    Raises
    ------
    ParameterError
        `weight` or `eps` is out of range, or a group's name cannot be hashed.
    ShapeError
        There are more or fewer groups than components.

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Itakura–Saito nonnegative matrix factorization with group
    sparsity", ICASSP 2011, doi:10.1109/ICASSP.2011.5946318.

    Examples
    --------
    A piano note of two templates leaves something behind in the bass's activations, which goes:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.array([[0.7, 0.2, 0.2], [0.2, 0.7, 0.1], [0.1, 0.1, 0.7]])
    >>> V = W @ [[4.0, 0.0], [1.0, 0.0], [0.2, 5.0]]
    >>> few = na.penalties.LogGroupSparsity(0.1, ["piano", "piano", "bass"], eps=0.1)
    >>> H = na.Factor(np.ones((3, 2)), penalties=(few,))
    >>> d = na.decompose(V, [na.Factor(W, free=False), H])
    >>> (d.H > 0.02).astype(int).tolist()
    [[1, 0], [1, 0], [0, 1]]
    """

    eps: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        as_number(self.eps, "eps of LogGroup", above=0)

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        levels = (X[some].sum(0) for some in self._members(X))
        return self.weight * float(sum(np.log1p(level / self.eps).sum() for level in levels))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        """By the tangent of the logarithm, which is concave."""
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        linear = np.empty_like(X)
        for some in self._members(X):
            linear[some] = self.weight / (X[some].sum(0) + self.eps)
        return Terms(np.moveaxis(linear, 0, self.axis))
