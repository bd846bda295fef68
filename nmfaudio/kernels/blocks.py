"""Steps of `sweep` on one block of frames, small enough for the second-level cache.

The sizes FRAMES, freq, depth and columns are those of `bundles`; see `kernels` for a glossary.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import majorisation
from nmfaudio.kernels.backend import (
    add_nn,
    gradient_part_H_euclidean,
    gradient_part_W_euclidean,
    gradient_parts_H,
    gradient_parts_W,
)
from nmfaudio.kernels.bundles import (
    Block,
    ChunkSums,
    Data,
    Params,
    StepTerms,
    Templates,
    Workspace,
)
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES, ROWS


@kernel
def read_block(
    A: np.ndarray, first: int, last: int, begin: int, padding: float, out: np.ndarray
) -> None:
    """Copy rows `first` … `last` − 1 of A (time, freq) to `out` (FRAMES, padded freq), and pad.

    Columns before `begin` are left out.
    """
    columns = A.shape[1]
    fill = A.dtype.type(padding)
    for n in range(FRAMES):
        row, copied = out[n], begin
        if first + n < last:
            source, copied = A[first + n], columns
            for j in range(begin, columns):
                row[j] = source[j]
        for j in range(copied, len(row)):
            row[j] = fill


@kernel
def block_at(
    data: Data, H: np.ndarray, first: int, last: int, params: Params, workspace: Workspace
) -> Block:
    """Return the block of frames `first` … `last` − 1 of V ≈ H W, with activations in `workspace`.

    Whole strips of whole blocks are read in place, the others copied. Rows of V may start at any
    address, and its last strips would reach beyond it. The model of padded bins is the floor;
    padding V with it makes their divergence 0.
    """
    V, weights = data.V, data.weights
    columns = V.shape[1] if last - first == FRAMES else 0
    begin = columns // params.narrow * params.narrow
    if begin // params.wide * params.wide + params.wide <= params.freq:
        begin = begin // params.wide * params.wide
    read_block(V, first, last, begin, params.model_floor, workspace.V)
    if weights.size > 0:
        read_block(weights, first, last, begin, 0.0, workspace.weights)
    read_activations(H, first, params.lags, workspace.H, workspace.tiles)
    return Block(V, weights, active_runs(workspace.H), first, columns)


@kernel
def read_activations(
    H: np.ndarray, first: int, lags: int, out: np.ndarray, tiles: np.ndarray
) -> None:
    """``out[n, lag·rank + k] = H[first + n − lag, k]``, 0 for frames outside H (time, component).

    `out` is (FRAMES, depth). Its row n times W (depth, freq), the templates of all lags one below
    the other, is the model of frame ``first + n``. `tiles` (FRAMES / ROWS * depth, ROWS) is the
    same, with ROWS frames next to each other.
    """
    frames, rank = H.shape
    depth = out.shape[1]
    for n in range(FRAMES):
        t = first + n
        for lag in range(lags):
            inside = lag <= t < frames
            for k in range(rank):
                out[n, lag * rank + k] = H[t - lag, k] if inside else 0
        tile, row = n // ROWS * depth, n % ROWS
        for k in range(depth):
            tiles[tile + k, row] = out[n, k]


@kernel
def active_runs(H: np.ndarray) -> np.ndarray:
    """Find runs of consecutive components with a non-zero activation in a block H (FRAMES, depth).

    The result is (run, 2): first component of each run, and one past its last.
    """
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
def update_rows(
    H: np.ndarray,
    first: int,
    last: int,
    negative: np.ndarray,
    positive: np.ndarray,
    terms: StepTerms,
    params: Params,
) -> None:
    """Move rows `first` … `last` − 1 of H (time, component) to the minimum of their majoriser.

    `negative` and `positive` are the parts of the gradient for these rows: their row 0 is that of
    row `first` of H.
    """
    rows = slice(first, last)
    linear, quadratic, free = terms.linear, terms.quadratic, terms.free
    log, inverse = terms.log, terms.inverse
    majorisation.step(
        H[rows],
        negative,
        positive,
        StepTerms(
            linear[rows] if linear.size > 0 else linear,
            quadratic[rows] if quadratic.size > 0 else quadratic,
            log[rows] if log.size > 0 else log,
            inverse[rows] if inverse.size > 0 else inverse,
            free[rows] if free.size > 0 else free,
        ),
        params.p,
        params.q,
        params.factor_floor,
    )


@kernel
def update_block(
    templates: Templates,
    terms: StepTerms,
    params: Params,
    block: Block,
    workspace: Workspace,
    ahead: int,
    H: np.ndarray,
    last: int,
) -> None:
    """Update rows `block.first` … `last` − 1 of H (time, component), the block in `workspace`."""
    AWt, BWt, totals = workspace.AWt, workspace.BWt, templates.totals
    if templates.gram.size > 0:  # A is V and B is Y = H W, so the model itself is not needed
        gradient_part_H_euclidean(templates, params, block, workspace, ahead, AWt)
        BWt[:] = 0
        add_nn(workspace.H, templates.gram, BWt)
    else:
        computed_BWt = BWt if totals.size == 0 else BWt[:0]
        gradient_parts_H(templates, params, block, workspace, ahead, AWt, computed_BWt)
    if totals.size > 0:  # B is 1, so B Wᵀ is the sum of each template, in every frame
        for n in range(FRAMES):
            for k in range(H.shape[1]):
                BWt[n, k] = totals[0, k]
    update_rows(H, block.first, last, AWt, BWt, terms, params)


@kernel
def add_block(
    params: Params,
    block: Block,
    workspace: Workspace,
    ahead: int,
    sums: ChunkSums,
    chunk: int,
    euclidean: bool,
) -> None:
    """Add the gradient parts of W and the divergence of a block to the sums of its chunk."""
    empty = workspace.A[:0]
    HtA = sums.HtA[chunk] if sums.HtA.size > 0 else empty
    HtB = sums.HtB[chunk] if sums.HtB.size > 0 else empty
    if euclidean and HtA.size > 0:  # once all blocks are summed, Hᵀ B is (Hᵀ H) W
        gradient_part_W_euclidean(params, block, workspace, ahead, HtA)
        add_nn(workspace.H.T.copy(), workspace.H, sums.HtH[chunk])
        HtA = empty
    if params.need_loss or HtA.size > 0:
        loss = gradient_parts_W(params, block, workspace, ahead, sums.W, HtA, HtB)
        sums.divergence[chunk] += loss


@kernel
def sum_rows(H: np.ndarray, first: int, last: int, sums: np.ndarray) -> None:
    """``sums += Σ_t H[t]`` over rows `first` … `last` − 1 of H (time, component)."""
    for t in range(first, last):
        for k in range(H.shape[1]):
            sums[k] += H[t, k]


@kernel
def add_lagged_rows(block: np.ndarray, offset: int, rows: int, lags: int, out: np.ndarray) -> None:
    """``out[offset + n − lag, k] += block[n, lag·rank + k]``, the adjoint of `read_activations`.

    Only the first `rows` rows of `block` (FRAMES, depth) are added. Frames outside `out`
    (frame, component) are skipped.
    """
    rank = out.shape[1]
    for n in range(min(rows, FRAMES)):
        for lag in range(lags):
            row = offset + n - lag
            if 0 <= row < len(out):
                for k in range(rank):
                    out[row, k] += block[n, lag * rank + k]
