"""Rendering of stems from a model: masks, spatial filters, and phase refinement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from nmfaudio._common.steps import report_step
from nmfaudio.audio.masking import (
    Masking,
    Masks,
    Share,
    apply_masks,
    share_by_masks,
    stack_frames,
)
from nmfaudio.audio.phase import consistent_wiener, misi
from nmfaudio.audio.spatial import fit_spatial_filter
from nmfaudio.audio.transforms import Stft
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.kernels.threads import parallel_for, parallel_for_each
from nmfaudio.stems.masks import group_parts

# Names of the steps for whoever shows progress.
LOCATING, RENDERING = "locating the sources", "computing the stems"

# Spatial filters are fitted to this many frames, in blocks spread evenly over a long recording.
SPATIAL_FRAMES = 1024
_BLOCK = 64
# Phases are refined in chunks of this many frames, which are cross-faded over _FADE frames.
CHUNK_FRAMES = 256
_FADE = 16


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
    decomposition: Decomposition,
    groups: Sequence[Sequence[int]],
    masking: Masking,
    refinement: Refinement,
    y: np.ndarray,
    stft: Stft,
) -> np.ndarray:
    """Render the stem of each group of components.

    Parameters
    ----------
    decomposition : Decomposition
        Model of the recording's spectrogram.
    groups : sequence of sequence of int
        A partition of the components.
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
    np.ndarray [shape=(group, channel, sample)]
        Stems that sum to `y`.
    """
    parts = group_parts(decomposition, groups)

    def masks(frames: slice) -> list[np.ndarray]:
        return masking.masks(parts(frames))

    share: Share = share_by_masks
    if refinement.spatial and len(y) > 1 and len(groups) > 1:
        report_step(LOCATING)
        share = spatial_share(masks, y, stft)
    report_step(RENDERING)
    if refinement.phase == "none":
        return apply_masks(masks, len(groups), y, stft, share=share)

    def refined(chunk: np.ndarray, frames: slice) -> np.ndarray:
        models = parts(frames)
        shares = masking.masks(models)
        X = stack_frames(share(stft.forward(chunk), shares))  # (group, channel, freq, time)
        if refinement.phase == "misi":
            return misi(X, chunk, stft)
        # The power spectrogram of each group weights its bins in the consistent Wiener filter.
        power = sum(models) ** (2 / masking.power)
        variances = stack_frames([mask * power for mask in shares])
        return consistent_wiener(X, variances, stft, chunk.shape[1])

    return overlap_add_chunks(refined, len(groups), y, stft)


def spatial_share(masks: Masks, y: np.ndarray, stft: Stft) -> Share:
    """Fit a spatial filter; return a callable that divides a spectrogram among the sources.

    Parameters
    ----------
    masks : callable
        See `apply_masks`.
    y : np.ndarray [shape=(channel, sample)]
        The recording.
    stft : Stft
        Transform of the model.

    Returns
    -------
    callable
        From Z [shape=(channel, freq, time)] and masks to the source spectrograms, as
        `apply_masks` takes it.

    See Also
    --------
    nmfaudio.audio.spatial.fit_spatial_filter : The filter.
    """
    total = stft.n_frames(y.shape[1])
    starts = range(0, total, _BLOCK)
    if total > SPATIAL_FRAMES:
        starts = np.linspace(0, total - _BLOCK, SPATIAL_FRAMES // _BLOCK).astype(int).tolist()
    blocks = [slice(start, min(start + _BLOCK, total)) for start in starts]
    spectra, shares = ([np.empty(0)] * len(blocks) for _ in range(2))

    def work(indices: range) -> None:
        for i in indices:
            spectra[i] = _forward(y, stft, blocks[i])
            shares[i] = stack_frames(masks(blocks[i]))

    parallel_for(work, len(blocks))
    spatial = fit_spatial_filter(_joined(spectra), _joined(shares))
    return lambda Z, masks: spatial(Z, stack_frames(masks))


def overlap_add_chunks(
    process: Callable[[np.ndarray, slice], np.ndarray], count: int, y: np.ndarray, stft: Stft
) -> np.ndarray:
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

    Returns
    -------
    np.ndarray [shape=(source, channel, sample)]
        The fades sum to one, so the sources sum to `y` if those of each chunk sum to the chunk.
    """
    channels, length = y.shape
    out = np.zeros((count, channels, length), y.dtype)
    fade = _FADE * stft.hop
    rise = ((np.arange(fade) + 0.5) / fade).astype(y.dtype)
    starts = range(0, max(1, length - fade), CHUNK_FRAMES * stft.hop)
    adding, done = Lock(), 0

    def work(number: int) -> None:
        nonlocal done
        start = starts[number]
        stop = min(start + CHUNK_FRAMES * stft.hop + fade, length)
        first = start // stft.hop
        chunk = y[:, start:stop]
        processed = process(chunk, slice(first, first + stft.n_frames(chunk.shape[1])))
        if start > 0:
            processed[..., :fade] *= rise
        if stop < length:
            processed[..., -fade:] *= rise[::-1]
        with adding:  # a sample is the sum of two chunks at most, so their order has no influence
            out[..., start:stop] += processed
            done += 1
            report_step(RENDERING, done / len(starts))

    parallel_for_each(work, len(starts))
    return out


def _joined(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenate arrays (…, freq, time), of which each frame is contiguous, along time."""
    return np.concatenate([block.swapaxes(-1, -2) for block in blocks], axis=-2).swapaxes(-1, -2)


def _forward(y: np.ndarray, stft: Stft, frames: slice) -> np.ndarray:
    """Some frames of the spectrogram of `y` [shape=(channel, freq, time)]."""
    margin = -(-stft.n_fft // (2 * stft.hop))  # frames that a window reaches to each side
    first = max(0, frames.start - margin)
    Z = stft.forward(y[:, first * stft.hop : (frames.stop - 1 + margin) * stft.hop + 1])
    return Z[..., frames.start - first : frames.stop - first]
