"""The components of a saved separation, put together to other stems."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput

if TYPE_CHECKING:
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.factorisation.decomposition import Decomposition


@public
@documented
@dataclass(frozen=True, kw_only=True)
class RegroupSeparator(NmfSeparator):
    """Say anew which components of a saved model make which stem, without factoring again.

    Components that are not named stay in the stem they were in; a stem that has none left is gone.
    Where the model was saved without stems they go to ``rest``. The parameters are those of the
    command ``nmfaudio regroup``; see `options`.

    Raises
    ------
    ParameterError
        A setting is out of range, or is no list of components.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> found = na.separate(y, 8000, components=4, max_iter=5).decomposition
    >>> stems = na.RegroupSeparator(saved=found, groups={"first": [0], "others": range(1, 4)})(
    ...     y, 8000)
    >>> {name: group.components for name, group in stems.groups.items()}
    {'first': (0,), 'others': (1, 2, 3)}
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "song.wav song.npz --group drums=0,3,5-7",
        "song.wav song.npz --group kick=4 --group snare=2,9",
    )

    # What a saved model has settled already is no option here.
    max_iter: ClassVar[int] = 0  # type: ignore[misc]
    tol: ClassVar[float] = 0.0  # type: ignore[misc]
    n_fft: ClassVar[None] = None  # type: ignore[misc]
    hop: ClassVar[None] = None  # type: ignore[misc]

    saved: str | os.PathLike[str] | Decomposition | None = option(
        None,
        "the model of the same recording, as --save-model saves it",
        suffixes=(".npz",),
        required=True,
        metavar="MODEL.npz",
    )
    groups: tuple[str, ...] | Mapping[str, Sequence[int]] = option(
        (),
        "a stem and its components, numbered as --components-too names its files; those that are "
        "not named stay in their stem",
        flag="--group",
        many=True,
        metavar="NAME=0,3,5-7",
    )

    def __post_init__(self) -> None:
        if self.saved is None:
            raise ParameterError("saved is missing; give a Decomposition, or the file of one")
        super().__post_init__()
        if not isinstance(self.groups, Mapping):
            self._set("groups", tuple(self.groups))
        _ = self._named  # to refuse them before anything is read

    def transform(self, sr: int) -> Transform:  # type: ignore[override]
        """The transform of the saved model.

        Parameters
        ----------
        sr : int
            In Hz.

        Returns
        -------
        Transform

        Raises
        ------
        ParameterError
            The model is of another sample rate, or of no recording.
        """
        from nmfaudio.audio.transforms import transform_from

        metadata = self._decomposition.metadata
        if "transform" not in metadata:
            raise ParameterError(
                "the model does not say which transform its recording was analysed with; use one "
                "that a separator saved"
            )
        transform = transform_from(metadata["transform"])
        if transform.sr != sr:
            raise ParameterError(
                f"sr is {sr} Hz, but the model was made at {transform.sr} Hz; use the recording "
                "that it was made of"
            )
        return transform

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """The saved model, if it can be one of this inputs, and its new groups."""
        found = self._decomposition
        H = found.H
        frames = inputs.transform.n_frames(inputs.y.shape[1])
        if H.shape[-1] != frames:
            raise ParameterError(
                f"the recording has {frames} frames, but the model has {H.shape[-1]}; use the "
                "recording that it was made of, whole"
            )
        metadata = {k: v for k, v in found.metadata.items() if k not in ("settings", "sources")}
        return GroupedDecomposition(found, self._regrouped(), metadata)

    def size(self) -> tuple[int, int]:
        """Components, and stems."""
        return self._decomposition.n_components, len(self._regrouped())

    @cached_property
    def _decomposition(self) -> Decomposition:
        from nmfaudio.factorisation.decomposition import Decomposition

        if isinstance(self.saved, Decomposition):
            return self.saved
        return Decomposition.load(self.saved)  # type: ignore[arg-type]

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        """The components of each new stem; each component once."""
        from nmfaudio._common.validation import as_count

        given = (
            {name: list(members) for name, members in self.groups.items()}
            if isinstance(self.groups, Mapping)
            else _parsed(self.groups)
        )
        owner: dict[int, str] = {}
        for name, members in given.items():
            for k in members:
                k = as_count(k, f"a component of {name}", low=0)
                if k in owner:
                    raise ParameterError(
                        f"component {k} is in {owner[k]} and in {name}; give it to one of them"
                        if owner[k] != name
                        else f"component {k} is twice in {name}; give it once"
                    )
                owner[k] = name
        return given

    def _regrouped(self) -> dict[str, list[int]]:
        """All components by stem: the named ones, and the others where they were."""
        count = self._decomposition.n_components
        moved = {k for members in self._named.values() for k in members}
        if moved and max(moved) >= count:
            raise ParameterError(
                f"there is no component {max(moved)}: the model has {count}, numbered from 0"
            )
        before = self._decomposition.metadata.get("sources")
        old = (
            {"rest": range(count)}
            if before is None
            else {name: group["components"] for name, group in before.items()}
        )
        kept = {name: [k for k in members if k not in moved] for name, members in old.items()}
        groups = {
            name: sorted([*kept.get(name, []), *self._named.get(name, [])])
            for name in dict.fromkeys([*kept, *self._named])
        }
        return {name: members for name, members in groups.items() if members}


def _parsed(texts: Sequence[str]) -> dict[str, list[int]]:
    """The components of each of ``NAME=0,3,5-7``; a name may come several times."""
    groups: dict[str, list[int]] = {}
    for text in texts:
        name, equals, members = text.partition("=")
        if not (name and equals):
            raise ParameterError(f"{text!r} is no group; write NAME=COMPONENTS, as drums=0,3,5-7")
        groups.setdefault(name, []).extend(k for part in members.split(",") for k in _range(part))
    return groups


def _range(text: str) -> range:
    """``7``, or ``5-7`` with both ends."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    ends = (first, last) if dash else (first, first)
    if not all(end.isascii() and end.isdecimal() for end in ends) or int(ends[0]) > int(ends[1]):
        raise ParameterError(
            f"{text!r} is no component; write numbers and ranges from 0 up, as 0,3,5-7"
        )
    if int(ends[1]) - int(ends[0]) > 100_000:
        raise ParameterError(f"{text!r} is more components than any model has")
    return range(int(ends[0]), int(ends[1]) + 1)
