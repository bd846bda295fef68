"""Estimate of the peak memory of a separation."""

from __future__ import annotations

import numpy as np

from nmfaudio._common.memory import PROCESS
from nmfaudio.audio.masking import block_frames
from nmfaudio.audio.transforms import Stft
from nmfaudio.kernels.threads import get_threads
from nmfaudio.stems.percussiveness import EXCERPT_FRAMES
from nmfaudio.stems.rendering import CHUNK_FRAMES, SPATIAL_FRAMES

# Measured numbers of copies of each array at the peak of memory use.
# Spectrogram, during factorisation and during grouping:
_FACTORISATION_COPIES = 3
_GROUPING_COPIES = 7
# Factors. The solver accumulates the gradient for W separately for up to 16 chunks of frames.
_FACTOR_COPIES, _FACTOR_CHUNKS = 6, 16
# Block of frames of each stem, and with refinement of the phases chunk of frames in each thread:
_BLOCK_COPIES, _REFINEMENT_COPIES = 7, 13
# Block of frames of the spatial filter, per channel and per source:
_SPATIAL_CHANNEL_COPIES, _SPATIAL_SOURCE_COPIES = 12, 4


def peak_memory(
    y: np.ndarray, stft: Stft, n_components: int, n_sources: int, *, refine: bool
) -> int:
    """Estimate the peak memory of separating a recording.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
        The recording.
    stft : Stft
    n_components, n_sources : int
        Largest numbers of components and of stems.
    refine : bool
        Whether phases are refined.

    Returns
    -------
    int
        Bytes, including `y` and the process itself.
    """
    frames = stft.n_frames(y.shape[1])
    frame = len(stft.frequencies) * y.itemsize  # bytes of one frame of the spectrogram
    factors = n_components * (frames + _FACTOR_CHUNKS * len(stft.frequencies)) * y.itemsize
    # These steps run one after another, so the largest of them determines the peak.
    factorisation = frame * _FACTORISATION_COPIES * frames + _FACTOR_COPIES * factors
    grouping = frame * (frames + _GROUPING_COPIES * min(frames, EXCERPT_FRAMES))
    copies = _SPATIAL_CHANNEL_COPIES * len(y) + _SPATIAL_SOURCE_COPIES * n_sources
    filtering = frame * min(frames, SPATIAL_FRAMES) * copies if len(y) > 1 else 0
    if refine:  # one chunk in each thread
        block = _REFINEMENT_COPIES * min(frames, CHUNK_FRAMES * get_threads())
    else:
        block = _BLOCK_COPIES * min(frames, block_frames())
    stems = n_sources * (y.nbytes + frame * block * len(y))
    return int(PROCESS + y.nbytes + max(factorisation, grouping, filtering, stems))
