"""Masks of groups of components."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nmfaudio.audio.masking import Masking, Masks
from nmfaudio.factorisation.decomposition import Decomposition


def group_masks(
    decomposition: Decomposition, groups: Sequence[Sequence[int]], masking: Masking
) -> Masks:
    """The masks of groups of components, for any stretch of frames; see `apply_masks`."""

    def masks(frames: slice) -> Iterator[np.ndarray]:
        return masking.masks([decomposition.part(group, frames) for group in groups])

    return masks
