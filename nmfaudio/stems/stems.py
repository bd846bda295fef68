"""The sounds a recording was taken apart into, and the masks that made them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio._public import public
from nmfaudio.audio.masking import Masking, apply_masks
from nmfaudio.audio.transforms import Transform
from nmfaudio.errors import AudioWarning, MissingExtraError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.stems.grouping import ComponentGroup
from nmfaudio.stems.masks import group_masks

if TYPE_CHECKING:
    from nmfaudio.audio.io import Written
    from nmfaudio.symbolic.note import Note

NOTE_FILES = ("hits.csv", "hits.mid")


@public
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
        What was found in the mixture; its `metadata` holds transform, settings and sources.
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
    groups: dict[str, ComponentGroup]
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
        from nmfaudio._common.files import safe_name
        from nmfaudio.audio.io import write_group

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
        from nmfaudio.symbolic.notes import write_notes

        table, midi = (Path(directory, name) for name in NOTE_FILES)
        write_notes(table, self.notes, overwrite=overwrite)
        try:
            write_notes(midi, self.notes, overwrite=overwrite)
        except MissingExtraError as error:
            warnings.warn(f"{midi} is not written: {error}", AudioWarning, stacklevel=2)
            return [table]
        return [table, midi]
