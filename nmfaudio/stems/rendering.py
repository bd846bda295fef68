"""Rendering of stems from a model: masks, spatial filters, and phase refinement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nmfaudio._common.steps import report_step
from nmfaudio.audio.masking import (
    Masking,
    Share,
    joined_blocks,
    masked_blocks,
    share_by_masks,
    stack_frames,
)
from nmfaudio.audio.phase import consistent_wiener, misi
from nmfaudio.audio.spatial import SpatialFilter, fit_spatial_filter
from nmfaudio.audio.transforms import Stft
from nmfaudio.kernels.threads import get_threads, parallel_for, parallel_for_each
from nmfaudio.stems.masks import Parts

# Names of the steps for whoever shows progress.
LOCATING, RENDERING = "locating the sources", "computing the stems"

# Spatial filters are fitted to this many frames, in blocks spread evenly over a long recording.
SPATIAL_FRAMES = 1024
_BLOCK = 64
# Phases are refined in chunks of this many frames, which are cross-faded over FADE_FRAMES frames.
CHUNK_FRAMES = 256
FADE_FRAMES = 16


@dataclass(frozen=True)
class Refinement:
    """Steps of rendering beyond masking.

    Parameters
    ----------
    spatial : bool
        Whether sources of several channels are also separated by their positions.
    phase : "none", "consistent" or "misi"
        Method that makes the phases of each stem consistent.
    """

    spatial: bool
    phase: str


def render_stems(
    parts: Parts,
    count: int,
    masking: Masking,
    refinement: Refinement,
    y: np.ndarray,
    stft: Stft,
) -> np.ndarray:
    """Render the stems of a recording.

    Parameters
    ----------
    parts : callable
        From a slice of frames to the model of each stem [shape=(freq, time)]; called from several
        threads.
    count : int
        Number of stems.
    masking : Masking
        Kind of the masks.
    refinement : Refinement
        Steps beyond masking.
    y : np.ndarray [shape=(channel, sample)]
        The recording.
    stft : Stft
        Transform of the model.

    Returns
    -------
    np.ndarray [shape=(stem, channel, sample)]
        Stems that sum to `y`.
    """
    blocks = render_blocks(parts, count, masking, refinement, y, stft)
    return joined_blocks(blocks, (count, *y.shape), y.dtype)


def render_blocks(
    parts: Parts,
    count: int,
    masking: Masking,
    refinement: Refinement,
    y: np.ndarray,
    stft: Stft,
    *,
    prepare: Callable[[slice], None] | None = None,
    spatial: SpatialFilter | None = None,
) -> Iterator[np.ndarray]:
    """Render the stems of a recording in consecutive blocks, of which one is in memory at a time.

    Parameters
    ----------
    parts, count, masking, refinement, y, stft
        As for `render_stems`; `y` may also be a `Track`, which is read block by block.
    prepare : callable, optional
        Called, where one thread needs `parts` of many frames, with a slice of them first.
    spatial : SpatialFilter, optional
        Result of `locate_sources`, which is called if there is none.

    Yields
    ------
    np.ndarray [shape=(stem, channel, sample)]
        Next samples of all stems.
    """
    if spatial is None:
        spatial = locate_sources(parts, count, masking, refinement, y, stft)
    share = share_by_masks if spatial is None else _spatial_share(spatial)
    report_step(RENDERING)
    if refinement.phase == "none":

        def masks(frames: slice) -> list[np.ndarray]:
            return masking.masks(parts(frames))

        done = 0  # samples
        for block in masked_blocks(masks, count, y, stft, share=share, prepare=prepare):
            done += block.shape[-1]
            report_step(RENDERING, done / y.shape[1])
            yield block
        return

    def refined(chunk: np.ndarray, frames: slice) -> np.ndarray:
        models = parts(frames)
        shares = masking.masks(models)
        X = stack_frames(share(stft.forward(chunk), shares))  # (stem, channel, freq, time)
        if refinement.phase == "misi":
            return misi(X, chunk, stft)
        # The power spectrogram of each stem weights its bins in the consistent Wiener filter.
        power = sum(models) ** (2 / masking.power)
        variances = stack_frames([mask * power for mask in shares])
        return consistent_wiener(X, variances, stft, chunk.shape[1])

    yield from overlap_add_chunks(refined, count, y, stft)


def locate_sources(
    parts: Parts,
    count: int,
    masking: Masking,
    refinement: Refinement,
    y: np.ndarray,
    stft: Stft,
) -> SpatialFilter | None:
    """Fit the spatial filter of a recording.

    Parameters
    ----------
    parts, count, masking, refinement, y, stft
        As for `render_blocks`.

    Returns
    -------
    SpatialFilter or None
        None where sources are not separated by their positions.

    See Also
    --------
    nmfaudio.audio.spatial.fit_spatial_filter : The filter.
    """
    if not refinement.spatial or len(y) < 2 or count < 2:
        return None
    report_step(LOCATING)
    total = stft.n_frames(y.shape[1])
    starts = range(0, total, _BLOCK)
    if total > SPATIAL_FRAMES:
        starts = np.linspace(0, total - _BLOCK, SPATIAL_FRAMES // _BLOCK).astype(int).tolist()
    blocks = [slice(start, min(start + _BLOCK, total)) for start in starts]
    edges = np.cumsum([0] + [block.stop - block.start for block in blocks])
    bins = len(stft.frequencies)
    Z = np.empty((len(y), edges[-1], bins), np.result_type(y.dtype, np.complex64))
    shares = np.empty((count, edges[-1], bins), y.dtype)

    def work(indices: range) -> None:
        for i in indices:
            place = slice(edges[i], edges[i + 1])
            Z[:, place] = stft.frames(y, blocks[i].start, blocks[i].stop).swapaxes(1, 2)
            for share, mask in zip(shares, masking.masks(parts(blocks[i])), strict=True):
                share[place] = mask.T

    parallel_for(work, len(blocks))
    return fit_spatial_filter(Z.swapaxes(1, 2), shares.swapaxes(1, 2))


def _spatial_share(spatial: SpatialFilter) -> Share:
    """Return the callable with which a filter divides a spectrogram among the sources."""
    return lambda Z, masks: spatial(Z, stack_frames(masks))


def overlap_add_chunks(
    process: Callable[[np.ndarray, slice], np.ndarray], count: int, y: np.ndarray, stft: Stft
) -> Iterator[np.ndarray]:
    """Separate a recording chunk by chunk, with cross-fades between chunks.

    Parameters
    ----------
    process : callable
        From a chunk of `y` and its frames to its sources [shape=(source, channel, sample)]. The
        frames equal those of `y` except for the first and the last few. Called from several
        threads.
    count : int
        Number of sources.
    y : np.ndarray [shape=(channel, sample)]
        The recording.
    stft : Stft
        Transform whose hop gives the grid of the chunks.

    Yields
    ------
    np.ndarray [shape=(source, channel, sample)]
        Next samples. The fades sum to one, so the sources sum to `y` if those of each chunk sum to
        the chunk.
    """
    length = y.shape[1]
    fade = FADE_FRAMES * stft.hop
    rise = ((np.arange(fade) + 0.5) / fade).astype(y.dtype)
    starts = range(0, max(1, length - fade), CHUNK_FRAMES * stft.hop)
    processed: dict[int, np.ndarray] = {}

    def work(i: int) -> None:
        number = batch[i]
        start = starts[number]
        stop = min(start + CHUNK_FRAMES * stft.hop + fade, length)
        first = start // stft.hop
        chunk = y[:, start:stop]
        sources = process(chunk, slice(first, first + stft.n_frames(chunk.shape[1])))
        if start > 0:
            sources[..., :fade] *= rise
        if stop < length:
            sources[..., -fade:] *= rise[::-1]
        sources += 0  # so that no zero is negative
        processed[number] = sources

    end = np.zeros((count, len(y), 0), y.dtype)  # of the last chunk, where the next one fades in
    threads = get_threads()
    for begin in range(0, len(starts), threads):
        batch = range(begin, min(begin + threads, len(starts)))
        parallel_for_each(work, len(batch))
        for number in batch:
            block = processed.pop(number)
            block[..., : end.shape[-1]] += end
            ready = block.shape[-1] - (fade if number < len(starts) - 1 else 0)
            end = block[..., ready:].copy()
            report_step(RENDERING, (number + 1) / len(starts))
            yield block[..., :ready]
