"""Gradient of the divergence for the activations of all frames, in one pass over the spectrogram.

`sweep` updates activations block by block and needs their gradient for one block at a time. Where
they are computed from other factors, those are updated by the gradient of all frames.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.backend import gradient_parts_H
from nmfaudio.kernels.blocks import active_runs, add_lagged_rows, block_at, read_activations
from nmfaudio.kernels.bundles import Chunks, Data, Params, Templates, Workspace
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES


@kernel
def accumulate_gradient_parts(
    data: Data,
    templates: Templates,
    H: np.ndarray,
    params: Params,
    workspace: Workspace,
    chunks: Chunks,
    negative: np.ndarray,
    positive: np.ndarray,
) -> None:
    """Add ``A Wᵀ`` and ``B Wᵀ`` over the chunks of one thread, lag by lag.

    They are the two parts of the gradient for H, with ``A = V · Y^(β−2)``, ``B = Y^(β−1)`` and
    ``Y = H W``. Columns of components that are zero throughout a block are not computed. Called by
    `factorisation.solvers.bilinear`.

    Parameters
    ----------
    H : np.ndarray [shape=(time, component)]
    negative, positive : np.ndarray [shape=(time, component)]
        Results; `positive` is of size 0 if it is not needed.
    data, templates, params, workspace, chunks
        As for `sweep.sweep`.
    """
    V, lags = data.V, params.lags
    BWt = workspace.BWt if positive.size > 0 else workspace.BWt[:0]
    for c in range(chunks.first, len(chunks.edges) - 1, chunks.step):
        first, last = chunks.edges[c], chunks.edges[c + 1]
        # Activations of a frame reach as many frames beyond it as there are lags.
        reached = min(last + lags - 1, len(V))
        for t0 in range(first, reached, FRAMES):
            block_end = min(t0 + FRAMES, reached)
            ahead = block_end if block_end < reached else 0
            read_activations(H, t0, lags, workspace.H, workspace.tiles)
            active = active_runs(workspace.H)
            block = block_at(data, t0, block_end, active, params, workspace)
            gradient_parts_H(templates, params, block, workspace, ahead, workspace.AWt, BWt)
            rows = reached - t0
            add_lagged_rows(workspace.AWt, t0 - first, rows, lags, negative[first:last])
            if positive.size > 0:
                add_lagged_rows(workspace.BWt, t0 - first, rows, lags, positive[first:last])
