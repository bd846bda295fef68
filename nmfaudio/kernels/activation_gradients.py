"""Gradient of the divergence for the activations of all frames, in one pass over the spectrogram.

`sweep` updates activations block by block and needs their gradient for one block at a time. Where
they are computed from other factors, those are updated by the gradient of all frames.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.blocks import (
    active_runs,
    add_lagged_rows,
    gradient_parts_H,
    read_activations,
    read_block,
)
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
    V, weights, lags = data.V, data.weights, params.lags
    BWt = workspace.BWt if positive.size > 0 else workspace.BWt[:0]
    for c in range(chunks.first, len(chunks.edges) - 1, chunks.step):
        first, last = chunks.edges[c], chunks.edges[c + 1]
        # Activations of a frame reach as many frames beyond it as there are lags.
        reached = min(last + lags - 1, len(V))
        for t0 in range(first, reached, FRAMES):
            read_block(V, t0, reached, params.model_floor, workspace.V)
            if weights.size > 0:
                read_block(weights, t0, reached, 0.0, workspace.weights)
            read_activations(H, t0, lags, workspace.H)
            active = active_runs(workspace.H)
            gradient_parts_H(templates, params, workspace, active, workspace.AWt, BWt)
            rows = reached - t0
            add_lagged_rows(workspace.AWt, t0 - first, rows, lags, negative[first:last])
            if positive.size > 0:
                add_lagged_rows(workspace.BWt, t0 - first, rows, lags, positive[first:last])
