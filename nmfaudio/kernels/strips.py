"""Four operations of a sweep on one strip of a block, computed in tiles of vector registers.

A strip is a range of frequencies as wide as one tile, so that its results stay in the first-level
cache. `strips_portable` implements the same four functions with plain loops; `backend` selects one
of the two modules, and `blocks` calls it. Sizes are those of `bundles`; see `kernels` for a
glossary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.kernels import formulas
from nmfaudio.kernels.bundles import Params, Strip, Templates
from nmfaudio.kernels.jit import inlined_kernel, kernel
from nmfaudio.kernels.layout import FRAMES
from nmfaudio.kernels.vectors import (
    AWT_NARROW,
    AWT_WIDE,
    HTA_NARROW,
    HTA_WIDE,
    MODEL_NARROW,
    MODEL_WIDE,
    add_outer,
    add_outer_transposed,
    load,
    store,
    sum_entries,
    width,
    zeros,
)

MODEL_ROWS = MODEL_WIDE.rows
HTA_ROWS = HTA_WIDE.rows
AWT_WIDE_ROWS, AWT_NARROW_ROWS = AWT_WIDE.rows, AWT_NARROW.rows


@kernel
def any_active(active: np.ndarray, first: int, last: int) -> bool:
    """Return whether any of the components `first` … `last` − 1 is in one of the runs (run, 2)."""
    for run in range(len(active)):
        if active[run, 1] > first:
            return bool(active[run, 0] < last)
    return False


@kernel
def gradient_parts(
    params: Params,
    strip: Strip,
    V: np.ndarray,
    H: np.ndarray,
    W: np.ndarray,
    active: np.ndarray,
    A: np.ndarray,
    B: np.ndarray,
    Y: np.ndarray,
) -> None:
    """Compute ``A = V · Y^(β−2)`` and ``B = Y^(β−1)`` for one strip of ``Y = max(H W, floor)``.

    Parameters
    ----------
    V : np.ndarray [shape=(FRAMES, freq)]
    H : np.ndarray [shape=(FRAMES, depth)]
    W : np.ndarray [shape=(depth, freq)]
    active : np.ndarray [shape=(run, 2)]
        Runs of components to sum over, see `blocks.active_runs`.
    A, B, Y : np.ndarray [shape=(FRAMES, columns)]
        Output arrays. B and Y are skipped if their size is 0.
    """
    if strip.columns == width(MODEL_WIDE, V):
        _gradient_parts(MODEL_WIDE, params, strip.first, V, H, W, active, A, B, Y)
    else:
        _gradient_parts(MODEL_NARROW, params, strip.first, V, H, W, active, A, B, Y)


@kernel
def _gradient_parts(
    shape: Any,
    params: Params,
    j: int,
    V: np.ndarray,
    H: np.ndarray,
    W: np.ndarray,
    active: np.ndarray,
    A: np.ndarray,
    B: np.ndarray,
    Y: np.ndarray,
) -> None:
    """`gradient_parts` in tiles of a given `shape`, for the strip at column `j` of V and W."""
    dtype = V.dtype.type
    for n in range(0, FRAMES, MODEL_ROWS):
        # The tile of the model stays in registers until A and B have been computed from it.
        y = zeros(shape, V)
        for run in range(len(active)):
            for k in range(active[run, 0], active[run, 1]):
                y = add_outer(y, H, n, k, W, k, j)
        y = formulas.floored(y, dtype(params.model_floor))
        if Y.size > 0:
            store(y, Y, n, 0)
        b = formulas.positive_part(params.formula, y, dtype(params.beta))
        if B.size > 0:
            store(b, B, n, 0)
        a = formulas.negative_part(params.formula, load(shape, V, n, j), y, b)
        store(a, A, n, 0)


@inlined_kernel
def strip_divergence(
    params: Params, strip: Strip, V: np.ndarray, Y: np.ndarray, weights: np.ndarray
) -> float:
    """Return ``Σ weights · d_β(V, Y)`` over one strip, summed in double precision.

    V and weights are blocks (FRAMES, freq), Y is the model of the strip (FRAMES, columns). Weights
    of size 0 mean a weight of 1 everywhere.
    """
    if strip.columns == width(MODEL_WIDE, V):
        return _strip_divergence(MODEL_WIDE, params, strip.first, V, Y, weights)
    return _strip_divergence(MODEL_NARROW, params, strip.first, V, Y, weights)


@inlined_kernel
def _strip_divergence(
    shape: Any, params: Params, j: int, V: np.ndarray, Y: np.ndarray, weights: np.ndarray
) -> float:
    """`strip_divergence` in tiles of a given `shape`, for the strip at column `j` of V."""
    out = 0.0
    beta = V.dtype.type(params.beta)
    for n in range(0, FRAMES, MODEL_ROWS):
        d = formulas.divergence(params.formula, load(shape, V, n, j), load(shape, Y, n, 0), beta)
        if weights.size > 0:
            d = formulas.product(d, load(shape, weights, n, j))
        out += sum_entries(d)
    return out


@kernel
def accumulate_AWt(
    A: np.ndarray, a: int, templates: Templates, strip: Strip, active: np.ndarray, AWt: np.ndarray
) -> None:
    """Accumulate ``AWt += A Wᵀ`` over one strip, which begins at column `a` of A.

    A has FRAMES rows and at least ``a + columns`` columns; AWt is (FRAMES, depth). W is read from
    its transposed panels: a vector register then holds neighbouring components, and no sum across
    the lanes of a register is needed. Panels without `active` components are skipped.
    """
    freq = templates.W.shape[1]
    wide, narrow = templates.wide_panels, templates.narrow_panels
    k = _accumulate_panels(AWT_WIDE, AWT_WIDE_ROWS, A, a, wide, freq, strip, active, AWt, 0)
    _accumulate_panels(AWT_NARROW, AWT_NARROW_ROWS, A, a, narrow, freq, strip, active, AWt, k)


@kernel
def _accumulate_panels(
    shape: Any,
    rows: int,
    A: np.ndarray,
    a: int,
    panels: np.ndarray,
    freq: int,
    strip: Strip,
    active: np.ndarray,
    AWt: np.ndarray,
    k: int,
) -> int:
    """`accumulate_AWt` for the components `k`, `k` + 1, … that `panels` hold.

    `panels` is (panel · freq, component in panel). Returned is one past the last component.
    """
    for first in range(strip.first, len(panels), freq):
        if any_active(active, k, k + width(shape, AWt)):
            for n in range(0, FRAMES, rows):
                u = load(shape, AWt, n, k)
                for c in range(strip.columns):
                    u = add_outer(u, A, n, a + c, panels, first + c, 0)
                store(u, AWt, n, k)
        k += width(shape, AWt)
    return k


@kernel
def accumulate_HtA(
    H: np.ndarray, A: np.ndarray, a: int, strip: Strip, active: np.ndarray, HtA: np.ndarray
) -> None:
    """Accumulate ``HtA += Hᵀ A`` over one strip, which begins at column `a` of A.

    H is (FRAMES, depth), A has FRAMES rows and at least ``a + columns`` columns, and HtA is
    (depth, freq). Tiles without `active` components are skipped.
    """
    if strip.columns == width(MODEL_WIDE, A):
        _accumulate_HtA(HTA_WIDE, H, A, a, strip.first, active, HtA)
    else:
        _accumulate_HtA(HTA_NARROW, H, A, a, strip.first, active, HtA)


@kernel
def _accumulate_HtA(
    shape: Any,
    H: np.ndarray,
    A: np.ndarray,
    a: int,
    j: int,
    active: np.ndarray,
    HtA: np.ndarray,
) -> None:
    """`accumulate_HtA` in tiles of a given `shape`, for the strip at column `j` of HtA."""
    for k in range(0, HtA.shape[0], HTA_ROWS):
        if not any_active(active, k, k + HTA_ROWS):
            continue
        u = load(shape, HtA, k, j)
        for n in range(FRAMES):
            u = add_outer_transposed(u, H, n, k, A, n, a)
        store(u, HtA, k, j)
