"""One pass over the spectrogram for ``V ≈ H W``: the model is never stored.

For each block of frames, the pass computes the model strip by strip, updates the activations of the
block, computes the model again, and accumulates both parts of the gradient for W from it. So one
pass updates H of one iteration and accumulates the gradient for W of the next, and V is read from
memory once. Arrays are time-major: V (time, freq), H (time, component), W (component, freq); W and
its gradient are padded, see `layout`. In each block, components that are zero throughout are
skipped, which changes no byte.

For convolutive models, the rows of W are the templates of all lags, one lag after another, and a
row of a block of H has the activations at all lags of one frame, see `blocks.read_activations`.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.backend import gradient_parts_H
from nmfaudio.kernels.blocks import (
    active_runs,
    add_block,
    add_lagged_rows,
    block_at,
    read_activations,
    sum_rows,
    update_block,
    update_rows,
)
from nmfaudio.kernels.bundles import (
    Chunks,
    ChunkSums,
    Data,
    Params,
    StepTerms,
    Templates,
    Workspace,
)
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES


@kernel
def next_block(chunks: Chunks, c: int, after: int) -> int:
    """Return the first frame of the block that is processed after frame `after` of chunk c."""
    if after < chunks.edges[c + 1]:
        return int(after)
    following = c + chunks.step
    return int(chunks.edges[following]) if following < len(chunks.edges) - 1 else 0


@kernel
def sweep(
    data: Data,
    templates: Templates,
    H: np.ndarray,
    terms: StepTerms,
    params: Params,
    workspace: Workspace,
    sums: ChunkSums,
    chunks: Chunks,
) -> None:
    """Update H and accumulate the gradient parts of W over the chunks of one thread.

    ``H ← H · (A Wᵀ / B Wᵀ)^(1 / (p − q))`` with ``A = V · Y^(β−2)``, ``B = Y^(β−1)`` and
    ``Y = H W``, or with penalties as in `majorisation.step`; then, with the new H and the templates
    of `sums`, ``Hᵀ A`` and ``Hᵀ B``. Called by `factorisation.solvers.fused`.

    Parameters
    ----------
    data : Data
    templates : Templates
        Those that H is updated for.
    H : np.ndarray [shape=(time, component)]
        Updated in place if `params.update`, which needs a single lag.
    terms : StepTerms
        For H, (time, component).
    params : Params
    workspace : Workspace
        Used by this call alone.
    sums : ChunkSums
        Overwritten for each chunk.
    chunks : Chunks
    """
    euclidean = templates.gram.size > 0
    with_sums = params.need_loss or sums.HtA.size > 0
    for c in range(chunks.first, len(chunks.edges) - 1, chunks.step):
        sums.HtA[c : c + 1] = 0
        sums.HtB[c : c + 1] = 0
        sums.H[c] = 0
        sums.HtH[c] = 0
        sums.divergence[c] = 0
        for t0 in range(chunks.edges[c], chunks.edges[c + 1], FRAMES):
            t1 = min(t0 + FRAMES, chunks.edges[c + 1])
            ahead = next_block(chunks, c, t1)
            read_activations(H, t0, params.lags, workspace.H, workspace.tiles)
            active = active_runs(workspace.H)
            block = block_at(data, t0, t1, active, params, workspace)
            if params.update:
                # The next block is loaded in the last of the two passes over a block.
                early = 0 if with_sums else ahead
                update_block(templates, terms, params, block, workspace, early, H, t1)
                read_activations(H, t0, params.lags, workspace.H, workspace.tiles)
            sum_rows(H, t0, t1, sums.H[c])
            if with_sums:
                add_block(params, block, workspace, ahead, sums, c, euclidean)


@kernel
def update_lagged(
    data: Data,
    templates: Templates,
    H: np.ndarray,
    H_next: np.ndarray,
    terms: StepTerms,
    params: Params,
    workspace: Workspace,
    chunks: Chunks,
) -> None:
    """Update the activations of a convolutive model over the chunks of one thread.

    The gradient for frame t sums over the frames t … t + lags − 1 that its activations reach, all
    with the H before the update: so the new activations are written to another array. Called by
    `factorisation.solvers.fused`.

    Parameters
    ----------
    H : np.ndarray [shape=(time, component)]
        Activations before the update.
    H_next : np.ndarray [shape=(time, component)]
        A copy of H, updated in place.
    data, templates, terms, params, workspace, chunks
        As for `sweep`.
    """
    V, lags = data.V, params.lags
    rank = H.shape[1]
    model_free = templates.totals.size > 0  # the positive part needs no model
    BWt = workspace.BWt[:0] if model_free else workspace.BWt
    for c in range(chunks.first, len(chunks.edges) - 1, chunks.step):
        first, last = chunks.edges[c], chunks.edges[c + 1]
        reached = min(last + lags - 1, len(V))
        gradient = np.zeros((2, last - first, rank), V.dtype)  # negative, positive part
        for t0 in range(first, reached, FRAMES):
            block_end = min(t0 + FRAMES, reached)
            ahead = block_end if block_end < reached else 0
            read_activations(H, t0, lags, workspace.H, workspace.tiles)
            active = active_runs(workspace.H)
            block = block_at(data, t0, block_end, active, params, workspace)
            gradient_parts_H(templates, params, block, workspace, ahead, workspace.AWt, BWt)
            add_lagged_rows(workspace.AWt, t0 - first, reached - t0, lags, gradient[0])
            if not model_free:
                add_lagged_rows(workspace.BWt, t0 - first, reached - t0, lags, gradient[1])
        if model_free:
            for t in range(first, last):
                # Near the end only the lags that lie within V count.
                lag = min(lags, len(V) - t) - 1
                for k in range(rank):
                    gradient[1, t - first, k] = templates.totals[lag, k]
        update_rows(H_next, first, last, gradient[0], gradient[1], terms, params)
