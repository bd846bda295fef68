"""Fits of learned templates to a block of frames; see `BlockFit`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.online import activations
from nmfaudio.separators.streaming import Block


@dataclass(frozen=True)
class FixedTemplates:
    """Fit of activations by multiplicative updates with fixed templates.

    Parameters
    ----------
    max_iter : int
        Number of updates.
    halo : int
        See `BlockFit`; 0 for templates of one frame.
    """

    max_iter: int = 50
    halo: int = 0

    def __call__(self, learned: Decomposition, block: Block) -> Decomposition:
        """Return the model of all frames of a block."""
        W = learned.W
        H = activations(
            raised_to_floor(block, learned),
            W,
            learned.divergence,
            structure=learned.structure,
            max_iter=self.max_iter,
        )
        return with_activations(learned, H)


def raised_to_floor(block: Block, learned: Decomposition) -> np.ndarray:
    """Spectrogram of a block with the floor that the divergence has for the whole recording."""
    divergence = learned.divergence
    if not isinstance(divergence, Beta) or divergence.beta > 0:
        return block.V
    return divergence.raised(block.V, block.inputs.peak)


def with_activations(learned: Decomposition, H: np.ndarray) -> Decomposition:
    """Decomposition with the same templates and other activations."""
    return replace(learned, factors=(*learned.factors[:-1], H), fitted=(), weights=None)
