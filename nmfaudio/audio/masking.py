"""Masking of audio, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nmfaudio.audio.masks import binary_masks, soft_masks
from nmfaudio.audio.transforms import Transform
from nmfaudio.errors import ShapeError
from nmfaudio.kernels.threads import get_threads, parallel_for

BLOCK = 128  # frames transformed at a time, or more with many threads: they stay in the cache
STRIP = 64  # frames masked at a time by one thread

Masks = Callable[[slice], Iterable[np.ndarray]]
"""Callable mapping a slice of frames to their masks, one for each source."""

Share = Callable[[np.ndarray, Iterable[np.ndarray]], Iterable[np.ndarray]]
"""Callable mapping (Z, masks) to source spectrograms; Z and masks have the same frames and axis."""


@dataclass(frozen=True)
class Masking:
    """Settings that turn models of sources into masks.

    Parameters
    ----------
    alpha : float
        Exponent of the magnitudes in soft masks; see `soft_masks`.
    power : float
        Exponent of the magnitudes that the models are of.
    binary : bool
        Whether masks are binary instead of soft; see `binary_masks`.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> parts = [np.array([[3.0]]), np.array([[1.0]])]
    >>> [mask.item() for mask in na.audio.Masking(alpha=1.0).masks(parts)]
    [0.75, 0.25]
    """

    alpha: float = 2.0
    power: float = 1.0
    binary: bool = False

    def masks(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Masks of the parts; they sum to one in every bin.

        Parameters
        ----------
        parts : sequence of np.ndarray [shape=(freq, time)]
            Non-negative model of each source.

        Returns
        -------
        list of np.ndarray [shape=(freq, time)]
        """
        if self.binary:
            return binary_masks(parts)
        return soft_masks(parts, alpha=self.alpha, power=self.power)


def block_frames() -> int:
    """Number of frames transformed at a time: enough strips for all threads."""
    return max(BLOCK, STRIP * get_threads())


def share_by_masks(Z: np.ndarray, masks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Multiply Z by each mask: the `Share` that treats all channels alike."""
    return (Z * mask for mask in masks)


def stack_frames(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Stack arrays (…, freq, time) so that each frame is contiguous; one array is kept as it is."""
    if isinstance(arrays, np.ndarray):
        return arrays
    return np.stack([array.swapaxes(-1, -2) for array in arrays]).swapaxes(-1, -2)


def join_frames(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Join arrays (…, freq, time) along time so that each frame is contiguous."""
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate([block.swapaxes(-1, -2) for block in blocks], axis=-2).swapaxes(-1, -2)


def apply_masks(
    masks: Masks,
    count: int,
    y: np.ndarray,
    transform: Transform,
    *,
    share: Share = share_by_masks,
) -> np.ndarray:
    """Apply several masks to audio in one pass.

    Blocks of frames are transformed, masked and inverted one after the other, so that apart from
    the result only one block is kept in memory, however long the audio is. Within a block strips
    of frames, then channels, are distributed over threads.

    Parameters
    ----------
    masks : callable
        Maps ``slice(start, stop)`` to the `count` masks of these frames on the transform's feature
        grid: [shape=(freq, time)], or [shape=(channel, freq, time)] for a mask per channel, as
        parts of `nmfaudio.structures.Channels` give. Called from several threads.
    count : int
        Number of masks.
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform
    share : callable
        Maps frames of Z [shape=(channel, freq, time)] and their masks on the frequency axis of Z to
        the spectrogram of each source. By default the product of Z and each mask. Called from
        several threads.

    Returns
    -------
    np.ndarray [shape=(mask, channel, sample)]
        Audio under each mask.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> stft = na.Stft(8000, 512)
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> low = stft.frequencies[:, None] < 1000
    >>> def masks(frames):
    ...     return [low, ~low]
    >>> stems = na.audio.apply_masks(masks, 2, y, stft)
    >>> stems.shape, bool(np.allclose(stems.sum(axis=0), y))
    ((2, 1, 8000), True)
    """
    channels, length = y.shape
    blocks = masked_blocks(masks, count, y, transform, share=share)
    return joined_blocks(blocks, (count, channels, length), y.dtype)


def masked_blocks(
    masks: Masks,
    count: int,
    y: np.ndarray,
    transform: Transform,
    *,
    share: Share = share_by_masks,
    prepare: Callable[[slice], None] | None = None,
) -> Iterator[np.ndarray]:
    """Compute the audio of `apply_masks` in consecutive blocks.

    Parameters
    ----------
    masks, count, y, transform, share
        As for `apply_masks`.
    prepare : callable, optional
        Called with a slice of frames before `masks` is called for any of them.

    Yields
    ------
    np.ndarray [shape=(mask, channel, sample)]
        Next samples of the audio under each mask.
    """
    channels, length = y.shape
    for audio in transform.inverse_blocks(
        _masked(masks, count, y, transform, share, prepare), length
    ):
        yield audio.reshape(count, channels, -1)


def joined_blocks(
    blocks: Iterable[np.ndarray], shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Join consecutive blocks along their last axis to an array of a known shape."""
    joined = np.empty(0)
    done = 0
    for block in blocks:
        if done == 0:  # not earlier, since the first block may need much memory
            joined = np.empty(shape, dtype)
        joined[..., done : done + block.shape[-1]] = block
        done += block.shape[-1]
    return joined


def _masked(
    masks: Masks,
    count: int,
    y: np.ndarray,
    transform: Transform,
    share: Share,
    prepare: Callable[[slice], None] | None,
) -> Iterator[np.ndarray]:
    """Blocks of the spectrogram under each mask [shape=(mask · channel, freq, time)].

    A block is valid until the next one.
    """
    begin = 0  # first frame of the block
    rows = np.empty(0)
    for Z in transform.forward_blocks(y, block_frames()):
        channels, bins, frames = Z.shape
        if prepare is not None:
            prepare(slice(begin, begin + frames))
        if begin == 0:  # one array for all blocks: new memory costs as much as filling it
            rows = np.empty((count * channels, frames, bins), Z.dtype)
        block = rows[:, :frames]
        masked = block.reshape(count, channels, frames, bins).transpose(0, 1, 3, 2)

        # Default arguments bind the variables of this iteration.
        def work(
            strips: range, Z: np.ndarray = Z, masked: np.ndarray = masked, begin: int = begin
        ) -> None:
            for strip in strips:
                inside = slice(strip * STRIP, min((strip + 1) * STRIP, Z.shape[-1]))
                absolute = slice(begin + inside.start, begin + inside.stop)
                sources = share(Z[..., inside], map(transform.lift, masks(absolute)))
                for out, source in zip(masked, sources, strict=True):
                    out[..., inside] = source

        parallel_for(work, -(-frames // STRIP))
        yield block.transpose(0, 2, 1)
        begin += frames


def apply_mask(mask: np.ndarray, y: np.ndarray, transform: Transform) -> np.ndarray:
    """Apply one mask to audio.

    Parameters
    ----------
    mask : np.ndarray [shape=(freq, time) or (channel, freq, time)]
        On the transform's feature grid.
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform

    Returns
    -------
    np.ndarray [shape=(channel, sample)]
        Audio under the mask.

    Raises
    ------
    ShapeError
        The mask does not have the frequencies, frames and channels of `y` under `transform`.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> stft = na.Stft(8000, 512)
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> mask = np.full((257, stft.n_frames(8000)), 0.5)
    >>> bool(np.allclose(na.audio.apply_mask(mask, y, stft), 0.5 * y))
    True
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
    """Compute the features of audio, block by block.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform

    Returns
    -------
    np.ndarray [shape=(freq, time)]
        Features common to all channels, in Fortran order.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> na.audio.analyse(np.zeros((2, 8000)), na.Stft(8000, 512)).shape
    (257, 64)
    """
    rows = np.empty((transform.n_frames(y.shape[1]), len(transform.frequencies)), y.dtype)
    begin = 0
    for block in analyse_blocks(y, transform):
        rows[begin : begin + len(block.T)] = block.T
        begin += len(block.T)
    return rows.T


def analyse_blocks(y: np.ndarray, transform: Transform) -> Iterator[np.ndarray]:
    """Compute the features of audio; yield them block by block.

    Parameters
    ----------
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform

    Yields
    ------
    np.ndarray [shape=(freq, time)]
        Features of consecutive frames, in Fortran order.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> blocks = list(analyse_blocks(np.zeros((2, 80000)), na.Stft(8000, 512)))
    >>> len(blocks) > 1, sum(block.shape[1] for block in blocks)
    (True, 626)
    """
    for Z in transform.forward_blocks(y, block_frames()):
        block = np.empty((Z.shape[-1], len(transform.frequencies)), y.dtype)

        # Default arguments bind the variables of this iteration.
        def work(strips: range, Z: np.ndarray = Z, block: np.ndarray = block) -> None:
            for strip in strips:
                inside = slice(strip * STRIP, (strip + 1) * STRIP)
                block[inside] = transform.features(Z[..., inside]).T

        parallel_for(work, -(-len(block) // STRIP))
        yield block.T
