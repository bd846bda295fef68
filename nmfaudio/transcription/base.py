"""Interface that the transcribers share."""

from __future__ import annotations

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from nmfaudio._common.log import LOGGER
from nmfaudio._common.memory import PROCESS
from nmfaudio._common.steps import report_step
from nmfaudio.audio.io.samples import Audio, as_samples, opened_samples
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.preparation import Prepared, prepared
from nmfaudio.errors import AudioWarning
from nmfaudio.transcription.analysis import Analysis
from nmfaudio.transcription.analysis_cache import analysis_key, cached
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
    from nmfaudio.transcription.tuning import Tuning

# Arrays of the size of the spectrogram, and of the activations, that exist at the peak of memory.
_SPECTROGRAMS, _ACTIVATIONS = 3, 6
_BLOCKS = 96 * 2**20  # bytes of the blocks of a recording while it is transcribed, as measured


class _Fit(NamedTuple):
    """Fit of a recording, before its notes are decoded."""

    transform: Transform
    decomposition: Decomposition
    salience: Salience
    suitability: Suitability


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

    def _component_labels(self, fitted: Decomposition) -> tuple[str | None, ...]:
        """Instrument of each component; empty where there is one."""
        return ()

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
    def _suitability(
        self, V: np.ndarray, transform: Transform, fitted: Decomposition, salience: Salience
    ) -> Suitability:
        """Measure of whether the recording is of the kind that the dictionary is for."""

    @abstractmethod
    def _unsuitable(self, suitability: Suitability) -> str:
        """Warning of a recording of another kind."""

    @abstractmethod
    def _analysis_settings(self) -> Any:
        """Settings that the salience depends on, besides the dictionary."""

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """All settings but the dictionary, as JSON-serialisable values."""

    def _followed(
        self, notes: tuple[Note, ...], y: np.ndarray | LazyAudio, sr: int
    ) -> tuple[Note, ...]:
        """Notes with the contours of their pitches, if they are wanted."""
        return notes

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
        fit = self._fit(mixture, sr, rng=rng, callback=callback)
        fitted, duration = fit.decomposition, mixture.shape[1] / sr
        settings = self._settings()
        self._warn_if_unsuitable(fit.suitability, duration)
        metadata = {**fitted.metadata, "transform": fit.transform.to_dict(), "settings": settings}
        notes = self._followed(self._notes(fit.salience, duration), mixture, sr)
        LOGGER.info("decoded %d notes", len(notes))
        return Transcription(
            notes,
            fit.salience,
            mixture,
            sr,
            replace(fitted, metadata=metadata),
            fit.transform,
            self._component_pitches(fitted),
            settings,
            fit.suitability,
            self._component_labels(fitted),
        )

    __call__ = transcribe

    def analyse(
        self,
        audio: Audio,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        cache: str | os.PathLike[str] | None = None,
    ) -> Analysis:
        """Compute the salience of a recording, which `decode` turns into notes.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
            As for `transcribe`.
        sr : int
            Sample rate of the samples in Hz; leave it out for a file.
        rng : int, np.random.Generator or None
            Seed of random initial values; with a cache it must be an integer.
        cache : str or os.PathLike, optional
            Folder of analyses. One of the same samples, dictionary, model settings, seed and
            version of nmfaudio is loaded from it; otherwise the analysis is saved there. Several
            processes may share a folder. Code of models of one's own is not compared.

        Returns
        -------
        Analysis

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError, ShapeError, ContentError
            A setting or the audio is invalid, or the model has settings that cannot be compared.
        OutputError
            The analysis cannot be saved.
        """
        mixture, sr = as_samples(audio, sr)

        def compute() -> Analysis:
            fit = self._fit(mixture, sr, rng=rng, callback=None)
            return Analysis(fit.salience, mixture.shape[1] / sr, fit.suitability)

        if cache is None:
            return compute()
        settings = self._analysis_settings()
        return cached(cache, analysis_key(mixture, sr, self.dictionary, settings, rng), compute)

    def decode(self, analysis: Analysis) -> tuple[Note, ...]:
        """Decode the salience of a recording, within milliseconds.

        Parameters
        ----------
        analysis : Analysis
            Result of `analyse`, of this transcriber or one that differs in its decoding only.

        Returns
        -------
        tuple of Note
            Those that `transcribe` returns, by onset, then pitch, without contours of pitches.
        """
        return self._notes(analysis.salience, analysis.duration)

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
            notes = self._followed(self._notes(fit.salience, samples / sr), y, sr)
        self._warn_if_unsuitable(fit.suitability, samples / sr)
        LOGGER.info("decoded %d notes", len(notes))
        return TranscribedFile(
            *(notes, fit.salience, channels, samples, sr, transform, self._settings()),
            *(fit.suitability, fit.loss, fit.n_iter, fit.detuning),
        )

    def _fit(
        self,
        mixture: np.ndarray,
        sr: int,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> _Fit:
        """Decompose a recording, and compute the salience of its pitches."""
        transform = self.transform(sr)
        LOGGER.info("%r: %s samples at %d Hz, %r", self, mixture.shape, sr, transform)
        V = analyse(prepared(mixture, sr, transform.sr), transform)
        fitted = self._decompose(V, transform, rng=rng, callback=callback)
        report_step("detecting notes")
        salience = self._salience(V, fitted, transform)
        return _Fit(transform, fitted, salience, self._suitability(V, transform, fitted, salience))

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
