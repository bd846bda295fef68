"""Spectrograms of audio, and audio under masks of them, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.audio.masks import binary_masks, soft_masks
from nmfaudio.audio.transforms import Transform
from nmfaudio.errors import ShapeError
from nmfaudio.kernels.threads import parallel_for

BLOCK = 512  # frames transformed at a time


STRIP = 256  # frames masked at a time by one thread


Masks = Callable[[slice], Iterable[np.ndarray]]
"""From frames to the masks of these frames, one for each source."""


Share = Callable[[np.ndarray, Iterable[np.ndarray]], Iterable[np.ndarray]]
"""From frames of Z and their masks, on Z's grid, to what each source has of Z."""


@dataclass(frozen=True)
class Masking:
    """How models become masks.

    Parameters
    ----------
    alpha : float
        Exponent on magnitudes of the Wiener masks.
    power : float
        The models are of magnitudes to this power.
    binary : bool
        Whether a bin goes wholly to the strongest model instead.
    """

    alpha: float = 2.0
    power: float = 1.0
    binary: bool = False

    def masks(self, parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """One mask per part, one at a time; they sum to one in every bin."""
        if self.binary:
            return binary_masks(parts)
        return soft_masks(parts, alpha=self.alpha, power=self.power)


def share_by_masks(Z: np.ndarray, masks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Z under each mask: a `Share` that treats all channels alike."""
    return (Z * mask for mask in masks)


def apply_masks(
    masks: Masks,
    count: int,
    y: np.ndarray,
    transform: Transform,
    *,
    share: Share = share_by_masks,
) -> np.ndarray:
    """What each of several masks lets through of audio.

    All masks are made and applied in one pass, a block of frames at a time: besides its result this
    needs memory for one block only, however long the audio is. Strips of a block, then channels,
    are dealt to threads.

    Parameters
    ----------
    masks : callable
        Given ``slice(start, stop)``, the `count` masks of these frames [shape=(freq, time)], on the
        transform's feature grid, or [shape=(channel, freq, time)] with one for each channel, as
        parts of `nmfaudio.structures.Channels` make them. Called from several threads.
    count : int
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform
    share : callable
        From frames of Z [shape=(channel, freq, time)] and the masks of these, on Z's grid, to what
        each source has of Z. Called from several threads.

    Returns
    -------
    np.ndarray [shape=(mask, channel, sample)]
    """
    channels, length = y.shape
    stems = np.empty((count * channels, length), y.dtype)
    done = 0
    for audio in transform.inverse_blocks(_masked(masks, count, y, transform, share), length):
        stems[:, done : done + audio.shape[1]] = audio
        done += audio.shape[1]
    return stems.reshape(count, channels, length)


def _masked(
    masks: Masks, count: int, y: np.ndarray, transform: Transform, share: Share
) -> Iterator[np.ndarray]:
    """Blocks of the spectrogram under each mask [shape=(mask · channel, freq, time)]."""
    begin = 0
    for Z in transform.forward_blocks(y, BLOCK):
        channels, bins, frames = Z.shape
        rows = np.empty((count, channels, frames, bins), Z.dtype)
        masked = rows.transpose(0, 1, 3, 2)

        def work(
            strips: range, Z: np.ndarray = Z, masked: np.ndarray = masked, begin: int = begin
        ) -> None:
            for strip in strips:
                some = slice(strip * STRIP, min((strip + 1) * STRIP, Z.shape[-1]))
                there = slice(begin + some.start, begin + some.stop)
                sources = share(Z[..., some], map(transform.lift, masks(there)))
                for out, source in zip(masked, sources, strict=True):
                    out[..., some] = source

        parallel_for(work, -(-frames // STRIP))
        yield masked.reshape(count * channels, bins, frames)
        begin += frames


def apply_mask(mask: np.ndarray, y: np.ndarray, transform: Transform) -> np.ndarray:
    """What one mask lets through of audio; see `apply_masks`.

    Parameters
    ----------
    mask : np.ndarray [shape=(freq, time) or (channel, freq, time)]
        On the transform's feature grid.
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform

    Returns
    -------
    np.ndarray [shape=(channel, sample)]

    Raises
    ------
    ShapeError
        The mask does not have the frequencies, frames and channels of `y` under `transform`.
    """
    grid = (len(transform.frequencies), transform.n_frames(y.shape[-1]))
    if mask.shape not in (grid, (len(y), *grid)):
        raise ShapeError(
            f"the mask has shape {mask.shape}; for this audio and transform it must be {grid}, "
            f"or {(len(y), *grid)} for a mask per channel"
        )
    stem: np.ndarray = apply_masks(lambda frames: [mask[..., frames]], 1, y, transform)[0]
    return stem


def analyse(y: np.ndarray, transform: Transform) -> np.ndarray:
    """The transform's features of audio, block by block [shape=(freq, time)], in Fortran order."""
    rows = np.empty((transform.n_frames(y.shape[1]), len(transform.frequencies)), y.dtype)
    begin = 0
    for Z in transform.forward_blocks(y, BLOCK):
        rows[begin : begin + Z.shape[-1]] = transform.features(Z).T
        begin += Z.shape[-1]
    return rows.T
