"""Features of a recording, block by block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Transform


def analysed_blocks(
    y: np.ndarray | LazyAudio, transform: Transform, frames: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Compute the features of `analyse`, bit for bit, in consecutive blocks.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
    transform : Transform
    frames : int
        Frames in a block; the last one may have fewer.

    Yields
    ------
    first : int
        First frame of the block.
    V : np.ndarray [shape=(freq, time)]
        Its features.

    Examples
    --------
    >>> import nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> stft = na.Stft(8000, 512)
    >>> V = na.audio.analyse(y, stft)
    >>> all((block == V[:, t : t + 10]).all() for t, block in analysed_blocks(y, stft, 10))
    True
    """
    for first in range(0, transform.n_frames(y.shape[1]), frames):
        yield first, analysed(y, transform, first, first + frames)


def analysed(y: np.ndarray | LazyAudio, transform: Transform, first: int, last: int) -> np.ndarray:
    """Compute the features of some frames, bit for bit those of `analyse`.

    Parameters
    ----------
    y : np.ndarray or LazyAudio [shape=(channel, sample)]
    transform : Transform
    first, last : int
        First frame, and the one after the last; frames beyond the end of `y` are left out.

    Returns
    -------
    np.ndarray [shape=(freq, time)]
    """
    half = -(-transform.n_fft // 2)  # samples of a frame on either side of its centre
    before = min(first, -(-half // transform.hop))  # frames that are computed and left out
    begin, last = first - before, min(last, transform.n_frames(y.shape[1]))
    samples = y[:, begin * transform.hop : (last - 1) * transform.hop + half]
    return analyse(samples, transform)[:, before : last - begin]
