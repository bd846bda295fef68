"""One pass over the spectrogram for ``V ≈ W H``: the model is never stored.

For a block of frames, small enough for the cache, the pass forms the model, updates the block's
activations, forms the model again and gathers both halves of the templates' gradient from it.
So one pass does H of one iteration and prepares W of the next, and V is read once from memory.
Arrays are time-major: V (time, freq), H (time, component), W (component, freq).
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import cells, mm
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.tiles import add_nn, add_nt

BLOCK = 24  # frames: with 1025 bins in float32 a block and its model take 200 kB


@kernel
def pull_back(
    A: np.ndarray,
    B: np.ndarray,
    W: np.ndarray,
    totals: np.ndarray,
    up: np.ndarray,
    down: np.ndarray,
) -> None:
    """The halves for a block's activations: ``up = A Wᵀ``, and ``down = B Wᵀ`` or `totals`."""
    up[:] = 0
    add_nt(A, W, up)
    if totals.size == 0:
        down[:] = 0
        add_nt(B, W, down)
    else:
        for i in range(len(down)):
            for k in range(len(totals)):  # array to array would take seconds to compile
                down[i, k] = totals[k]


@kernel
def sweep(
    V: np.ndarray,
    weights: np.ndarray,
    W: np.ndarray,
    W_next: np.ndarray,
    H: np.ndarray,
    lin: np.ndarray,
    quad: np.ndarray,
    pull: np.ndarray,
    free: np.ndarray,
    totals: np.ndarray,
    beta: float,
    p: float,
    q: float,
    model_floor: float,
    factor_floor: float,
    update: bool,
    want_loss: bool,
    scratch: np.ndarray,
    small: np.ndarray,
    neg: np.ndarray,
    pos: np.ndarray,
    first: int,
    last: int,
) -> float:
    """Sweep over the frames `first` … `last` − 1 of V; return their divergence, or 0.

    H's rows are updated in place if `update`. ``neg += Hᵀ A`` and ``pos += Hᵀ B`` gather the
    halves for W at the model ``W_next H``, of which the divergence is too; a `neg` of size 0 is not
    wanted. `totals`, W's sums along frequency, stand in for the second half where it does not
    depend on the model (β = 1, no weights): then `pos` is not written. `scratch` (2, BLOCK, freq)
    and `small` (2, BLOCK, component) belong to the caller.
    """
    loss = 0.0
    constant = totals.size > 0
    for t0 in range(first, last, BLOCK):
        rows = slice(t0, min(t0 + BLOCK, last))
        v, h = V[rows], H[rows]
        m = weights[rows] if weights.size > 0 else weights
        Y, B = scratch[0, : len(v)], scratch[1, : 0 if constant else len(v)]
        if update:
            Y[:] = 0
            add_nn(h, W, Y)
            cells.halves(v, Y, m, beta, model_floor, B)
            up, down = small[0, : len(v)], small[1, : len(v)]
            pull_back(Y, B, W, totals, up, down)
            mm.step(
                h,
                up,
                down,
                lin[rows] if lin.size > 0 else lin,
                quad[rows] if quad.size > 0 else quad,
                pull[rows] if pull.size > 0 else pull,
                free[rows] if free.size > 0 else free,
                p,
                q,
                factor_floor,
            )
        if neg.size > 0 or want_loss:
            Y[:] = 0
            add_nn(h, W_next, Y)
        if want_loss:
            loss += cells.divergence(v, Y, m, beta, model_floor)
        if neg.size > 0:
            cells.halves(v, Y, m, beta, model_floor, B)
            turned = h.T.copy()
            add_nn(turned, Y, neg)
            if not constant:
                add_nn(turned, B, pos)
    return loss
