"""Masks of groups of components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio.audio.masking import Masking, Masks
from nmfaudio.factorisation.decomposition import Decomposition


def group_masks(
    decomposition: Decomposition, groups: Sequence[Sequence[int]], masking: Masking
) -> Masks:
    """Return a callable that computes the masks of groups of components.

    Parameters
    ----------
    decomposition : Decomposition
        Model of the spectrogram.
    groups : sequence of sequence of int
        Indices of the components of each group.
    masking : Masking
        Kind of the masks.

    Returns
    -------
    callable
        From a slice of frames to a list of one mask [shape=(freq, time)] per group, as
        `apply_masks` takes it.
    """

    def masks(frames: slice) -> list[np.ndarray]:
        return masking.masks([decomposition.part(group, frames) for group in groups])

    return masks
