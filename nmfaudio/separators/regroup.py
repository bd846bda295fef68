"""Other stems from the components of a saved separation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators.denoise import RETURNED, STEMS
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Transform
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.separators.blockwise import BlockFit, Learned
    from nmfaudio.stems.stems import Stems


@public
@documented
@dataclass(frozen=True, kw_only=True)
class RegroupSeparator(NmfSeparator):
    """Regroup the components of a saved model into other stems, without another factorisation.

    Components without a new stem keep their stem; stems without components are dropped. Those of
    a model that was saved without stems go to ``rest``.

    Raises
    ------
    ParameterError
        A setting is out of range, or a group is not a list of components.
    AudioFileError
        The file of groups cannot be read or is not JSON.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> saved = na.separate(y, 8000, n_components=4, max_iter=5).decomposition
    >>> stems = na.RegroupSeparator(saved=saved, groups={"first": [0], "others": range(1, 4)})(
    ...     y, 8000)
    >>> {name: group.components for name, group in stems.groups.items()}
    {'first': (0,), 'others': (1, 2, 3)}
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "song.wav song.npz --group drums=0,3,5-7",
        "song.wav song.npz --group kick=4 --group snare=2,9",
        "song.wav song.npz --groups groups.json",
    )

    # The saved model determines these, so they are not options here.
    max_iter: ClassVar[int] = 0  # type: ignore[misc]
    tol: ClassVar[float] = 0.0  # type: ignore[misc]
    n_fft: ClassVar[None] = None  # type: ignore[misc]
    hop: ClassVar[None] = None  # type: ignore[misc]

    saved: str | os.PathLike[str] | Decomposition | None = option(
        None,
        "model of the same recording, as --save-model saves it",
        suffixes=(".npz",),
        required=True,
        metavar="MODEL.npz",
    )
    groups: tuple[str, ...] | Mapping[str, Sequence[int]] = option(
        (),
        "name of a stem and its components, by the numbers in the file names of --components-too; "
        "components that are not listed keep their stem",
        flag="--group",
        many=True,
        metavar="NAME=0,3,5-7",
    )
    groups_file: str | os.PathLike[str] | None = option(
        None,
        'JSON file of groups, {"drums": [0, 3], "bass": [1]}, to which those of --group are added'
        " (default: none)",
        flag="--groups",
        metavar="GROUPS.json",
    )

    def __post_init__(self) -> None:
        if self.saved is None:
            raise ParameterError("saved is missing; give a Decomposition or its file")
        super().__post_init__()
        if not isinstance(self.groups, Mapping):
            self._set("groups", tuple(self.groups))
        _ = self._new_groups  # validates them before any audio is read

    def transform(self, sr: int) -> Transform:  # type: ignore[override]
        """Return the transform of the saved model.

        Parameters
        ----------
        sr : int
            Sample rate of the recording in Hz.

        Returns
        -------
        Transform
            The transform in the model's metadata.

        Raises
        ------
        ParameterError
            The model has another sample rate, or no transform.
        """
        from nmfaudio.audio.transforms import transform_from

        metadata = self._decomposition.metadata
        if "transform" not in metadata:
            raise ParameterError(
                "the model does not say which transform its recording was analysed with; use a "
                "model that a separator saved"
            )
        transform = transform_from(metadata["transform"])
        if transform.sr != sr:
            raise ParameterError(
                f"sr is {sr} Hz, but the model was made at {transform.sr} Hz; use the recording "
                "of the model"
            )
        return transform

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Return the saved model with its new groups.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.

        Raises
        ------
        ParameterError
            The recording has another length than that of the model.
        """
        saved = self._decomposition
        if _has_activations(saved, inputs):
            fitted = saved
        else:
            from nmfaudio.separators.blockwise import Block

            fitted = self._fit()(saved, Block(inputs, 0, inputs.n_frames, inputs.V))
        return GroupedDecomposition(fitted, self._regrouped(), self._metadata())

    def learn(self, inputs: SeparationInput) -> Learned:
        """Return the templates of the saved model with its new groups.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, the components of each stem, and the fit of the saved model, or its
            activations where it has them.

        Raises
        ------
        ParameterError
            The recording has another length than that of the model.
        """
        from nmfaudio.separators.blockwise import Learned, described_groups
        from nmfaudio.separators.saved_activations import SavedActivations

        saved = self._decomposition
        fit: BlockFit = SavedActivations(saved) if _has_activations(saved, inputs) else self._fit()
        groups = described_groups(saved, fit, self._regrouped(), inputs)
        return Learned(saved, groups, fit, self._metadata())

    def finish(self, stems: Stems) -> Stems:
        """Finish stems of a saved noise reduction as it did; others are kept.

        Parameters
        ----------
        stems : Stems
            Stems that sum to the mixture.

        Returns
        -------
        Stems
            Stems that sum to the mixture.
        """
        if not self._returns_noise(stems):
            return stems
        import numpy as np

        from nmfaudio.separators.noise_model import return_noise

        block = np.stack([stems[name] for name in STEMS])
        returned = return_noise(block, self._decomposition.metadata[RETURNED])
        return replace(stems, stems=dict(zip(STEMS, returned, strict=True)))

    def finish_block(self, block: np.ndarray, learned: Learned) -> np.ndarray:
        """Finish a block of stems, as `finish` does.

        Parameters
        ----------
        block : np.ndarray [shape=(stem, channel, sample)]
            Stems that sum to the recording.
        learned : Learned
            Their model.

        Returns
        -------
        np.ndarray [shape=(stem, channel, sample)]
            Stems with the same sum.
        """
        if not self._returns_noise(learned.groups):
            return block
        from nmfaudio.separators.noise_model import return_noise

        names = list(learned.groups)
        order = [names.index(name) for name in STEMS]
        returned = return_noise(block[order], self._decomposition.metadata[RETURNED])
        return returned[[STEMS.index(name) for name in names]]

    def _returns_noise(self, names: Iterable[str]) -> bool:
        """Return whether the stems are those of a noise reduction."""
        return RETURNED in self._decomposition.metadata and set(names) == set(STEMS)

    def _fit(self) -> BlockFit:
        """Fit that computes the activations of a model that was saved without them."""
        from nmfaudio.separators.saved_fits import unpack

        packed = self._decomposition.metadata.get("fit")
        if packed is None:
            raise ParameterError(
                "the model was saved without activations, and without the fit that computes them; "
                "separate the recording again, in memory"
            )
        return unpack(packed)

    def _metadata(self) -> dict[str, Any]:
        """Metadata of the saved model that hold for other groups too."""
        replaced = ("settings", "sources")
        return {k: v for k, v in self._decomposition.metadata.items() if k not in replaced}

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """
        return self._decomposition.n_components, len(self._regrouped())

    @cached_property
    def _decomposition(self) -> Decomposition:
        """Saved model, read from its file."""
        from nmfaudio.factorisation.decomposition import Decomposition
        from nmfaudio.separators.saved_models import load_model

        if isinstance(self.saved, Decomposition):
            return self.saved
        return load_model(self.saved)  # type: ignore[arg-type]

    @cached_property
    def _new_groups(self) -> dict[str, list[int]]:
        """Components of each new stem; each component in one stem only."""
        from nmfaudio.separators.component_groups import checked_groups, parse_groups, read_groups

        listed = self.groups if isinstance(self.groups, Mapping) else parse_groups(self.groups)
        listed = checked_groups(listed)
        if self.groups_file is None:
            return listed
        groups = read_groups(self.groups_file)
        for name, members in listed.items():
            groups[name] = [*groups.get(name, []), *members]
        return checked_groups(groups)

    def _regrouped(self) -> dict[str, list[int]]:
        """Components of all stems: the new groups, then the previous stems without these."""
        count = self._decomposition.n_components
        moved = {k for members in self._new_groups.values() for k in members}
        if moved and max(moved) >= count:
            raise ParameterError(
                f"no component {max(moved)}: the model has {count}, numbered from 0"
            )
        before = self._decomposition.metadata.get("sources")
        old = (
            {"rest": range(count)}
            if before is None
            else {name: group["components"] for name, group in before.items()}
        )
        kept = {name: [k for k in members if k not in moved] for name, members in old.items()}
        groups = {
            name: sorted([*kept.get(name, []), *self._new_groups.get(name, [])])
            for name in dict.fromkeys([*kept, *self._new_groups])
        }
        return {name: members for name, members in groups.items() if members}


def _has_activations(saved: Decomposition, inputs: SeparationInput) -> bool:
    """Check whether a model was saved with activations, and these are of the recording."""
    frames: int = saved.H.shape[-1]
    inputs.require_frames(frames, "the model")
    return frames > 0
