"""One pass over the spectrogram for ``V ≈ W H``: the model is never stored.

For a block of frames, small enough for the second cache, the pass forms the model strip by strip,
updates the block's activations, forms the model again and gathers both halves of the templates'
gradient from it. So one pass does H of one iteration and prepares W of the next, and V is read once
from memory. Arrays are time-major: V (time, freq), H (time, component), W (component, freq); W and
what is gathered are padded as `layout` has it. Components that are silent throughout a block are
passed over in it, which changes no byte.

For convolutive models W has the templates of every lag below each other, and the H of a block has
in each row the activations of as many frames: see `blocks.read_activations`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.kernels.blocks import (
    Arrays,
    Numbers,
    Widths,
    add_lags,
    add_rows,
    collect_block,
    gather_block,
    pull_block,
    read_activations,
    read_block,
    sounding,
    step_rows,
    update_block,
)
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES


@kernel
def sweep(
    formula: Any,
    V: np.ndarray,
    weights: np.ndarray,
    W: Arrays,
    W_next: np.ndarray,
    H: np.ndarray,
    gram: np.ndarray,
    lags: int,
    terms: Arrays,
    totals: np.ndarray,
    numbers: Numbers,
    widths: Widths,
    update: bool,
    want_loss: bool,
    room: Arrays,
    neg: np.ndarray,
    pos: np.ndarray,
    sums: np.ndarray,
    squares: np.ndarray,
    misfits: np.ndarray,
    edges: np.ndarray,
    first: int,
    step: int,
) -> None:
    """Sweep over the chunks `first`, `first` + `step`, …: update H, gather the halves for W.

    Parameters
    ----------
    formula
        That of β in `formulas`.
    W
        W as it is for H's update, and its two kinds of panels.
    W_next
        W for what is gathered.
    H
        Its rows are updated in place if `update`, which goes for one lag only.
    gram
        (component, component); W Wᵀ, which stands in for the model for β = 2 without weights, else
        it has size 0.
    terms
        lin, quad, pull, push and free of `mm.step`, for H.
    totals
        (lag, component); W's sums along frequency and up to each lag. They stand in for the second
        half where it does not depend on the model (β = 1 without weights), else they have size 0.
    numbers
        β, p, q, the least of the model, the least of H.
    room
        This call's own: a block of V, a block of the weights, strips (3, FRAMES, columns), blocks
        of activations and their halves (3, FRAMES, component).
    neg, pos
        (chunk, component, freq); where they are not of size 0, ``neg[c] = Hᵀ A`` and
        ``pos[c] = Hᵀ B`` over chunk c for the model ``H W_next``.
    sums
        (chunk, component); the activations summed over each chunk.
    squares
        (chunk, component, component); ``Hᵀ H`` over each chunk, where there is a `gram`.
    misfits
        (chunk,), the divergence of that model, if `want_loss`.
    edges
        Where chunks begin and end.
    """
    beta, low = numbers[0], numbers[3]
    v, m, strips, blocks = room
    none = v[:0]
    h = blocks[0]
    for c in range(first, len(edges) - 1, step):
        negative = neg[c] if neg.size > 0 else none
        positive = pos[c] if pos.size > 0 else none
        negative[:] = 0
        positive[:] = 0
        sums[c] = 0
        squares[c] = 0
        loss = 0.0
        for t0 in range(edges[c], edges[c + 1], FRAMES):
            t1 = min(t0 + FRAMES, edges[c + 1])
            read_block(V, t0, t1, low, v)
            if weights.size > 0:
                read_block(weights, t0, t1, 0.0, m)
            read_activations(H, t0, lags, h)
            heard = sounding(h)
            if update:
                given = formula, v, m, blocks, W, gram, terms, totals, numbers, widths, strips
                update_block(*given, heard, H, t0, t1)
                read_activations(H, t0, lags, h)
            add_rows(H, t0, t1, sums[c])
            if gram.size > 0 and negative.size > 0:
                collect_block(v, h, widths, heard, negative, squares[c])
            if want_loss or (negative.size > 0 and gram.size == 0):
                gathered = negative if gram.size == 0 else none
                asked = formula, v, m, h, W_next, beta, low, widths, want_loss, strips, heard
                loss += gather_block(*asked, gathered, positive)
        misfits[c] = loss


@kernel
def update_lagged(
    formula: Any,
    V: np.ndarray,
    weights: np.ndarray,
    W: Arrays,
    H: np.ndarray,
    H_next: np.ndarray,
    lags: int,
    terms: Arrays,
    totals: np.ndarray,
    numbers: Numbers,
    widths: Widths,
    room: Arrays,
    edges: np.ndarray,
    first: int,
    step: int,
) -> None:
    """Move the frames of H_next, a copy of H, in the chunks `first`, `first` + `step`, ….

    A frame's activations sound in the frames after it too, so those are looked at before any
    moves. The arguments are those of `sweep`.
    """
    beta, low = numbers[0], numbers[3]
    v, m, strips, blocks = room
    h, up, down = blocks[0], blocks[1], blocks[2]
    rank = H.shape[1]
    second = down if totals.size == 0 else down[:0]
    for c in range(first, len(edges) - 1, step):
        start, end = edges[c], edges[c + 1]
        stop = min(end + lags - 1, len(V))
        sums = np.zeros((2, end - start, rank), V.dtype)
        for t0 in range(start, stop, FRAMES):
            read_block(V, t0, stop, low, v)
            if weights.size > 0:
                read_block(weights, t0, stop, 0.0, m)
            read_activations(H, t0, lags, h)
            asked = formula, v, m, h, W[0], W[1], W[2], beta, low, widths, strips, sounding(h)
            pull_block(*asked, up, second)
            add_lags(up, t0 - start, stop - t0, lags, sums[0])
            if totals.size == 0:
                add_lags(down, t0 - start, stop - t0, lags, sums[1])
        if totals.size > 0:
            for t in range(start, end):
                for k in range(rank):
                    sums[1, t - start, k] = totals[min(lags, len(V) - t) - 1, k]
        step_rows(H_next, start, end, sums[0], sums[1], terms, numbers)
