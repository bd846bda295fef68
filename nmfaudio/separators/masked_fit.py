"""Activations of masked templates in a block of frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.structures import Masked

_PIECE = 480  # frames


def with_masks(
    learned: Decomposition,
    V: np.ndarray,
    masks: Sequence[np.ndarray],
    initial: Sequence[np.ndarray],
    max_iter: int,
) -> Decomposition:
    """Fit the activations of a masked model, whose templates are known, to a block.

    Some frames are fitted at a time, which takes less memory.

    Parameters
    ----------
    learned : Decomposition
        Masked model with the templates.
    V : np.ndarray [shape=(freq, time)]
        Spectrogram of the block.
    masks : sequence of np.ndarray [shape=(freq, time) or (1, 1)]
        Mask of each source.
    initial : sequence of np.ndarray [shape=(component, time)]
        Initial activations of each source.
    max_iter : int
        Number of updates. Those of a frame do not depend on other frames.

    Returns
    -------
    Decomposition
    """
    structure = Masked()
    known = list(chain.from_iterable(zip(masks, learned.factors[1::3], initial, strict=True)))
    fitted = [H.astype(V.dtype) for H in initial]
    for start in range(0, V.shape[1], _PIECE):
        frames = slice(start, start + _PIECE)
        piece, _ = structure.excerpt(known, frames)
        factors = [Factor(F, free=i % 3 == 2) for i, F in enumerate(piece)]
        found = decompose(
            V[:, frames],
            factors,
            structure=structure,
            divergence=learned.divergence,
            solver="mu",
            max_iter=max_iter,
            tol=0,
            check_every=max(max_iter, 1),
        ).factors[2::3]
        for H, part in zip(fitted, found, strict=True):
            H[:, frames] = part
    known[2::3] = fitted
    return replace(learned, factors=tuple(known), fitted=(), weights=None)


def frame_levels(V: np.ndarray) -> np.ndarray:
    """Return the mean of each frame, and 1 for silent ones [shape=(time,)].

    Updates make the activations of a silent frame 0, whatever they were.
    """
    levels: np.ndarray = V.mean(axis=0, dtype=np.float64)
    levels[levels == 0] = 1
    return levels
