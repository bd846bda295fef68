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
from nmfaudio.kernels.bundles import Chunks, StepTerms
from nmfaudio.kernels.gemm import add_nn, add_nt
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
        ``V · Y^(β−2)`` and ``Y^(β−1)``; the padding of B is 0.
    weighted_A, weighted_B : np.ndarray [shape=(ROWS, columns)]
        A and B times the other entries of a term.
    row : np.ndarray [shape=(columns,)]
    """

    pairs: np.ndarray
    A: np.ndarray
    B: np.ndarray
    weighted_A: np.ndarray
    weighted_B: np.ndarray
    row: np.ndarray


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
                used = terms if n == 0 else no_terms(terms)
                gradient_parts(model, settings, first, last, block)
                update_pair(
                    model, settings.updated[n], W, H, totals, used, settings, first, last, block
                )
            if settings.accumulated >= 0:
                gradient_parts(model, settings, first, last, block)
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
    product[:] = 0
    add_nn(H[first:last, a:b].copy(), W[a:b], product)


@kernel
def product_of_entries(
    model: Sum, term: int, pair: int, t: int, n: int, block: Block
) -> np.ndarray:
    """Return the product of all entries of a term but one pair, in frame t, row n of a block.

    A `pair` of −1 leaves out none. The result is valid until the next call; of a mask alone it
    has no padding.
    """
    out, count, mask = block.row, 0, model.mask_of[term]
    if mask >= 0:
        out, count = model.masks[mask, t], 1
    for j in range(len(model.term_of)):
        if model.term_of[j] == term and j != pair:
            row = block.pairs[j, n]
            if count > 0:  # a single entry is returned without a copy
                product = block.row
                for f in range(len(out)):
                    product[f] = out[f] * row[f]
                row = product
            out, count = row, count + 1
    return out


@kernel
def multiply_terms(model: Sum, first: int, last: int, block: Block, Y: np.ndarray) -> None:
    """Compute the model Y (ROWS, columns) of frames `first` … `last` − 1 from the pairs."""
    for n in range(last - first):
        y = Y[n]
        for term in range(len(model.mask_of)):
            product = product_of_entries(model, term, -1, first + n, n, block)
            if term == 0:
                y[len(product) :] = 0
                for f in range(len(product)):
                    y[f] = product[f]
            else:
                for f in range(len(product)):
                    y[f] += product[f]


@kernel
def gradient_parts(model: Sum, settings: Settings, first: int, last: int, block: Block) -> None:
    """Compute A and B of a block from its pairs."""
    multiply_terms(model, first, last, block, block.A)
    A, B = block.A[: last - first], block.B[: last - first]
    V, unweighted = model.V[first:last], model.weights[:0]
    beta_divergence.gradient_parts(V, A, unweighted, settings.beta, settings.model_floor, B)
    if model.weights.size > 0:
        for n in range(last - first):
            a, b, weights = A[n], B[n], model.weights[first + n]
            for f in range(len(weights)):
                a[f] *= weights[f]
                b[f] *= weights[f]


@kernel
def weigh(model: Sum, pair: int, first: int, last: int, block: Block) -> None:
    """Multiply A and B by the other entries of the term of a pair."""
    for n in range(last - first):
        others = product_of_entries(model, model.term_of[pair], pair, first + n, n, block)
        a, b = block.A[n], block.B[n]
        weighted_a, weighted_b = block.weighted_A[n], block.weighted_B[n]
        for f in range(len(others)):
            weighted_a[f] = a[f] * others[f]
            weighted_b[f] = b[f] * others[f]


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
    if not model.alone[pair]:
        weigh(model, pair, first, last, block)
        A, B = block.weighted_A[:rows], block.weighted_B[:rows]
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
    if not model.alone[pair]:
        weigh(model, pair, first, last, block)
        A, B = block.weighted_A[:rows], block.weighted_B[:rows]
    add_nn(Ht, A, negative)
    if model.alone[pair] and settings.constant_B:
        for k in range(b - a):
            positive[k] += Ht[k].sum()
    else:
        add_nn(Ht, B, positive)
