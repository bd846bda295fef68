"""Activations of a saved model, block by block."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.structures import Structure
from nmfaudio.factorisation.structures.base import Factors
from nmfaudio.separators.blockwise import Block


class SavedActivations:
    """Activations of a model of the whole recording, instead of a fit.

    Parameters
    ----------
    saved : Decomposition
        Model of all frames of the recording.
    """

    def __init__(self, saved: Decomposition) -> None:
        last = saved.H.shape[-1] - 1
        # Frames before a block from which templates of several frames extend into it
        _, self.halo = saved.structure.excerpt(saved.factors, slice(last, last + 1))

    def __call__(self, learned: Decomposition, block: Block) -> Decomposition:
        """Return the model of all frames of a block."""
        indices = block.indices
        runs = np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1)
        sliced = [_sliced(learned.structure, learned.factors, run[0], run[-1] + 1) for run in runs]
        factors = tuple(_joined(each) for each in zip(*sliced, strict=True))
        return replace(learned, factors=factors, fitted=(), weights=None)


def _sliced(structure: Structure, factors: Factors, start: int, stop: int) -> Factors:
    """Return the factors of some frames alone, without those before."""
    # `excerpt` prepends frames that extend into the first one.
    _, extra = structure.excerpt(factors, slice(stop - 1, stop))
    first = min(start + extra, stop - 1) if start else 0
    sliced, _ = structure.excerpt(factors, slice(first, stop))
    return sliced


def _joined(arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """Join a factor of several runs of frames; one that no frame changes is kept."""
    first = arrays[0]
    if all(array is first for array in arrays):
        return first
    return np.concatenate(arrays, axis=-1)
