"""Transcription of drums: times and velocities of the hits of each part of a kit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.validation import as_choice, as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.io.samples import as_samples
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.preparation import prepared
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.bundled import bundled_kit
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.drum_learning import hits_by_part
from nmfaudio.dictionaries.drum_model import PRIOR_WEIGHT, fit_kit, hit_transform, part_levels
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.engine import Callback
from nmfaudio.symbolic.drum_peaks import THRESHOLD, pick_hits, threshold_of
from nmfaudio.symbolic.names import CALLED, DRUM_CHANNEL, drum_pitch
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.memory import model_memory
from nmfaudio.transcription.result import Transcription
from nmfaudio.transcription.salience import Salience

if TYPE_CHECKING:
    from nmfaudio.audio.io.samples import Audio
    from nmfaudio.dictionaries.drum_learning import Hits

_FACTORS = 2.0 ** (np.arange(-8, 9) / 4)  # of the current threshold, tried by tuning: 1/4 to 4
_METRICS = ("onset_p", "onset_r", "onset_f")


@dataclass(frozen=True)
class DrumTuning:
    """Result of tuning the thresholds of a `DrumTranscriber`.

    Attributes
    ----------
    transcriber : DrumTranscriber
        Transcriber with the best threshold of each part.
    metric : str
        Name of the compared metric.
    table : tuple of dict
        ``part``, ``threshold``, and under the name of the metric its mean over the pieces that
        have the part.
    """

    transcriber: DrumTranscriber
    metric: str
    table: tuple[dict[str, Any], ...]


@public
@dataclass(frozen=True)
class DrumTranscriber:
    """Transcribe drums by semi-adaptive non-negative matrix factor deconvolution.

    Each part of the kit is a short spectrogram that recurs. Activations are first fitted with the
    templates of the dictionary; then the templates adapt to the kit of the recording where a part
    is certain to be active. All parts of the dictionary are modelled, so that a crash is not taken
    for a hi-hat, but only the hits of `parts` are returned.

    Parameters
    ----------
    dictionary : Dictionary, optional
        Convolutive templates of an `Stft`, labelled by part, as `learn_drums` returns them; by
        default those that ship with the package. They are converted to the transform of the
        recording.
    parts : sequence of str
        Parts to transcribe, of kick, snare, hihat, toms and cymbals. Toms and cymbals are much
        less reliable than the first three.
    threshold : float or mapping of str to float
        Minimum height of a hit, in shares of a loud hit of its part; see `pick_hits`.
    prior_weight : float
        Weight of the dictionary's templates, in units of that of the recording: 0 lets them adapt
        freely, ``math.inf`` keeps them fixed.
    max_iter : int
        Iterations of each of the two stages.

    Raises
    ------
    ParameterError
        A setting is out of range, or the dictionary is not one of drums.

    References
    ----------
    P. Smaragdis, "Non-negative matrix factor deconvolution; extraction of multiple sound sources
    from monophonic inputs", ICA 2004, doi:10.1007/978-3-540-30110-3_63.

    C. Dittmar and D. Gärtner, "Real-time transcription and separation of drum recordings based on
    NMF decomposition", DAFx 2014.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(32000) / 16000
    >>> boom = np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.05)
    >>> y = boom + np.roll(boom, 16000)
    >>> result = na.DrumTranscriber(parts=("kick",)).transcribe(y, 16000)
    >>> [(note.track, round(note.onset, 1)) for note in result.notes]
    [('kick', 0.0), ('kick', 1.0)]
    """

    dictionary: Dictionary | None = None
    _: KW_ONLY
    parts: tuple[str, ...] = ("kick", "snare", "hihat")
    threshold: float | Mapping[str, float] = THRESHOLD
    prior_weight: float = PRIOR_WEIGHT
    max_iter: int = 30

    def __post_init__(self) -> None:
        kit = self.effective_dictionary
        if kit.lags == 1 or not isinstance(kit.transform, Stft):
            raise ParameterError(
                f"the dictionary has {kit.kind} of a {type(kit.transform).__name__}; give "
                "convolutive templates of an Stft, as na.dictionaries.learn_drums returns them"
            )
        available = [part for part in CALLED if part in kit.names]
        if not self.parts or not set(self.parts) <= set(available):
            raise ParameterError(
                f"parts is {','.join(self.parts)!r}; choose from the parts of the dictionary, "
                f"{', '.join(available) or 'which has none of a drum kit'}"
            )
        object.__setattr__(self, "parts", tuple(p for p in available if p in self.parts))
        for part in self.parts:
            as_number(threshold_of(self.threshold, part), f"threshold of {part}", low=0)
        if self.prior_weight != math.inf:
            as_number(self.prior_weight, "prior_weight", low=0)
        as_count(self.max_iter, "max_iter", low=0)

    @property
    def effective_dictionary(self) -> Dictionary:
        """Dictionary in use: `dictionary`, or by default the one that ships with the package."""
        return bundled_kit() if self.dictionary is None else self.dictionary

    def transform(self, sr: int) -> Stft:
        """Return the transform for a sample rate: frames of 23 ms every 6 ms.

        Parameters
        ----------
        sr : int
            Sample rate in Hz.

        Returns
        -------
        Stft
        """
        return hit_transform(sr)

    def transcribe(
        self,
        audio: Audio,
        sr: int | None = None,
        *,
        rng: int | np.random.Generator | None = 0,
        callback: Callback | None = None,
    ) -> Transcription:
        """Transcribe the hits of a recording.

        Parameters
        ----------
        audio : path, or np.ndarray [shape=(channel, sample) or (sample,)]
            A file that libsndfile reads, or samples in float32 or float64.
        sr : int
            Sample rate of the samples in Hz; a file knows its own.
        rng : int, np.random.Generator or None
            Not used: the result is deterministic. All transcribers have this parameter.
        callback : callable, optional
            Gets a `Progress` every ten iterations of each stage; True ends the stage.

        Returns
        -------
        Transcription
            Notes are on MIDI channel 9, with the pitches of General MIDI drums; their track is the
            part.

        Raises
        ------
        AudioFileError
            The file cannot be read.
        ParameterError, ShapeError, ContentError
            A setting or the audio is invalid.
        """
        mixture, sr = as_samples(audio, sr)
        transform = self.transform(sr)
        V = analyse(prepared(mixture, sr, sr), transform)
        kit = self.effective_dictionary
        decomposition = fit_kit(
            V,
            kit,
            transform,
            prior_weight=self.prior_weight,
            max_iter=self.max_iter,
            callback=callback,
        )
        groups = [kit.components(part) for part in self.parts]
        salience = Salience(
            part_levels(decomposition.W, decomposition.H, groups),
            np.array([drum_pitch(part) for part in self.parts], np.float64),
            transform.times(V.shape[1]),
        )
        settings = self._settings()
        metadata = {
            **decomposition.metadata,
            "transform": transform.to_dict(),
            "settings": settings,
        }
        return Transcription(
            self._hits(salience),
            salience,
            mixture,
            sr,
            replace(decomposition, metadata=metadata),
            transform,
            tuple(float(drum_pitch(p)) if p in self.parts else None for p in kit.labels),
            settings,
        )

    __call__ = transcribe

    def tune(
        self,
        pieces: Iterable[tuple[Audio | tuple[np.ndarray, int], Hits]],
        *,
        metric: str = "onset_f",
    ) -> DrumTuning:
        """Tune the threshold of each part on pieces whose hits are known.

        Thresholds from a quarter to four times that of the part are tried. The metric of each is
        smoothed over its two neighbours, so that outliers are not chosen. A part without hits in
        all pieces keeps its threshold. Report results on other pieces than these.

        Parameters
        ----------
        pieces : iterable of (audio, hits)
            Audio is a path, or samples and their rate in Hz; hits are as for `learn_drums`. One
            piece at a time is in memory.
        metric : "onset_f", "onset_p" or "onset_r"
            F-measure, precision or recall of the hits of a part within 50 ms, in the mean over
            the pieces.

        Returns
        -------
        DrumTuning

        Raises
        ------
        ParameterError
            No piece has one of the parts, or the metric is unknown.
        MissingExtraError
            mir_eval is not installed.
        """
        metric_index = _METRICS.index(as_choice(metric, "metric", _METRICS))
        scores: dict[str, list[list[float]]] = {part: [] for part in self.parts}
        for audio, hits in pieces:
            samples, sr = audio if isinstance(audio, tuple) else (audio, None)
            salience = self.transcribe(samples, sr).salience
            for part, seconds in hits_by_part(hits).items():
                if part in scores:
                    scores[part].append(self._scores(salience, part, seconds, metric_index))
        if not any(scores.values()):
            raise ParameterError(
                f"no piece has a {' or '.join(self.parts)}; give pieces as (audio, hits)"
            )
        means = {part: np.mean(rows, axis=0) for part, rows in scores.items() if rows}
        best = {part: threshold_of(self.threshold, part) for part in self.parts}
        for part, values in means.items():
            smooth = np.convolve(np.pad(values, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
            best[part] = self._thresholds(part)[int(smooth.argmax())]
        table = tuple(
            {"part": part, "threshold": threshold, metric: value}
            for part, values in means.items()
            for threshold, value in zip(self._thresholds(part), values.tolist(), strict=True)
        )
        return DrumTuning(replace(self, threshold=best), metric, table)

    def memory(self, y: np.ndarray, sr: int) -> int:
        """Estimate the peak memory of transcribing `y`, including `y` and this process.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
            Bytes.
        """
        return model_memory(
            y, self.transform(sr), y.shape[1], self.effective_dictionary.n_components
        )

    def _hits(self, salience: Salience, parts: Sequence[str] | None = None) -> tuple[Note, ...]:
        parts = self.parts if parts is None else parts
        rows = [self.parts.index(part) for part in parts]
        return pick_hits(salience.values[rows], parts, salience.times, threshold=self.threshold)

    def _thresholds(self, part: str) -> list[float]:
        """Thresholds that tuning tries for a part."""
        thresholds: list[float] = (threshold_of(self.threshold, part) * _FACTORS).tolist()
        return thresholds

    def _scores(
        self, salience: Salience, part: str, seconds: Iterable[float], metric_index: int
    ) -> list[float]:
        """Metric of the hits of a part, for each threshold that tuning tries."""
        true = _notes(part, seconds)
        tried = (replace(self, threshold=value) for value in self._thresholds(part))
        return [_drum_score(x._hits(salience, [part]), true, metric_index) for x in tried]

    def _settings(self) -> dict[str, Any]:
        """Fields apart from the dictionary, JSON-serialisable."""
        threshold, weight = self.threshold, self.prior_weight
        return {
            "parts": list(self.parts),
            "threshold": dict(threshold) if isinstance(threshold, Mapping) else threshold,
            "prior_weight": "inf" if weight == math.inf else weight,
            "max_iter": self.max_iter,
        }


def _notes(part: str, seconds: Iterable[float]) -> list[Note]:
    """Hits of one part as notes."""
    return [Note(t, t, drum_pitch(part), channel=DRUM_CHANNEL) for t in seconds]


def _drum_score(hits: Sequence[Note], true: Sequence[Note], metric_index: int) -> float:
    """Precision, recall or F-measure of the hits of one part."""
    from nmfaudio.metrics.transcription import evaluate_transcription

    (figures,) = evaluate_transcription(list(hits), list(true), drums=True).drums.values()
    return figures[metric_index]
