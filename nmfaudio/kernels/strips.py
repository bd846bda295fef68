"""Gradient parts of a block of frames, computed strip by strip in tiles of vector registers.

A strip is a range of frequencies as wide as one tile, so that its results stay in the first-level
cache. `strips_portable` implements the same four functions with plain loops; `backend` selects one
of the two modules, and `blocks` calls it. Sizes are those of `bundles`; see `kernels` for a
glossary.

The inner functions take views instead of arrays. Arrays count their references whenever they are
passed on, and for few components that takes as long as the arithmetic.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nmfaudio.kernels import formulas
from nmfaudio.kernels.bundles import Block, Params, Strip, Templates, Workspace
from nmfaudio.kernels.jit import kernel
from nmfaudio.kernels.layout import FRAMES, ROWS
from nmfaudio.kernels.tiles import Columns
from nmfaudio.kernels.vectors import (
    AWT_NARROW,
    AWT_WIDE,
    MODEL_NARROW,
    MODEL_WIDE,
    REST_NARROW,
    REST_WIDE,
    add_outer,
    add_outer_transposed,
    entry,
    load,
    prefetch,
    store,
    sum_entries,
    view,
    view_as,
    width,
    zeros,
)

REST_ROWS = REST_WIDE.rows
AWT_WIDE_ROWS, AWT_NARROW_ROWS = AWT_WIDE.rows, AWT_NARROW.rows
TILE = Columns(ROWS)  # frames of a tile of the model
RUN = Columns(2)  # first component of a run, and one past its last


class Views(NamedTuple):
    """Block of frames, as views of `bundles.Block` and `bundles.Workspace`, and its numbers."""

    V: Any
    V_copy: Any
    weights: Any
    weights_copy: Any
    tiles: Any
    H: Any
    active: Any
    A: Any
    B: Any
    Y: Any
    n_active: int
    depth: int
    first: int
    ahead: int
    columns: int


@kernel
def views_of(block: Block, workspace: Workspace, ahead: int) -> Views:
    """Return views of a block; the block from frame `ahead` on is loaded into the cache."""
    return Views(
        view(block.V),
        view(workspace.V),
        view(block.weights),
        view(workspace.weights),
        view_as(TILE, workspace.tiles),
        view(workspace.H),
        view_as(RUN, block.active),
        view_as(MODEL_WIDE, workspace.A),
        view_as(MODEL_WIDE, workspace.B),
        view_as(MODEL_WIDE, workspace.Y),
        len(block.active),
        workspace.H.shape[1],
        block.first,
        ahead,
        block.columns,
    )


@kernel
def strip_at(first: int, depth: int, params: Params) -> Strip:
    """Return the strip that begins at column `first`: wide if it fits, else narrow."""
    row, offset = first // params.wide * depth, first % params.wide
    columns = params.wide if first + params.wide <= params.freq else params.narrow
    return Strip(first, columns, row, offset)


@kernel
def any_active(x: Views, first: int, last: int) -> bool:
    """Return whether any of the components `first` … `last` − 1 is active."""
    for run in range(x.n_active):
        if entry(x.active, run, 1) > first:
            return bool(entry(x.active, run, 0) < last)
    return False


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
    """Compute ``AWt = A Wᵀ`` and ``BWt = B Wᵀ`` for a block.

    They are the negative and the positive part of the gradient for H, with
    ``A = weights · V · Y^(β−2)``, ``B = weights · Y^(β−1)`` and the model ``Y = H W``. Both are
    (FRAMES, depth); columns of components that are not active are undefined. BWt is skipped if its
    size is 0. Meanwhile the block from frame `ahead` on is loaded into the cache, unless it is 0.
    """
    AWt[:] = 0
    BWt[:] = 0
    x = views_of(block, workspace, ahead)
    with_B, with_weights = BWt.size > 0, block.weights.size > 0
    W, out_A, out_B = view_as(MODEL_WIDE, templates.strips), view(AWt), view(BWt)
    wide, narrow = (
        view_as(AWT_WIDE, templates.wide_panels),
        view_as(AWT_NARROW, templates.narrow_panels),
    )
    split = len(templates.wide_panels) // params.freq * width(AWT_WIDE, AWt)
    j = int(np.int64(0))  # for a literal 0 Numba compiles a second version of the callees
    while j < params.freq:
        strip = strip_at(j, x.depth, params)
        evaluate(params, strip, x, W, with_B, False)
        if with_weights:
            apply_weights(x, strip, with_B)
        add_AWt(x, x.A, wide, narrow, split, params.freq, strip, out_A)
        if with_B:
            add_AWt(x, x.B, wide, narrow, split, params.freq, strip, out_B)
        j += strip.columns


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
    """Accumulate ``HtA += Hᵀ A`` and ``HtB += Hᵀ B`` for a block.

    They are the negative and the positive part of the gradient for W, with A and B as in
    `gradient_parts_H`. W, HtA and HtB are in strips, see `layout.strips`; HtA or HtB is skipped if
    its size is 0. Returned is the divergence of the block if `params.need_loss`, otherwise 0.
    """
    x = views_of(block, workspace, ahead)
    with_weights = block.weights.size > 0
    w, out_A, out_B = view_as(MODEL_WIDE, W), view_as(MODEL_WIDE, HtA), view_as(MODEL_WIDE, HtB)
    with_A, with_B = HtA.size > 0, HtB.size > 0
    loss = 0.0
    j = int(np.int64(0))  # as in `gradient_parts_H`
    while j < params.freq:
        strip = strip_at(j, x.depth, params)
        evaluate(params, strip, x, w, with_B, params.need_loss)
        if with_weights:
            apply_weights(x, strip, with_B)
        if params.need_loss:
            loss += strip_divergence(params, strip, x, with_weights)
        if with_A:
            add_HtA(x, x.A, strip, out_A)
        if with_B:
            add_HtA(x, x.B, strip, out_B)
        j += strip.columns
    return loss


@kernel
def gradient_part_H_euclidean(
    templates: Templates,
    params: Params,
    block: Block,
    workspace: Workspace,
    ahead: int,
    VWt: np.ndarray,
) -> None:
    """Compute ``VWt = V Wᵀ``, the negative part for β = 2, as in `gradient_parts_H`."""
    VWt[:] = 0
    x, out = views_of(block, workspace, ahead), view(VWt)
    wide, narrow = (
        view_as(AWT_WIDE, templates.wide_panels),
        view_as(AWT_NARROW, templates.narrow_panels),
    )
    split = len(templates.wide_panels) // params.freq * width(AWT_WIDE, VWt)
    j = int(np.int64(0))  # as in `gradient_parts_H`
    while j < params.freq:
        strip = strip_at(j, x.depth, params)
        copy_strip(x, strip)
        add_AWt(x, x.A, wide, narrow, split, params.freq, strip, out)
        j += strip.columns


@kernel
def gradient_part_W_euclidean(
    params: Params, block: Block, workspace: Workspace, ahead: int, HtV: np.ndarray
) -> None:
    """Accumulate ``HtV += Hᵀ V``, the negative part for β = 2, as in `gradient_parts_W`."""
    x, out = views_of(block, workspace, ahead), view_as(MODEL_WIDE, HtV)
    j = int(np.int64(0))  # as in `gradient_parts_H`
    while j < params.freq:
        strip = strip_at(j, x.depth, params)
        copy_strip(x, strip)
        add_HtA(x, x.A, strip, out)
        j += strip.columns


@kernel
def readable(x: Views, strip: Strip) -> bool:
    """Return whether a strip of V can be read in place; otherwise it is read from the copy."""
    return bool(strip.first + strip.columns <= x.columns)


@kernel
def evaluate(params: Params, strip: Strip, x: Views, W: Any, with_B: bool, with_Y: bool) -> None:
    """Compute ``A = V · Y^(β−2)``, B and Y of one strip of ``Y = max(H W, floor)``.

    ``B = Y^(β−1)`` and Y are stored on request only.
    """
    if strip.columns == width(MODEL_WIDE, x.A):
        _evaluate(MODEL_WIDE, params, strip, x, W, with_B, with_Y)
    else:
        _evaluate(MODEL_NARROW, params, strip, x, W, with_B, with_Y)


@kernel
def _evaluate(
    shape: Any, params: Params, strip: Strip, x: Views, W: Any, with_B: bool, with_Y: bool
) -> None:
    """`evaluate` in tiles of a given `shape`."""
    V, first, ahead, j = x.V, x.first, x.ahead, strip.first
    if not readable(x, strip):
        V, first, ahead = x.V_copy, 0, 0
    for n in range(0, FRAMES, ROWS):
        if ahead > 0:
            prefetch(shape, V, ahead + n, j)
        # The tile of the model stays in registers until A and B have been computed from it.
        y = zeros(shape, x.A)
        tile = n // ROWS * x.depth
        for run in range(x.n_active):
            for k in range(entry(x.active, run, 0), entry(x.active, run, 1)):
                y = add_outer_transposed(y, x.tiles, tile + k, 0, W, strip.row + k, strip.offset)
        y = formulas.floored(y, params.model_floor)
        if with_Y:
            store(y, x.Y, n, 0)
        b = formulas.positive_part(params.formula, y, params.beta)
        if with_B:
            store(b, x.B, n, 0)
        v = load(shape, V, first + n, j)
        store(formulas.negative_part(params.formula, v, y, b), x.A, n, 0)


@kernel
def apply_weights(x: Views, strip: Strip, with_B: bool) -> None:
    """Multiply a strip A, and B on request, by its weights."""
    if strip.columns == width(MODEL_WIDE, x.A):
        _apply_weights(MODEL_WIDE, x, strip, with_B)
    else:
        _apply_weights(MODEL_NARROW, x, strip, with_B)


@kernel
def _apply_weights(shape: Any, x: Views, strip: Strip, with_B: bool) -> None:
    """`apply_weights` in tiles of a given `shape`."""
    weights, first = x.weights, x.first
    if not readable(x, strip):
        weights, first = x.weights_copy, 0
    for n in range(0, FRAMES, ROWS):
        w = load(shape, weights, first + n, strip.first)
        store(formulas.product(load(shape, x.A, n, 0), w), x.A, n, 0)
        if with_B:
            store(formulas.product(load(shape, x.B, n, 0), w), x.B, n, 0)


@kernel
def strip_divergence(params: Params, strip: Strip, x: Views, with_weights: bool) -> float:
    """Return ``Σ weights · d_β(V, Y)`` over the strip Y, summed in double precision."""
    if strip.columns == width(MODEL_WIDE, x.A):
        return _strip_divergence(MODEL_WIDE, params, strip, x, with_weights)
    return _strip_divergence(MODEL_NARROW, params, strip, x, with_weights)


@kernel
def _strip_divergence(
    shape: Any, params: Params, strip: Strip, x: Views, with_weights: bool
) -> float:
    """`strip_divergence` in tiles of a given `shape`."""
    V, weights, first = x.V, x.weights, x.first
    if not readable(x, strip):
        V, weights, first = x.V_copy, x.weights_copy, 0
    out = 0.0
    for n in range(0, FRAMES, ROWS):
        v, y = load(shape, V, first + n, strip.first), load(shape, x.Y, n, 0)
        d = formulas.divergence(params.formula, v, y, params.beta)
        if with_weights:
            d = formulas.product(d, load(shape, weights, first + n, strip.first))
        out += sum_entries(d)
    return out


@kernel
def copy_strip(x: Views, strip: Strip) -> None:
    """Copy a strip of V to A."""
    if strip.columns == width(MODEL_WIDE, x.A):
        _copy_strip(MODEL_WIDE, x, strip)
    else:
        _copy_strip(MODEL_NARROW, x, strip)


@kernel
def _copy_strip(shape: Any, x: Views, strip: Strip) -> None:
    """`copy_strip` in tiles of a given `shape`."""
    V, first = x.V, x.first
    if not readable(x, strip):
        V, first = x.V_copy, 0
    for n in range(0, FRAMES, ROWS):
        if x.ahead > 0:
            prefetch(shape, x.V, x.ahead + n, strip.first)
        store(load(shape, V, first + n, strip.first), x.A, n, 0)


@kernel
def add_AWt(
    x: Views, A: Any, wide: Any, narrow: Any, split: int, freq: int, strip: Strip, AWt: Any
) -> None:
    """Accumulate ``AWt += A Wᵀ`` over one strip A.

    W is read from its transposed panels: a vector register then holds neighbouring components, and
    no sum across the lanes of a register is needed. The first `split` components are in wide
    panels. Panels without active components are skipped.
    """
    _add_panels(AWT_WIDE, AWT_WIDE_ROWS, x, A, wide, freq, strip, AWt, 0, split)
    _add_panels(AWT_NARROW, AWT_NARROW_ROWS, x, A, narrow, freq, strip, AWt, split, x.depth)


@kernel
def _add_panels(
    shape: Any,
    rows: int,
    x: Views,
    A: Any,
    panels: Any,
    freq: int,
    strip: Strip,
    AWt: Any,
    begin: int,
    end: int,
) -> None:
    """`add_AWt` for the components `begin` … `end` − 1, those in `panels`."""
    first = strip.first
    for k in range(begin, end, width(shape, AWt)):
        if any_active(x, k, k + width(shape, AWt)):
            for n in range(0, FRAMES, rows):
                u = load(shape, AWt, n, k)
                for c in range(strip.columns):
                    u = add_outer(u, A, n, c, panels, first + c, 0)
                store(u, AWt, n, k)
        first += freq


@kernel
def add_HtA(x: Views, A: Any, strip: Strip, HtA: Any) -> None:
    """Accumulate ``HtA += Hᵀ A`` over one strip A; HtA is in strips.

    Tiles without active components are skipped.
    """
    last = entry(x.active, x.n_active - 1, 1) if x.n_active > 0 else 0
    whole = last // ROWS * ROWS
    if strip.columns == width(MODEL_WIDE, A):
        _add_HtA(MODEL_WIDE, ROWS, x, A, strip, HtA, 0, whole)
        _add_HtA(REST_WIDE, REST_ROWS, x, A, strip, HtA, whole, last)
    else:
        _add_HtA(MODEL_NARROW, ROWS, x, A, strip, HtA, 0, whole)
        _add_HtA(REST_NARROW, REST_ROWS, x, A, strip, HtA, whole, last)


@kernel
def _add_HtA(
    shape: Any, rows: int, x: Views, A: Any, strip: Strip, HtA: Any, begin: int, end: int
) -> None:
    """`add_HtA` in tiles of a given `shape`, for the components `begin` … `end` − 1."""
    for k in range(begin, end, rows):
        if any_active(x, k, k + rows):
            u = load(shape, HtA, strip.row + k, strip.offset)
            for n in range(FRAMES):
                u = add_outer_transposed(u, x.H, n, k, A, n, 0)
            store(u, HtA, strip.row + k, strip.offset)
