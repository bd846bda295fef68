"""Dictionaries whose components are notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from nmfaudio._common.validation import as_choice, as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.note_stages import STAGES
from nmfaudio.dictionaries.template_conversion import convert_templates, transpose, unit_sums
from nmfaudio.errors import ParameterError, ShapeError


@public
@dataclass(frozen=True, eq=False, repr=False)
class NoteDictionary(Dictionary):
    """Templates of notes, each of a known pitch.

    In `nmfaudio.dictionaries`, `learn_notes` learns one from isolated notes,
    `learn_notes_from_recording` from a recording and its score, and `learn_notes_from_soundfont`
    from a SoundFont; `harmonic_notes` synthesises templates from partials, and `piano_notes`
    returns the piano that ships with the package. The file format is that of `Dictionary`, and
    either class reads it, provided that all components have a pitch.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        float32 or float64, finite and ≥ 0: single frames, or `lags` consecutive frames each.
    labels : sequence of str
        Instrument of each component.
    transform : Transform
        Transform whose frames the templates are; see `to_transform` for others.
    pitches : sequence of float
        MIDI number of each component.
    beta_loss : float, str or Beta
        β-divergence under which the templates were learned, kept as a number: 1 is
        Kullback–Leibler.
    kind : "templates", "exemplars" or "convolutive"
        As for `Dictionary`.
    metadata : Mapping
        Further JSON-serialisable data, such as the origin of the templates.
    velocities : sequence of (float or None), optional
        Velocity of each component's note, 0 to 1, or None where unknown.
    stages : sequence of ("attack", "early", "late" or None), optional
        Stage of its note that each component is, or None for the complete note.

    Raises
    ------
    ShapeError
        The shape of the templates does not fit the transform or the labels.
    ParameterError
        A value is invalid, or a component has no pitch.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> spectra = np.random.default_rng(0).random((257, 4))
    >>> piano = na.NoteDictionary(spectra, ["piano"] * 4, na.Stft(8000, 512), [60, 60, 62, 62],
    ...                           stages=["attack", "late"] * 2)
    >>> piano
    NoteDictionary(1 label: piano 4; templates of 257 frequencies, stft, 8000 Hz, \
2 pitches from 60 to 62, stages attack/late)
    >>> piano.groups()
    {60.0: (0, 1), 62.0: (2, 3)}
    """

    pitches: tuple[float, ...] = None  # type: ignore[assignment]  # a tuple once constructed
    velocities: tuple[float | None, ...] = None  # type: ignore[assignment]  # the same
    stages: tuple[str | None, ...] = None  # type: ignore[assignment]  # the same

    _component_fields: ClassVar[tuple[str, ...]] = ("labels", "pitches", "velocities", "stages")

    def __post_init__(self) -> None:
        super().__post_init__()
        if None in self.pitches:
            raise ParameterError(
                f"component {self.pitches.index(None)} has no pitch; give the MIDI number of each "
                "component's note"
            )
        for name, convert in (("velocities", _as_velocity), ("stages", _as_stage)):
            values = getattr(self, name)
            values = (None,) * self.n_components if values is None else tuple(values)
            if len(values) != self.n_components:
                raise ShapeError(
                    f"{name} has {len(values)} entries for {self.n_components} components; give "
                    "one for each, or None"
                )
            object.__setattr__(self, name, tuple(map(convert, values)))

    def groups(self) -> dict[float, tuple[int, ...]]:
        """Return the components of each pitch, of all instruments.

        Returns
        -------
        dict of float to tuple of int
            Indices of components by pitch, from the lowest.
        """
        members: dict[float, list[int]] = {}
        for k in sorted(range(self.n_components), key=self.pitches.__getitem__):
            members.setdefault(self.pitches[k], []).append(k)
        return {pitch: tuple(components) for pitch, components in members.items()}

    def merge(self, *others: Dictionary) -> Self:
        """Return the components of this dictionary and others, one after the other.

        Like `Dictionary.merge`, but the other dictionaries must be note dictionaries too. Merge
        several pianos to transcribe a piano that is not among them.

        Parameters
        ----------
        *others : NoteDictionary
            Dictionaries of the same transform, β, kind and lags.

        Returns
        -------
        NoteDictionary

        Raises
        ------
        ParameterError
            They differ in transform, β, kind or lags, or one is not a NoteDictionary.

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
                    f"dictionary {n} is a {type(other).__name__}, not a NoteDictionary; give "
                    "dictionaries whose components all have a pitch"
                )
        return super().merge(*others)

    def restrict(self, low: float, high: float) -> Self:
        """Return the components whose pitches lie within a range.

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
            No component does, or a bound is no number.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> oboe = na.NoteDictionary(np.eye(257)[:, :3], ["oboe"] * 3, na.Stft(8000, 512),
        ...                          [58, 60, 62])
        >>> oboe.restrict(60, 72).pitches
        (60.0, 62.0)
        """
        low, high = as_number(low, "low"), as_number(high, "high")
        chosen = [k for k in range(self.n_components) if low <= self.pitches[k] <= high]
        if not chosen:
            pitches = list(self.groups())
            raise ParameterError(
                f"no note lies between {low:g} and {high:g}; the pitches range from "
                f"{pitches[0]:g} to {pitches[-1]:g}"
            )
        return self._take(chosen)

    def fill(self, low: int = 21, high: int = 108) -> Self:
        """Add the missing semitones of a range, transposed from the nearest note of an instrument.

        Where a note lacks a stage that other notes of the instrument have, because its recording
        was too short, the stage is added in the same way.

        The frequency axis of the templates is scaled; for transforms of evenly spaced semitones
        that is a shift. Of two notes at the same distance the lower is taken: transposed upwards,
        it leaves no gap at the highest frequencies. A template is zero where it would need
        frequencies outside those of the transform.

        Parameters
        ----------
        low, high : int
            MIDI numbers, both included: by default those of a piano's 88 keys.

        Returns
        -------
        NoteDictionary
            The components of this dictionary, then the added ones, instrument by instrument and
            from the lowest pitch. The latter each sum to one.

        Raises
        ------
        ParameterError
            The range is empty, or a note would lie outside the transform's frequencies.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> cqt = na.Cqt(8000, fmin=110, n_bins=60)
        >>> flute = na.NoteDictionary(np.eye(60)[:, [0, 7]], ["flute"] * 2, cqt, [45, 52])
        >>> filled = flute.fill(45, 52)
        >>> sorted(filled.pitches) == list(range(45, 53))
        True
        >>> filled.templates.argmax(0)[2:].tolist()
        [1, 2, 3, 4, 5, 6]
        """
        if low > high:
            raise ParameterError(f"low is {low} and high is {high}; give the lower pitch as low")
        low, high = as_count(low, "low", low=0), as_count(high, "high", low=0, high=127)
        parts = [self]
        for name in self.names:
            instrument = self.select(name)
            groups = instrument.groups()
            for pitch in range(low, high + 1):
                nearest = _nearest(groups, pitch)
                complete = any(instrument.stages[k] is None for k in groups[nearest])
                for stage in (None,) if complete else instrument._stage_names():
                    sources = instrument._groups_of_stage(stage)
                    if pitch not in sources:
                        source = _nearest(sources, pitch)
                        note = instrument._take(sources[source])
                        parts.append(note._transposed(pitch - source))
        return parts[0].merge(*parts[1:])

    def retune(self, pitches: Iterable[float]) -> Self:
        """Return notes of the given pitches, each transposed from the nearest of its instrument.

        For quarter tones, other scales and other tunings: `nmfaudio.symbolic.Scale` lists their
        pitches.

        Parameters
        ----------
        pitches : iterable of float
            MIDI numbers, with fractions.

        Returns
        -------
        NoteDictionary
            Instrument by instrument, and from the first pitch. Components each sum to one.

        Raises
        ------
        ParameterError
            There are no pitches, or a note would lie outside the transform's frequencies.

        Examples
        --------
        >>> import nmfaudio as na
        >>> piano = na.dictionaries.piano_notes()
        >>> quarters = na.symbolic.Scale(range(0, 1200, 50))
        >>> piano.retune(quarters.pitches(60, 61)).groups().keys()
        dict_keys([60.0, 60.5, 61.0])
        """
        targets = [float(pitch) for pitch in pitches]
        if not targets:
            raise ParameterError("there are no pitches to retune to; give some MIDI numbers")
        parts = []
        for name in self.names:
            instrument = self.select(name)
            groups = instrument.groups()
            for pitch in targets:
                source = _nearest(groups, pitch)
                parts.append(instrument._take(groups[source])._transposed(pitch - source))
        return parts[0].merge(*parts[1:])

    def average(self) -> Self:
        """Average the components of each instrument, pitch and stage.

        The average is over velocities and over merged instruments: the mean of several pianos
        fits another piano better than each of them does.

        Returns
        -------
        NoteDictionary
            In the order in which instruments, pitches and stages first appear. Components each sum
            to one, and have no velocity.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> upright = na.NoteDictionary(np.eye(257)[:, :2], ["piano"] * 2, na.Stft(8000, 512),
        ...                             [60, 60], velocities=[0.3, 0.9])
        >>> upright.average().templates[:3, 0].tolist()
        [0.5, 0.5, 0.0]
        """
        members: dict[tuple[str, float, str | None], list[int]] = {}
        keys = zip(self.labels, self.pitches, self.stages, strict=True)
        for k, key in enumerate(keys):
            members.setdefault(key, []).append(k)
        shares = unit_sums(self.templates)
        means = [shares[..., ks].mean(axis=-1) for ks in members.values()]
        firsts = self._take([ks[0] for ks in members.values()])
        unknown = (None,) * len(members)
        return replace(firsts, templates=np.stack(means, axis=-1), velocities=unknown)

    def _transposed(self, semitones: float) -> Self:
        """Transpose every note by an interval."""
        templates = transpose(self.templates, self.transform.frequencies, semitones)
        pitches = tuple(self.pitches[k] + semitones for k in range(self.n_components))
        if not templates.any(axis=tuple(range(templates.ndim - 1))).all():
            raise ParameterError(
                f"a note of pitch {pitches[0]:g} has no energy below the transform's highest "
                f"frequency, {self.transform.frequencies[-1]:.0f} Hz; choose a range that the "
                "transform covers"
            )
        return replace(self, templates=templates, pitches=pitches)

    def to_transform(self, transform: Transform) -> Self:
        """Convert the templates to another transform or sample rate, without learning them again.

        Templates of an STFT are interpolated linearly, at the frequencies of the target's bins in
        Hz and at the times of its frames in seconds, raised to its power, and summed by its
        filter bank if it has one. They are zero above the highest frequency of this dictionary.
        Peaks keep their width in Hz: with a window of much different length, templates learned
        with it fit better.

        Parameters
        ----------
        transform : Transform
            `Stft`, or one that begins with it: `Mel`, `Erb`, `Cqt`.

        Returns
        -------
        NoteDictionary
            Components each sum to one. The dictionary itself where the transform is its own.

        Raises
        ------
        ParameterError
            The transforms differ, and that of the dictionary is not an `Stft`; or a component has
            no energy within the frequencies of the target.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> note = na.dictionaries.harmonic_notes(na.Stft(44100, 4096), pitches=[69])
        >>> stft = na.Stft(16000, 1024)
        >>> peak = note.to_transform(stft).templates[:, 0].argmax()
        >>> float(stft.frequencies[peak])
        437.5
        """
        if transform == self.transform:
            return self
        templates = convert_templates(self.templates, self.transform, transform)
        return replace(self, templates=templates, transform=transform)

    def _stage_names(self) -> list[str]:
        """Stages that any component is, in order of time."""
        return [stage for stage in STAGES if stage in self.stages]

    def _groups_of_stage(self, stage: str | None) -> dict[float, tuple[int, ...]]:
        """Components of a stage, by pitch."""
        chosen = {
            pitch: tuple(k for k in members if self.stages[k] == stage)
            for pitch, members in self.groups().items()
        }
        return {pitch: members for pitch, members in chosen.items() if members}

    def _facts(self) -> list[str]:
        pitches = list(self.groups())
        facts = [f"{len(pitches)} pitches from {pitches[0]:g} to {pitches[-1]:g}"]
        if len(pitches) == 1:
            facts = [f"pitch {pitches[0]:g}"]
        stages = self._stage_names()
        if stages:
            facts.append(f"stages {'/'.join(stages)}")
        return facts


def _nearest(pitches: Iterable[float], pitch: float) -> float:
    """Pitch that is nearest to another, the lower one of two."""
    return min(pitches, key=lambda p: (abs(p - pitch), p))


def _as_velocity(value: Any) -> float | None:
    if value is None:
        return None
    velocity = as_number(value, "a velocity", low=0)
    if velocity > 1:
        raise ParameterError(f"a velocity is {value!r}; it must be between 0 and 1")
    return velocity


def _as_stage(value: Any) -> str | None:
    return None if value is None else as_choice(value, "a stage", STAGES)
