"""Rendering of a range of a recording, with the very samples of a rendering of all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.audio.masking import STRIP, Masking
from nmfaudio.audio.spatial import SpatialFilter
from nmfaudio.audio.transforms import Stft
from nmfaudio.stems.masks import Parts
from nmfaudio.stems.rendering import CHUNK_FRAMES, FADE_FRAMES, Refinement, render_blocks


def range_edges(count: int, n_samples: int, stft: Stft) -> list[int]:
    """Divide a recording into ranges of about equal length that `render_range` takes.

    Parameters
    ----------
    count : int
        Number of ranges; a short recording has fewer.
    n_samples : int
        Length of the recording.
    stft : Stft
        Transform of the model.

    Returns
    -------
    list of int
        Ascending samples, from 0 to the length of the recording.

    Examples
    --------
    >>> range_edges(3, 100_000, Stft(8000, 256))
    [0, 32768, 65536, 100000]
    """
    # Chunks of the refinement of phases are counted from the first frame; so are the strips of
    # the overlap-add, of which each chunk has a whole number.
    unit = CHUNK_FRAMES * stft.hop
    last = max(n_samples - FADE_FRAMES * stft.hop - 1, 0) // unit  # chunk that begins in the end
    inner = {round(i * n_samples / (count * unit)) for i in range(1, count)}
    return [0, *(unit * k for k in sorted(inner) if 0 < k <= last), n_samples]


def render_range(
    parts: Parts,
    count: int,
    masking: Masking,
    refinement: Refinement,
    y: np.ndarray | LazyAudio,
    stft: Stft,
    start: int,
    stop: int,
    *,
    prepare: Callable[[slice], None],
    spatial: SpatialFilter | None,
) -> Iterator[np.ndarray]:
    """Render some samples of the stems of a recording.

    Parameters
    ----------
    parts, count, masking, refinement, y, stft, prepare
        As for `render_blocks`.
    start, stop : int
        Two neighbours in the result of `range_edges`.
    spatial : SpatialFilter or None
        Result of `locate_sources` for the whole recording.

    Yields
    ------
    np.ndarray [shape=(stem, channel, sample)]
        Next samples of all stems, bit for bit those of `render_blocks`.
    """
    hop, overlap = stft.hop, -(-stft.n_fft // stft.hop)
    if refinement.phase == "none":
        # Frames near the ends of the piece lack samples, and one window later no sample has them.
        before, after = STRIP * -(-overlap // STRIP), overlap + 1
    else:
        before, after = CHUNK_FRAMES, FADE_FRAMES
    first = max(start // hop - before, 0)
    piece = _Piece(y, first * hop, min(stop + after * hop, y.shape[1]))
    done = first * hop
    for block in render_blocks(
        lambda frames: parts(_later(frames, first)),
        count,
        masking,
        refinement if spatial is not None else Refinement(spatial=False, phase=refinement.phase),
        piece,  # type: ignore[arg-type]  # as lazy as a track
        stft,
        prepare=lambda frames: prepare(_later(frames, first)),
        spatial=spatial,
    ):
        inside = block[..., max(start - done, 0) : max(stop - done, 0)]
        done += block.shape[-1]
        if inside.shape[-1]:
            yield inside
        if done >= stop:
            return


class _Piece(LazyAudio):
    """Samples of a recording from `start` to `stop`."""

    def __init__(self, y: np.ndarray | LazyAudio, start: int, stop: int) -> None:
        self._y, self._start = y, start
        self.shape, self.dtype = (len(y), stop - start), y.dtype

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        channels, samples = key
        start, stop, _ = samples.indices(self.shape[1])
        return self._y[channels, start + self._start : max(stop, start) + self._start]


def _later(frames: slice, count: int) -> slice:
    """Slice of frames that begins a number of frames later."""
    return slice(frames.start + count, frames.stop + count)
