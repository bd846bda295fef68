"""Models and masks of groups of components."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nmfaudio.audio.masking import Masking, Masks
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.structures import Structure
from nmfaudio.factorisation.structures.base import Factors

Parts = Callable[[slice], list[np.ndarray]]
"""Callable mapping a slice of frames to the model of each group [shape=(freq, time)]."""


def group_parts(decomposition: Decomposition, groups: Sequence[Sequence[int]]) -> Parts:
    """Return a callable that computes the models of groups of components.

    Parameters
    ----------
    decomposition : Decomposition
        Model of the spectrogram.
    groups : sequence of sequence of int
        Indices of the components of each group.

    Returns
    -------
    callable
        From a slice of frames to a list of one model [shape=(freq, time)] per group, equal to
        `Decomposition.part`.
    """
    return parts_of_factors(decomposition.structure, select_groups(decomposition, groups))


def select_groups(
    decomposition: Decomposition,
    groups: Sequence[Sequence[int]],
    alike: Sequence[Factors] | None = None,
) -> list[Factors]:
    """Return the factors of groups of components.

    Parameters
    ----------
    decomposition : Decomposition
        Model of the spectrogram.
    groups : sequence of sequence of int
        Indices of the components of each group.
    alike : sequence of sequence of np.ndarray, optional
        Factors of the groups of a decomposition with the same templates, which are then shared in
        memory.

    Returns
    -------
    list of sequence of np.ndarray
    """
    selected: list[Factors] = []
    for number, group in enumerate(groups):
        *templates, activations = decomposition.structure.select(decomposition.factors, list(group))
        if alike is not None:
            templates = list(alike[number][:-1])
        # The order in which products take them, so that they are not copied again for each slice.
        ordered = [np.ascontiguousarray(F.swapaxes(-1, -2)).swapaxes(-1, -2) for F in templates]
        selected.append((*ordered, activations))
    return selected


def parts_of_factors(structure: Structure, selected: Sequence[Factors]) -> Parts:
    """Return the callable of `group_parts` for the factors of each group."""

    def parts(frames: slice) -> list[np.ndarray]:
        models = []
        for factors in selected:
            excerpt, extra = structure.excerpt(factors, frames)
            models.append(structure.forward(excerpt)[..., extra:])
        return models

    return parts


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
    parts = group_parts(decomposition, groups)
    return lambda frames: masking.masks(parts(frames))
