"""The four things that a sweep does to a strip of a block of frames, in tiles of registers.

A strip is as many frequencies as a tile is wide; what is computed for it stays in the first cache.
`plain` has the same four in plain loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmfaudio.kernels import formulas as f
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES
from nmfaudio.kernels.vectors import (
    DEEP,
    FLAT,
    THIN,
    THIN_ROWS,
    WIDE,
    WIDE_ROWS,
    add_outer,
    add_outer_turned,
    load,
    store,
    total,
    width,
    zeros,
)

DEEP_ROWS, FLAT_ROWS = DEEP.rows, FLAT.rows


@kernel
def any_within(runs: np.ndarray, first: int, last: int) -> bool:
    """Whether any of the runs of components has one from `first` to before `last`."""
    for run in range(len(runs)):
        if runs[run, 1] > first:
            return bool(runs[run, 0] < last)
    return False


@kernel
def gradient_parts(
    formula: Any,
    V: np.ndarray,
    j: int,
    columns: int,
    H: np.ndarray,
    W: np.ndarray,
    heard: np.ndarray,
    beta: float,
    low: float,
    A: np.ndarray,
    B: np.ndarray,
    Y: np.ndarray,
) -> None:
    """``A = V · Y^(β−2)`` and ``B = Y^(β−1)`` of the strip that begins at column `j` of V and W.

    Y is the model ``H W`` of the components that are `heard`, at least `low`. Y and B are not
    written where they are of size 0.
    """
    if columns == width(WIDE, V):
        _halves(WIDE, formula, V, j, H, W, heard, beta, low, A, B, Y)
    else:
        _halves(THIN, formula, V, j, H, W, heard, beta, low, A, B, Y)


@kernel
def _halves(
    shape: Any,
    formula: Any,
    V: np.ndarray,
    j: int,
    H: np.ndarray,
    W: np.ndarray,
    heard: np.ndarray,
    beta: float,
    low: float,
    A: np.ndarray,
    B: np.ndarray,
    Y: np.ndarray,
) -> None:
    for n in range(0, FRAMES, 6):
        y = zeros(shape, V)
        for run in range(len(heard)):
            for k in range(heard[run, 0], heard[run, 1]):
                y = add_outer(y, H, n, k, W, k, j)
        y = f.floored(y, V.dtype.type(low))
        if Y.size > 0:
            store(y, Y, n, 0)
        b = f.second_half(formula, y, V.dtype.type(beta))
        if B.size > 0:
            store(b, B, n, 0)
        store(f.first_half(formula, load(shape, V, n, j), y, b), A, n, 0)


@kernel
def misfit(
    formula: Any,
    V: np.ndarray,
    j: int,
    columns: int,
    Y: np.ndarray,
    weights: np.ndarray,
    beta: float,
) -> float:
    """The divergence of the strip from its model Y, in double precision.

    `weights` lie like V; of size 0 they stand for 1.
    """
    if columns == width(WIDE, V):
        return _misfit(WIDE, formula, V, j, Y, weights, beta)
    return _misfit(THIN, formula, V, j, Y, weights, beta)


@kernel
def _misfit(
    shape: Any,
    formula: Any,
    V: np.ndarray,
    j: int,
    Y: np.ndarray,
    weights: np.ndarray,
    beta: float,
) -> float:
    out = 0.0
    for n in range(0, FRAMES, 6):
        d = f.cost(formula, load(shape, V, n, j), load(shape, Y, n, 0), V.dtype.type(beta))
        if weights.size > 0:
            d = f.product(d, load(shape, weights, n, j))
        out += total(d)
    return out


@kernel
def pull_back(
    A: np.ndarray,
    a: int,
    wide: np.ndarray,
    narrow: np.ndarray,
    freq: int,
    j: int,
    columns: int,
    heard: np.ndarray,
    up: np.ndarray,
) -> None:
    """``up += A Wᵀ`` over the strip, which begins at column `a` of A and `j` of W.

    W (component, `freq`) is given in panels; see `layout.panels`. Panels of which no component is
    `heard` are left out.
    """
    k = _pull_panels(DEEP, DEEP_ROWS, A, a, wide, freq, j, columns, heard, up, 0)
    _pull_panels(FLAT, FLAT_ROWS, A, a, narrow, freq, j, columns, heard, up, k)


@kernel
def _pull_panels(
    shape: Any,
    rows: int,
    A: np.ndarray,
    a: int,
    panels: np.ndarray,
    freq: int,
    j: int,
    columns: int,
    heard: np.ndarray,
    up: np.ndarray,
    k: int,
) -> int:
    """`pull_back` of panels from component `k` on; return the component after the last."""
    for first in range(j, len(panels), freq):
        if any_within(heard, k, k + width(shape, up)):
            for n in range(0, FRAMES, rows):
                u = load(shape, up, n, k)
                for c in range(columns):
                    u = add_outer(u, A, n, a + c, panels, first + c, 0)
                store(u, up, n, k)
        k += width(shape, up)
    return k


@kernel
def gather(
    H: np.ndarray,
    A: np.ndarray,
    a: int,
    j: int,
    columns: int,
    heard: np.ndarray,
    neg: np.ndarray,
) -> None:
    """``neg += Hᵀ A`` over the strip, which begins at column `a` of A and `j` of `neg`.

    Components that are not `heard` add nothing.
    """
    if columns == width(WIDE, A):
        _gather(WIDE_ROWS, H, A, a, j, heard, neg)
    else:
        _gather(THIN_ROWS, H, A, a, j, heard, neg)


@kernel
def _gather(
    shape: Any,
    H: np.ndarray,
    A: np.ndarray,
    a: int,
    j: int,
    heard: np.ndarray,
    neg: np.ndarray,
) -> None:
    for k in range(0, neg.shape[0], 4):
        if not any_within(heard, k, k + 4):
            continue
        u = load(shape, neg, k, j)
        for n in range(FRAMES):
            u = add_outer_turned(u, H, n, k, A, n, a)
        store(u, neg, k, j)
