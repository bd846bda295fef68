"""Deviation of stems in files from their recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio


def largest_residual(
    y: np.ndarray | LazyAudio, parts: Sequence[Iterator[np.ndarray]], gain: float
) -> float | None:
    """Return the largest deviation of the sum of stored stems from the recording.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
        The recording.
    parts : sequence of iterator of np.ndarray [shape=(sample, channel)]
        Stored samples of each stem, in blocks of one length.
    gain : float
        Factor applied to all stems.

    Returns
    -------
    float or None
        Largest ``|gain · y − sum of the stems|``; None if the stems have another length than the
        recording, as lossy formats may cut them.

    Examples
    --------
    >>> stem = np.ones((5, 1))
    >>> largest_residual(np.full((1, 5), 2.5), [iter([stem]), iter([stem])], 1.0)
    0.5
    """
    largest, position = 0.0, 0
    for blocks in zip_longest(*parts):
        lengths = {0 if block is None else len(block) for block in blocks}
        rest = y[:, position : position + max(lengths)].T.astype(np.float64) * gain
        if lengths != {len(rest)}:
            return None
        for block in blocks:
            rest -= block
        largest = max(largest, float(np.abs(rest).max()))
        position += len(rest)
    return largest if position == y.shape[1] else None
