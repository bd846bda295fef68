"""Divergences between data and model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

import numpy as np

from nmfaudio._common.docstrings import inherits_docstrings
from nmfaudio._common.registry import Registry
from nmfaudio._common.validation import as_number, require_members
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.kernels import beta_divergence
from nmfaudio.kernels.threads import parallel_for

ROWS = 64  # frames per task; the cost is summed per task, so the sum does not depend on threads

LOSSES = {
    "kl": 1.0,
    "kullback-leibler": 1.0,
    "is": 0.0,
    "itakura-saito": 0.0,
    "frobenius": 2.0,
    "euclidean": 2.0,
}
"""β by name: short ones, and those of scikit-learn."""


class Divergence(Protocol):
    r"""Cost of a model Y for data V.

    It is a weighted sum over time-frequency bins,
    :math:`D(V \mid Y) = \sum_{f,t} m_{ft}\, d(v_{ft} \mid y_{ft})`. These members are all that a
    solver needs to minimise it under any structure and any penalty; `nmfaudio.check_divergence`
    tests them, and `nmfaudio.register` lets files name the class by its attribute ``name``.
    """

    @property
    def exponents(self) -> tuple[float, float]:
        r"""Exponents (p, q) of the separable majoriser.

        For one entry of a factor, with :math:`u = x / \tilde x` the ratio of its new to its current
        value, the majoriser has the derivative :math:`B u^p - A u^q`, :math:`p \ge 0 \ge q`, where
        :math:`B - A` is the gradient; see `MU`.
        """

    @property
    def degree(self) -> float | None:
        """Degree of homogeneity r, with D(sV | sY) = s^r D(V | Y), or None if there is none."""

    def prepare(self, V: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """Return the data in the domain of the divergence.

        Parameters
        ----------
        V : np.ndarray [shape=(…, freq, time)]
            Non-negative data.
        weights : np.ndarray or None
            Weights of the bins, shaped like V.

        Returns
        -------
        np.ndarray
            V itself, or a copy whose smallest values are raised.
        """

    def value(self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> float:
        """Return the divergence.

        Parameters
        ----------
        V : np.ndarray [shape=(…, freq, time)]
            Data.
        Y : np.ndarray
            Model, shaped like V.
        weights : np.ndarray or None
            Weights of the bins, shaped like V.

        Returns
        -------
        float
            Weighted sum over all bins, accumulated in double precision.
        """

    def gradient_parts(
        self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the negative and the positive part of the gradient with respect to the model.

        Parameters
        ----------
        V : np.ndarray [shape=(…, freq, time)]
            Data.
        Y : np.ndarray
            Model, shaped like V.
        weights : np.ndarray or None
            Weights of the bins, shaped like V.

        Returns
        -------
        A, B : np.ndarray
            Non-negative arrays shaped like V, with ∂D/∂Y = B − A.
        """


@public
@inherits_docstrings(Divergence)
@dataclass(frozen=True)
class Beta:
    r"""Beta-divergence.

    Parameters
    ----------
    beta : float
        From -10 to 10: 0 is the Itakura–Saito divergence, 1 the generalised Kullback–Leibler
        divergence, 2 half the squared Euclidean distance.
    floor : float
        Between 0 and 1. For β ≤ 0 the divergence is unbounded where V is 0, so V is raised to at
        least `floor` times its maximum. This is a modelling choice: differences between bins below
        that level are ignored. 1e-8 of the maximum power is −80 dB. For β < 0 in float32 the floor
        is raised further to keep powers of the model in range (1e-4 of the mean of V for β = −1);
        use float64 there. For β > 0 exact zeros need no floor, and `floor` has no effect.

    Raises
    ------
    ParameterError
        `beta` is not a number from -10 to 10, or `floor` is not between 0 and 1.

    Notes
    -----
    Between a bin :math:`v` of the data and :math:`y` of the model,

    .. math::

        d_\beta(v \mid y) = \frac{v^\beta + (\beta - 1)\, y^\beta - \beta\, v\, y^{\beta - 1}}
            {\beta (\beta - 1)}, \qquad \beta \notin \{0, 1\}

    with the limits and special cases

    .. math::

        d_2(v \mid y) &= \tfrac12 (v - y)^2 \\
        d_1(v \mid y) &= v \log\frac{v}{y} - v + y \\
        d_0(v \mid y) &= \frac{v}{y} - \log\frac{v}{y} - 1

    Its derivative is :math:`y^{\beta - 1} - v\, y^{\beta - 2}`. It is convex in :math:`y` for
    :math:`1 \le \beta \le 2` only. With V and Y multiplied by :math:`s` it grows by
    :math:`s^\beta`: Itakura–Saito weighs quiet and loud bins alike.

    References
    ----------
    C. Févotte and J. Idier, "Algorithms for nonnegative matrix factorization with the
    β-divergence", Neural Computation 23(9), 2011, doi:10.1162/NECO_a_00168.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> V, Y = np.array([[1.0, 4.0]]), np.array([[2.0, 4.0]])
    >>> na.Beta(2).value(V, Y, None)
    0.5
    >>> V = np.random.default_rng(0).random((20, 40))
    >>> W, H = np.ones((20, 1)), np.ones((1, 40))
    >>> na.decompose(V, [na.Factor(W), na.Factor(H)], divergence=na.Beta(0.5)).W.shape
    (20, 1)
    """

    name: ClassVar[str] = "beta"

    beta: float = 1.0
    floor: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", as_number(self.beta, "beta"))  # a plain number, for JSON
        if abs(self.beta) > _LARGEST_BETA:
            raise ParameterError(
                f"beta is {self.beta:g}; it must be from {-_LARGEST_BETA} to {_LARGEST_BETA}, "
                "beyond which powers of the data overflow; 0, 1 and 2 suit audio"
            )
        object.__setattr__(self, "floor", as_number(self.floor, "floor", above=0))
        if self.floor >= 1:
            raise ParameterError(f"floor is {self.floor!r}; it must lie between 0 and 1")

    @property
    def exponents(self) -> tuple[float, float]:
        # Févotte & Idier, table 1: the convex part at p, the concave part linearised at q.
        return max(self.beta - 1.0, 0.0), min(self.beta - 2.0, 0.0)

    @property
    def degree(self) -> float:
        return self.beta

    def prepare(self, V: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        return V if self.beta > 0 else self.raised(V, float(V.max()))

    def raised(self, V: np.ndarray, peak: float) -> np.ndarray:
        """Return a part of the data in the domain of the divergence.

        Parameters
        ----------
        V : np.ndarray [shape=(…, freq, time)]
            Part of the data.
        peak : float
            Largest value of all data.

        Returns
        -------
        np.ndarray
            V itself if β > 0 or no value has to be raised, else a copy.
        """
        if self.beta > 0:
            return V
        # Well above the floor of the model: below it the divergence would no longer change.
        low = max(self.floor * (peak or 1.0), 2**8 * self.model_floor(V.dtype))
        smallest = V.dtype.type(low)
        if V.size and V.min() >= smallest:
            return V
        raised: np.ndarray = np.maximum(V, smallest)
        return raised

    def model_floor(self, dtype: np.dtype) -> float:
        """Return the value below which the model is treated as this value.

        Parameters
        ----------
        dtype : np.dtype
            float32 or float64.

        Returns
        -------
        float
            Smallest value whose powers y^(β−1) and y^(β−2), and sums of them, stay finite.
        """
        # y^(β−2) is at most 2^64 in float32 and 2^512 in float64, half the range of exponents.
        bits = 64 if dtype == np.float32 else 512
        return float(2.0 ** (-bits / max(2.0 - self.beta, 1.0)))

    def value(self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None) -> float:
        v, y, m = _rows(V, V), _rows(Y, V), _rows(weights, V)
        sums = np.zeros(-(-len(v) // ROWS))
        floor = self.model_floor(V.dtype)

        def work(tasks: range) -> None:
            for task in tasks:
                rows = slice(task * ROWS, (task + 1) * ROWS)
                sums[task] = beta_divergence.divergence(v[rows], y[rows], m[rows], self.beta, floor)

        parallel_for(work, len(sums))
        return float(sum(sums))

    def gradient_parts(
        self, V: np.ndarray, Y: np.ndarray, weights: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        v, y, m = _rows(V, V), _rows(Y, V), _rows(weights, V)
        A, B = y.copy(), np.empty_like(v)  # the kernel turns Y in A into m · V · Y^(β−2)
        floor = self.model_floor(V.dtype)

        def work(tasks: range) -> None:
            for task in tasks:
                rows = slice(task * ROWS, (task + 1) * ROWS)
                beta_divergence.gradient_parts(v[rows], A[rows], m[rows], self.beta, floor, B[rows])

        parallel_for(work, -(-len(v) // ROWS))
        if _time_major(V):
            return A.reshape(V.T.shape).T, B.reshape(V.T.shape).T
        return A.reshape(V.shape), B.reshape(V.shape)


DIVERGENCES = Registry("divergence", "name", ("gradient_parts", "exponents"), (Beta,))
"""Divergences that a saved decomposition can name."""


_LARGEST_BETA = 10
_MEMBERS = ("exponents", "degree", "prepare", "value", "gradient_parts")


def require_divergence(divergence: Any) -> None:
    """Raise a `ParameterError` unless an object has all members of a `Divergence`."""
    if isinstance(divergence, type) or not any(hasattr(divergence, name) for name in _MEMBERS):
        raise ParameterError(
            f"divergence is {divergence!r}; it must be an instance of a Divergence, e.g. Beta(1)"
        )
    require_members(divergence, "divergence", _MEMBERS)


def divergence_named(beta_loss: str | float | Divergence) -> Divergence:
    """Return a divergence from a name in `LOSSES`, a value of β or a divergence itself.

    Parameters
    ----------
    beta_loss : str, float or Divergence
        ``"kl"``, ``"is"``, ``"frobenius"``, one of scikit-learn's long names, in any case, any
        number, or a divergence, which is returned.

    Returns
    -------
    Divergence

    Raises
    ------
    ParameterError
        It is none of these.
    """
    if isinstance(beta_loss, str):
        if beta_loss.lower() not in LOSSES:
            names = ", ".join(repr(name) for name in LOSSES)
            raise ParameterError(
                f"beta_loss is {beta_loss!r}; it must be a number, a Divergence or one of {names}"
            )
        return Beta(LOSSES[beta_loss.lower()])
    if not isinstance(beta_loss, type) and any(hasattr(beta_loss, name) for name in _MEMBERS):
        require_divergence(beta_loss)
        return cast(Divergence, beta_loss)
    return Beta(as_number(beta_loss, "beta_loss"))


def beta_named(beta_loss: str | float | Divergence, needed_by: str) -> Beta:
    """Return a beta-divergence as `divergence_named` does, for callers that need β itself.

    Raises
    ------
    ParameterError
        `beta_loss` is invalid, or a divergence of another kind.
    """
    divergence = divergence_named(beta_loss)
    if not isinstance(divergence, Beta):
        raise ParameterError(
            f"beta_loss is {divergence!r}; {needed_by} needs a beta-divergence, e.g. 'kl'"
        )
    return divergence


def _time_major(V: np.ndarray) -> bool:
    """Return whether the frames of V are contiguous in memory."""
    return bool(V.T.flags.c_contiguous)


def _rows(array: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """Return a C-contiguous matrix in the memory order of `like`, without columns for None."""
    if array is None:
        return np.empty((len(_rows(like, like)), 0), like.dtype)
    if _time_major(like):
        return np.ascontiguousarray(array.T).reshape(array.shape[-1], -1)
    return np.ascontiguousarray(array).reshape(-1, array.shape[-1])
