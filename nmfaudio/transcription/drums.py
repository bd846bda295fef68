"""Transcription of drums: times and velocities of the hits of each part of a kit."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nmfaudio._common.settings import Settings
from nmfaudio._common.validation import as_choice, as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.bundled import bundled_drum_sounds, bundled_kit
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.drum_blocks import ADAPTED, KitBlocks
from nmfaudio.dictionaries.drum_detection import hit_transform, kit_levels, part_levels
from nmfaudio.dictionaries.drum_learning import hits_by_part
from nmfaudio.dictionaries.drum_model import PRIOR_WEIGHT, drum_bands, fit_kit
from nmfaudio.dictionaries.stroke_features import EDGES, stroke_bands
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.engine import Callback
from nmfaudio.symbolic.drum_peaks import THRESHOLD, pick_hits, threshold_of
from nmfaudio.symbolic.names import DRUM_CHANNEL, DRUM_PARTS, KINDS_OF_PARTS, drum_pitch
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.analysis_cache import described
from nmfaudio.transcription.base import BaseTranscriber
from nmfaudio.transcription.plain_settings import plain_settings
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability, drum_suitability
from nmfaudio.transcription.transcribed_file import BlockFit
from nmfaudio.transcription.tuning import Tuning, named_pieces, threshold_grid

if TYPE_CHECKING:
    from nmfaudio._common.lazy_audio import LazyAudio
    from nmfaudio.audio.io.samples import Audio
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.dictionaries.drum_learning import Hits
    from nmfaudio.factorisation.decomposition import Decomposition

_PER_OCTAVE = 4  # thresholds that tuning tries
_METRICS = ("onset_p", "onset_r", "onset_f")


@public
@dataclass(frozen=True)
class DrumTranscriber(Settings, BaseTranscriber):
    """Transcribe drums by semi-adaptive non-negative matrix factor deconvolution.

    Each part of the kit is a short spectrogram that recurs. Activations are first fitted with the
    templates of the dictionary; then the templates adapt to the kit of the recording where a part
    is certain to be active. All parts of the dictionary are modelled, so that a crash is not
    mistaken for a hi-hat, but only the hits of `parts` are returned.

    With the shipped kit a classifier then judges what was struck at each onset. It rejects hits
    that the templates see in strokes of other kinds, such as those of a tambourine or on the rim of
    the snare, and parts that are not there. Crash and ride it finds by itself. Open hi-hats are
    told by how they decay, beside the other hi-hats of the recording.

    Parameters
    ----------
    dictionary : Dictionary, optional
        Convolutive templates of an `Stft`, labelled by part, as `learn_drums` returns them; by
        default those that ship with the package. They are converted to the transform of the
        recording.
    parts : sequence of str, or str
        Parts to transcribe, or the only one, of kick, snare, hihat, toms and cymbals, and with the
        shipped kit closed_hihat and open_hihat, which are the two kinds of hihat, and crash and
        ride, those of cymbals. All but the first three are less reliable.
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

    dictionary: Dictionary = field(default_factory=bundled_drum_sounds)
    _: KW_ONLY
    parts: tuple[str, ...] = ("kick", "snare", "hihat")
    threshold: float | Mapping[str, float] = THRESHOLD
    prior_weight: float = PRIOR_WEIGHT
    max_iter: int = 30

    def __post_init__(self) -> None:
        kit = self.dictionary
        if kit.lags == 1 or not isinstance(kit.transform, Stft):
            raise ParameterError(
                f"the dictionary has {kit.kind} of a {type(kit.transform).__name__}; give "
                "convolutive templates of an Stft, as na.dictionaries.learn_drums returns them"
            )
        available = self._available_parts()
        parts: Any = self.parts
        object.__setattr__(self, "parts", (parts,) if isinstance(parts, str) else tuple(parts))
        if not self.parts or not set(self.parts) <= set(available):
            raise ParameterError(
                f"parts is {','.join(self.parts)!r}; choose from the parts of the dictionary, "
                f"{', '.join(available) or 'which has none of a drum kit'}"
            )
        object.__setattr__(self, "parts", tuple(p for p in available if p in self.parts))
        for whole, kinds in KINDS_OF_PARTS.items():
            if whole in self.parts and set(kinds) & set(self.parts):
                raise ParameterError(
                    f"parts is {','.join(self.parts)!r}, where {whole} includes "
                    f"{' and '.join(kinds)}; name either {whole} or its kinds"
                )
        for part in self.parts:
            as_number(threshold_of(self.threshold, part), f"threshold of {part}", low=0)
        if self.prior_weight != math.inf:
            as_number(self.prior_weight, "prior_weight", low=0)
        as_count(self.max_iter, "max_iter", low=0)

    def _available_parts(self) -> list[str]:
        """Parts that can be transcribed, by their General MIDI numbers."""
        parts = [part for part in DRUM_PARTS if part in self.dictionary.names]
        if self.is_shipped:
            parts += [kind for kinds in KINDS_OF_PARTS.values() for kind in kinds]
        return sorted(parts, key=drum_pitch)

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

    def tune(
        self,
        pieces: Iterable[tuple[Audio | tuple[np.ndarray, int], Hits]],
        *,
        metric: str = "onset_f",
        cache: str | os.PathLike[str] | None = None,
    ) -> Tuning[Self]:
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
        cache : str or os.PathLike, optional
            Folder of analyses, as for `analyse`.

        Returns
        -------
        Tuning

        Raises
        ------
        ParameterError
            No piece has one of the parts, or the metric is unknown.
        """
        metric_index = _METRICS.index(as_choice(metric, "metric", _METRICS))
        scores: dict[str, list[list[float]]] = {part: [] for part in self.parts}
        for _, audio, hits in named_pieces(pieces):
            salience = self.analyse(*audio, cache=cache).salience
            for part, seconds in hits_by_part(hits).items():
                if part in scores:
                    scores[part].append(self._scores(salience, part, seconds, metric_index))
        if not any(scores.values()):
            raise ParameterError(
                f"no piece has a {' or '.join(self.parts)}; give pieces as (audio, hits)"
            )
        means = {part: np.mean(rows, axis=0) for part, rows in scores.items() if rows}
        thresholds = {part: threshold_of(self.threshold, part) for part in self.parts}
        reached = []
        for part, values in means.items():
            smooth = np.convolve(np.pad(values, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
            chosen = int(smooth.argmax())
            thresholds[part] = self._thresholds(part)[chosen]
            reached.append(float(values[chosen]))
        best = {"threshold": thresholds, metric: float(np.mean(reached))}
        table = tuple(
            {"part": part, "threshold": threshold, metric: value}
            for part, values in means.items()
            for threshold, value in zip(self._thresholds(part), values.tolist(), strict=True)
        )
        return Tuning(replace(self, threshold=thresholds), metric, best, table)

    def _decompose(
        self,
        V: np.ndarray,
        transform: Transform,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        return self._fit_kit(V, self.dictionary, transform, callback)

    def _fit_kit(
        self, V: np.ndarray, kit: Dictionary, transform: Transform, callback: Callback | None = None
    ) -> Decomposition:
        return fit_kit(
            V,
            kit,
            transform,
            prior_weight=self.prior_weight,
            max_iter=self.max_iter,
            callback=callback,
        )

    def _component_pitches(self, fitted: Decomposition) -> tuple[float | None, ...]:
        pitches: list[float | None] = []
        for label in self.dictionary.labels:
            kinds = (label, *KINDS_OF_PARTS.get(label, ()))
            found = [float(drum_pitch(kind)) for kind in kinds if kind in self.parts]
            pitches.append(found[0] if found else None)
        return tuple(pitches)

    def _fit_blocks(
        self, y: LazyAudio, transform: Transform, callback: Callback | None
    ) -> BlockFit:
        blocks = KitBlocks(
            y,
            self.dictionary,
            transform,
            prior_weight=self.prior_weight,
            max_iter=self.max_iter,
            callback=callback,
        )
        fitted, V, H, bands = blocks.fit()
        salience = self._salience_of(fitted.W, H, bands, transform.times(H.shape[1]))
        loss = float(fitted.losses[-1])
        suitability = self._suitability(V, transform, fitted, salience)
        return BlockFit(salience, suitability, loss, fitted.n_iter)

    def _kept_values(self, frames: int) -> int:
        bands = len(drum_bands(len(self.transform(44100).frequencies)).edges)
        adapted = min(frames, ADAPTED) * (3 * bands // 2)  # those of the fit included
        return adapted + frames * (4 * self.dictionary.n_components + len(EDGES))

    def _salience(self, V: np.ndarray, fitted: Decomposition, transform: Transform) -> Salience:
        bands, times = stroke_bands(V, transform), transform.times(V.shape[1])
        return self._salience_of(fitted.W, fitted.H, bands, times)

    def _salience_of(
        self, W: np.ndarray, H: np.ndarray, bands: np.ndarray, times: np.ndarray
    ) -> Salience:
        pitches = np.array([drum_pitch(part) for part in self.parts], np.float64)
        if self.is_shipped:
            return Salience(kit_levels(W, H, bands, times, self.parts), pitches, times)
        # Of an own kit the templates are certain, and its parts need not be of usual kits.
        groups = [self.dictionary.components(part) for part in self.parts]
        return Salience(part_levels(W, H, groups), pitches, times)

    @property
    def is_shipped(self) -> bool:
        """True if the dictionary is the kit that ships with the package."""
        return self.dictionary == bundled_drum_sounds()

    def _notes(self, salience: Salience, duration: float) -> tuple[Note, ...]:
        return self._hits(salience)

    def _hits(self, salience: Salience, parts: Sequence[str] | None = None) -> tuple[Note, ...]:
        parts = self.parts if parts is None else parts
        rows = [self.parts.index(part) for part in parts]
        return pick_hits(salience.values[rows], parts, salience.times, threshold=self.threshold)

    def _thresholds(self, part: str) -> list[float]:
        """Thresholds that tuning tries for a part."""
        return threshold_grid(threshold_of(self.threshold, part), _PER_OCTAVE)

    def _scores(
        self, salience: Salience, part: str, seconds: Iterable[float], metric_index: int
    ) -> list[float]:
        """Metric of the hits of a part, for each threshold that tuning tries."""
        true = _notes(part, seconds)
        tried = (replace(self, threshold=value) for value in self._thresholds(part))
        return [_drum_score(x._hits(salience, [part]), true, metric_index) for x in tried]

    def _suitability(
        self, V: np.ndarray, transform: Transform, fitted: Decomposition, salience: Salience
    ) -> Suitability:
        if self.is_shipped:
            # Kinds of sounds explain other music nearly as well as drums; one for each part do not.
            fitted = self._fit_kit(V, bundled_kit(), transform)
        return drum_suitability(float(fitted.losses[-1]), V, is_shipped=self.is_shipped)

    def _unsuitable(self, suitability: Suitability) -> str:
        return (
            f"the recording does not sound like drums: the kit explains {suitability.value:.2f} of "
            f"it, and at least {suitability.limit} of drums; for a piano use Transcriber, "
            "for drums among other instruments separate them first (nmfaudio hpss)"
        )

    def _analysis_settings(self) -> Any:
        return described(replace(self, threshold=THRESHOLD), without=("dictionary",))

    def _settings(self) -> dict[str, Any]:
        return plain_settings(self, without=("dictionary",))


def _notes(part: str, seconds: Iterable[float]) -> list[Note]:
    """Hits of one part as notes."""
    return [Note(t, t, drum_pitch(part), channel=DRUM_CHANNEL) for t in seconds]


def _drum_score(hits: Sequence[Note], true: Sequence[Note], metric_index: int) -> float:
    """Precision, recall or F-measure of the hits of one part."""
    from nmfaudio.metrics.transcription import evaluate_transcription

    (figures,) = evaluate_transcription(list(true), list(hits), drums=True).drums.values()
    return figures[metric_index]
