"""Laws of divergences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nmfaudio._public import public
from nmfaudio.factorisation.contracts import (
    as_array,
    as_cost,
    method_of,
    require_exponents,
    require_non_negative,
)
from nmfaudio.factorisation.divergences import Divergence, require_divergence
from nmfaudio.factorisation.engine import generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.laws.base import TOLERANCE, require, require_close, require_descent

_BINS, _FRAMES, _COMPONENTS = 6, 11, 3


class Bins(NamedTuple):
    """Data, a model and weights of one shape (freq, time)."""

    V: np.ndarray
    Y: np.ndarray
    weights: np.ndarray


@public
def check_divergence(divergence: Divergence, *, rng: int | np.random.Generator | None = 0) -> None:
    """Check that a divergence obeys the laws that solvers rely on.

    They are: it is a sum over bins, proportional to their weights, and lowest where model and data
    are equal; the two parts of the gradient are ≥ 0 and their difference is the gradient; it has
    its degree of homogeneity; `exponents` give a majoriser; float32 stays float32; multiplicative
    updates never raise the objective.

    Parameters
    ----------
    divergence : Divergence
        Divergence to check.
    rng : int, np.random.Generator or None
        Seed or generator of data and models.

    Raises
    ------
    ParameterError
        A law is violated; the message names the method and the size of the violation.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> na.check_divergence(na.Beta(0.5))
    >>> class Wrong(na.Beta):
    ...     @property
    ...     def degree(self):
    ...         return 3.0
    >>> na.check_divergence(Wrong(1.0))
    Traceback (most recent call last):
        ...
    nmfaudio.ParameterError: Wrong.degree is 3.0, but data and model of twice the size cost \
2 × as much, not 8 ×
    """
    require_divergence(divergence)
    rng = generator(rng)
    require_exponents(divergence)
    for dtype in TOLERANCE:
        shapes_and_dtypes(divergence, _bins(divergence, rng, dtype))
    bins = _bins(divergence, rng, np.dtype(np.float64))
    sums(divergence, bins)
    optimum(divergence, bins)
    gradient(divergence, bins, rng)
    homogeneity(divergence, bins)
    majorisation(divergence, bins.V, rng)
    descent(divergence, rng)


def shapes_and_dtypes(divergence: Divergence, bins: Bins) -> None:
    """Results have the shape and the dtype of the data, which stay as they are."""
    V, Y, weights = bins
    kept = [A.copy() for A in bins]
    label = method_of(divergence, "prepare")
    require_non_negative(as_array(divergence.prepare(V, weights), label, V.shape, V.dtype), label)
    label = method_of(divergence, "gradient_parts")
    for m in (None, weights):
        for half in divergence.gradient_parts(V, Y, m):
            require_non_negative(as_array(half, label, V.shape, V.dtype), label)
    wide = [A.astype(np.float64) for A in bins]
    label = method_of(divergence, "value")
    got, want = (as_cost(divergence.value(*A), label) for A in (bins, wide))
    require_close(got, want, label, f"is inexact in {V.dtype}", rtol=TOLERANCE[V.dtype])
    same = all(np.array_equal(A, B) for A, B in zip(bins, kept, strict=True))
    require(same, type(divergence).__name__, "wrote into its arguments; copy them first")


def sums(divergence: Divergence, bins: Bins) -> None:
    """The divergence is a sum over bins, in proportion to their weights."""
    V, Y, weights = bins
    label = method_of(divergence, "value")
    whole = divergence.value(V, Y, None)
    each = [divergence.value(V[at, None], Y[at, None], None) for at in np.ndindex(V.shape[:1])]
    require_close(sum(each), whole, label, "is no sum over bins")
    ones = divergence.value(V, Y, np.ones_like(V))
    require_close(ones, whole, label, "differs for weights of 1 and for none")
    parts = [divergence.value(V, Y, w) for w in (weights, 1 - weights)]
    require_close(sum(parts), whole, label, "is not proportional to the weights")
    label = method_of(divergence, "gradient_parts")
    halves = zip(
        divergence.gradient_parts(V, Y, weights), divergence.gradient_parts(V, Y, None), strict=True
    )
    for weighted, plain in halves:
        require_close(weighted, weights * plain, label, "are not proportional to the weights")


def optimum(divergence: Divergence, bins: Bins) -> None:
    """No model costs less than the data itself."""
    V, Y, _ = bins
    best, other = divergence.value(V, V.copy(), None), divergence.value(V, Y, None)
    law = f"is {other:.6g} for a model, less than {best:.6g} for the data itself"
    require(best <= other + 1e-10 * abs(other), method_of(divergence, "value"), law)


def gradient(divergence: Divergence, bins: Bins, rng: np.random.Generator) -> None:
    """The parts of the gradient differ by the gradient, by finite differences."""
    V, Y, weights = bins
    A, B = divergence.gradient_parts(V, Y, weights)
    label = method_of(divergence, "gradient_parts")
    for n in rng.permutation(V.size)[:20]:
        at = np.unravel_index(n, V.shape)
        step = np.zeros(V.shape)
        step[at] = 1e-5 * Y[at]
        up, down = (divergence.value(V, Y + s, weights) for s in (step, -step))
        want, got = (up - down) / (2 * step[at]), B[at] - A[at]
        law = "do not differ by the gradient of value"
        require_close(got, want, label, law, size=A[at] + B[at] + abs(up), rtol=1e-6)


def homogeneity(divergence: Divergence, bins: Bins) -> None:
    """D(sV | sY) = s^degree D(V | Y), unless the degree is None."""
    if divergence.degree is None:
        return
    ratio = divergence.value(2 * bins.V, 2 * bins.Y, None) / divergence.value(bins.V, bins.Y, None)
    expected = 2.0**divergence.degree
    law = f"is {divergence.degree}, but data and model of twice the size cost {ratio:.6g} × as much"
    law += f", not {expected:.6g} ×"
    require(abs(ratio - expected) <= 1e-6 * expected, method_of(divergence, "degree"), law)


def majorisation(divergence: Divergence, V: np.ndarray, rng: np.random.Generator) -> None:
    """The function that `exponents` describe is above the divergence of a product."""
    p, q = divergence.exponents
    W, H = rng.random((len(V), _COMPONENTS)) + 0.1, rng.random((_COMPONENTS, V.shape[1])) + 0.1
    start = divergence.value(V, W @ H, None)
    A, B = (W.T @ half for half in divergence.gradient_parts(V, W @ H, None))
    for reach in (0.01, 0.3, 2.0):
        u = np.exp(reach * rng.standard_normal(H.shape))
        rise = float((H * (B * _power_integral(u, p) - A * _power_integral(u, q))).sum())
        excess = divergence.value(V, W @ (H * u), None) - start - rise
        require(
            excess <= 1e-9 * (abs(start) + abs(rise)),
            method_of(divergence, "exponents"),
            f"({p}, {q}) give no upper bound of value: {excess:.3g} below it, at values of about "
            f"{start:.3g}",
        )


def descent(divergence: Divergence, rng: np.random.Generator) -> None:
    """Multiplicative updates never raise the divergence, with zeros in the data too."""
    for dtype in TOLERANCE:
        V = (rng.random((_BINS, _FRAMES)) ** 3).astype(dtype)
        V[2, 3:6] = 0
        factors = [
            Factor(rng.random(shape) + 0.1)
            for shape in ((_BINS, _COMPONENTS), (_COMPONENTS, _FRAMES))
        ]
        require_descent(V, factors, type(divergence).__name__, divergence=divergence)


def _bins(divergence: Divergence, rng: np.random.Generator, dtype: np.dtype) -> Bins:
    """Random data in the domain of the divergence, a model, and weights from 0 to 1."""
    V, Y = ((rng.random((_BINS, _FRAMES)) + 0.1).astype(dtype) for _ in range(2))
    prepared = as_array(
        divergence.prepare(V, None), method_of(divergence, "prepare"), V.shape, dtype
    )
    return Bins(prepared, Y, rng.random(V.shape).astype(dtype))


def _power_integral(u: np.ndarray, power: float) -> np.ndarray:
    """Integral of v^power from 1 to u."""
    if power == -1:
        return np.asarray(np.log(u))
    return np.asarray((u ** (power + 1) - 1) / (power + 1))
