"""One majorisation-minimisation step on one factor, entry by entry.

At an entry x̃ of a factor the divergence is majorised by a convex function of u = x / x̃ whose
derivative is ``pos · u^p − neg · u^q`` with p ≥ 0 ≥ q, where `neg` and `pos` are the two halves of
the gradient. For the beta-divergence p = max(β − 1, 0) and q = min(β − 2, 0) (Févotte & Idier 2011,
doi:10.1162/NECO_a_00168, table 1). A penalty adds
``lin + quad · x̃ · u − pull / (x̃ · u) − push / (x̃ · u)²``. The sum increases with u, and its zero
is the step. Without penalty that is the multiplicative update
``u = (neg / pos)^(1 / (p − q))``, which for β = 1 and 2 is Lee and Seung's.
"""

from __future__ import annotations

import math

import numpy as np

from nmfaudio.kernels.jit import kernel

# How far one step may go where the majoriser falls without end (a linear reward and no bound).
FARTHEST = 1e3


@kernel
def positive_root(a: float, b: float, c: float) -> float:
    """The root u ≥ 0 of ``a·u² + b·u − c`` with a, c ≥ 0, without cancellation."""
    spread = math.sqrt(b * b + 4.0 * a * c)
    if b > 0.0:
        return 2.0 * c / (b + spread)
    if a > 0.0:
        return (spread - b) / (2.0 * a)
    if b == 0.0 and c == 0.0:
        return 1.0
    return FARTHEST


@kernel
def derivative(
    u: float, neg: float, pos: float, b: float, c: float, d: float, e: float, p: float, q: float
) -> float:
    """That of the majoriser at u."""
    value: float = pos * u**p - neg * u**q + b + c * u - d / u - e / (u * u)
    return value


@kernel
def searched_root(
    neg: float, pos: float, b: float, c: float, d: float, e: float, p: float, q: float
) -> float:
    """The zero of `derivative` by Newton inside a shrinking bracket.

    Returned is the end of the bracket on the side of u = 1: the majoriser is convex, so that
    every point between 1 and its minimum lowers it, and an unfinished search stays a descent.
    """
    near, far = 1.0, 0.0
    value = derivative(near, neg, pos, b, c, d, e, p, q)
    rising = value < 0.0
    while rising and value < 0.0:
        far = 2.0 * near
        value = derivative(far, neg, pos, b, c, d, e, p, q)
        if value < 0.0:
            near = far
            if near > FARTHEST:
                return near
    for _ in range(60):
        value = derivative(near, neg, pos, b, c, d, e, p, q)
        slope = p * pos * near ** (p - 1.0) - q * neg * near ** (q - 1.0) + c
        slope += d / (near * near) + 2.0 * e / (near * near * near)
        u = near - value / slope if slope > 0.0 else far
        if not min(near, far) < u < max(near, far):
            u = 0.5 * (near + far)
        beyond = derivative(u, neg, pos, b, c, d, e, p, q)
        if beyond == 0.0:
            return u
        if (beyond < 0.0) == rising:
            near = u
        else:
            far = u
        if abs(near - far) <= 1e-9 * near:
            break
    return near


@kernel
def ratio(
    neg: float, pos: float, b: float, c: float, d: float, e: float, p: float, q: float
) -> float:
    """The step u = x / x̃, in closed form where there is one.

    b = lin, c = quad · x̃, d = pull / x̃ and e = push / x̃².
    """
    if q == -1.0:  # the divergence pulls in the same way
        neg, d = neg + d, 0.0
    elif q == -2.0:
        neg, e = neg + e, 0.0
    bare = c == 0.0 and d == 0.0 and e == 0.0
    if bare and (p == 0.0 or q == 0.0 or b == 0.0):
        gain = neg if p == 0.0 else max(neg - b, 0.0)
        loss = pos + b if p == 0.0 else pos
        if loss <= 0.0:  # exactly 0 also by underflow, and then nothing is known
            return 1.0 if loss == 0.0 else FARTHEST
        return gain / loss if p - q == 1.0 else (gain / loss) ** (1.0 / (p - q))
    if e == 0.0 and p == 0.0 and q == -1.0:
        return positive_root(c, pos + b, neg)
    if e == 0.0 and p == 1.0 and q == 0.0:
        return positive_root(pos + c, b - neg, d)
    return searched_root(neg, pos, b, c, d, e, p, q)


@kernel
def plain_step(
    F: np.ndarray, neg: np.ndarray, pos: np.ndarray, free: np.ndarray, root: float, floor: float
) -> None:
    """`step` without penalties: ``F *= (neg / pos) ** root`` in F's own precision."""
    rows, columns = F.shape
    low, one, zero = F.dtype.type(floor), F.dtype.type(1), F.dtype.type(0)
    exponent = F.dtype.type(root)
    for i in range(rows):
        f, a, b = F[i], neg[i], pos[i]
        for j in range(columns):
            # A sum that is 0, also by underflow, says nothing.
            u = a[j] / b[j] if b[j] > zero else one
            if root == 0.5:
                u = math.sqrt(u)
            elif root != 1.0:
                u = u**exponent
            moved = max(f[j] * u, low)
            if f[j] > zero and (free.size == 0 or free[i, j]):
                f[j] = moved


@kernel
def step(
    F: np.ndarray,
    neg: np.ndarray,
    pos: np.ndarray,
    lin: np.ndarray,
    quad: np.ndarray,
    pull: np.ndarray,
    push: np.ndarray,
    free: np.ndarray,
    p: float,
    q: float,
    floor: float,
) -> None:
    """Move F (two-dimensional) to the minimum of its majoriser, in place.

    Penalty terms of size 0 stand for 0, `free` of size 0 for True. A zero stays zero: it
    may carry meaning (a support); every other entry stays at or above `floor`, because denormal
    numbers slow all later work down.
    """
    if lin.size == 0 and quad.size == 0 and pull.size == 0 and push.size == 0:
        plain_step(F, neg, pos, free, 1.0 / (p - q), floor)
        return
    rows, columns = F.shape
    low = F.dtype.type(floor)
    for i in range(rows):
        for j in range(columns):
            x = F[i, j]
            if x == 0 or (free.size > 0 and not free[i, j]):
                continue
            b = float(lin[i, j]) if lin.size > 0 else 0.0
            c = float(quad[i, j]) * x if quad.size > 0 else 0.0
            d = float(pull[i, j]) / x if pull.size > 0 else 0.0
            # Divided by x², which is 0 for the smallest x, 0 would not be 0.
            e = float(push[i, j]) / x / x if push.size > 0 and push[i, j] > 0 else 0.0
            u = ratio(float(neg[i, j]), float(pos[i, j]), b, c, d, e, p, q)
            F[i, j] = max(F.dtype.type(x * u), low)


@kernel
def extrapolate(F: np.ndarray, before: np.ndarray, reach: float, out: np.ndarray) -> None:
    """``out = F + reach · max(F − before, 0)``: on from the last step where that was upward."""
    rows, columns = F.shape
    c, zero = F.dtype.type(reach), F.dtype.type(0)
    for i in range(rows):
        f, b, o = F[i], before[i], out[i]
        for j in range(columns):
            o[j] = f[j] + c * max(f[j] - b[j], zero)
