"""The sounds a recording was taken apart into, and the masks that made them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio.decomposition import Decomposition
from nmfaudio.errors import AudioWarning, MissingExtraError, ShapeError
from nmfaudio.grouping import Group
from nmfaudio.kernels.threads import deal
from nmfaudio.masks import binary_masks, soft_masks
from nmfaudio.transforms import Transform

if TYPE_CHECKING:
    from nmfaudio.io import Written
    from nmfaudio.notes import Note

BLOCK = 512  # frames transformed at a time
STRIP = 256  # frames masked at a time by one thread
NOTE_FILES = ("hits.csv", "hits.mid")

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


@dataclass(frozen=True, eq=False)
class Stems(Mapping[str, np.ndarray]):
    """Named stems that add up to the mixture.

    Attributes
    ----------
    stems : dict of str to np.ndarray [shape=(channel, sample)]
        Also reached as ``stems[name]``.
    mixture : np.ndarray [shape=(channel, sample)]
    sr : int
        Sample rate in Hz.
    decomposition : Decomposition
        What was found in the mixture; its `about` holds transform, settings and sources.
    transform : Transform
    groups : dict of str to Group
        Which components make which stem, and what was seen in them.
    masking : Masking
    settings : dict
        What the separator was told, of JSON types.
    notes : tuple of Note
        What was heard to be played, where somebody asked for that.
    """

    stems: dict[str, np.ndarray]
    mixture: np.ndarray
    sr: int
    decomposition: Decomposition
    transform: Transform
    groups: dict[str, Group]
    masking: Masking
    settings: dict[str, Any]
    notes: tuple[Note, ...] = ()

    def __getitem__(self, name: str) -> np.ndarray:
        return self.stems[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.stems)

    def __len__(self) -> int:
        return len(self.stems)

    def __repr__(self) -> str:
        channels, samples = self.mixture.shape
        return (
            f"Stems({', '.join(self)}: {channels} × {samples} samples at {self.sr} Hz, "
            f"{self.decomposition.n_components} components)"
        )

    def residual(self) -> np.ndarray:
        """The mixture less the sum of the stems [shape=(channel, sample)]: rounding, no more."""
        rest: np.ndarray = self.mixture - sum(self.stems.values())
        return rest

    def components(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each component by itself, as (name, audio); those of one stem are computed together.

        Its mask is its stem's mask, shared out within the stem as stems are within the mixture:
        the components of a stem sum to that stem.

        Returns
        -------
        Iterator of (str, np.ndarray [shape=(channel, sample)])
            Names are ``"<stem>-<component>"``.
        """
        for name, group in self.groups.items():
            if not group.components:
                continue
            masks = group_masks(self.decomposition, [[k] for k in group.components], self.masking)
            parts = apply_masks(masks, len(group.components), self.stems[name], self.transform)
            for k, part in zip(group.components, parts, strict=True):
                yield f"{name}-{k}", part

    def report(self) -> dict[str, Any]:
        """What was done and seen, of JSON types."""
        return {
            "sr": self.sr,
            "channels": len(self.mixture),
            "samples": self.mixture.shape[1],
            "sources": {name: asdict(group) for name, group in self.groups.items()},
            "iterations": self.decomposition.n_iter,
            "converged": self.decomposition.converged,
            "loss": float(self.decomposition.losses[-1]),
            "largest_residual": float(np.abs(self.residual()).max()),
            "settings": self.settings,
        }

    def save(
        self,
        directory: str | Path,
        *,
        format: str = "wav",
        subtype: str | None = None,
        clip: Literal["gain", "error"] = "gain",
        overwrite: bool = False,
        components_too: bool = False,
    ) -> Written:
        """Write every stem to ``<directory>/<name>.<format>``: all of them, or none.

        Parameters
        ----------
        directory : str or Path
            Made where it does not exist.
        format : str
            ``"wav"``, ``"flac"``, ``"ogg"``, ``"mp3"``, ``"aiff"``, …
        subtype : str, optional
            libsndfile's name of the coding, e.g. ``"PCM_16"``; by default 32-bit float for wav.
        clip : "gain" or "error"
            What is done about peaks over full scale in a format of integers: one common gain for
            all stems, or an error.
        overwrite : bool
            Whether files that exist may be replaced.
        components_too : bool
            Write each component too, to ``<directory>/components``.

        Returns
        -------
        Written
            The paths and the common gain.

        Raises
        ------
        OutputError
            A file exists, or cannot be written.
        ParameterError
            The format cannot hold this audio.
        """
        from nmfaudio.files import safe_name
        from nmfaudio.io import write_group

        folder = Path(directory)
        targets = {folder / f"{safe_name(name)}.{format}": stem for name, stem in self.items()}
        if components_too:
            targets |= {
                folder / "components" / f"{safe_name(name)}.{format}": audio
                for name, audio in self.components()
            }
        return write_group(
            targets, self.sr, format=format, subtype=subtype, clip=clip, overwrite=overwrite
        )

    def save_notes(self, directory: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write the notes to ``<directory>/hits.csv``, and ``hits.mid`` with the extra [midi].

        Parameters
        ----------
        directory : str or Path
            Must exist.
        overwrite : bool
            Whether files that exist may be replaced.

        Returns
        -------
        list of Path
            Without [midi] only the table, and an `AudioWarning` says so.

        Raises
        ------
        OutputError
            A file exists, or cannot be written.
        """
        from nmfaudio.notes import write_notes

        table, midi = (Path(directory, name) for name in NOTE_FILES)
        write_notes(table, self.notes, overwrite=overwrite)
        try:
            write_notes(midi, self.notes, overwrite=overwrite)
        except MissingExtraError as error:
            warnings.warn(f"{midi} is not written: {error}", AudioWarning, stacklevel=2)
            return [table]
        return [table, midi]


def group_masks(
    decomposition: Decomposition, groups: Sequence[Sequence[int]], masking: Masking
) -> Masks:
    """The masks of groups of components, for any stretch of frames; see `apply_masks`."""

    def masks(frames: slice) -> Iterator[np.ndarray]:
        return masking.masks([decomposition.part(group, frames) for group in groups])

    return masks


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
        parts of `nmfaudio.Channels` make them. Called from several threads.
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

        deal(work, -(-frames // STRIP))
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
