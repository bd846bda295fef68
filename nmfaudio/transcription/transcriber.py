"""Transcription of pitched notes with a dictionary of note templates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from nmfaudio._common.settings import check_settings
from nmfaudio._common.validation import require_members, shown
from nmfaudio._public import public
from nmfaudio.audio.feature_blocks import analysed_blocks
from nmfaudio.audio.io.samples import Audio
from nmfaudio.dictionaries.bundled import piano_notes
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.parametric_notes import is_synthetic
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.loop import Progress
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.base import BaseTranscriber, Tuning, plain_settings, threshold_grid
from nmfaudio.transcription.contracts import require_decomposition, require_notes
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability, piano_suitability
from nmfaudio.transcription.transcribed_file import BlockFit

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.transcription.note_blocks import NoteBlocks

_PIANO = "piano"  # label of the dictionaries that the limit of `piano_suitability` holds for
_CUT = 0.05  # s before the end of a recording in which onsets are ignored: the cut looks like one
_DECODED = 8  # values per frame that are decoded with the salience
_PER_OCTAVE = 3  # thresholds that tuning tries by default


class Activations(Protocol):
    """Model of a recording as a sum of notes, such as `NoteModel`.

    A class of one's own needs these two methods to be the `model` of a `Transcriber`. As a frozen
    dataclass, its fields are recorded with each transcription.
    """

    def activations(
        self,
        V: np.ndarray,
        dictionary: NoteDictionary,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        """Decompose a spectrogram into notes.

        Parameters
        ----------
        V : np.ndarray [shape=(freq, time)]
            Features of the dictionary's transform, ≥ 0.
        dictionary : NoteDictionary
            Templates of the notes.
        rng : int, np.random.Generator or None
            Seed of random initial values; the same seed gives the same bytes.
        callback : callable or None
            Called with a `Progress` now and then; returning True stops.

        Returns
        -------
        Decomposition
            Components in the order of `pitches`, followed by any number of unknown ones.
        """

    def pitches(self, dictionary: NoteDictionary) -> Sequence[float]:
        """Return the pitch of each known component of `activations`.

        Parameters
        ----------
        dictionary : NoteDictionary
            Templates of the notes.

        Returns
        -------
        sequence of float
            MIDI numbers, in the order of the components.
        """


class Decoder(Protocol):
    """Conversion of salience to notes, such as `Decoding`.

    Any function will do as the `decoding` of a `Transcriber`. As a frozen dataclass, its fields are
    recorded with each transcription, and `Transcriber.tune` can choose them.
    """

    def __call__(self, salience: Salience) -> Sequence[Note]:
        """Return the notes.

        Parameters
        ----------
        salience : Salience
            Strength of each pitch in each frame.

        Returns
        -------
        sequence of Note
            Notes in any order.
        """


@public
@dataclass(frozen=True, init=False)
class Transcriber(BaseTranscriber):
    """Transcribe pitched notes with a dictionary of note templates.

    The recording is decomposed over the dictionary, whose templates adapt to it; activations of
    one pitch are added up to its salience, which is then decoded to notes.

    Parameters
    ----------
    dictionary : NoteDictionary, optional
        Templates of the notes; by default those of a piano, which ship with the package.
    model : Activations, optional
        Model of the recording as a sum of notes: `NoteModel`, `AttackDecayModel` or one's own; by
        default a `NoteModel` whose templates adapt to the recording, or for `harmonic_notes` one
        whose templates are fixed.
    decoding : Decoder, optional
        Conversion of salience to notes: `Decoding` or one's own; for `harmonic_notes` with a higher
        threshold by default.
    **settings
        Settings of the decoding, as for `with_decoding`: ``threshold=0.2``.

    Raises
    ------
    ParameterError
        `dictionary` is not a NoteDictionary, `model` or `decoding` is not what it must be, or the
        decoding has no such settings.

    References
    ----------
    P. Smaragdis and J. C. Brown, "Non-negative matrix factorization for polyphonic music
    transcription", WASPAA 2003, doi:10.1109/ASPAA.2003.1285860.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(22050) / 22050
    >>> y = np.exp(-3 * t) * sum(np.sin(2 * np.pi * 440 * k * t) / k**2 for k in range(1, 6))
    >>> transcription = na.Transcriber()(y, 22050)
    >>> [note.pitch for note in transcription.notes]
    [69.0]
    """

    dictionary: NoteDictionary
    _: KW_ONLY
    model: Activations
    decoding: Decoder

    def __init__(
        self,
        dictionary: NoteDictionary | None = None,
        *,
        model: Activations | None = None,
        decoding: Decoder | None = None,
        **settings: Any,
    ) -> None:
        dictionary = piano_notes() if dictionary is None else dictionary
        if not isinstance(dictionary, NoteDictionary):
            raise ParameterError(
                f"dictionary is a {type(dictionary).__name__}; it must be a NoteDictionary, as "
                "NoteDictionary.load reads from a file; dictionaries of drums are for "
                "DrumTranscriber"
            )
        decoding = _default_decoding(dictionary) if decoding is None else decoding
        if isinstance(decoding, type) or not callable(decoding):
            raise ParameterError(
                f"decoding is {shown(decoding)}; it must be a function of salience, e.g. "
                "na.transcription.Decoding()"
            )
        model = _default_model(dictionary) if model is None else model
        if isinstance(model, type):
            raise ParameterError(
                f"model is {shown(model)}; it must be an instance, e.g. NoteModel()"
            )
        require_members(model, "model", ("activations", "pitches"))
        fields = {
            "dictionary": dictionary,
            "model": model,
            "decoding": _changed(decoding, settings),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def transform(self, sr: int) -> Transform:
        """Return the transform of the dictionary, which serves audio of any sample rate.

        Parameters
        ----------
        sr : int
            In Hz.

        Returns
        -------
        Transform
            Its sample rate is the one that audio is resampled to.
        """
        return self.dictionary.transform

    def with_decoding(self, **settings: Any) -> Self:
        """Return a copy with some settings of the decoding replaced.

        Parameters
        ----------
        **settings
            Fields of the decoding.

        Returns
        -------
        Transcriber

        Raises
        ------
        ParameterError
            The decoding has no such settings.
        """
        return replace(self, decoding=_changed(self.decoding, settings))

    def tune(
        self,
        pieces: Iterable[tuple[Audio | tuple[np.ndarray, int], Sequence[Note]]],
        *,
        metric: str = "onset_f",
        grid: Mapping[str, Sequence[Any]] | None = None,
        rng: int | np.random.Generator | None = 0,
    ) -> Tuning[Self]:
        """Choose the settings of the decoding on pieces with known notes.

        Each piece is decomposed once; all combinations of settings are then tried on its salience.
        Each is scored by the notes that `transcribe` would return. Exclude pieces that results
        are to be reported on.

        Parameters
        ----------
        pieces : iterable of (audio, notes)
            Audio is a path, or samples and their rate in Hz. One piece is in memory at a time.
        metric : str
            A figure of `TranscriptionScores`, better when higher.
        grid : mapping of str to sequence, optional
            Fields of the decoding and the values to try; by default thresholds from a quarter to
            four times the present one.
        rng : int, np.random.Generator or None
            As for `transcribe`.

        Returns
        -------
        Tuning

        Raises
        ------
        ParameterError
            There are no pieces, or the decoding has no such settings.
        """
        from nmfaudio.metrics.transcription import evaluate_transcription

        grid = self._default_grid() if grid is None else grid
        rows = [
            dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
        ]
        candidates = [self.with_decoding(**row) for row in rows]
        scores = []
        for salience, duration, reference in self._saliences(pieces, rng=rng):
            estimates = (list(candidate._notes(salience, duration)) for candidate in candidates)
            evaluations = (evaluate_transcription(reference, notes) for notes in estimates)
            scores.append([_figure(each.measures, metric) for each in evaluations])
        if not scores:
            raise ParameterError("there are no pieces to tune on; pass some (audio, notes)")
        if np.isnan(scores).all(axis=0).any():
            raise ParameterError(
                f"{metric} is undefined for all of these pieces; choose another metric"
            )
        means = np.nanmean(scores, axis=0).tolist()
        table = tuple(row | {metric: mean} for row, mean in zip(rows, means, strict=True))
        chosen = int(np.argmax(means))
        return Tuning(candidates[chosen], metric, table[chosen], table)

    def _default_grid(self) -> Mapping[str, Sequence[Any]]:
        """Thresholds around the current one."""
        threshold = getattr(self.decoding, "threshold", None)
        if threshold is None:
            raise ParameterError(
                f"{type(self.decoding).__name__} has no threshold to tune; pass a grid of its "
                "settings"
            )
        return {"threshold": threshold_grid(threshold, _PER_OCTAVE)}

    def _decompose(
        self,
        V: np.ndarray,
        transform: Transform,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        fitted = self.model.activations(V, self.dictionary, rng=rng, callback=callback)
        require_decomposition(fitted, V, f"{type(self.model).__name__}.activations")
        return fitted

    def _component_pitches(self, fitted: Decomposition) -> tuple[float | None, ...]:
        pitches = tuple(self.model.pitches(self.dictionary))
        return pitches + (None,) * (fitted.n_components - len(pitches))

    def _salience(self, V: np.ndarray, fitted: Decomposition, transform: Transform) -> Salience:
        levels = fitted.structure.levels(fitted.factors)
        times = transform.times(V.shape[1])
        return Salience.from_activations(levels, self.model.pitches(self.dictionary), times)

    def _fit_blocks(
        self, y: LazyAudio, transform: Transform, callback: Callback | None
    ) -> BlockFit:
        n_frames = transform.n_frames(y.shape[1])
        blocks = self._note_blocks(n_frames)
        for first, V in analysed_blocks(y, transform, blocks.frames):
            blocks.survey(first, V)
        pitches = tuple(self.model.pitches(self.dictionary))
        distinct = np.unique(np.asarray(pitches, np.float64))
        values = np.empty((len(distinct), n_frames), y.dtype)
        times, divergences = transform.times(n_frames), []
        for first, V in analysed_blocks(y, transform, blocks.frames):
            H, divergence = blocks.explain(V)
            done = first + V.shape[1]
            values[:, first:done] = Salience.from_activations(H, pitches, times[first:done]).values
            divergences.append(divergence)
            if callback is not None:
                callback(Progress(done, n_frames, math.fsum(divergences)))
        salience = Salience(values, distinct, times)
        return BlockFit(
            salience,
            self._suitability_of(salience),
            math.fsum(divergences),
            blocks.settings.max_iter,
        )

    def _kept_values(self, frames: int) -> int:
        return frames * (len(set(self.model.pitches(self.dictionary))) + _DECODED)

    def _note_blocks(self, n_frames: int) -> NoteBlocks:
        """Decomposition of a recording block by block."""
        from nmfaudio.transcription.note_model import NoteModel

        if isinstance(self.model, NoteModel):
            return self.model.blocks(self.dictionary, n_frames)
        raise ParameterError(
            f"{type(self.model).__name__} needs the whole recording in memory; use NoteModel, or "
            "transcribe instead of transcribe_file"
        )

    def _notes(self, salience: Salience, duration: float) -> tuple[Note, ...]:
        """Notes of the decoding, without onsets at the cut end, none longer than the recording."""
        decoded = self.decoding(salience)
        require_notes(decoded, type(self.decoding).__name__)
        notes = (note for note in decoded if note.onset <= duration - _CUT)
        clipped = (replace(note, offset=min(note.offset, duration)) for note in notes)
        return tuple(sorted(clipped, key=lambda note: (note.onset, note.pitch)))

    def _suitability(self, V: np.ndarray, fitted: Decomposition, salience: Salience) -> Suitability:
        return self._suitability_of(salience)

    def _suitability_of(self, salience: Salience) -> Suitability:
        return piano_suitability(salience, is_piano=self.dictionary.names == (_PIANO,))

    def _unsuitable(self, suitability: Suitability) -> str:
        return (
            "the recording does not sound like a piano: its suitability is "
            f"{suitability.value:.2f}, that of a piano at least {suitability.limit}, so that many "
            "notes may be wrong; for drums use DrumTranscriber, for "
            "another instrument a dictionary of its notes (nmfaudio learn --notes LABEL=FOLDER -o "
            "D.npz, then -d D.npz)"
        )

    def _settings(self) -> dict[str, Any]:
        return {"model": plain_settings(self.model), "decoding": plain_settings(self.decoding)}


def _figure(measures: Mapping[str, float], metric: str) -> float:
    """Look up a metric by its name."""
    if metric not in measures:
        raise ParameterError(f"metric is {metric!r}; it must be one of {', '.join(measures)}")
    return measures[metric]


def _default_model(dictionary: NoteDictionary) -> Activations:
    """Model for a dictionary.

    Equaliser and adaptation raise onset F from 0.72 to 0.93 with the templates of another piano.
    Synthetic templates lack the sound between partials, so that both fit it with wrong notes: they
    lower F from 0.70 to 0.63 (seven pieces, three pianos, best threshold of each).
    """
    from nmfaudio.transcription.note_model import NoteModel

    if is_synthetic(dictionary):
        return NoteModel(equaliser=None, adaptation=math.inf)
    if dictionary.names == (_PIANO,):
        # Chosen with the decoding on the same pieces and pianos: onset F rises from 0.917 to 0.922,
        # and falls for none of the pianos.
        return NoteModel(beta_loss=0.75, adaptation=0.8)
    return NoteModel()


def _default_decoding(dictionary: NoteDictionary) -> Decoder:
    from nmfaudio.transcription.decoding import Decoding

    if is_synthetic(dictionary):
        # Their activations are less sparse; 0.3 was the best of 0.04 to 0.5 on the same pieces.
        return Decoding(threshold=0.3)
    if dictionary.names == (_PIANO,):
        # Chosen on six pieces and nine pianos, four of them with reverberation. They raise onset F
        # from 0.907 to 0.917, and lower it for none of the pianos.
        return Decoding(threshold=0.085, bass=2.0, treble=0.4)
    return Decoding()


def _changed(decoding: Decoder, settings: Mapping[str, Any]) -> Decoder:
    """Return a decoding with some settings replaced."""
    if not settings:
        return decoding
    known: dict[str, Any] = plain_settings(decoding) if is_dataclass(decoding) else {}
    check_settings("the decoding", settings, list(known))
    changed: Decoder = replace(decoding, **settings)  # type: ignore[type-var]
    return changed
