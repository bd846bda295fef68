"""Steps of `sweep` on one block of frames, small enough for the second-level cache.

The sizes FRAMES, freq, depth and columns are those of `bundles`; see `kernels` for a glossary.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import majorisation
from nmfaudio.kernels.backend import (
    accumulate_AWt,
    accumulate_HtA,
    gradient_parts,
    strip_divergence,
)
from nmfaudio.kernels.bundles import Params, StepTerms, Strip, Templates, Workspace
from nmfaudio.kernels.gemm import add_nn
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES


@kernel
def read_block(A: np.ndarray, first: int, last: int, padding: float, out: np.ndarray) -> None:
    """Copy rows `first` … `last` − 1 of A (time, freq) to `out` (FRAMES, padded freq), and pad.

    Rows of A may start at any address. Rows of `out` are aligned to vector registers, which makes
    loads faster, and reading A once from start to end suits the memory prefetcher.
    """
    columns = A.shape[1]
    fill = A.dtype.type(padding)
    for n in range(FRAMES):
        row, copied = out[n], 0
        if first + n < last:
            source, copied = A[first + n], columns
            for j in range(columns):
                row[j] = source[j]
        for j in range(copied, len(row)):
            row[j] = fill


@kernel
def read_activations(H: np.ndarray, first: int, lags: int, out: np.ndarray) -> None:
    """``out[n, lag·rank + k] = H[first + n − lag, k]``, 0 for frames outside H (time, component).

    `out` is (FRAMES, depth). Its row n times W (depth, freq), the templates of all lags one below
    the other, is the model of frame ``first + n``.
    """
    frames, rank = H.shape
    for n in range(FRAMES):
        t = first + n
        for lag in range(lags):
            inside = lag <= t < frames
            for k in range(rank):
                out[n, lag * rank + k] = H[t - lag, k] if inside else 0


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
def strip_at(first: int, freq: int, params: Params) -> Strip:
    """Return the strip that begins at column `first`: wide if it fits into `freq`, else narrow."""
    return Strip(first, params.wide if first + params.wide <= freq else params.narrow)


@kernel
def apply_weights(A: np.ndarray, weights: np.ndarray, strip: Strip) -> None:
    """``A *= weights`` for a strip A (FRAMES, columns) and a block of weights (FRAMES, freq)."""
    for n in range(FRAMES):
        a, w = A[n], weights[n]
        for c in range(strip.columns):
            a[c] *= w[strip.first + c]


@kernel
def gradient_parts_H(
    templates: Templates,
    params: Params,
    workspace: Workspace,
    active: np.ndarray,
    AWt: np.ndarray,
    BWt: np.ndarray,
) -> None:
    """Compute ``AWt = A Wᵀ`` and ``BWt = B Wᵀ`` for the block in `workspace`.

    They are the negative and the positive part of the gradient for H, with
    ``A = weights · V · Y^(β−2)``, ``B = weights · Y^(β−1)`` and the model ``Y = H W``. Both are
    (FRAMES, depth); columns of components that are not `active` are undefined. BWt is skipped if
    its size is 0.
    """
    W, weights = templates.W, workspace.weights
    freq = W.shape[1]
    A, B = workspace.A, workspace.B[: len(BWt)]
    AWt[:] = 0
    BWt[:] = 0
    origin = int(np.int64(0))  # for a literal 0 Numba compiles a second version of the callees
    j = origin
    while j < freq:
        strip = strip_at(j, freq, params)
        gradient_parts(params, strip, workspace.V, workspace.H, W, active, A, B, A[:0])
        if weights.size > 0:
            apply_weights(A, weights, strip)
        accumulate_AWt(A, origin, templates, strip, active, AWt)
        if BWt.size > 0:
            if weights.size > 0:
                apply_weights(B, weights, strip)
            accumulate_AWt(B, origin, templates, strip, active, BWt)
        j += strip.columns


@kernel
def gradient_parts_W(
    params: Params,
    workspace: Workspace,
    W: np.ndarray,
    active: np.ndarray,
    HtA: np.ndarray,
    HtB: np.ndarray,
) -> float:
    """Accumulate ``HtA += Hᵀ A`` and ``HtB += Hᵀ B`` for the block in `workspace`.

    They are the negative and the positive part of the gradient for W, with A and B as in
    `gradient_parts_H`. W, HtA and HtB are (depth, freq); HtA or HtB is skipped if its size is 0.
    Returned is the divergence of the block if `params.need_loss`, otherwise 0.
    """
    freq, weights = W.shape[1], workspace.weights
    V, H = workspace.V, workspace.H
    A, B = workspace.A, workspace.B[: FRAMES if HtB.size > 0 else 0]
    Y = workspace.Y[: FRAMES if params.need_loss else 0]
    loss = 0.0
    origin = int(np.int64(0))  # as in `gradient_parts_H`
    j = origin
    while j < freq:
        strip = strip_at(j, freq, params)
        gradient_parts(params, strip, V, H, W, active, A, B, Y)
        if params.need_loss:
            loss += strip_divergence(params, strip, V, Y, weights)
        if HtA.size > 0:
            if weights.size > 0:
                apply_weights(A, weights, strip)
            accumulate_HtA(H, A, origin, strip, active, HtA)
        if HtB.size > 0:
            if weights.size > 0:
                apply_weights(B, weights, strip)
            accumulate_HtA(H, B, origin, strip, active, HtB)
        j += strip.columns
    return loss


@kernel
def gradient_parts_H_euclidean(
    templates: Templates, params: Params, workspace: Workspace, active: np.ndarray
) -> None:
    """`gradient_parts_H` for β = 2 without weights: ``AWt = V Wᵀ`` and ``BWt = H (W Wᵀ)``.

    Here A is V and B is Y = H W, so the model itself is not needed.
    """
    V = workspace.V
    freq = V.shape[1]
    workspace.AWt[:] = 0
    workspace.BWt[:] = 0
    j = int(np.int64(0))  # as in `gradient_parts_H`
    while j < freq:
        strip = strip_at(j, freq, params)
        accumulate_AWt(V, j, templates, strip, active, workspace.AWt)
        j += strip.columns
    add_nn(workspace.H, templates.gram, workspace.BWt)


@kernel
def gradient_parts_W_euclidean(
    params: Params, workspace: Workspace, active: np.ndarray, HtA: np.ndarray, HtH: np.ndarray
) -> None:
    """`gradient_parts_W` for β = 2 without weights: ``HtA += Hᵀ V`` and ``HtH += Hᵀ H``.

    Once all blocks are summed, ``Hᵀ B`` is ``HtH W``.
    """
    V, H = workspace.V, workspace.H
    freq = V.shape[1]
    j = int(np.int64(0))  # as in `gradient_parts_H`
    while j < freq:
        strip = strip_at(j, freq, params)
        accumulate_HtA(H, V, j, strip, active, HtA)
        j += strip.columns
    add_nn(H.T.copy(), H, HtH)


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
    workspace: Workspace,
    active: np.ndarray,
    H: np.ndarray,
    first: int,
    last: int,
) -> None:
    """Update rows `first` … `last` − 1 of H (time, component), the block in `workspace`."""
    AWt, BWt, totals = workspace.AWt, workspace.BWt, templates.totals
    if templates.gram.size > 0:
        gradient_parts_H_euclidean(templates, params, workspace, active)
    else:
        computed_BWt = BWt if totals.size == 0 else BWt[:0]
        gradient_parts_H(templates, params, workspace, active, AWt, computed_BWt)
    if totals.size > 0:  # B is 1, so B Wᵀ is the sum of each template, in every frame
        for n in range(FRAMES):
            for k in range(H.shape[1]):
                BWt[n, k] = totals[0, k]
    update_rows(H, first, last, AWt, BWt, terms, params)


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
