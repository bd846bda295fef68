"""Laws of penalties."""

from __future__ import annotations

import numpy as np

from nmfaudio._common.validation import require_members
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.contracts import as_cost, as_terms, method_of, require_valid_terms
from nmfaudio.factorisation.engine import generator
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.laws.base import require, require_close, require_descent
from nmfaudio.factorisation.penalties import Penalty, Terms
from nmfaudio.factorisation.structures import Convolutive

_MAX_ENTRIES = 12  # of the factor that derivatives are taken in


@public
def check_penalty(
    penalty: Penalty, shape: tuple[int, ...], *, rng: int | np.random.Generator | None = 0
) -> None:
    """Check that a penalty obeys the laws that solvers rely on.

    They are: the majoriser has the slope of the penalty at the current factor, lies above it
    everywhere and bends at least as much; all its terms but the linear one are ≥ 0; float32 means
    the same numbers, and the factor is not written to; multiplicative updates never raise the
    objective.

    Parameters
    ----------
    penalty : Penalty
        Penalty on one factor. One that several factors share, such as `ARD`, is not for this check.
    shape : tuple of int
        Shape of the factor, of a few entries along each axis: (component, time), or (lag, freq,
        component).
    rng : int, np.random.Generator or None
        Seed or generator of the factors.

    Raises
    ------
    ParameterError
        A law is violated; the message names the method and the size of the violation.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> na.check_penalty(na.penalties.L1(0.5), (3, 8))
    >>> class Wrong(na.penalties.L1):
    ...     def majorize(self, F, factors):
    ...         return na.penalties.Terms(linear=0.9 * self.weight)
    >>> na.check_penalty(Wrong(0.5), (3, 8))
    Traceback (most recent call last):
        ...
    nmfaudio.ParameterError: Wrong.majorize has another slope than value at the current factor: \
off by 0.05, at values of about 0.5
    """
    if isinstance(penalty, type):
        raise ParameterError(f"penalty is {penalty!r}; it must be an instance of a Penalty")
    require_members(penalty, "penalty", ("value", "majorize"))
    if not isinstance(shape, tuple | list) or len(shape) not in (2, 3):
        raise ParameterError(f"shape is {shape!r}; it must have two or three axes, e.g. (3, 12)")
    rng = generator(rng)
    F = rng.random(shape) + 0.3
    same_numbers(penalty, F.astype(np.float32))
    slopes(penalty, F, rng)
    bends(penalty, F, rng)
    for size in (1e-3, 1.0, 1e3):
        for reach in (1e-3, 1.0, 8.0):
            for zeros in (False, True):
                G = size * (rng.random(shape) + 1e-6)
                G *= ~(zeros & (rng.random(shape) < 0.3))
                target = np.where(G > 0, G, size) * np.exp(reach * rng.normal(size=shape))
                majorisation(penalty, G, target)
    descent(penalty, shape, rng)


def bound(terms: Terms, X: np.ndarray, F: np.ndarray) -> float:
    """Majoriser at X from terms made at F, up to a constant; poles at zeros of F are left out."""
    linear, quadratic, log, inverse = (np.broadcast_to(t, X.shape).astype(float) for t in terms)
    total = linear * X + 0.5 * quadratic * X**2
    inside = (F > 0) & (X > 0)
    safe = np.where(inside, X, 1)
    total[inside] += (inverse / safe - log * np.log(safe))[inside]
    return float(total.sum())


def majorisation(penalty: Penalty, F: np.ndarray, G: np.ndarray) -> None:
    """The majoriser made at F is above the penalty at G, and equal at F."""
    terms = as_terms(penalty.majorize(F, [F]), penalty, F)
    require_valid_terms(terms, penalty)
    if np.ndim(terms.log) or np.ndim(terms.inverse):
        G = np.where(F > 0, G, 0)  # solvers keep these zeros
    above = bound(terms, G, F) + penalty.value(F, [F]) - bound(terms, F, F)
    size = abs(bound(terms, G, F)) + abs(bound(terms, F, F)) + 1
    excess = penalty.value(G, [G]) - above
    require(
        excess <= 1e-11 * size,
        method_of(penalty, "majorize"),
        f"is no upper bound of value: {excess:.3g} below it, at values of about {size:.3g}",
    )


def slopes(penalty: Penalty, F: np.ndarray, rng: np.random.Generator) -> None:
    """The majoriser has the slope of the penalty at F, by finite differences."""
    terms = as_terms(penalty.majorize(F, [F]), penalty, F)
    step = 1e-5
    for D in _directions(F, rng):
        up, down = F + step * D, F - step * D
        want = (penalty.value(up, [up]) - penalty.value(down, [down])) / (2 * step)
        got = (bound(terms, up, F) - bound(terms, down, F)) / (2 * step)
        law = "has another slope than value at the current factor"
        label, size = method_of(penalty, "majorize"), abs(want) or 1e-2
        require_close(got, want, label, law, size=size, rtol=1e-5 + 1e-7 / size)


def bends(penalty: Penalty, F: np.ndarray, rng: np.random.Generator) -> None:
    """The majoriser bends at least as much as the penalty in every direction at F."""
    terms = penalty.majorize(F, [F])
    step = 1e-3
    steps = [step * D for D in _directions(F, rng)]

    def gap(X: np.ndarray) -> float:
        return bound(terms, X, F) - penalty.value(X, [X])

    hessian = [
        [gap(F + a + b) - gap(F + a - b) - gap(F - a + b) + gap(F - a - b) for a in steps]
        for b in steps
    ]
    lowest = float(np.linalg.eigvalsh(np.array(hessian) / (4 * step**2)).min())
    law = f"bends less than value in some direction: curvature {lowest:.3g} of their difference"
    require(lowest >= -1e-4, method_of(penalty, "majorize"), law)


def same_numbers(penalty: Penalty, F: np.ndarray) -> None:
    """A factor in float32 costs what the same numbers in float64 do, and is not written to."""
    kept, wide = F.copy(), F.astype(np.float64)
    label = method_of(penalty, "value")
    got, want = (as_cost(penalty.value(X, [X]), label) for X in (F, wide))
    require_close(got, want, label, "loses digits of float32 factors", rtol=1e-12)
    label = method_of(penalty, "majorize")
    narrow = as_terms(penalty.majorize(F, [F]), penalty, F)
    require_valid_terms(narrow, penalty)
    for term, wide_term in zip(narrow, penalty.majorize(wide, [wide]), strict=True):
        require_close(term, wide_term, label, "loses digits of float32 factors", rtol=1e-12)
    require(np.array_equal(F, kept), type(penalty).__name__, "wrote into its factor; copy it first")


def descent(penalty: Penalty, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    """Multiplicative updates never raise the objective with the penalty."""
    penalised = Factor(rng.random(shape) + 0.1, penalties=(penalty,))
    if len(shape) == 2:  # H (component, time)
        V = rng.random((9, shape[1])) + 0.01
        factors, structure = [Factor(rng.random((9, shape[0])) + 0.1), penalised], None
    else:  # W (lag, freq, component)
        V = rng.random((shape[1], 12)) + 0.01
        factors = [penalised, Factor(rng.random((shape[2], 12)) + 0.1)]
        structure = Convolutive()
    require_descent(V, factors, type(penalty).__name__, structure=structure)


def _directions(F: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Unit arrays like F at up to twelve of its entries."""
    chosen = rng.permutation(F.size)[:_MAX_ENTRIES]
    return [np.eye(1, F.size, n).reshape(F.shape) for n in chosen]
