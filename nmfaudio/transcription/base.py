"""Interface that the transcribers share, and the result of tuning them."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np

from nmfaudio._common.figures import draw
from nmfaudio._common.log import LOGGER
from nmfaudio._common.memory import PROCESS
from nmfaudio._common.steps import report_step
from nmfaudio._common.validation import as_pair
from nmfaudio.audio.io.samples import Audio, as_samples, opened_samples
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.preparation import Prepared, prepared
from nmfaudio.errors import AudioWarning
from nmfaudio.transcription.result import Transcription
from nmfaudio.transcription.suitability import SHORTEST, Suitability
from nmfaudio.transcription.transcribed_file import BlockFit, TranscribedFile

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.symbolic.note import Note
    from nmfaudio.transcription.salience import Salience

# Arrays of the size of the spectrogram, and of the activations, that exist at the peak of memory.
_SPECTROGRAMS, _ACTIVATIONS = 3, 6
_BLOCKS = 96 * 2**20  # bytes of the blocks of a recording while it is transcribed, as measured
_OCTAVES = 2  # on either side of a threshold that tuning searches

T = TypeVar("T", bound="BaseTranscriber")


@dataclass(frozen=True)
class Tuning(Generic[T]):
    """Result of tuning a transcriber on pieces with known notes.

    Parameters
    ----------
    transcriber : BaseTranscriber
        The transcriber with the best settings.
    metric : str
        Metric that was maximised.
    best : dict
        Settings of that transcriber, and under `metric` their mean over the pieces. Of drums, the
        threshold of each part, and the mean over the parts that were tuned.
    table : tuple of dict
        One row for each setting that was tried: the setting, and under `metric` the mean over the
        pieces. Rows of drums also have a ``part``.

    Examples
    --------
    >>> import nmfaudio as na
    >>> rows = ({"threshold": 0.1, "onset_f": 0.7}, {"threshold": 0.2, "onset_f": 0.9})
    >>> tuning = na.transcription.Tuning(na.Transcriber(threshold=0.2), "onset_f", rows[1], rows)
    >>> tuning.best
    {'threshold': 0.2, 'onset_f': 0.9}
    """

    transcriber: T
    metric: str
    best: dict[str, Any]
    table: tuple[dict[str, Any], ...]

    def plot(self, **options: Any) -> Any:
        """Draw the scores over the settings.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_tuning`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        return draw("plot_tuning", self, **options)


class BaseTranscriber(ABC):
    """Interface of the transcribers: a recording in, a `Transcription` out.

    A subclass is a frozen dataclass of settings. It defines how a spectrogram is decomposed over
    the dictionary and how salience becomes notes.

    Attributes
    ----------
    dictionary : Dictionary
        Templates that recordings are decomposed over.

    Examples
    --------
    >>> import nmfaudio as na
    >>> isinstance(na.Transcriber(), na.transcription.BaseTranscriber)
    True
    """

    dictionary: Dictionary

    @abstractmethod
    def transform(self, sr: int) -> Transform:
        """Return the transform for audio of a sample rate.

        Parameters
        ----------
        sr : int
            In Hz.

        Returns
        -------
        Transform
            Its sample rate is the one that audio is resampled to.
        """

    @abstractmethod
    def tune(
        self,
        pieces: Iterable[tuple[Audio | tuple[np.ndarray, int], Any]],
        *,
        metric: str = "onset_f",
    ) -> Tuning[Self]:
        """Choose settings on pieces with known notes.

        Parameters
        ----------
        pieces : iterable of (audio, notes)
            Audio is a path, or samples and their rate in Hz. One piece is in memory at a time.
        metric : str
            Figure to maximise.

        Returns
        -------
        Tuning
        """

    @abstractmethod
    def _decompose(
        self,
        V: np.ndarray,
        transform: Transform,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        """Decompose the features of a recording over the dictionary."""

    @abstractmethod
    def _component_pitches(self, fitted: Decomposition) -> tuple[float | None, ...]:
        """MIDI number of each component, None for components that are not notes."""

    @abstractmethod
    def _salience(self, V: np.ndarray, fitted: Decomposition, transform: Transform) -> Salience:
        """Salience of each pitch, from the activations and the spectrogram."""

    @abstractmethod
    def _notes(self, salience: Salience, duration: float) -> tuple[Note, ...]:
        """Notes of a recording of this duration in seconds, by onset, then pitch."""

    @abstractmethod
    def _fit_blocks(
        self, y: LazyAudio, transform: Transform, callback: Callback | None
    ) -> BlockFit:
        """Fit a recording of the transform's sample rate block by block."""

    @abstractmethod
    def _suitability(self, V: np.ndarray, fitted: Decomposition, salience: Salience) -> Suitability:
        """Measure of whether the recording is of the kind that the dictionary is for."""

    @abstractmethod
    def _unsuitable(self, suitability: Suitability) -> str:
        """Warning of a recording of another kind."""

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """All settings but the dictionary, as JSON-serialisable values."""

    def transcribe(
        self,
        audio: Audio,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
    ) -> Transcription:
        """Transcribe a recording.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
            A file that libsndfile reads, or samples in float32 or float64. It is resampled to the
            rate of the transform where it has another.
        sr : int
            Sample rate of the samples in Hz; leave it out for a file.
        rng : int, np.random.Generator or None
            Seed of random initial values; the same seed gives the same bytes.
        callback : callable, optional
            Called with a `Progress` every ten iterations; returning True stops the iterations.

        Returns
        -------
        Transcription

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError, ShapeError, ContentError
            A setting or the audio is invalid.

        Warns
        -----
        AudioWarning
            A recording of 5 s or more does not sound like those that the dictionary is for.
        """
        mixture, sr = as_samples(audio, sr)
        transform = self.transform(sr)
        LOGGER.info("%r: %s samples at %d Hz, %r", self, mixture.shape, sr, transform)
        V = analyse(prepared(mixture, sr, transform.sr), transform)
        fitted = self._decompose(V, transform, rng=rng, callback=callback)
        report_step("detecting notes")
        salience = self._salience(V, fitted, transform)
        settings = self._settings()
        suitability = self._suitability(V, fitted, salience)
        self._warn_if_unsuitable(suitability, mixture.shape[1] / sr)
        metadata = {**fitted.metadata, "transform": transform.to_dict(), "settings": settings}
        notes = self._notes(salience, mixture.shape[1] / sr)
        LOGGER.info("decoded %d notes", len(notes))
        return Transcription(
            notes,
            salience,
            mixture,
            sr,
            replace(fitted, metadata=metadata),
            transform,
            self._component_pitches(fitted),
            settings,
            suitability,
        )

    __call__ = transcribe

    def transcribe_file(
        self,
        audio: Audio | LazyAudio,
        sr: int | None = None,
        *,
        callback: Callback | None = None,
    ) -> TranscribedFile:
        """Transcribe a recording in bounded memory, block by block.

        Only the salience grows with the recording, by about 55 MiB an hour for the 88 pitches of a
        piano. Files are decoded four times.

        Parameters
        ----------
        audio : path, Track, or np.ndarray [shape=(channel, sample) or (sample,)]
            A file that libsndfile reads, one opened by `open_track`, or samples.
        sr : int
            Sample rate of the samples in Hz; leave it out for a file.
        callback : callable, optional
            Called with a `Progress` after each block, which counts frames as iterations; what it
            returns is ignored.

        Returns
        -------
        TranscribedFile

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError, ShapeError, ContentError
            A setting or the audio is invalid, or the model needs the whole recording.

        Warns
        -----
        AudioWarning
            A recording of 5 s or more does not sound like those that the dictionary is for.
        """
        with opened_samples(audio, sr) as (y, sr):
            transform = self.transform(sr)
            LOGGER.info("%r: %s samples at %d Hz in blocks, %r", self, y.shape, sr, transform)
            fit = self._fit_blocks(Prepared(y, sr, transform.sr), transform, callback)
            channels, samples = y.shape
        report_step("detecting notes")
        notes = self._notes(fit.salience, samples / sr)
        self._warn_if_unsuitable(fit.suitability, samples / sr)
        LOGGER.info("decoded %d notes", len(notes))
        return TranscribedFile(
            *(notes, fit.salience, channels, samples, sr, transform, self._settings()),
            *(fit.suitability, fit.loss, fit.n_iter),
        )

    def _warn_if_unsuitable(self, suitability: Suitability, duration: float) -> None:
        """Warn of a recording that is long enough to be judged, and of another kind."""
        if not suitability.suits and duration >= SHORTEST:
            warnings.warn(self._unsuitable(suitability), AudioWarning, stacklevel=3)

    def memory(self, y: np.ndarray, sr: int) -> int:
        """Estimate the peak memory of transcribing `y`, `y` and this process included.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
            In bytes.
        """
        transform = self.transform(sr)
        samples = -(-y.shape[1] * transform.sr // sr)
        per_frame = (
            len(transform.frequencies) * _SPECTROGRAMS + self.dictionary.n_components * _ACTIVATIONS
        )
        values = len(y) * samples + per_frame * transform.n_frames(samples)
        return int(PROCESS + y.nbytes + values * y.itemsize)

    def block_memory(self, channels: int, samples: int, sr: int) -> int:
        """Estimate the peak memory of `transcribe_file`, this process included.

        Parameters
        ----------
        channels, samples, sr : int
            Numbers of channels and samples of the recording in float32, and its rate in Hz.

        Returns
        -------
        int
            In bytes.
        """
        transform = self.transform(sr)
        frames = transform.n_frames(-(-samples * transform.sr // sr))
        return PROCESS + _BLOCKS + 2**24 * channels + 4 * self._kept_values(frames)

    @abstractmethod
    def _kept_values(self, frames: int) -> int:
        """Estimate the number of values that `transcribe_file` keeps of a number of frames."""

    def _saliences(
        self, pieces: Iterable[tuple[Audio | tuple[np.ndarray, int], Any]], **keywords: Any
    ) -> Iterator[tuple[Salience, float, Any]]:
        """Salience, duration in seconds, and reference notes of each piece."""
        for piece in pieces:
            audio, reference = as_pair(piece, "pieces", "(audio, notes)")
            samples, sr = audio if isinstance(audio, tuple) else (audio, None)
            transcription = self.transcribe(samples, sr, **keywords)
            salience, duration = transcription.salience, transcription.duration
            del transcription  # so that it is not in memory beside the next one
            yield salience, duration, reference


def threshold_grid(threshold: float, per_octave: int) -> list[float]:
    """Thresholds from a quarter to four times one, evenly spaced in logarithm."""
    steps = np.arange(-_OCTAVES * per_octave, _OCTAVES * per_octave + 1) / per_octave
    grid: list[float] = (threshold * 2.0**steps).tolist()
    return grid


def plain_settings(settings: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fields of a dataclass as JSON-serialisable values; of anything else, its repr."""
    if not _is_settings(settings):
        return {"kind": repr(settings)}
    names = (field.name for field in fields(settings) if field.name not in without)
    return {name: _plain(getattr(settings, name)) for name in names}


def _is_settings(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _plain(value: Any) -> Any:
    """`value` as JSON-serialisable values; JSON has no infinite numbers, so those are strings."""
    if _is_settings(value):
        return plain_settings(value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool | int | str | None) else repr(value)
