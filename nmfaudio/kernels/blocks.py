"""What the passes of `sweep` do with one block of frames, which fits into the second cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.kernels import mm
from nmfaudio.kernels.backend import gather, gradient_parts, misfit, pull_back
from nmfaudio.kernels.gemm import add_nn
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES

Widths = tuple[int, int]
Numbers = tuple[float, float, float, float, float]
Arrays = tuple[np.ndarray, ...]


@kernel
def read_block(A: np.ndarray, first: int, last: int, rest: float, out: np.ndarray) -> None:
    """Rows `first` … `last` − 1 of A into `out`, and `rest` into all of it that they leave.

    The rows of a spectrogram begin anywhere; here they lie where vectors are loaded fast, and far
    enough apart in the cache. It also makes one long stream of what is read from memory.
    """
    columns = A.shape[1]
    fill = A.dtype.type(rest)
    for n in range(FRAMES):
        row, used = out[n], 0
        if first + n < last:
            source, used = A[first + n], columns
            for j in range(columns):
                row[j] = source[j]
        for j in range(used, len(row)):
            row[j] = fill


@kernel
def read_activations(H: np.ndarray, first: int, lags: int, out: np.ndarray) -> None:
    """Row n of `out`: the activations of frame ``first + n``, then of the frames before it.

    Zeros stand for frames that there are not.
    """
    frames, rank = H.shape
    for n in range(FRAMES):
        t = first + n
        for lag in range(lags):
            there = lag <= t < frames
            for k in range(rank):
                out[n, lag * rank + k] = H[t - lag, k] if there else 0


@kernel
def sounding(H: np.ndarray) -> np.ndarray:
    """The components that are not silent throughout a block, as runs (first, one past the last)."""
    runs = np.empty((H.shape[1], 2), np.int64)
    count = 0
    for k in range(H.shape[1]):
        if not H[:, k].any():
            continue
        if count == 0 or runs[count - 1, 1] < k:
            runs[count, 0] = k
            count += 1
        runs[count - 1, 1] = k + 1
    return runs[:count]


@kernel
def weigh(A: np.ndarray, weights: np.ndarray, j: int, columns: int) -> None:
    """``A *= weights`` over the strip."""
    for n in range(FRAMES):
        a, m = A[n], weights[n]
        for c in range(columns):
            a[c] *= m[j + c]


@kernel
def pull_block(
    formula: Any,
    V: np.ndarray,
    weights: np.ndarray,
    H: np.ndarray,
    W: np.ndarray,
    wide_panels: np.ndarray,
    narrow_panels: np.ndarray,
    beta: float,
    low: float,
    widths: Widths,
    strips: np.ndarray,
    heard: np.ndarray,
    up: np.ndarray,
    down: np.ndarray,
) -> None:
    """The halves for a block's H: ``up = A Wᵀ`` and, unless of size 0, ``down = B Wᵀ``.

    They mean nothing for what is not `heard`, the runs of components that `sounding` finds.
    """
    freq = W.shape[1]
    A, B = strips[0], strips[1, : len(down)]
    up[:] = 0
    down[:] = 0
    start = int(np.int64(0))  # a literal 0 would be compiled for too
    j = start
    while j < freq:
        columns = widths[0] if j + widths[0] <= freq else widths[1]
        gradient_parts(formula, V, j, columns, H, W, heard, beta, low, A, B, A[:0])
        if weights.size > 0:
            weigh(A, weights, j, columns)
        pull_back(A, start, wide_panels, narrow_panels, freq, j, columns, heard, up)
        if down.size > 0:
            if weights.size > 0:
                weigh(B, weights, j, columns)
            pull_back(B, start, wide_panels, narrow_panels, freq, j, columns, heard, down)
        j += columns


@kernel
def gather_block(
    formula: Any,
    V: np.ndarray,
    weights: np.ndarray,
    H: np.ndarray,
    W: np.ndarray,
    beta: float,
    low: float,
    widths: Widths,
    want_loss: bool,
    strips: np.ndarray,
    heard: np.ndarray,
    neg: np.ndarray,
    pos: np.ndarray,
) -> float:
    """``neg += Hᵀ A`` and ``pos += Hᵀ B``, unless of size 0; return the divergence or 0."""
    freq = W.shape[1]
    A, B = strips[0], strips[1, : FRAMES if pos.size > 0 else 0]
    Y = strips[2, : FRAMES if want_loss else 0]
    loss = 0.0
    start = int(np.int64(0))  # a literal 0 would be compiled for too
    j = start
    while j < freq:
        columns = widths[0] if j + widths[0] <= freq else widths[1]
        gradient_parts(formula, V, j, columns, H, W, heard, beta, low, A, B, Y)
        if want_loss:
            loss += misfit(formula, V, j, columns, Y, weights, beta)
        if neg.size > 0:
            if weights.size > 0:
                weigh(A, weights, j, columns)
            gather(H, A, start, j, columns, heard, neg)
        if pos.size > 0:
            if weights.size > 0:
                weigh(B, weights, j, columns)
            gather(H, B, start, j, columns, heard, pos)
        j += columns
    return loss


@kernel
def project_block(
    V: np.ndarray,
    H: np.ndarray,
    wide_panels: np.ndarray,
    narrow_panels: np.ndarray,
    gram: np.ndarray,
    widths: Widths,
    heard: np.ndarray,
    up: np.ndarray,
    down: np.ndarray,
) -> None:
    """`pull_block` for β = 2 without weights: ``up = V Wᵀ`` and ``down = H (W Wᵀ)``, no model."""
    freq = V.shape[1]
    up[:] = 0
    down[:] = 0
    j = int(np.int64(0))  # as above
    while j < freq:
        columns = widths[0] if j + widths[0] <= freq else widths[1]
        pull_back(V, j, wide_panels, narrow_panels, freq, j, columns, heard, up)
        j += columns
    add_nn(H, gram, down)


@kernel
def collect_block(
    V: np.ndarray,
    H: np.ndarray,
    widths: Widths,
    heard: np.ndarray,
    neg: np.ndarray,
    squares: np.ndarray,
) -> None:
    """`gather_block` for β = 2 without weights: ``neg += Hᵀ V`` and ``squares += Hᵀ H``."""
    freq = V.shape[1]
    j = int(np.int64(0))  # as above
    while j < freq:
        columns = widths[0] if j + widths[0] <= freq else widths[1]
        gather(H, V, j, j, columns, heard, neg)
        j += columns
    add_nn(H.T.copy(), H, squares)


@kernel
def step_rows(
    H: np.ndarray,
    first: int,
    last: int,
    up: np.ndarray,
    down: np.ndarray,
    terms: Arrays,
    numbers: Numbers,
) -> None:
    """Move rows `first` … `last` − 1 of H to the minimum of their majoriser."""
    rows = slice(first, last)
    lin, quad, pull, push, free = terms
    mm.step(
        H[rows],
        up,
        down,
        lin[rows] if lin.size > 0 else lin,
        quad[rows] if quad.size > 0 else quad,
        pull[rows] if pull.size > 0 else pull,
        push[rows] if push.size > 0 else push,
        free[rows] if free.size > 0 else free,
        numbers[1],
        numbers[2],
        numbers[4],
    )


@kernel
def update_block(
    formula: Any,
    v: np.ndarray,
    m: np.ndarray,
    blocks: np.ndarray,
    W: Arrays,
    gram: np.ndarray,
    terms: Arrays,
    totals: np.ndarray,
    numbers: Numbers,
    widths: Widths,
    strips: np.ndarray,
    heard: np.ndarray,
    H: np.ndarray,
    first: int,
    last: int,
) -> None:
    """Move rows `first` … `last` − 1 of H, which `blocks[0]` holds as v and m do V and weights."""
    h, up, down = blocks[0], blocks[1], blocks[2]
    beta, low = numbers[0], numbers[3]
    if gram.size > 0:
        project_block(v, h, W[1], W[2], gram, widths, heard, up, down)
    else:
        second = down if totals.size == 0 else down[:0]
        given = formula, v, m, h, W[0], W[1], W[2], beta, low, widths, strips
        pull_block(*given, heard, up, second)
    if totals.size > 0:
        for n in range(FRAMES):
            for k in range(H.shape[1]):
                down[n, k] = totals[0, k]
    step_rows(H, first, last, up, down, terms, numbers)


@kernel
def add_rows(H: np.ndarray, first: int, last: int, sums: np.ndarray) -> None:
    """Add rows `first` … `last` − 1 of H to `sums`."""
    for t in range(first, last):
        for k in range(H.shape[1]):
            sums[k] += H[t, k]


@kernel
def add_lags(block: np.ndarray, offset: int, rows: int, lags: int, sums: np.ndarray) -> None:
    """Add what each lag of each frame of a block says to the row of the frame it speaks of."""
    rank = sums.shape[1]
    for n in range(min(rows, FRAMES)):
        for lag in range(lags):
            row = offset + n - lag
            if 0 <= row < len(sums):
                for k in range(rank):
                    sums[row, k] += block[n, lag * rank + k]
