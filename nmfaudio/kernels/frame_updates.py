"""Activations of a few frames for fixed templates, for streams. Called by `streaming.models`.

A sweep works on blocks of 48 frames, and a stream has one frame at a time. Frames are rows here,
and a template is one row for each of its lags.
"""

from __future__ import annotations

import numpy as np

from nmfaudio.kernels.jit import kernel

PRUNING_ITERATION = 5
"""Iteration before which faint activations are set to zero."""


@kernel
def update_activations(
    V: np.ndarray,
    W: np.ndarray,
    H: np.ndarray,
    residual: np.ndarray,
    excess: float,
    iterations: int,
    beta: float,
    faint: float,
) -> None:
    """Fit the activations of consecutive frames by multiplicative updates, W fixed.

    The model of frame t is ``Σ_d W[d] H[t − d] + residual[t]``. Multiplicative updates keep zeros,
    and zeros are skipped.

    Parameters
    ----------
    V : np.ndarray [shape=(time, freq)]
        The frames.
    W : np.ndarray [shape=(lag, component, freq)]
    H : np.ndarray [shape=(lag - 1 + time, component)]
        Activations of the frames before, which are kept, then of these frames, updated in place.
    residual : np.ndarray [shape=(time, freq) or (0, freq)]
        Sound that no template explains, updated in place; without rows there is none.
    excess : float
        The residual of a bin vanishes unless the frame exceeds its templates by this share.
    iterations : int
    beta : float
        Of the β-divergence.
    faint : float
        Share of the highest activation of a frame below which others are set to zero, once before
        the iteration `PRUNING_ITERATION`; 0 keeps all.
    """
    frames, bins = V.shape
    lags, components, _ = W.shape
    model, positive = np.empty((frames, bins), V.dtype), np.empty((frames, bins), V.dtype)
    negative, past = np.empty((frames, bins), V.dtype), np.zeros((frames, bins), V.dtype)
    exponent = 1.0 if 1 <= beta <= 2 else (1 / (2 - beta) if beta < 1 else 1 / (beta - 1))
    for t in range(frames):
        for d in range(t + 1, lags):
            add_templates(W[d], H[lags - 1 + t - d], past[t])
    for iteration in range(iterations):
        if faint > 0 and iteration == PRUNING_ITERATION:
            _remove_faint(H[lags - 1 :], faint)
        for t in range(frames):
            row = model[t]
            row[:] = past[t]
            if len(residual):
                row += residual[t]
            for d in range(min(t + 1, lags)):
                add_templates(W[d], H[lags - 1 + t - d], row)
            _gradient_parts(V[t], row, beta, negative[t], positive[t])
        for t in range(frames):
            for k in range(components):
                h = H[lags - 1 + t, k]
                if h > 0:
                    down, up = V.dtype.type(0), V.dtype.type(0)
                    for d in range(min(lags, frames - t)):
                        template, below, above = W[d, k], negative[t + d], positive[t + d]
                        for f in range(bins):
                            down += template[f] * below[f]
                            up += template[f] * above[f]
                    ratio = down / up if up > 0 else V.dtype.type(0)
                    H[lags - 1 + t, k] = h * (ratio if exponent == 1 else ratio**exponent)
        for t in range(len(residual)):
            for f in range(bins):
                ratio = negative[t, f] / (positive[t, f] * V.dtype.type(1 + excess))
                residual[t, f] *= ratio if exponent == 1 else ratio**exponent


@kernel
def add_templates(W: np.ndarray, H: np.ndarray, out: np.ndarray) -> None:
    """Add templates (component, freq), weighted by their activations, to one frame (freq,)."""
    for k in range(len(H)):
        h = H[k]
        if h > 0:
            template = W[k]
            for f in range(len(out)):
                out[f] += h * template[f]


@kernel
def _remove_faint(H: np.ndarray, faint: float) -> None:
    """Set activations (time, component) below a share of the highest of their frame to zero."""
    for row in H:
        low = row.max() * faint
        for k in range(len(row)):
            if row[k] < low:
                row[k] = 0


@kernel
def _gradient_parts(
    v: np.ndarray, y: np.ndarray, beta: float, negative: np.ndarray, positive: np.ndarray
) -> None:
    """Write ``v y^(β−2)`` and ``y^(β−1)`` of one frame; `y` is kept above zero."""
    tiny = np.finfo(y.dtype).tiny
    for f in range(len(v)):
        y[f] = max(y[f], tiny)
    if beta == 1:
        for f in range(len(v)):
            negative[f] = v[f] / y[f]
            positive[f] = 1
    elif beta == 0.5:
        for f in range(len(v)):
            positive[f] = 1 / np.sqrt(y[f])
            negative[f] = v[f] * positive[f] / y[f]
    else:
        for f in range(len(v)):
            positive[f] = y[f] ** (beta - 1)
            negative[f] = v[f] * positive[f] / y[f]
