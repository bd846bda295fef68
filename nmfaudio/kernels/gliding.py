"""Multiplicative updates of sounds at gliding pitches, for the Kullback–Leibler divergence.

The templates of these models are sparse: a state has a few bins around each partial. They are
stored in groups of `WIDTH` neighbouring bins. Data and activations are stored in blocks of `FRAMES`
frames, the frames of a bin or of a state next to each other, so that the loops along them become
vector code. A block of the model stays in the second-level cache.

Called by `factorisation.solvers.gliding`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nmfaudio.kernels.beta_divergence import divergence
from nmfaudio.kernels.jit import inlined_kernel, kernel

WIDTH = 4  # bins of a group
FRAMES = 16  # of a block: a vector of float32 in the longest registers


class Groups(NamedTuple):
    """Templates of all states, in groups of `WIDTH` neighbouring bins.

    Parameters
    ----------
    edges : np.ndarray [shape=(state + 1,)]
        Groups of state s are ``edges[s]`` … ``edges[s + 1] − 1``.
    bins : np.ndarray [shape=(group,)]
        First bin.
    weights : np.ndarray [shape=(group, WIDTH)]
        Entries of P, the fixed part of the templates.
    values : np.ndarray [shape=(group, WIDTH)]
        Entries of the templates W.
    sums : np.ndarray [shape=(state,)]
        Sums of the templates over frequency.
    shared : np.ndarray [shape=(state,)]
        Whether the bins of each group belong to one part, so that only their sum matters.
    """

    edges: np.ndarray
    bins: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    sums: np.ndarray
    shared: np.ndarray


class Active(NamedTuple):
    """Active states of each block: ``states[edges[b] : edges[b + 1]]`` in block b."""

    edges: np.ndarray
    states: np.ndarray


class Steps(NamedTuple):
    """Steps of `sweep`, and lower bounds of the model and of positive activations."""

    update: bool
    need_loss: bool
    model_floor: float
    factor_floor: float


@kernel
def sweep(
    V: np.ndarray,
    H: np.ndarray,
    groups: Groups,
    active: Active,
    steps: Steps,
    Y: np.ndarray,
    gradient: np.ndarray,
    first: int,
    stop: int,
) -> float:
    """Update H in some blocks, and add to the gradient of the updated model.

    Parameters
    ----------
    V : np.ndarray [shape=(block, bin, FRAMES)]
        Data; 0 after the last frame.
    H : np.ndarray [shape=(state, block, FRAMES)]
        Activations, updated in place if ``steps.update``.
    groups : Groups
    active : Active
    steps : Steps
    Y : np.ndarray [shape=(bin, FRAMES)]
        Workspace.
    gradient : np.ndarray [shape=(group, WIDTH)]
        For each bin of a group, ``weights · Σ_t H · V / Y`` is added; for `shared` groups, their
        sum over the bins to the first.
    first, stop : int
        Blocks.

    Returns
    -------
    float
        Divergence of these blocks if ``steps.need_loss``, else 0.
    """
    loss = 0.0
    unweighted = np.empty((0, 0), V.dtype)
    peaks = np.empty(FRAMES, V.dtype)
    for block in range(first, stop):
        states = active.states[active.edges[block] : active.edges[block + 1]]
        if steps.update:
            _compute_model(H, groups, states, block, Y)
            _compute_ratio(V[block], Y, steps.model_floor)
            _update_activations(Y, groups, states, block, H, steps.factor_floor, peaks)
        _compute_model(H, groups, states, block, Y)
        if steps.need_loss:
            loss += divergence(V[block], Y, unweighted, 1.0, steps.model_floor)
        _compute_ratio(V[block], Y, steps.model_floor)
        _add_gradient(Y, groups, states, block, H, gradient)
    return loss


@inlined_kernel
def _compute_model(
    H: np.ndarray, groups: Groups, states: np.ndarray, block: int, Y: np.ndarray
) -> None:
    """Write ``Y = W H`` of one block (bin, frame)."""
    for f in range(Y.shape[0]):
        for j in range(FRAMES):
            Y[f, j] = 0
    values = groups.values
    for s in states:
        h = H[s, block]
        for g in range(groups.edges[s], groups.edges[s + 1]):
            f = groups.bins[g]
            a, b, c, d = values[g, 0], values[g, 1], values[g, 2], values[g, 3]
            for j in range(FRAMES):
                Y[f, j] += a * h[j]
                Y[f + 1, j] += b * h[j]
                Y[f + 2, j] += c * h[j]
                Y[f + 3, j] += d * h[j]


@inlined_kernel
def _compute_ratio(V: np.ndarray, Y: np.ndarray, floor: float) -> None:
    """Write V / Y to Y (bin, frame)."""
    low = V.dtype.type(floor)
    for f in range(Y.shape[0]):
        for j in range(FRAMES):
            Y[f, j] = V[f, j] / max(Y[f, j], low)


@inlined_kernel
def _update_activations(
    R: np.ndarray,
    groups: Groups,
    states: np.ndarray,
    block: int,
    H: np.ndarray,
    floor: float,
    sums: np.ndarray,
) -> None:
    """``H *= Wᵀ R / Wᵀ 1`` for the ratios R (bin, frame) of one block; `sums` is a workspace."""
    zero, low = R.dtype.type(0), R.dtype.type(floor)
    values = groups.values
    for s in states:
        for j in range(FRAMES):
            sums[j] = 0
        stop = groups.edges[s + 1]
        # Two groups at a time, since each addition to `sums` waits for the one before.
        for g in range(groups.edges[s], stop, 2):
            n = min(g + 1, stop - 1)
            once = R.dtype.type(g + 1 < stop)  # the last group may have no other
            f, i = groups.bins[g], groups.bins[n]
            a0, a1, a2, a3 = values[g, 0], values[g, 1], values[g, 2], values[g, 3]
            b0, b1 = once * values[n, 0], once * values[n, 1]
            b2, b3 = once * values[n, 2], once * values[n, 3]
            for j in range(FRAMES):
                left = (a0 * R[f, j] + a1 * R[f + 1, j]) + (a2 * R[f + 2, j] + a3 * R[f + 3, j])
                right = (b0 * R[i, j] + b1 * R[i + 1, j]) + (b2 * R[i + 2, j] + b3 * R[i + 3, j])
                sums[j] += left + right
        h, total = H[s, block], groups.sums[s]
        if total > zero:
            for j in range(FRAMES):
                h[j] = max(h[j] * (sums[j] / total), low) if h[j] > zero else zero


@inlined_kernel
def _add_gradient(
    R: np.ndarray,
    groups: Groups,
    states: np.ndarray,
    block: int,
    H: np.ndarray,
    gradient: np.ndarray,
) -> None:
    """Add ``weights · Σ_t H R`` of one block to the bins of each group, or to the first their sum.

    The sum takes a third of the time: it needs one sum over vector lanes instead of four.
    """
    for s in states:
        for g in range(groups.edges[s], groups.edges[s + 1], 2):
            # Two groups at a time; where there is no other, the same once more.
            n = min(g + 1, groups.edges[s + 1] - 1)
            if groups.shared[s]:
                one, other = _group_sums(R, groups, H[s, block], g, n)
                gradient[g, 0] += one
                if n > g:
                    gradient[n, 0] += other
            else:
                _add_bin_sums(R, groups, H[s, block], g, gradient)
                if n > g:
                    _add_bin_sums(R, groups, H[s, block], n, gradient)


@inlined_kernel
def _group_sums(
    R: np.ndarray, groups: Groups, h: np.ndarray, g: int, n: int
) -> tuple[float, float]:
    """``Σ weights · h · R`` of two groups over bins and frames."""
    f, i, w = groups.bins[g], groups.bins[n], groups.weights
    a0, a1, a2, a3 = w[g, 0], w[g, 1], w[g, 2], w[g, 3]
    b0, b1, b2, b3 = w[n, 0], w[n, 1], w[n, 2], w[n, 3]
    one, other = R.dtype.type(0), R.dtype.type(0)
    for j in range(FRAMES):
        left = (a0 * R[f, j] + a1 * R[f + 1, j]) + (a2 * R[f + 2, j] + a3 * R[f + 3, j])
        right = (b0 * R[i, j] + b1 * R[i + 1, j]) + (b2 * R[i + 2, j] + b3 * R[i + 3, j])
        one += h[j] * left
        other += h[j] * right
    return one, other


@inlined_kernel
def _add_bin_sums(
    R: np.ndarray, groups: Groups, h: np.ndarray, g: int, gradient: np.ndarray
) -> None:
    """Add ``weights · Σ_t h R`` of one group to its bins."""
    f, weights = groups.bins[g], groups.weights
    zero = R.dtype.type(0)
    a, b, c, d = zero, zero, zero, zero
    for j in range(FRAMES):
        a += h[j] * R[f, j]
        b += h[j] * R[f + 1, j]
        c += h[j] * R[f + 2, j]
        d += h[j] * R[f + 3, j]
    gradient[g, 0] += weights[g, 0] * a
    gradient[g, 1] += weights[g, 1] * b
    gradient[g, 2] += weights[g, 2] * c
    gradient[g, 3] += weights[g, 3] * d
