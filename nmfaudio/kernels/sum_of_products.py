"""One pass over the spectrogram for a model that is a sum of entrywise products.

The model is ``Y = Σ_g M_g ⊙ Π_j (H_j W_j)`` over the pairs j of each term g, with an optional mask
M. For each block of frames, the pass multiplies out all pairs, updates activations of one pair
after another, each with the model of those before, and accumulates the gradient for the templates
of one pair. Only the block is ever in memory. Arrays are time-major, see `kernels`; *columns* are
frequencies, padded as W is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nmfaudio.kernels import beta_divergence, majorisation
from nmfaudio.kernels.backend import add_nn
from nmfaudio.kernels.bundles import Chunks, StepTerms
from nmfaudio.kernels.gemm import add_nt
from nmfaudio.kernels.jit import kernel

ROWS = 24  # frames of a block; divides `layout.FRAMES`, of which chunks consist


class Sum(NamedTuple):
    """Data and constant parts of the model.

    Parameters
    ----------
    V, weights : np.ndarray [shape=(time, freq)]
        Weights of size 0 are 1 everywhere.
    masks : np.ndarray [shape=(mask, time, freq)]
    mask_of : np.ndarray [shape=(term,)]
        Number of the mask of each term, −1 for none.
    term_of : np.ndarray [shape=(pair,)]
        Number of the term of each pair.
    edges : np.ndarray [shape=(pair + 1,)]
        Components at which those of each pair begin and end.
    alone : np.ndarray [shape=(pair,)]
        Whether a term is a pair and nothing else.
    free : np.ndarray [shape=(time, component)]
        Free entries of H; of size 0: all.
    """

    V: np.ndarray
    weights: np.ndarray
    masks: np.ndarray
    mask_of: np.ndarray
    term_of: np.ndarray
    edges: np.ndarray
    alone: np.ndarray
    free: np.ndarray


class Settings(NamedTuple):
    """Purpose and parameters of a pass.

    Parameters
    ----------
    updated : np.ndarray [shape=(n,)]
        Pairs whose activations are updated, in this order.
    accumulated : int
        Pair whose gradient for W is accumulated with the new activations, −1 for none.
    need_loss : bool
        Whether the divergence of the new model is computed.
    constant_B : bool
        Whether ``Y^(β−1)`` is 1: β = 1 without weights.
    beta, p, q, model_floor, factor_floor : float
        As in `bundles.Params`.
    """

    updated: np.ndarray
    accumulated: int
    need_loss: bool
    constant_B: bool
    beta: float
    p: float
    q: float
    model_floor: float
    factor_floor: float


class Block(NamedTuple):
    """Scratch memory of one thread.

    Parameters
    ----------
    pairs : np.ndarray [shape=(pair, ROWS, columns)]
        Product ``H_j W_j`` of each pair.
    A, B : np.ndarray [shape=(ROWS, columns)]
        ``V · Y^(β−2)`` and ``Y^(β−1)``, also times the other entries of a term. The padding of B
        is 0.
    product : np.ndarray [shape=(ROWS, columns)]
        Product of the entries of a term.
    """

    pairs: np.ndarray
    A: np.ndarray
    B: np.ndarray
    product: np.ndarray


class PairSums(NamedTuple):
    """Sums over each chunk: gradient parts (chunk, component, columns), and divergence (chunk,)."""

    negative: np.ndarray
    positive: np.ndarray
    divergence: np.ndarray


@kernel
def sum_pass(
    model: Sum,
    W: np.ndarray,
    H: np.ndarray,
    totals: np.ndarray,
    terms: StepTerms,
    settings: Settings,
    block: Block,
    sums: PairSums,
    chunks: Chunks,
) -> None:
    """Update activations and accumulate the gradient for W over the chunks of one thread.

    Called by `factorisation.solvers.sum_of_products`.

    Parameters
    ----------
    model : Sum
    W : np.ndarray [shape=(component, columns)]
        Templates of all pairs, one pair below the other, padded.
    H : np.ndarray [shape=(time, component)]
        Activations, updated in place.
    totals : np.ndarray [shape=(component,)]
        Sum of each template.
    terms : StepTerms
        Penalty terms of the first of the updated activations, (time, component of the pair).
    settings : Settings
    block : Block
    sums : PairSums
        Overwritten for each chunk.
    chunks : Chunks
    """
    for c in range(chunks.first, len(chunks.edges) - 1, chunks.step):
        sums.divergence[c] = 0.0
        if settings.accumulated >= 0:
            sums.negative[c] = 0
            sums.positive[c] = 0
        for first in range(chunks.edges[c], chunks.edges[c + 1], ROWS):
            last = min(first + ROWS, chunks.edges[c + 1])
            for pair in range(len(model.term_of)):
                multiply_out(model, pair, W, H, first, last, block.pairs)
            for n in range(len(settings.updated)):
                used, pair = terms if n == 0 else no_terms(terms), settings.updated[n]
                gradient_parts(model, settings, pair, first, last, block)
                update_pair(model, pair, W, H, totals, used, settings, first, last, block)
            if settings.accumulated >= 0:
                gradient_parts(model, settings, settings.accumulated, first, last, block)
                negative, positive = sums.negative[c], sums.positive[c]
                accumulate_pair(model, H, settings, first, last, block, negative, positive)
            if settings.need_loss:
                multiply_terms(model, first, last, block, block.A)
                V, Y = model.V[first:last], block.A[: last - first]
                weights = rows_of(model.weights, first, last)
                beta, floor = settings.beta, settings.model_floor
                sums.divergence[c] += beta_divergence.divergence(V, Y, weights, beta, floor)


@kernel
def rows_of(array: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return rows of an array, of size 0 if it is."""
    return array[first:last] if array.size > 0 else array[:0]


@kernel
def no_terms(terms: StepTerms) -> StepTerms:
    """Return penalty terms of the same type that are absent."""
    return StepTerms(
        terms.linear[:0], terms.quadratic[:0], terms.log[:0], terms.inverse[:0], terms.free[:0]
    )


@kernel
def multiply_out(
    model: Sum, pair: int, W: np.ndarray, H: np.ndarray, first: int, last: int, out: np.ndarray
) -> None:
    """Compute the product of a pair, for frames `first` … `last` − 1."""
    a, b = model.edges[pair], model.edges[pair + 1]
    product = out[pair, : last - first]
    clear(product)
    add_nn(H[first:last, a:b].copy(), W[a:b], product)


@kernel
def clear(out: np.ndarray) -> None:
    """``out = 0`` for a matrix; an assignment to a slice takes longer."""
    zero = out.dtype.type(0)
    for n in range(out.shape[0]):
        for f in range(out.shape[1]):
            out[n, f] = zero


@kernel
def copy(x: np.ndarray, out: np.ndarray) -> None:
    """``out = x`` over the size of the matrix x."""
    for n in range(x.shape[0]):
        for f in range(x.shape[1]):
            out[n, f] = x[n, f]


@kernel
def multiply(x: np.ndarray, out: np.ndarray) -> None:
    """``out *= x`` over the size of the matrix x."""
    for n in range(x.shape[0]):
        for f in range(x.shape[1]):
            out[n, f] *= x[n, f]


@kernel
def add(x: np.ndarray, out: np.ndarray) -> None:
    """``out += x`` over the size of the matrix x."""
    for n in range(x.shape[0]):
        for f in range(x.shape[1]):
            out[n, f] += x[n, f]


@kernel
def product_of_entries(
    model: Sum, term: int, pair: int, first: int, last: int, block: Block
) -> np.ndarray:
    """Return the product of all entries of a term but one pair, in frames `first` … `last` − 1.

    A `pair` of −1 leaves out none. The result (frame, columns) is valid until the next call; of a
    mask alone it has no padding.
    """
    rows = last - first
    out, count, mask = block.product[:rows], 0, model.mask_of[term]
    if mask >= 0:
        out, count = model.masks[mask, first:last], 1
    for j in range(len(model.term_of)):
        if model.term_of[j] == term and j != pair:
            entry = block.pairs[j, :rows]
            if count > 0:  # a single entry is returned without a copy
                if count == 1:
                    copy(out, block.product)
                multiply(entry, block.product)
                entry = block.product[:rows]
            out, count = entry, count + 1
    return out


@kernel
def multiply_terms(model: Sum, first: int, last: int, block: Block, Y: np.ndarray) -> None:
    """Compute the model Y (ROWS, columns) of frames `first` … `last` − 1 from the pairs."""
    for term in range(len(model.mask_of)):
        product = product_of_entries(model, term, -1, first, last, block)
        if term == 0:
            copy(product, Y)
        else:
            add(product, Y)


@kernel
def gradient_parts(
    model: Sum, settings: Settings, pair: int, first: int, last: int, block: Block
) -> None:
    """Compute A and B of a block from its pairs, times the other entries of the term of a pair."""
    A, B = block.A[: last - first], block.B[: last - first]
    multiply_terms(model, first, last, block, A)
    V, unweighted = model.V[first:last], model.weights[:0]
    beta_divergence.gradient_parts(V, A, unweighted, settings.beta, settings.model_floor, B)
    if model.weights.size > 0:
        multiply(model.weights[first:last], A)
        multiply(model.weights[first:last], B)
    if not model.alone[pair]:
        others = product_of_entries(model, model.term_of[pair], pair, first, last, block)
        multiply(others, A)
        multiply(others, B)


@kernel
def update_pair(
    model: Sum,
    pair: int,
    W: np.ndarray,
    H: np.ndarray,
    totals: np.ndarray,
    terms: StepTerms,
    settings: Settings,
    first: int,
    last: int,
    block: Block,
) -> None:
    """Update the activations of a pair in one block, and its product."""
    a, b, rows = model.edges[pair], model.edges[pair + 1], last - first
    A, B = block.A[:rows], block.B[:rows]
    negative, positive = np.zeros((rows, b - a), H.dtype), np.zeros((rows, b - a), H.dtype)
    add_nt(A, W[a:b], negative)
    if model.alone[pair] and settings.constant_B:
        positive[:] = totals[a:b]
    else:
        add_nt(B, W[a:b], positive)
    x = H[first:last, a:b].copy()
    free = model.free[first:last, a:b].copy() if model.free.size > 0 else model.free[:0]
    of_block = StepTerms(
        rows_of(terms.linear, first, last),
        rows_of(terms.quadratic, first, last),
        rows_of(terms.log, first, last),
        rows_of(terms.inverse, first, last),
        free,
    )
    majorisation.step(
        x, negative, positive, of_block, settings.p, settings.q, settings.factor_floor
    )
    H[first:last, a:b] = x
    multiply_out(model, pair, W, H, first, last, block.pairs)


@kernel
def accumulate_pair(
    model: Sum,
    H: np.ndarray,
    settings: Settings,
    first: int,
    last: int,
    block: Block,
    negative: np.ndarray,
    positive: np.ndarray,
) -> None:
    """Add ``Hᵀ A`` and ``Hᵀ B`` of a block for the templates of a pair."""
    pair, rows = settings.accumulated, last - first
    a, b = model.edges[pair], model.edges[pair + 1]
    Ht = H[first:last, a:b].T.copy()
    A, B = block.A[:rows], block.B[:rows]
    add_nn(Ht, A, negative)
    if model.alone[pair] and settings.constant_B:
        for k in range(b - a):
            positive[k] += Ht[k].sum()
    else:
        add_nn(Ht, B, positive)
