"""From a recording to its notes: a dictionary of notes, a model, and what makes notes of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmfaudio._public import public
from nmfaudio.audio.io.samples import Audio, as_samples
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.preparation import prepared
from nmfaudio.dictionaries.bundled import piano_notes
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.errors import ParameterError
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.memory import model_memory
from nmfaudio.transcription.result import Transcription
from nmfaudio.transcription.salience import Salience

if TYPE_CHECKING:
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback

_CUT = 0.05  # s before the end of a recording in which its cutting off sounds like a note
_STEPS = 2.0 ** (np.arange(-6, 7) / 3)  # of a threshold, as many times as the one there is


class Activations(Protocol):
    """A model of recordings made of notes, such as `NoteModel`: a frozen dataclass of settings."""

    def activations(
        self,
        V: np.ndarray,
        dictionary: NoteDictionary,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        """What makes up V: components of known `pitches`, then unknown ones."""

    def pitches(self, dictionary: NoteDictionary) -> Sequence[float]:
        """The MIDI number of each component that is known, in the order of `activations`."""


class Decoder(Protocol):
    """What makes notes of salience, such as `Decoding`: a frozen dataclass of settings."""

    def __call__(self, salience: Salience) -> Sequence[Note]:
        """The notes."""


def _model() -> Activations:
    from nmfaudio.transcription.note_model import NoteModel

    return NoteModel()


def _decoding() -> Decoder:
    from nmfaudio.transcription.decoding import Decoding

    return Decoding()


@dataclass(frozen=True)
class Tuning:
    """What a sweep over settings found.

    Attributes
    ----------
    transcriber : Transcriber
        With the best settings.
    metric : str
        What was compared.
    table : tuple of dict
        The settings of each step of the sweep, and under `metric` the mean over the pieces.
    """

    transcriber: Transcriber
    metric: str
    table: tuple[dict[str, Any], ...]

    @property
    def best(self) -> dict[str, Any]:
        """The row of the best settings, the first of equals."""
        return max(self.table, key=lambda row: row[self.metric])


@public
@dataclass(frozen=True)
class Transcriber:
    """Find the notes of a recording, by what each of them is known to sound like.

    Parameters
    ----------
    dictionary : NoteDictionary, optional
        What the notes sound like; by default that of a piano, which ships with the package.
    model : NoteModel or AttackDecayModel
        How a recording is made up of them.
    decoding : Decoding
        How salience becomes notes.

    Raises
    ------
    ParameterError
        `dictionary` is none of notes.

    References
    ----------
    P. Smaragdis and J. C. Brown, "Non-negative matrix factorization for polyphonic music
    transcription", WASPAA 2003, doi:10.1109/ASPAA.2003.1285860.
    """

    dictionary: NoteDictionary | None = None
    _: KW_ONLY
    model: Activations = field(default_factory=_model)
    decoding: Decoder = field(default_factory=_decoding)

    def __post_init__(self) -> None:
        if not isinstance(self.dictionary, NoteDictionary | None):
            raise ParameterError(
                f"dictionary is a {type(self.dictionary).__name__}; it must be a NoteDictionary, "
                "as NoteDictionary.load reads from a file"
            )

    @property
    def effective_dictionary(self) -> NoteDictionary:
        """Dictionary in use: `dictionary`, or by default the piano that ships with the package."""
        return piano_notes() if self.dictionary is None else self.dictionary

    def transcribe(
        self,
        audio: Audio,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
    ) -> Transcription:
        """Find the notes of a recording.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
            A file that libsndfile reads, or samples in float32 or float64. It is brought to the
            dictionary's sample rate where it has another.
        sr : int
            Sample rate of the samples in Hz; a file knows its own.
        rng : int, np.random.Generator or None
            Where chance comes from; the same seed gives the same bytes.
        callback : callable, optional
            Gets a `Progress` every ten iterations; True stops iterating.

        Returns
        -------
        Transcription

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError, ShapeError, ContentError
            A setting or the audio cannot work.
        """
        mixture, sr = as_samples(audio, sr)
        dictionary = self.effective_dictionary
        transform = dictionary.transform
        V = analyse(prepared(mixture, sr, transform.sr), transform)
        found = self.model.activations(V, dictionary, rng=rng, callback=callback)
        times = transform.times(V.shape[1])
        pitches = self.model.pitches(dictionary)
        levels = found.structure.levels(found.factors)
        salience = Salience.from_activations(levels, pitches, times)
        end = mixture.shape[1] / sr
        heard = (note for note in self.decoding(salience) if note.onset <= end - _CUT)
        notes = sorted(
            (replace(note, offset=min(note.offset, end)) for note in heard),
            key=lambda note: (note.onset, note.pitch),
        )
        settings = {"model": _facts(self.model), "decoding": _facts(self.decoding)}
        metadata = {**found.metadata, "transform": transform.to_dict(), "settings": settings}
        unknown = (None,) * (found.n_components - len(pitches))
        return Transcription(
            tuple(notes),
            salience,
            mixture,
            sr,
            replace(found, metadata=metadata),
            transform,
            (*pitches, *unknown),
            settings,
        )

    __call__ = transcribe

    def with_decoding(self, **settings: Any) -> Transcriber:
        """The same with some settings of the decoding changed.

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
        known: dict[str, Any] = _facts(self.decoding) if is_dataclass(self.decoding) else {}
        if not settings.keys() <= known.keys():
            raise ParameterError(
                f"the decoding has no such settings as {', '.join(settings.keys() - known.keys())};"
                f" there are: {', '.join(known)}"
            )
        decoding = replace(self.decoding, **settings)  # type: ignore[type-var]
        return replace(self, decoding=decoding)

    def memory(self, y: np.ndarray, sr: int) -> int:
        """About how many bytes transcribing `y` needs at the peak, `y` and this process included.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
        """
        known = self.effective_dictionary
        samples = -(-y.shape[1] * known.transform.sr // sr)
        return model_memory(y, known.transform, samples, known.n_components)

    def tune(
        self,
        pieces: Iterable[tuple[Audio | tuple[np.ndarray, int], Sequence[Note]]],
        *,
        metric: str = "onset_f",
        grid: Mapping[str, Sequence[Any]] | None = None,
        rng: int | np.random.Generator | None = 0,
    ) -> Tuning:
        """Choose the settings of the decoding on pieces whose notes are known.

        Each piece is analysed once; then all combinations of settings are tried on its salience.
        Pieces that results are to be reported on must not be among them.

        Parameters
        ----------
        pieces : iterable of (audio, notes)
            Audio is a path, or samples and their rate in Hz. One is held at a time.
        metric : str
            A figure of `TranscriptionScores`, better when higher.
        grid : mapping of str to sequence, optional
            Fields of the decoding and the values to try; by default thresholds from a quarter to
            four times the one that it has.
        rng : int, np.random.Generator or None
            As for `transcribe`.

        Returns
        -------
        Tuning

        Raises
        ------
        ParameterError
            There are no pieces, or the decoding has no such settings.
        MissingExtraError
            mir_eval is not installed.
        """
        from nmfaudio.metrics.transcription import evaluate_transcription

        if grid is None:
            threshold = getattr(self.decoding, "threshold", None)
            if threshold is None:
                raise ParameterError(
                    f"{type(self.decoding).__name__} has no threshold to tune; give a grid of its "
                    "settings"
                )
            grid = {"threshold": (threshold * _STEPS).tolist()}
        rows = [
            dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
        ]
        ones = [self.with_decoding(**row) for row in rows]
        scores = []
        for audio, notes in pieces:
            samples, sr = audio if isinstance(audio, tuple) else (audio, None)
            salience = self.transcribe(samples, sr, rng=rng).salience
            judged = (evaluate_transcription(list(one.decoding(salience)), notes) for one in ones)
            scores.append([_figure(figures.measures, metric) for figures in judged])
        if not scores:
            raise ParameterError("there are no pieces to tune on; give some (audio, notes)")
        if np.isnan(scores).all(axis=0).any():
            raise ParameterError(f"{metric} says nothing about these pieces; choose another metric")
        means = np.nanmean(scores, axis=0).tolist()
        table = tuple(row | {metric: mean} for row, mean in zip(rows, means, strict=True))
        return Tuning(ones[int(np.argmax(means))], metric, table)


def _figure(measures: Mapping[str, float], metric: str) -> float:
    if metric not in measures:
        raise ParameterError(f"metric is {metric!r}; it must be one of {', '.join(measures)}")
    return measures[metric]


def _facts(settings: Any) -> dict[str, Any]:
    """The fields of a dataclass, as JSON types."""
    if not is_dataclass(settings) or isinstance(settings, type):
        return {"kind": repr(settings)}
    return {name: _plain(value) for name, value in asdict(settings).items()}


def _plain(value: Any) -> Any:
    """`value` as JSON types; what is not finite has no number there."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool | int | str | None) else repr(value)
