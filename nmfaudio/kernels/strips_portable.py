"""Portable implementation of the functions of `strips`, in plain loops.

For machines without fused multiply-adds, and for versions of Numba that cannot compile tiles of
registers.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels import beta_divergence
from nmfaudio.kernels.bundles import Block, Params, Templates, Workspace
from nmfaudio.kernels.gemm import add_nn
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES


@kernel
def whole(strips: np.ndarray, depth: int, freq: int) -> np.ndarray:
    """Assemble a matrix (depth, freq) from its strips, see `layout.strips`."""
    wide = strips.shape[1]
    out = np.empty((depth, freq), strips.dtype)
    for j in range(0, freq, wide):
        columns, row = min(wide, freq - j), j // wide * depth
        out[:, j : j + columns] = strips[row : row + depth, :columns]
    return out


@kernel
def add_to_strips(A: np.ndarray, strips: np.ndarray) -> None:
    """Add a matrix (depth, freq) to the same in strips."""
    depth, freq = A.shape
    wide = strips.shape[1]
    for j in range(0, freq, wide):
        columns, row = min(wide, freq - j), j // wide * depth
        strips[row : row + depth, :columns] += A[:, j : j + columns]


@kernel
def block_of(X: np.ndarray, copy: np.ndarray, block: Block) -> np.ndarray:
    """Return a padded copy of a block of X, which is V or the weights."""
    out = copy.copy()
    for n in range(FRAMES):
        for j in range(min(block.columns, X.shape[1])):
            out[n, j] = X[block.first + n, j]
    return out


@kernel
def evaluate(
    W: np.ndarray, params: Params, block: Block, workspace: Workspace
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return V, the weights, the model Y, and A and B of a block, each (FRAMES, freq)."""
    v = block_of(block.V, workspace.V, block)
    m = workspace.weights
    if block.weights.size > 0:
        m = block_of(block.weights, workspace.weights, block)
    y = np.zeros_like(v)
    add_nn(workspace.H, W, y)
    for n in range(FRAMES):
        for j in range(y.shape[1]):
            y[n, j] = max(y[n, j], y.dtype.type(params.model_floor))
    a, b = y.copy(), np.empty_like(y)
    beta_divergence.gradient_parts(v, a, m, params.beta, params.model_floor, b)
    return v, m, y, a, b


@kernel
def gradient_parts_H(
    templates: Templates,
    params: Params,
    block: Block,
    workspace: Workspace,
    ahead: int,
    AWt: np.ndarray,
    BWt: np.ndarray,
) -> None:
    """As `strips.gradient_parts_H`, for all components."""
    depth = AWt.shape[1]
    W = whole(templates.strips, depth, params.freq)
    _, _, _, A, B = evaluate(W, params, block, workspace)
    Wt = W.T.copy()
    AWt[:] = 0
    add_nn(A, Wt, AWt)
    if BWt.size > 0:
        BWt[:] = 0
        add_nn(B, Wt, BWt)


@kernel
def gradient_parts_W(
    params: Params,
    block: Block,
    workspace: Workspace,
    ahead: int,
    W: np.ndarray,
    HtA: np.ndarray,
    HtB: np.ndarray,
) -> float:
    """As `strips.gradient_parts_W`, for all components."""
    H = workspace.H
    depth = H.shape[1]
    v, m, y, A, B = evaluate(whole(W, depth, params.freq), params, block, workspace)
    Ht = H.T.copy()
    if HtA.size > 0:
        add_product(Ht, A, HtA)
    if HtB.size > 0:
        add_product(Ht, B, HtB)
    return beta_divergence.divergence(v, y, m, params.beta, 0.0) if params.need_loss else 0.0


@kernel
def add_product(Ht: np.ndarray, A: np.ndarray, strips: np.ndarray) -> None:
    """Add ``Ht @ A`` to its sum in strips."""
    product = np.zeros((len(Ht), A.shape[1]), A.dtype)
    add_nn(Ht, A, product)
    add_to_strips(product, strips)


@kernel
def gradient_part_H_euclidean(
    templates: Templates,
    params: Params,
    block: Block,
    workspace: Workspace,
    ahead: int,
    VWt: np.ndarray,
) -> None:
    """As `strips.gradient_part_H_euclidean`, for all components."""
    VWt[:] = 0
    W = whole(templates.strips, VWt.shape[1], params.freq)
    add_nn(block_of(block.V, workspace.V, block), W.T.copy(), VWt)


@kernel
def gradient_part_W_euclidean(
    params: Params, block: Block, workspace: Workspace, ahead: int, HtV: np.ndarray
) -> None:
    """As `strips.gradient_part_W_euclidean`, for all components."""
    add_product(workspace.H.T.copy(), block_of(block.V, workspace.V, block), HtV)
