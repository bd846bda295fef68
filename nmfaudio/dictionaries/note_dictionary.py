"""What the notes of instruments are known to sound like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from nmfaudio._common.validation import as_choice, as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.note_learning import STAGES, Makers
from nmfaudio.dictionaries.template_conversion import convert_templates, transpose, unit_sums
from nmfaudio.errors import ParameterError, ShapeError

_PIANO = Path(__file__).resolve().parents[1] / "data" / "piano.npz"


@public
@dataclass(frozen=True, eq=False, repr=False)
class NoteDictionary(Makers, Dictionary):
    """Spectra of notes, each of a known pitch.

    `from_folder` learns one from isolated notes, `from_recording` from a recording and its notes,
    `from_soundfont` from what a synthesiser plays; `harmonic` makes one of partials alone. Its
    file is that of a `Dictionary`, and is read by either; a plain one whose components all have a
    pitch is read too.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        float32 or float64, finite and ≥ 0: single frames, or stretches of `lags` frames each.
    labels : sequence of str
        The instrument of each component.
    transform : Transform
        What the templates are frames of. They mean nothing under another; see `to_transform`.
    pitches : sequence of float
        The MIDI number of each component's note.
    beta : float
        The β-divergence that the templates were learned under: 1 Kullback–Leibler.
    kind : "templates", "exemplars" or "convolutive"
        As of a `Dictionary`.
    about : Mapping
        What else should travel with it, made of JSON types: where it comes from.
    velocities : sequence of (float or None), optional
        How hard each component's note was played, 0 to 1, None where that is not known.
    stages : sequence of ("attack", "early", "late" or None), optional
        Which part of its note each component is, None where it is all of it.

    Raises
    ------
    ShapeError
        The templates have other axes, or do not fit the transform or the labels.
    ParameterError
        A value cannot be, or a component has no pitch.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> spectra = np.random.default_rng(0).random((257, 4))
    >>> known = na.NoteDictionary(spectra, ["piano"] * 4, na.Stft(8000, 512), [60, 60, 62, 62],
    ...                           stages=["attack", "late"] * 2)
    >>> known
    NoteDictionary(1 label: piano 4; templates of 257 frequencies, stft, 8000 Hz, \
2 pitches from 60 to 62, stages attack/late)
    >>> known.groups()
    {60.0: (0, 1), 62.0: (2, 3)}
    """

    pitches: tuple[float, ...] = None  # type: ignore[assignment]  # a tuple once constructed
    velocities: tuple[float | None, ...] = None  # type: ignore[assignment]  # the same
    stages: tuple[str | None, ...] = None  # type: ignore[assignment]  # the same

    _each: ClassVar[tuple[str, ...]] = ("labels", "pitches", "velocities", "stages")

    def __post_init__(self) -> None:
        super().__post_init__()
        if None in self.pitches:
            raise ParameterError(
                f"component {self.pitches.index(None)} has no pitch; give the MIDI number of each "
                "component's note"
            )
        for name, tidy in (("velocities", _as_velocity), ("stages", _as_stage)):
            given = getattr(self, name)
            values = (None,) * self.n_components if given is None else tuple(given)
            if len(values) != self.n_components:
                raise ShapeError(
                    f"there are {len(values)} {name} for {self.n_components} components; give one "
                    "for each, or None"
                )
            object.__setattr__(self, name, tuple(map(tidy, values)))

    @classmethod
    def piano(cls, transform: Transform | None = None) -> NoteDictionary:
        """The piano that ships with the package: the mean of four, with three stages of each key.

        It was learned at 22.05 kHz from the pianos of the soundfont Fluid (R3) GM, as
        ``nmfaudio/data/LICENSES.md`` says.

        Parameters
        ----------
        transform : Transform, optional
            What to have it `to_transform` to; by default its own.

        Returns
        -------
        NoteDictionary

        Raises
        ------
        ParameterError
            The transform does not cover the keys of a piano.

        Examples
        --------
        >>> import nmfaudio as na
        >>> na.NoteDictionary.piano()
        NoteDictionary(1 label: piano 264; templates of 2049 frequencies, stft, 22050 Hz, \
88 pitches from 21 to 108, stages attack/early/late)
        """
        known = NoteDictionary.load(_PIANO)
        return known if transform is None else known.to_transform(transform)

    def groups(self) -> dict[float, tuple[int, ...]]:
        """Which components are of each pitch, of whatever instrument, by pitch from the lowest."""
        found: dict[float, list[int]] = {}
        for k in sorted(range(self.n_components), key=self.pitches.__getitem__):
            found.setdefault(self.pitches[k], []).append(k)
        return {pitch: tuple(components) for pitch, components in found.items()}

    def merge(self, *others: Dictionary) -> Self:
        """All components of this dictionary and others: several pianos for one that is not known.

        As `Dictionary.merge`; the others must be dictionaries of notes too.

        Parameters
        ----------
        *others : NoteDictionary

        Returns
        -------
        NoteDictionary

        Raises
        ------
        ParameterError
            They differ in transform, β, kind or lags, or one has no notes.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> upright = na.NoteDictionary(np.eye(257)[:, :2], ["piano"] * 2, na.Stft(8000, 512),
        ...                             [60, 62])
        >>> upright.merge(upright).groups()
        {60.0: (0, 2), 62.0: (1, 3)}
        """
        for n, other in enumerate(others, 2):
            if not isinstance(other, NoteDictionary):
                raise ParameterError(
                    f"dictionary {n} is a {type(other).__name__}; need a NoteDictionary, whose "
                    "components all have a pitch"
                )
        return super().merge(*others)

    def restrict(self, low: float, high: float) -> Self:
        """The components of notes within a range.

        Parameters
        ----------
        low, high : float
            MIDI numbers, both included.

        Returns
        -------
        NoteDictionary

        Raises
        ------
        ParameterError
            There are none.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> known = na.NoteDictionary(np.eye(257)[:, :3], ["oboe"] * 3, na.Stft(8000, 512),
        ...                           [58, 60, 62])
        >>> known.restrict(60, 72).pitches
        (60.0, 62.0)
        """
        chosen = [k for k in range(self.n_components) if low <= self.pitches[k] <= high]
        if not chosen:
            pitches = list(self.groups())
            raise ParameterError(
                f"there is no note from {low} to {high}; pitches go from {pitches[0]:g} to "
                f"{pitches[-1]:g}"
            )
        return self._take(chosen)

    def fill(self, low: int = 21, high: int = 108) -> Self:
        """Give every instrument all semitones of a range, by transposing the nearest note it has.

        The frequency axis of the note's templates is stretched: for transforms of evenly spaced
        semitones that is a shift. The lower of two notes equally near is taken, which leaves no
        gap at the top. Where a template would need what lies beyond its transform it is zero.

        Parameters
        ----------
        low, high : int
            MIDI numbers, both included: by default those of a piano's 88 keys.

        Returns
        -------
        NoteDictionary
            The components there were, then those that were missing, instrument by instrument from
            the lowest pitch up. The latter each sum to one.

        Raises
        ------
        ParameterError
            The range is empty, or a note would lie wholly beyond the transform's frequencies.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> cqt = na.Cqt(8000, fmin=110, n_bins=60)
        >>> known = na.NoteDictionary(np.eye(60)[:, [0, 7]], ["flute"] * 2, cqt, [45, 52])
        >>> whole = known.fill(45, 52)
        >>> sorted(whole.pitches) == list(range(45, 53))
        True
        >>> whole.templates.argmax(0)[2:].tolist()
        [1, 2, 3, 4, 5, 6]
        """
        if low > high:
            raise ParameterError(f"low is {low} and high {high}; put the lower first")
        low, high = as_count(low, "low", low=0), as_count(high, "high", low=0, high=127)
        parts = [self]
        for name in self.names:
            mine = self.select(name)
            groups = mine.groups()
            for pitch in range(low, high + 1):
                if pitch not in groups:
                    nearest = min(groups, key=lambda own: (abs(own - pitch), own))
                    parts.append(mine._take(groups[nearest])._transposed(pitch - nearest))
        return parts[0].merge(*parts[1:])

    def average(self) -> Self:
        """One component for each instrument, pitch and stage: the mean over all that there are.

        Over velocities, and over several pianos that were merged: for one that is not known.

        Returns
        -------
        NoteDictionary
            In the order in which instruments, pitches and stages first appear; components each
            sum to one, and have no velocity.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> upright = na.NoteDictionary(np.eye(257)[:, :2], ["piano"] * 2, na.Stft(8000, 512),
        ...                             [60, 60], velocities=[0.3, 0.9])
        >>> upright.average().templates[:3, 0].tolist()
        [0.5, 0.5, 0.0]
        """
        same: dict[tuple[str, float, str | None], list[int]] = {}
        keys = zip(self.labels, self.pitches, self.stages, strict=True)
        for k, key in enumerate(keys):
            same.setdefault(key, []).append(k)
        shares = unit_sums(self.templates)
        means = [shares[..., each].mean(axis=-1) for each in same.values()]
        firsts = self._take([each[0] for each in same.values()])
        return replace(firsts, templates=np.stack(means, axis=-1), velocities=(None,) * len(same))

    def _transposed(self, semitones: float) -> Self:
        templates = transpose(self.templates, self.transform.frequencies, semitones)
        pitches = tuple(self.pitches[k] + semitones for k in range(self.n_components))
        if not templates.any(axis=tuple(range(templates.ndim - 1))).all():
            raise ParameterError(
                f"a note of pitch {pitches[0]:g} has nothing below the transform's highest "
                f"frequency, {self.transform.frequencies[-1]:.0f} Hz; choose a range that it covers"
            )
        return replace(self, templates=templates, pitches=pitches)

    def to_transform(self, transform: Transform) -> Self:
        """The dictionary for another transform or sample rate, without learning it again.

        Templates of an STFT are interpolated, linearly, at the frequencies of the other's bins in
        Hz and the times of its frames in seconds, brought to its power, and seen through its bands
        if it has any. What lies above the highest frequency that was learned is zero. Peaks keep
        the width in Hz that they were learned with: with a window of much another length,
        templates learned anew fit better.

        Parameters
        ----------
        transform : Transform
            Any that begins with an STFT: `Stft`, `Mel`, `Erb`, `Cqt`.

        Returns
        -------
        NoteDictionary
            Components each sum to one, unless the transform is the dictionary's own: then it is
            this one.

        Raises
        ------
        ParameterError
            The transforms differ, and the dictionary's own is no `Stft`; or a component has
            nothing within the frequencies of the other.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> known = na.NoteDictionary.harmonic(na.Stft(44100, 4096), pitches=[69])
        >>> stft = na.Stft(16000, 1024)
        >>> loudest = known.to_transform(stft).templates[:, 0].argmax()
        >>> float(stft.frequencies[loudest])
        437.5
        """
        if transform == self.transform:
            return self
        templates = convert_templates(self.templates, self.transform, transform)
        return replace(self, templates=templates, transform=transform)

    def _facts(self) -> list[str]:
        pitches = list(self.groups())
        facts = [f"{len(pitches)} pitches from {pitches[0]:g} to {pitches[-1]:g}"]
        if len(pitches) == 1:
            facts = [f"pitch {pitches[0]:g}"]
        stages = [stage for stage in STAGES if stage in self.stages]
        if stages:
            facts.append(f"stages {'/'.join(stages)}")
        return facts


def _as_velocity(value: Any) -> float | None:
    if value is None:
        return None
    velocity = as_number(value, "a velocity", low=0)
    if velocity > 1:
        raise ParameterError(f"a velocity is {value!r}; it must be from 0 to 1")
    return velocity


def _as_stage(value: Any) -> str | None:
    return None if value is None else as_choice(value, "a stage", STAGES)
