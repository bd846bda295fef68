"""Onsets that are only fluctuations of a sustained note."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmfaudio._common.validation import frame_step
from nmfaudio.transcription.onsets import rise_frames

LEVEL_SPAN = 0.35
"""Seconds before a rise in which the level of the pitch is measured."""


def without_fluctuations(
    values: np.ndarray,
    times: np.ndarray,
    onsets: Sequence[tuple[int, int]],
    *,
    share: float,
    rise: float = 0.07,
) -> list[tuple[int, int]]:
    """Keep the onsets whose rise is large, compared with the level of their pitch before.

    Vibrato, breath and bow make the salience of a note fluctuate, as if it were repeated.

    Parameters
    ----------
    values : np.ndarray [shape=(pitch, time)]
        Salience, ≥ 0.
    times : np.ndarray [shape=(time,)]
        In seconds, evenly spaced.
    onsets : sequence of tuple of int
        Row and frame of each onset.
    share : float
        Smallest rise, as a share of the highest level in the 0.35 s before it.
    rise : float
        Seconds over which the rise is measured, as in `onset_strength`.

    Returns
    -------
    list of tuple of int

    Examples
    --------
    A note, and a small rise while it sounds:

    >>> values, times = np.array([[0.0, 9, 8, 9, 8]]), np.arange(5) * 0.05
    >>> without_fluctuations(values, times, [(0, 1), (0, 3)], share=0.5)
    [(0, 1)]
    """
    step = frame_step(values, times)
    lag, reach = rise_frames(rise, step), round(LEVEL_SPAN / step)
    kept = []
    for row, frame in onsets:
        last = min(frame + lag // 2, values.shape[1] - 1)
        first = frame + lag // 2 - lag
        before = values[row, max(first - reach, 0) : max(first + 1, 0)].astype(np.float64)
        # Before the first frame there is silence.
        start, highest = (before[-1], before.max()) if before.size else (0.0, 0.0)
        if float(values[row, last]) - start >= share * highest:
            kept.append((row, frame))
    return kept
