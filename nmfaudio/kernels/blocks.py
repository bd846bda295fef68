"""Steps of `sweep` on one block of frames, which fits into the second-level cache."""

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

    The rows of a spectrogram begin anywhere; here they lie where vectors are loaded fast, and far
    enough apart in the cache. It also makes one long stream of what is read from memory.
    """
    columns = A.shape[1]
    fill = A.dtype.type(padding)
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
    """``out[n, lag·rank + k] = H[first + n − lag, k]``, 0 for frames outside H (time, component).

    `out` is (FRAMES, depth): with lags, row n times the stacked templates of all lags is the
    convolutive model of frame ``first + n``.
    """
    frames, rank = H.shape
    for n in range(FRAMES):
        t = first + n
        for lag in range(lags):
            exists = lag <= t < frames
            for k in range(rank):
                out[n, lag * rank + k] = H[t - lag, k] if exists else 0


@kernel
def active_runs(H: np.ndarray) -> np.ndarray:
    """Components of a block (FRAMES, depth) that are not zero throughout, as runs.

    The result is (run, 2): first component, and one past the last.
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
    """Strip that begins at column `first`: wide where it fits into `freq` columns, else narrow."""
    return Strip(first, params.wide if first + params.wide <= freq else params.narrow)


@kernel
def apply_weights(A: np.ndarray, weights: np.ndarray, strip: Strip) -> None:
    """``A *= weights`` for a strip A (FRAMES, columns) and a block of weights (FRAMES, freq)."""
    for n in range(FRAMES):
        a, m = A[n], weights[n]
        for c in range(strip.columns):
            a[c] *= m[strip.first + c]


@kernel
def gradient_parts_H(
    templates: Templates,
    params: Params,
    workspace: Workspace,
    active: np.ndarray,
    AWt: np.ndarray,
    BWt: np.ndarray,
) -> None:
    """``AWt = A Wᵀ`` and, unless of size 0, ``BWt = B Wᵀ`` for the block in `workspace`.

    ``A = weights · V · Y^(β−2)`` and ``B = weights · Y^(β−1)`` of the model ``Y = H W``. Both
    results are (FRAMES, depth); only their columns of `active` components are valid.
    """
    W, weights = templates.W, workspace.weights
    freq = W.shape[1]
    A, B = workspace.A, workspace.B[: len(BWt)]
    AWt[:] = 0
    BWt[:] = 0
    origin = int(np.int64(0))  # a literal 0 would be compiled for as a type of its own
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
    """``HtA += Hᵀ A`` and ``HtB += Hᵀ B``, each unless of size 0; return the divergence or 0.

    A and B are those of `gradient_parts_H`; W, HtA and HtB are (depth, freq).
    """
    freq, weights = W.shape[1], workspace.weights
    V, H = workspace.V, workspace.H
    A, B = workspace.A, workspace.B[: FRAMES if HtB.size > 0 else 0]
    Y = workspace.Y[: FRAMES if params.need_loss else 0]
    loss = 0.0
    origin = int(np.int64(0))  # as above
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
    """`gradient_parts_H` for β = 2 without weights: ``AWt = V Wᵀ`` and ``BWt = H (W Wᵀ)``."""
    V = workspace.V
    freq = V.shape[1]
    workspace.AWt[:] = 0
    workspace.BWt[:] = 0
    j = int(np.int64(0))  # as above
    while j < freq:
        strip = strip_at(j, freq, params)
        accumulate_AWt(V, j, templates, strip, active, workspace.AWt)
        j += strip.columns
    add_nn(workspace.H, templates.gram, workspace.BWt)


@kernel
def gradient_parts_W_euclidean(
    params: Params, workspace: Workspace, active: np.ndarray, HtA: np.ndarray, HtH: np.ndarray
) -> None:
    """`gradient_parts_W` for β = 2 without weights: ``HtA += Hᵀ V`` and ``HtH += Hᵀ H``."""
    V, H = workspace.V, workspace.H
    freq = V.shape[1]
    j = int(np.int64(0))  # as above
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

    Row 0 of `negative` and `positive`, the parts of the gradient, belongs to row `first`.
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
    """Update rows `first` … `last` − 1 of H, which is the block in `workspace`."""
    AWt, BWt, totals = workspace.AWt, workspace.BWt, templates.totals
    if templates.gram.size > 0:
        gradient_parts_H_euclidean(templates, params, workspace, active)
    else:
        target = BWt if totals.size == 0 else BWt[:0]
        gradient_parts_H(templates, params, workspace, active, AWt, target)
    if totals.size > 0:
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
    """``out[offset + n − lag] += block[n, lag]``, the transpose of `read_activations`.

    `block` is (FRAMES, depth), of which `rows` rows count; `out` is (frame, component), and frames
    outside it are left out.
    """
    rank = out.shape[1]
    for n in range(min(rows, FRAMES)):
        for lag in range(lags):
            row = offset + n - lag
            if 0 <= row < len(out):
                for k in range(rank):
                    out[row, k] += block[n, lag * rank + k]
