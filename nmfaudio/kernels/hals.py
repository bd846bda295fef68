"""Coordinate descent for the squared Euclidean distance, one component after another.

With the other factor held, the misfit is quadratic in each component of a factor, which then has
its minimum in closed form.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import mm
from nmfaudio.kernels.gemm import add_nn, add_nt
from nmfaudio.kernels.jit import kernel

BLOCK = 64  # frames

Arrays = tuple[np.ndarray, ...]


@kernel
def descend_rows(
    X: np.ndarray,
    cross: np.ndarray,
    gram: np.ndarray,
    terms: Arrays,
    free: np.ndarray,
    rounds: int,
) -> None:
    """Minimise ``½⟨X, gram X⟩ − ⟨X, cross⟩`` and penalties over X ≥ 0, in place.

    X and cross are (component, n). Each of `rounds` goes once through the components. `terms` are
    lin, quad, pull and push of `mm.step`; of size 0 they stand for 0, `free` of size 0 for True.
    Where an entry has a pull or a push, a zero stays zero.
    """
    rank, n = X.shape
    lin, quad, pull, push = terms
    poles = pull.size > 0 or push.size > 0
    zero = X.dtype.type(0)
    slope = np.empty(n, X.dtype)
    for _ in range(rounds):
        for k in range(rank):
            x = X[k]
            for j in range(n):
                slope[j] = cross[k, j]
            for i in range(rank):
                if i != k and gram[k, i] != 0:
                    g, other = gram[k, i], X[i]
                    for j in range(n):
                        slope[j] -= g * other[j]
            if lin.size > 0:
                for j in range(n):
                    slope[j] -= lin[k, j]
            for j in range(n):
                curvature = gram[k, k] + (quad[k, j] if quad.size > 0 else zero)
                if free.size > 0 and not free[k, j]:
                    continue
                if poles:
                    at = float(x[j])
                    d = float(pull[k, j]) if pull.size > 0 else 0.0
                    e = float(push[k, j]) if push.size > 0 else 0.0
                    if d > 0 or e > 0:
                        if at > 0:
                            e = e / at / at if e > 0 else 0.0  # 1 / at² may be infinite
                            bend, fall = float(curvature) * at, -float(slope[j])
                            u = mm.ratio(0.0, bend, fall, 0.0, d / at, e, 1.0, 0.0)
                            x[j] = X.dtype.type(at * u)
                        continue
                if curvature > 0:
                    x[j] = max(slope[j] / curvature, zero)


@kernel
def sweep_rows(
    V: np.ndarray,
    W: np.ndarray,
    gram: np.ndarray,
    H: np.ndarray,
    terms: Arrays,
    free: np.ndarray,
    rounds: int,
    want_loss: bool,
    cross: np.ndarray,
    first: int,
    last: int,
) -> float:
    """One pass over frames `first` … `last` − 1 of V (time, freq): update H, ``cross += H V``.

    H (component, time) is updated in place if `rounds` is above 0; a `cross` of size 0 is not
    wanted. Returned is ``½‖V − WH‖²`` of these frames if wanted, in double precision, else 0.
    """
    loss = 0.0
    lin, quad, pull, push = terms
    for t0 in range(first, last, BLOCK):
        t1 = min(t0 + BLOCK, last)
        v, h = V[t0:t1], H[:, t0:t1].copy()
        if rounds > 0:
            up = np.zeros_like(h)
            add_nt(W, v, up)
            descend_rows(
                h,
                up,
                gram,
                (
                    lin[:, t0:t1].copy() if lin.size > 0 else lin,
                    quad[:, t0:t1].copy() if quad.size > 0 else quad,
                    pull[:, t0:t1].copy() if pull.size > 0 else pull,
                    push[:, t0:t1].copy() if push.size > 0 else push,
                ),
                free[:, t0:t1].copy() if free.size > 0 else free,
                rounds,
            )
            for k in range(len(h)):  # array to array would take seconds to compile
                for t in range(t0, t1):
                    H[k, t] = h[k, t - t0]
        if cross.size > 0:
            add_nn(h, v, cross)
        if want_loss:
            Y = np.zeros_like(v)
            add_nn(h.T.copy(), W, Y)
            for i in range(len(v)):
                for j in range(v.shape[1]):
                    loss += 0.5 * (float(v[i, j]) - float(Y[i, j])) ** 2
    return loss
