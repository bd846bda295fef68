"""Masks of painted sources, and the fit of their activations to a block of frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.separators.blockwise import Block
from nmfaudio.separators.boxes import Stroke, rasterise, read_pictures, read_strokes
from nmfaudio.separators.inputs import SeparationInput
from nmfaudio.separators.masked_fit import frame_levels, with_masks
from nmfaudio.stems import REST


@dataclass(frozen=True)
class PaintedFit:
    """Fit of the templates of painted sources, each under its mask.

    Parameters
    ----------
    boxes : tuple of mapping
        Boxes and pictures, as `read_strokes` takes them.
    rest : bool
        Whether there is a stem of everything else.
    max_iter : int
        Number of updates.
    """

    kind: ClassVar[str] = "painted"
    halo: ClassVar[int] = 0

    boxes: tuple[Mapping[str, Any], ...]
    rest: bool
    max_iter: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", tuple(dict(box) for box in self.boxes))

    @cached_property
    def _strokes(self) -> list[Stroke]:
        """Boxes and pictures."""
        return read_strokes(self.boxes)

    @cached_property
    def _pictures(self) -> dict[Path, np.ndarray]:
        """Pictures, read once for all blocks."""
        return read_pictures(self._strokes)

    def weights(
        self, inputs: SeparationInput, frames: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Compute the weight of each stem in every bin.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.
        frames : np.ndarray [shape=(frame,)], optional
            Ascending indices of the frames; by default all.

        Returns
        -------
        dict of str to np.ndarray [shape=(freq, frame)]
            From 0 to 1, by stem; see `rasterise`.
        """
        weights = rasterise(
            self._strokes,
            inputs.transform.frequencies,
            inputs.times,
            inputs.y.dtype,
            end=inputs.file_duration,
            frames=frames,
            pictures=self._pictures,
        )
        if self.rest:
            weights[REST] = np.zeros_like(next(iter(weights.values())))
        return weights

    def __call__(self, learned: Decomposition, block: Block) -> Decomposition:
        """Return the model of all frames of a block."""
        masks = remaining_shares(list(self.weights(block.inputs, block.indices).values()))
        initial = initial_activations(block.V, learned.factors[1::3])
        return with_masks(learned, block.V, masks, initial, self.max_iter)


def initial_activations(V: np.ndarray, templates: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return equal activations of all components, at the level of each frame.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    templates : sequence of np.ndarray [shape=(freq, component)]
        Templates of each source.

    Returns
    -------
    list of np.ndarray [shape=(component, time)]
    """
    gain = sum(float(W.sum(dtype=np.float64)) for W in templates) / len(V) or 1.0
    level = (frame_levels(V) / gain).astype(V.dtype)
    return [np.tile(level, (W.shape[1], 1)) for W in templates]


def remaining_shares(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the fixed mask of each source: 1 − the largest weight of all others, at most 1.

    Parameters
    ----------
    weights : sequence of np.ndarray [shape=(freq, time)]
        Weight of each source in every bin.

    Returns
    -------
    list of np.ndarray [shape=(freq, time)]
    """
    shares = []
    for k in range(len(weights)):
        others = [weight for j, weight in enumerate(weights) if j != k]
        shares.append(1 - reduce(np.maximum, others))
    # Where sources overlap, all masks are scaled to a maximum of 1. Where two sources or more have
    # weight 1, all masks would be 0; they are set to 1 there.
    largest = reduce(np.maximum, shares)
    positive = largest > 0
    for share in shares:
        np.divide(share, largest, out=share, where=positive)
        share[~positive] = 1
    return shares
