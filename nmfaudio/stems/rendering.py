"""From a model to stems: masks, the places of the sources, and phases that fit each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.audio.masking import Masking, Masks, Share, apply_masks, share_by_masks
from nmfaudio.audio.phase import consistent_wiener, misi
from nmfaudio.audio.spatial import fit_spatial_filter
from nmfaudio.audio.transforms import Stft
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.stems.masks import group_masks

# Places are found from this many frames, in blocks spread evenly over a long recording.
PLACED_FRAMES = 1024
_BLOCK = 64
# Phases are refined in stretches of this many frames, each of which fades into the next.
REFINED_FRAMES = 256
_FADE = 16


@dataclass(frozen=True)
class Refining:
    """What is done beside masking.

    Parameters
    ----------
    spatial : bool
        Whether sources of several channels are told apart by their places too.
    phase : "none", "consistent" or "misi"
        How phases are brought to fit each other.
    """

    spatial: bool
    phase: str


def make_stems(
    found: Decomposition,
    groups: Sequence[Sequence[int]],
    masking: Masking,
    refining: Refining,
    y: np.ndarray,
    stft: Stft,
) -> np.ndarray:
    """What groups of components have of a recording.

    Parameters
    ----------
    found : Decomposition
        Of the recording's spectrogram.
    groups : sequence of sequence of int
        A partition of the components.
    masking : Masking
    refining : Refining
    y : np.ndarray [shape=(channel, sample)]
    stft : Stft

    Returns
    -------
    np.ndarray [shape=(group, channel, sample)]
        They sum to `y`.
    """
    masks = group_masks(found, groups, masking)
    share: Share = share_by_masks
    if refining.spatial and len(y) > 1 and len(groups) > 1:
        share = spatial_share(masks, y, stft)
    if refining.phase == "none":
        return apply_masks(masks, len(groups), y, stft, share=share)

    def refined(part: np.ndarray, frames: slice) -> np.ndarray:
        Z = stft.forward(part)
        shares = list(masks(frames))
        X = np.stack(list(share(Z, shares)))
        if refining.phase == "misi":
            return misi(X, part, stft)
        every = [k for group in groups for k in group]
        power = found.part(every, frames) ** (2 / masking.power)
        return consistent_wiener(X, np.stack(shares) * power, stft, part.shape[1])

    return overlap_add_chunks(refined, len(groups), y, stft)


def spatial_share(masks: Masks, y: np.ndarray, stft: Stft) -> Share:
    """Find out where sources are, and how they are then shared out; see `fit_spatial_filter`.

    Parameters
    ----------
    masks : callable
        As `apply_masks` takes them.
    y : np.ndarray [shape=(channel, sample)]
    stft : Stft

    Returns
    -------
    callable
        As `apply_masks` takes it.
    """
    total = stft.n_frames(y.shape[1])
    starts = range(0, total, _BLOCK)
    if total > PLACED_FRAMES:
        starts = np.linspace(0, total - _BLOCK, PLACED_FRAMES // _BLOCK).astype(int).tolist()
    some = [slice(start, min(start + _BLOCK, total)) for start in starts]
    Z = np.concatenate([_frames(y, stft, frames) for frames in some], axis=2)
    shares = np.concatenate([np.stack(list(masks(frames))) for frames in some], axis=2)
    spatial = fit_spatial_filter(Z, shares)
    return lambda Z, masks: spatial(Z, np.stack(list(masks)))


def overlap_add_chunks(
    work: Callable[[np.ndarray, slice], np.ndarray], count: int, y: np.ndarray, stft: Stft
) -> np.ndarray:
    """Sources of a recording, found in one stretch of it after another.

    Parameters
    ----------
    work : callable
        Given a stretch of `y` and its frames, which are those of `y` but for the first and the
        last few, its sources [shape=(source, channel, sample)].
    count : int
        How many sources there are.
    y : np.ndarray [shape=(channel, sample)]
    stft : Stft

    Returns
    -------
    np.ndarray [shape=(source, channel, sample)]
        Where stretches overlap, one fades into the next: the sources sum to what those of the
        stretches sum to.
    """
    channels, length = y.shape
    out = np.zeros((count, channels, length), y.dtype)
    fade = _FADE * stft.hop
    rise = ((np.arange(fade) + 0.5) / fade).astype(y.dtype)
    for start in range(0, max(1, length - fade), REFINED_FRAMES * stft.hop):
        stop = min(start + REFINED_FRAMES * stft.hop + fade, length)
        first = start // stft.hop
        part = y[:, start:stop]
        found = work(part, slice(first, first + stft.n_frames(part.shape[1])))
        if start > 0:
            found[..., :fade] *= rise
        if stop < length:
            found[..., -fade:] *= rise[::-1]
        out[..., start:stop] += found
    return out


def _frames(y: np.ndarray, stft: Stft, frames: slice) -> np.ndarray:
    """These frames of the spectrogram of `y`."""
    reach = -(-stft.n_fft // (2 * stft.hop))
    first = max(0, frames.start - reach)
    Z = stft.forward(y[:, first * stft.hop : (frames.stop - 1 + reach) * stft.hop + 1])
    return Z[..., frames.start - first : frames.stop - first]
