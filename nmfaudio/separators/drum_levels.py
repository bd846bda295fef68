"""Levels of the parts of a drum kit in a recording that is read block by block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from nmfaudio.dictionaries.drum_detection import part_levels
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.separators.blockwise import BLOCK, BlockFit, fit_block
from nmfaudio.separators.inputs import SeparationInput


def streamed_levels(
    learned: Decomposition,
    fit: BlockFit,
    inputs: SeparationInput,
    groups: Iterable[Sequence[int]],
) -> np.ndarray:
    """Compute the levels of `part_levels` block by block.

    Parameters
    ----------
    learned : Decomposition
        Model of an excerpt, or of the whole recording, whose activations are then used.
    fit : BlockFit
        Fit of its templates to a block.
    inputs : SeparationInput
        The recording.
    groups : iterable of sequence of int
        Components of each part.

    Returns
    -------
    np.ndarray [shape=(part, time)]
        The only array in memory whose size grows with the length of the recording.
    """
    members = list(groups)
    if learned.H.shape[1] == inputs.n_frames:
        return part_levels(learned.W, learned.H, members)
    blocks = []
    for number in range(-(-inputs.n_frames // BLOCK)):
        fitted, offset = fit_block(learned, fit, inputs, number)
        blocks.append(part_levels(fitted.W, fitted.H[:, offset : offset + BLOCK], members))
    return np.concatenate(blocks, axis=1)[:, : inputs.n_frames]
