"""Penalties on the size of groups of components."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.validation import as_number
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.factorisation.penalties.base import Penalty, Terms, Weighted


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class GroupSparsity(Weighted):
    r"""Group sparsity, ``weight · Σ_t Σ_g ‖F[g, t]‖₂``: groups of components are active together.

    Groups are for instance the templates of a note, or those of a source: in each frame a group is
    silent as a unit, while within an active group no entry is driven to zero. Give the `Factor` of
    W ``unit="l2"``, as for `L1`.

    Parameters
    ----------
    weight : float
        ≥ 0.
    groups : sequence of hashable
        Label of the group of each component: ``["piano", "piano", "bass"]``, or pitches.
    axis : int
        Component axis of F: 0 in H, −1 in W.

    Raises
    ------
    ParameterError
        `weight` is out of range, or a label is not hashable.
    ShapeError
        The number of labels is not the number of components.

    Notes
    -----
    With :math:`n_{gt} = \lVert F_{g,t} \rVert_2` and :math:`n \le n^2 / 2\tilde n + \tilde n / 2`,

    .. math::

        \Omega(F) = \lambda \sum_{g,t} n_{gt}
            \le \mathrm{const} + \sum_{g,t} \frac{\lambda}{2 \tilde n_{gt}}
            \sum_{k \in g} F_{kt}^2

    Where :math:`\tilde n_{gt} = 0`, :math:`\lVert x \rVert_2 \le \lVert x \rVert_1` gives the
    linear bound :math:`\lambda \sum_{k \in g} F_{kt}`.

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Itakura–Saito nonnegative matrix factorization with group
    sparsity", ICASSP 2011, doi:10.1109/ICASSP.2011.5946318 (groups of components as sources, with
    a logarithm of the norm: `LogGroupSparsity`).

    Examples
    --------
    Two templates of a piano note and one of a bass, which overlap:

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
        if not np.iterable(self.groups):
            raise ParameterError(
                f"groups is {self.groups!r}; give one label per component, e.g. (0, 0, 1)"
            )
        object.__setattr__(self, "groups", tuple(self.groups))
        try:
            set(self.groups)
        except TypeError:
            raise ParameterError(
                f"groups is {self.groups!r}; label the group of each component by a string or a "
                "number"
            ) from None

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        return self.weight * float(sum(norm.sum() for _, norm in self._norms(X)))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        linear, quadratic = np.zeros_like(X), np.zeros_like(X)
        for members, norm in self._norms(X):
            # norm lacks the component axis and broadcasts over the members of the group.
            linear[members] = np.where(norm == 0, self.weight, 0.0)
            curvature = np.divide(self.weight, norm, out=np.zeros_like(norm), where=norm > 0)
            quadratic[members] = curvature
        return Terms(np.moveaxis(linear, 0, self.axis), np.moveaxis(quadratic, 0, self.axis))

    def _norms(self, X: np.ndarray) -> list[tuple[list[int], np.ndarray]]:
        """Return the components of each group of X (component, …) and their L2 norm (…)."""
        return [(rows, np.sqrt(np.square(X[rows]).sum(0))) for rows in self._members(X)]

    def _members(self, X: np.ndarray) -> list[list[int]]:
        """Return the components of each group of X (component, …)."""
        if len(X) != len(self.groups):
            raise ShapeError(
                f"groups has {len(self.groups)} entries, but there are {len(X)} components along "
                f"axis {self.axis}; give one label per component"
            )
        members: dict[Hashable, list[int]] = {}
        for component, group in enumerate(self.groups):
            members.setdefault(group, []).append(component)
        return list(members.values())


@inherits_docstrings(Penalty)
@dataclass(frozen=True)
class LogGroupSparsity(GroupSparsity):
    r"""Group sparsity by a logarithm, ``weight · Σ_t Σ_g log(1 + Σ_{k∈g} F[k, t] / eps)``.

    `GroupSparsity` shrinks strong groups as much as weak ones; this one has less bias on strong
    groups, and does not depend on how the level of a group is shared among its components. Unlike
    `L1` it has an effect under the Kullback–Leibler divergence also where templates sum to one.

    Parameters
    ----------
    weight : float
        ≥ 0.
    groups : sequence of hashable
        Label of the group of each component.
    axis : int
        Component axis of F: 0 in H, −1 in W.
    eps : float
        > 0, in units of F: about the level below which groups vanish.

    Raises
    ------
    ParameterError
        `weight` or `eps` is out of range, or a label is not hashable.
    ShapeError
        The number of labels is not the number of components.

    Notes
    -----
    With :math:`s_{gt} = \sum_{k \in g} F_{kt}`, the logarithm lies below its tangent:

    .. math::

        \Omega(F) = \lambda \sum_{g,t} \log\left(1 + \frac{s_{gt}}{\epsilon}\right)
            \le \mathrm{const} + \sum_{g,t} \frac{\lambda}{\tilde s_{gt} + \epsilon}
            \sum_{k \in g} F_{kt}

    References
    ----------
    A. Lefèvre, F. Bach and C. Févotte, "Itakura–Saito nonnegative matrix factorization with group
    sparsity", ICASSP 2011, doi:10.1109/ICASSP.2011.5946318.

    Examples
    --------
    A residual of the piano note in the activation of the bass vanishes:

    >>> import numpy as np, nmfaudio as na
    >>> W = np.array([[0.7, 0.2, 0.2], [0.2, 0.7, 0.1], [0.1, 0.1, 0.7]])
    >>> V = W @ [[4.0, 0.0], [1.0, 0.0], [0.2, 5.0]]
    >>> penalty = na.penalties.LogGroupSparsity(0.1, ["piano", "piano", "bass"], eps=0.1)
    >>> H = na.Factor(np.ones((3, 2)), penalties=(penalty,))
    >>> d = na.decompose(V, [na.Factor(W, free=False), H])
    >>> (d.H > 0.02).astype(int).tolist()
    [[1, 0], [1, 0], [0, 1]]
    """

    eps: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        as_number(self.eps, "eps of LogGroupSparsity", above=0)

    def value(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> float:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        levels = (X[rows].sum(0) for rows in self._members(X))
        return self.weight * float(sum(np.log1p(level / self.eps).sum() for level in levels))

    def majorize(self, F: np.ndarray, factors: Sequence[np.ndarray]) -> Terms:
        X = np.moveaxis(F.astype(np.float64), self.axis, 0)
        linear = np.empty_like(X)
        for rows in self._members(X):
            linear[rows] = self.weight / (X[rows].sum(0) + self.eps)
        return Terms(np.moveaxis(linear, 0, self.axis))
