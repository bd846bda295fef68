"""The sounds a recording was taken apart into, and the masks that made them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmfaudio.decomposition import Decomposition
from nmfaudio.grouping import Group
from nmfaudio.masks import binary_masks, soft_masks
from nmfaudio.transforms import Transform

if TYPE_CHECKING:
    from nmfaudio.io import Written

BLOCK = 1024  # frames transformed at a time


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
    """

    stems: dict[str, np.ndarray]
    mixture: np.ndarray
    sr: int
    decomposition: Decomposition
    transform: Transform
    groups: dict[str, Group]
    masking: Masking
    settings: dict[str, Any]

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
        """Each component by itself, as (name, audio), computed one at a time.

        Its mask is its stem's mask, shared out within the stem as stems are within the mixture:
        the components of a stem sum to that stem.

        Returns
        -------
        Iterator of (str, np.ndarray [shape=(channel, sample)])
            Names are ``"<stem>-<component>"``.
        """
        for name, group in self.groups.items():
            parts = Parts(self.decomposition, [[k] for k in group.components])
            masks = self.masking.masks(parts) if group.components else iter(())
            for k, mask in zip(group.components, masks, strict=True):
                yield f"{name}-{k}", apply_mask(mask, self.stems[name], self.transform)

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


class Parts(Sequence[np.ndarray]):
    """The models of groups of components, computed when asked for so that one is held at a time."""

    def __init__(self, decomposition: Decomposition, groups: Sequence[Sequence[int]]) -> None:
        self._decomposition = decomposition
        self._groups = groups

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Parts(self._decomposition, self._groups[index])
        return self._decomposition.part(self._groups[index])


def apply_mask(mask: np.ndarray, y: np.ndarray, transform: Transform) -> np.ndarray:
    """What a mask lets through of audio, block by block so that no whole spectrogram is held.

    Parameters
    ----------
    mask : np.ndarray [shape=(freq, time)]
        On the transform's feature grid.
    y : np.ndarray [shape=(channel, sample)]
    transform : Transform

    Returns
    -------
    np.ndarray [shape=(channel, sample)]
    """
    lifted = transform.lift(mask)
    blocks = (
        Z * lifted[:, n * BLOCK : (n + 1) * BLOCK]
        for n, Z in enumerate(transform.forward_blocks(y, BLOCK))
    )
    return np.concatenate(list(transform.inverse_blocks(blocks, y.shape[1])), axis=1)


def analyse(y: np.ndarray, transform: Transform) -> np.ndarray:
    """The transform's features of audio, block by block [shape=(freq, time)], in Fortran order."""
    rows = [transform.features(Z).T for Z in transform.forward_blocks(y, BLOCK)]
    V: np.ndarray = np.concatenate(rows).T
    return V
