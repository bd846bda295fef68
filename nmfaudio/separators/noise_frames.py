"""Frames of a recording that are assumed to be noise, and frames that represent all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmfaudio.kernels.median import running_median
from nmfaudio.separators.frame_choice import thinned

if TYPE_CHECKING:
    from nmfaudio.separators.inputs import SeparationInput

# Share of the frames that is assumed to be noise if no noise is specified: those with the lowest
# level. The level is smoothed by a median over `_NEIGHBOURS` frames on each side.
_QUIETEST = 0.1
_NEIGHBOURS = 2
COMPARED_FRAMES = 1024
"""Number of frames of a long recording on which models are compared."""
_NOISE_FRAMES = 4096  # of the quietest frames of a long recording, 20 times an exemplar model


@dataclass(frozen=True, eq=False)
class TrainingFrames:
    """Frames of a recording to which models are fitted.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, frame)]
        Frames by which the templates of the signal are learned.
    quietest : np.ndarray [shape=(freq, frame)]
        Frames that are assumed to be noise.
    compared : np.ndarray [shape=(freq, frame)]
        Other frames, on which models are compared.
    """

    V: np.ndarray
    quietest: np.ndarray
    compared: np.ndarray


def whole_recording(V: np.ndarray) -> TrainingFrames:
    """Return the training frames of a recording in memory: all of it.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]

    Returns
    -------
    TrainingFrames
    """
    quietest = quietest_frames(V.sum(axis=0, dtype=np.float64))
    # Without the quietest frames, which would explain themselves
    compared = spread_frames(V if quietest.all() else V[:, ~quietest])
    return TrainingFrames(V, V[:, quietest], compared)


def spread_over_recording(inputs: SeparationInput, count: int) -> TrainingFrames:
    """Return training frames that are spread over a long recording.

    Parameters
    ----------
    inputs : SeparationInput
        The recording; a short one has the frames of `whole_recording`.
    count : int
        Largest number of frames of a long one.

    Returns
    -------
    TrainingFrames
    """
    if inputs.n_frames <= count:
        return whole_recording(inputs.V)
    V, _ = inputs.spread_frames(count)
    quietest = quietest_frames(inputs.levels)
    others = np.ones_like(quietest) if quietest.all() else ~quietest
    noise, compared = (
        inputs.frames_at(thinned(np.flatnonzero(frames), most))
        for frames, most in ((quietest, _NOISE_FRAMES), (others, COMPARED_FRAMES))
    )
    return TrainingFrames(V, noise, compared)


def quietest_frames(levels: np.ndarray) -> np.ndarray:
    """Return the frames with the lowest level, smoothed by a median.

    Parameters
    ----------
    levels : np.ndarray [shape=(time,), dtype=float64]
        Sum of each frame of the spectrogram.

    Returns
    -------
    np.ndarray [shape=(time,), dtype=bool]
    """
    smoothed = levels
    if len(levels) > _NEIGHBOURS:
        smoothed = running_median(np.ascontiguousarray(levels[None]), _NEIGHBOURS)[0]
    count = max(1, round(_QUIETEST * len(levels)))
    frames = np.zeros(len(levels), bool)
    frames[np.argsort(smoothed, kind="stable")[:count]] = True
    # Digital silence has no noise to learn from.
    return frames if levels[frames].any() else np.ones(len(levels), bool)


def spread_frames(V: np.ndarray) -> np.ndarray:
    """Return up to `COMPARED_FRAMES` single frames, spread evenly over a recording.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]

    Returns
    -------
    np.ndarray [shape=(freq, frame)]
    """
    if V.shape[1] <= COMPARED_FRAMES:
        return V
    spread: np.ndarray = V[:, thinned(np.arange(V.shape[1]), COMPARED_FRAMES)]
    return spread
