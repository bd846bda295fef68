"""One majorisation-minimisation step on one factor, entry by entry.

At an entry x̃ of a factor the divergence is majorised by a convex function of u = x / x̃ whose
derivative is ``positive·u^p − negative·u^q`` with p ≥ 0 ≥ q, where `negative` and `positive` are
the two parts of the gradient. For the beta-divergence p = max(β − 1, 0) and q = min(β − 2, 0)
(Févotte & Idier 2011, doi:10.1162/NECO_a_00168, table 1). A penalty adds
``linear + quadratic·x̃·u − log / (x̃·u) − inverse / (x̃·u)²``, see `bundles.StepTerms`. The sum
increases with u, and its zero is the step. Without penalty that is the multiplicative update
``u = (negative / positive)^(1 / (p − q))``, which for β = 1 and 2 is Lee and Seung's.
"""

from __future__ import annotations

import math

import numpy as np

from nmfaudio.kernels.bundles import Majoriser, StepTerms
from nmfaudio.kernels.jit import kernel

# Longest step where the majoriser has no lower bound (a negative linear term only).
LONGEST_STEP = 1e3


@kernel
def positive_root(a: float, b: float, c: float) -> float:
    """Root u ≥ 0 of ``a·u² + b·u − c`` with a, c ≥ 0, without cancellation."""
    spread = math.sqrt(b * b + 4.0 * a * c)
    # (−b + spread) / 2a loses its digits for b > 0; multiplied by (b + spread) it does not.
    if b > 0.0:
        return 2.0 * c / (b + spread)
    if a > 0.0:
        return (spread - b) / (2.0 * a)
    if b == 0.0 and c == 0.0:
        return 1.0  # 0 = 0: no preference
    return LONGEST_STEP


@kernel
def derivative(u: float, m: Majoriser) -> float:
    """Derivative of the majoriser at u."""
    value: float = (
        m.positive * u**m.p
        - m.negative * u**m.q
        + m.linear
        + m.quadratic * u
        - m.log / u
        - m.inverse / (u * u)
    )
    return value


@kernel
def searched_root(m: Majoriser) -> float:
    """Zero of `derivative` by Newton's method within a shrinking bracket.

    Returned is the end of the bracket on the side of u = 1: the majoriser is convex, so every point
    between 1 and its minimum lowers it, and an unfinished search is still a descent.
    """
    near, far = 1.0, 0.0
    value = derivative(near, m)
    rising = value < 0.0  # the minimum lies above 1
    # Bracket it between near and far = 2·near.
    while rising and value < 0.0:
        far = 2.0 * near
        value = derivative(far, m)
        if value < 0.0:
            near = far
            if near > LONGEST_STEP:
                return near
    for _ in range(60):
        value = derivative(near, m)
        slope = m.p * m.positive * near ** (m.p - 1.0)
        slope = slope - m.q * m.negative * near ** (m.q - 1.0) + m.quadratic
        slope += m.log / (near * near) + 2.0 * m.inverse / (near * near * near)
        u = near - value / slope if slope > 0.0 else far
        if not min(near, far) < u < max(near, far):
            u = 0.5 * (near + far)  # Newton left the bracket: bisect
        value_at_u = derivative(u, m)
        if value_at_u == 0.0:
            return u
        if (value_at_u < 0.0) == rising:
            near = u
        else:
            far = u
        if abs(near - far) <= 1e-9 * near:
            break
    return near


@kernel
def ratio(m: Majoriser) -> float:
    """Step u = x / x̃ to the minimum of the majoriser, in closed form where there is one."""
    negative, positive, linear, quadratic = m.negative, m.positive, m.linear, m.quadratic
    log_weight, inverse_weight, p, q = m.log, m.inverse, m.p, m.q
    if q == -1.0:  # −negative / u and −log / u are one term
        negative, log_weight = negative + log_weight, 0.0
    elif q == -2.0:  # so are −negative / u² and −inverse / u²
        negative, inverse_weight = negative + inverse_weight, 0.0
    two_terms = quadratic == 0.0 and log_weight == 0.0 and inverse_weight == 0.0
    if two_terms and (p == 0.0 or q == 0.0 or linear == 0.0):
        # A linear term joins the part whose exponent is 0.
        gain = negative if p == 0.0 else max(negative - linear, 0.0)
        loss = positive + linear if p == 0.0 else positive
        if loss <= 0.0:  # 0, possibly by underflow, carries no information
            return 1.0 if loss == 0.0 else LONGEST_STEP
        return gain / loss if p - q == 1.0 else (gain / loss) ** (1.0 / (p - q))
    if inverse_weight == 0.0 and p == 0.0 and q == -1.0:
        # quadratic·u² + (positive + linear)·u − negative = 0
        return positive_root(quadratic, positive + linear, negative)
    if inverse_weight == 0.0 and p == 1.0 and q == 0.0:
        # (positive + quadratic)·u² + (linear − negative)·u − log = 0
        return positive_root(positive + quadratic, linear - negative, log_weight)
    rest = Majoriser(negative, positive, linear, quadratic, log_weight, inverse_weight, p, q)
    return searched_root(rest)


@kernel
def multiplicative_step(
    F: np.ndarray,
    negative: np.ndarray,
    positive: np.ndarray,
    free: np.ndarray,
    exponent: float,
    floor: float,
) -> None:
    """`step` without penalties: ``F *= (negative / positive) ** exponent`` in F's own precision."""
    rows, columns = F.shape
    low, one, zero = F.dtype.type(floor), F.dtype.type(1), F.dtype.type(0)
    power = F.dtype.type(exponent)
    for i in range(rows):
        f, a, b = F[i], negative[i], positive[i]
        for j in range(columns):
            # A positive part of 0, also by underflow, carries no information.
            u = a[j] / b[j] if b[j] > zero else one
            if exponent == 0.5:
                u = math.sqrt(u)
            elif exponent != 1.0:
                u = u**power
            moved = max(f[j] * u, low)
            if f[j] > zero and (free.size == 0 or free[i, j]):
                f[j] = moved


@kernel
def step(
    F: np.ndarray,
    negative: np.ndarray,
    positive: np.ndarray,
    terms: StepTerms,
    p: float,
    q: float,
    floor: float,
) -> None:
    """Move F to the minimum of its majoriser, in place.

    A zero stays zero: it may carry meaning (a support). Every other entry stays at or above
    `floor`, because denormal numbers slow all later work down. Called by
    `factorisation.solvers.descent` and by `blocks.update_rows`.

    Parameters
    ----------
    F : np.ndarray [shape=(row, column)]
        C-contiguous, like all other arrays.
    negative, positive : np.ndarray [shape=(row, column)]
        Parts of the gradient.
    terms : StepTerms
        Penalty terms like F.
    p, q : float
        Exponents of the majoriser.
    floor : float
    """
    linear, quadratic, free = terms.linear, terms.quadratic, terms.free
    log_weight, inverse_weight = terms.log, terms.inverse
    without_penalty = linear.size == 0 and quadratic.size == 0
    if without_penalty and log_weight.size == 0 and inverse_weight.size == 0:
        multiplicative_step(F, negative, positive, free, 1.0 / (p - q), floor)
        return
    rows, columns = F.shape
    low = F.dtype.type(floor)
    for i in range(rows):
        for j in range(columns):
            x = F[i, j]
            if x == 0 or (free.size > 0 and not free[i, j]):
                continue
            b = float(linear[i, j]) if linear.size > 0 else 0.0
            c = float(quadratic[i, j]) * x if quadratic.size > 0 else 0.0
            d = float(log_weight[i, j]) / x if log_weight.size > 0 else 0.0
            # Divided by x², which is 0 for the smallest x, 0 would become NaN.
            e = 0.0
            if inverse_weight.size > 0 and inverse_weight[i, j] > 0:
                e = float(inverse_weight[i, j]) / x / x
            u = ratio(Majoriser(float(negative[i, j]), float(positive[i, j]), b, c, d, e, p, q))
            F[i, j] = max(F.dtype.type(x * u), low)


@kernel
def extrapolate(F: np.ndarray, before: np.ndarray, factor: float, out: np.ndarray) -> None:
    """``out = F + factor · max(F − before, 0)``, all (row, column) and C-contiguous.

    The extrapolation of Hien, Leplat and Gillis (2025, doi:10.1137/24M1660188). Called by
    `factorisation.solvers.bmme`.
    """
    rows, columns = F.shape
    c, zero = F.dtype.type(factor), F.dtype.type(0)
    for i in range(rows):
        f, b, o = F[i], before[i], out[i]
        for j in range(columns):
            o[j] = f[j] + c * max(f[j] - b[j], zero)
