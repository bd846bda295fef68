"""Levels of the parts of a drum kit in a recording that is read block by block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from nmfaudio.audio.preparation import Prepared
from nmfaudio.dictionaries.bundled import bundled_kit
from nmfaudio.dictionaries.drum_model import (
    BAND_WIDTH,
    bundled_groups,
    fit_kit,
    hit_transform,
    part_levels,
)
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.separators.block_fits import CONVOLUTIVE_ITERATIONS, BandTemplates, convolutive_halo
from nmfaudio.separators.blockwise import BLOCK, LEARNING_FRAMES, BlockFit, fit_block
from nmfaudio.separators.inputs import SeparationInput
from nmfaudio.symbolic.drum_peaks import pick_hits
from nmfaudio.symbolic.note import Note

_LEARNING_RUN = 64  # consecutive frames of a long recording that the kit is adapted to


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


def streamed_hits(
    inputs: SeparationInput, parts: Iterable[str], *, max_iter: int
) -> tuple[Note, ...]:
    """Find the hits of `detect_hits` in a recording that is read block by block.

    Parameters
    ----------
    inputs : SeparationInput
        The recording.
    parts : iterable of str
    max_iter : int
        Iterations of each of the two stages in which the kit is adapted to an excerpt.

    Returns
    -------
    tuple of Note
    """
    transform, groups = hit_transform(inputs.sr), bundled_groups(parts)
    centred = SeparationInput(
        Prepared(inputs.y, inputs.sr, inputs.sr),  # type: ignore[arg-type]
        transform,
        inputs.rng,
        inputs.callback,
    )
    V, _ = centred.spread_frames(LEARNING_FRAMES, _LEARNING_RUN)
    kit = fit_kit(V, bundled_kit(), transform, max_iter=max_iter, callback=inputs.callback)
    fit = BandTemplates(BAND_WIDTH, CONVOLUTIVE_ITERATIONS, convolutive_halo(len(kit.W)))
    levels = streamed_levels(kit, fit, centred, groups.values())
    return pick_hits(levels, list(groups), transform.times(centred.n_frames))
