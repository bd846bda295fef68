"""The frame of all separators: spectrogram, model, masks, stems. Each fills in the model."""

from __future__ import annotations

import math
import operator
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, SupportsIndex

from nmfaudio._common.json_types import as_json
from nmfaudio._common.memory import PROCESS
from nmfaudio._common.options import option

# All that is heavy is imported where it is needed, so that the commands' help stays quick.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.stems.grouping import ComponentGroup
    from nmfaudio.stems.stems import Stems
    from nmfaudio.symbolic.note import Note

# Peaks beyond these are scaled by a power of two first: the power of a float32 would over- or
# underflow.
SOFTEST, LOUDEST = 2.0**-20, 2.0**20

_FACTORED = 3
_GROUPED = 7
_CHUNKS, _HELD = 16, 6
_BLOCKS = 10
_PLACED_CHANNELS, _PLACED_SOURCES = 12, 6
_REFINED = 20


@dataclass(frozen=True, eq=False)
class SeparationInput:
    """A recording that is to be taken apart, as a separator's `model` gets it.

    Attributes
    ----------
    y : np.ndarray [shape=(channel, sample)]
        Never to be written to.
    transform : Stft
    rng : int, np.random.Generator or None
    callback : callable or None
        To be given to `decompose`.
    """

    y: np.ndarray
    transform: Stft
    rng: int | np.random.Generator | None
    callback: Callback | None

    @property
    def sr(self) -> int:
        """Sample rate in Hz."""
        return self.transform.sr

    @cached_property
    def V(self) -> np.ndarray:
        """The spectrogram of all channels together [shape=(freq, time)]."""
        from nmfaudio.audio.masking import analyse

        return analyse(self.y, self.transform)


@dataclass(frozen=True, eq=False)
class GroupedDecomposition:
    """What a separator found in a inputs.

    Attributes
    ----------
    decomposition : Decomposition
    groups : mapping of str to sequence of int, or to Group
        The components of each stem, in the order the stems are to have; a partition.
    about : mapping
        What else should be kept with the decomposition, of JSON types.
    notes : tuple of Note
        What was heard to be played, where somebody asked for that.
    """

    decomposition: Decomposition
    groups: Mapping[str, Sequence[int]] | Mapping[str, ComponentGroup]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NmfSeparator(ABC):
    """What separators share: settings of the spectrogram and the masks, and the way to the stems.

    A separator is a subclass: a frozen dataclass with `option` fields of its own and `model`. It
    may give a shared field another default by declaring it anew.
    """

    usage_examples: ClassVar[tuple[str, ...]] = ()
    """What the command's help shows after the command's name."""

    max_iter: int = option(
        200, "iterations at most; more fit the mix closer and take longer", metavar="N"
    )
    tol: float = option(
        1e-4,
        "stop when ten iterations improved the fit by less than this share; 0 never stops early",
        metavar="SHARE",
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer tells pitches apart better, shorter smears drum hits "
        "less; by default the power of two nearest to 93 ms",
        parse=int,
        metavar="SAMPLES",
    )
    hop: int | None = option(
        None,
        "samples between windows: fewer are smoother and slower; by default a quarter of a window",
        parse=int,
        metavar="SAMPLES",
    )
    mask: Literal["soft", "binary"] = option(
        "soft",
        "soft shares each bit of sound among the stems, binary gives it to the strongest: less "
        "leaks, more artefacts",
        choices=("soft", "binary"),
    )
    mask_power: float = option(
        2.0,
        "how sharply soft masks divide: 1 keeps more of each sound and leaks more, 2 suits music",
        metavar="ALPHA",
    )
    spatial: Literal["wiener", "mask"] = option(
        "wiener",
        "with several channels, wiener tells sounds apart by their place too; mask treats all "
        "channels alike",
        choices=("wiener", "mask"),
    )
    refine: Literal["none", "consistent", "misi"] = option(
        "consistent",
        "consistent looks for stems whose frames agree with each other: a little cleaner, and half "
        "as slow again; misi for phases that fit the masks: only where the masks are very good",
        choices=("none", "consistent", "misi"),
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_choice, as_count, as_number

        self._keep("max_iter", as_count(self.max_iter, "max_iter", low=0))
        self._keep("tol", as_number(self.tol, "tol", low=0))
        self._keep("mask_power", as_number(self.mask_power, "mask_power", above=0))
        as_choice(self.mask, "mask", ("soft", "binary"))
        as_choice(self.spatial, "spatial", ("wiener", "mask"))
        as_choice(self.refine, "refine", ("none", "consistent", "misi"))
        for name in ("n_fft", "hop"):
            if getattr(self, name) is not None:
                self._keep(name, as_count(getattr(self, name), name, low=1))

    def _keep(self, name: str, value: Any) -> None:
        """Set a field in `__post_init__`, to a plain Python value, which JSON can take."""
        object.__setattr__(self, name, value)

    @abstractmethod
    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Take the spectrogram of a inputs apart, and say which components make which stem."""

    @abstractmethod
    def size(self) -> tuple[int, int]:
        """How many components and how many stems there will be at most, to estimate memory."""

    def transform(self, sr: int) -> Stft:
        """The transform for audio of this sample rate.

        Parameters
        ----------
        sr : int
            In Hz.

        Returns
        -------
        Stft
        """
        from nmfaudio.audio.transforms import Stft, default_n_fft

        n_fft = default_n_fft(sr) if self.n_fft is None else self.n_fft
        return Stft(sr, n_fft, self.hop)  # type: ignore[arg-type]

    def settings(self) -> dict[str, Any]:
        """All fields, as JSON types."""
        return {f.name: as_json(getattr(self, f.name)) for f in fields(self)}

    def __call__(
        self,
        audio: str | bytes | os.PathLike[str] | np.ndarray,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
    ) -> Stems:
        """Take a recording apart.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
            A file that libsndfile reads, or samples in float32 or float64; the stems have the same
            precision.
        sr : int
            Sample rate of the samples in Hz; a file knows its own.
        rng : int, np.random.Generator or None
            Where chance comes from; the same seed gives the same bytes.
        callback : callable, optional
            Gets a `Progress` every ten iterations; True stops iterating.

        Returns
        -------
        Stems

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError, ShapeError, ContentError
            A setting or the audio cannot work.
        """
        from nmfaudio.audio.io.samples import as_samples
        from nmfaudio.audio.masking import Masking
        from nmfaudio.stems.rendering import Refining, make_stems
        from nmfaudio.stems.stems import Stems

        mixture, sr = as_samples(audio, sr)
        transform = self.transform(sr)
        masking = Masking(self.mask_power, transform.power, self.mask == "binary")
        loudness = _power_of_two(mixture)
        scaled = mixture / loudness if loudness != 1 else mixture
        found, groups, notes = self._described(SeparationInput(scaled, transform, rng, callback))
        members = [group.components for group in groups.values()]
        refining = Refining(self.spatial == "wiener", self.refine)
        stems = make_stems(found, members, masking, refining, scaled, transform)
        if loudness != 1:
            stems *= loudness
        settings = self.settings() | {"seed": _seed(rng)}
        metadata = {
            **found.metadata,
            "transform": transform.to_dict(),
            "settings": settings,
            "sources": {name: asdict(group) for name, group in groups.items()},
        }
        return Stems(
            dict(zip(groups, stems, strict=True)),
            mixture,
            sr,
            replace(found, metadata=metadata),
            transform,
            groups,
            masking,
            settings,
            notes,
        )

    def _described(
        self, inputs: SeparationInput
    ) -> tuple[Decomposition, dict[str, ComponentGroup], tuple[Note, ...]]:
        """What was found in the inputs, and the facts about each group of its components."""
        from nmfaudio.stems.grouping import ComponentGroup, describe_groups

        model = self.model(inputs)
        found = replace(model.decomposition, metadata=model.metadata)
        known = {k: g for k, g in model.groups.items() if isinstance(g, ComponentGroup)}
        others = {k: g for k, g in model.groups.items() if not isinstance(g, ComponentGroup)}
        if others:
            known |= describe_groups(
                inputs.V,
                found.W,
                found.H,
                others,
                frequencies=inputs.transform.frequencies,
                hop_seconds=inputs.transform.hop_seconds,
            )
        return found, {name: known[name] for name in model.groups}, model.notes

    def memory(self, y: np.ndarray, sr: int) -> int:
        """About how many bytes taking `y` apart needs at the peak, `y` and this process included.

        The mixture is there all the time. Beside it there are first the spectrogram and what
        factoring and grouping hold beside that; then the frames from which places are found;
        later, all stems and one block of their spectrograms, or one stretch to be refined.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
        """
        from nmfaudio.audio.masking import BLOCK
        from nmfaudio.stems.percussiveness import EVIDENCE_FRAMES
        from nmfaudio.stems.rendering import PLACED_FRAMES, REFINED_FRAMES

        stft = self.transform(sr)
        frames = stft.n_frames(y.shape[1])
        frame = len(stft.frequencies) * y.itemsize
        components, sources = self.size()
        factors = components * (frames + _CHUNKS * len(stft.frequencies)) * y.itemsize
        factoring = frame * _FACTORED * frames + _HELD * factors
        grouping = frame * (frames + _GROUPED * min(frames, EVIDENCE_FRAMES))
        seen = _PLACED_CHANNELS * len(y) + _PLACED_SOURCES * sources
        placing = frame * min(frames, PLACED_FRAMES) * seen if len(y) > 1 else 0
        held = _BLOCKS * min(frames, BLOCK)
        if self.refine != "none":
            held = _REFINED * min(frames, REFINED_FRAMES)
        stems = sources * (y.nbytes + frame * held * len(y))
        return int(PROCESS + y.nbytes + max(factoring, grouping, placing, stems))


def _seed(rng: int | np.random.Generator | None) -> int | None:
    """The seed that can be written down, of a NumPy integer too."""
    return operator.index(rng) if isinstance(rng, SupportsIndex) else None


def _power_of_two(y: np.ndarray) -> float:
    """The power of two below the peak where that is extreme, else 1."""
    peak = float(max(y.max(), -y.min()))
    return 1.0 if peak == 0 or SOFTEST <= peak <= LOUDEST else 2.0 ** math.floor(math.log2(peak))
