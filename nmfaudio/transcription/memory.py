"""How much memory finding notes needs."""

from __future__ import annotations

import numpy as np

from nmfaudio._common.memory import PROCESS
from nmfaudio.audio.transforms import Transform

# How many spectrograms, and how many times the activations are held at the peak.
_SPECTRA, _HELD = 3, 6


def model_memory(y: np.ndarray, transform: Transform, samples: int, components: int) -> int:
    """About how many bytes modelling needs at the peak, `y` and this process included.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform
    samples : int
        In a channel, at the transform's sample rate.
    components : int

    Returns
    -------
    int
    """
    frames = transform.n_frames(samples)
    held = (len(transform.frequencies) * _SPECTRA + components * _HELD) * frames
    looked_at = len(y) * samples
    return PROCESS + y.nbytes + (looked_at + held) * y.itemsize
