"""Transcribing drums: from a recording to when each part of the kit is hit, and how hard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nmfaudio._common.validation import as_choice, as_count, as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.bundled import bundled_kit
from nmfaudio.dictionaries.dictionary import Dictionary
from nmfaudio.dictionaries.drum_learning import by_part
from nmfaudio.dictionaries.drum_model import PRIOR_WEIGHT, fit_kit, hit_transform, part_levels
from nmfaudio.errors import ParameterError
from nmfaudio.factorisation.engine import Callback
from nmfaudio.symbolic.drum_peaks import THRESHOLD, pick_hits, share_of
from nmfaudio.symbolic.names import DRUM_CHANNEL, DRUM_PARTS, drum_pitch
from nmfaudio.symbolic.note import Note
from nmfaudio.transcription.base import BaseTranscriber, Tuning, plain_settings, threshold_grid
from nmfaudio.transcription.salience import Salience

if TYPE_CHECKING:
    from nmfaudio.audio.io.samples import Audio
    from nmfaudio.audio.transforms import Transform
    from nmfaudio.dictionaries.drum_learning import Hits
    from nmfaudio.factorisation.decomposition import Decomposition

_PER_OCTAVE = 4  # thresholds that tuning tries
_MEASURES = ("onset_p", "onset_r", "onset_f")


@public
@dataclass(frozen=True)
class DrumTranscriber(BaseTranscriber):
    """Find the hits of a drum kit, by what its parts are known to sound like.

    Non-negative matrix factor deconvolution: each part of the kit is a short spectrogram that
    recurs. First the templates stay as they are; where a part is surely heard, they are then drawn
    to the kit at hand. All parts of the dictionary are listened for, so that a crash is not taken
    for a hi-hat, but only `parts` are written down.

    Parameters
    ----------
    dictionary : Dictionary, optional
        What the parts sound like, as `learn_drums` makes it: convolutive templates of an `Stft`,
        labelled by part. By default that which ships with the package. Other transforms than its
        own are fitted to it.
    parts : sequence of str
        Those to write down, of kick, snare, hihat, toms and cymbals. Toms and cymbals are found
        far less surely than the first three.
    threshold : float or mapping of str to float
        How high a hit must be, in shares of a loud hit of its part; see `pick_hits`.
    pull : float
        How strongly the dictionary's templates hold on to what they are, in units of what the
        recording says of them: 0 not at all, ``math.inf`` leaves them unchanged.
    max_iter : int
        Iterations of each of the two stages.

    Raises
    ------
    ParameterError
        A setting is out of range, or the dictionary is none of drums.

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
    >>> found = na.DrumTranscriber(parts=("kick",)).transcribe(y, 16000)
    >>> [(note.track, round(note.onset, 1)) for note in found.notes]
    [('kick', 0.0), ('kick', 1.0)]
    """

    dictionary: Dictionary = field(default_factory=bundled_kit)
    _: KW_ONLY
    parts: tuple[str, ...] = ("kick", "snare", "hihat")
    threshold: float | Mapping[str, float] = THRESHOLD
    pull: float = PRIOR_WEIGHT
    max_iter: int = 30

    def __post_init__(self) -> None:
        known = self.dictionary
        if known.lags == 1 or not isinstance(known.transform, Stft):
            raise ParameterError(
                f"the dictionary has {known.kind} of a {type(known.transform).__name__}; drums "
                "need convolutive templates of an Stft, as na.dictionaries.learn_drums makes them"
            )
        there = [part for part in DRUM_PARTS if part in known.names]
        if not self.parts or not set(self.parts) <= set(there):
            raise ParameterError(
                f"parts is {','.join(self.parts)!r}; name some of {', '.join(there) or 'none'}, "
                "which the dictionary has"
            )
        object.__setattr__(self, "parts", tuple(p for p in there if p in self.parts))
        for part in self.parts:
            as_number(share_of(self.threshold, part), f"threshold of {part}", low=0)
        if self.pull != math.inf:
            as_number(self.pull, "pull", low=0)
        as_count(self.max_iter, "max_iter", low=0)

    def transform(self, sr: int) -> Stft:
        """The transform for audio of this sample rate: frames of 23 ms, 6 ms apart.

        Parameters
        ----------
        sr : int
            In Hz.

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
    ) -> Tuning[Self]:
        """Choose the threshold of each part on pieces whose hits are known.

        Thresholds from a quarter to four times that of the part are tried. Each is judged together
        with its two neighbours, so that a stroke of luck does not win. A part that is hit in none
        of the pieces keeps its threshold. Pieces that results are to be reported on must not be
        among them.

        Parameters
        ----------
        pieces : iterable of (audio, hits)
            Audio is a path, or samples and their rate in Hz; hits are given as for `learn_drums`.
            One piece is held at a time.
        metric : "onset_f", "onset_p" or "onset_r"
            F, precision or recall of a part's hits within 50 ms, in the mean over the pieces.

        Returns
        -------
        Tuning

        Raises
        ------
        ParameterError
            There are no pieces, or no such metric.
        MissingExtraError
            mir_eval is not installed.
        """
        which = _MEASURES.index(as_choice(metric, "metric", _MEASURES))
        scores: dict[str, list[list[float]]] = {part: [] for part in self.parts}
        for salience, _, notes in self._saliences(pieces):
            true = {part: _notes(part, seconds) for part, seconds in by_part(notes).items()}
            for part in self.parts:
                if part in true:
                    tried = (replace(self, threshold=x) for x in self._tried(part))
                    made = (one._hits(salience, [part]) for one in tried)
                    scores[part].append([_drum_score(hits, true[part], which) for hits in made])
        if not any(scores.values()):
            raise ParameterError(
                f"no piece has a {' or '.join(self.parts)}; give some (audio, notes)"
            )
        heard = {part: np.mean(rows, axis=0) for part, rows in scores.items() if rows}
        best = {part: share_of(self.threshold, part) for part in self.parts}
        for part, means in heard.items():
            smooth = np.convolve(np.pad(means, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
            best[part] = self._tried(part)[int(smooth.argmax())]
        table = tuple(
            {"part": part, "threshold": tried, metric: mean}
            for part, means in heard.items()
            for tried, mean in zip(self._tried(part), means.tolist(), strict=True)
        )
        return Tuning(replace(self, threshold=best), metric, table)

    def _decompose(
        self,
        V: np.ndarray,
        transform: Transform,
        *,
        rng: int | np.random.Generator | None,
        callback: Callback | None,
    ) -> Decomposition:
        return fit_kit(
            V,
            self.dictionary,
            transform,
            prior_weight=self.pull,
            max_iter=self.max_iter,
            callback=callback,
        )

    def _component_pitches(self, found: Decomposition) -> tuple[float | None, ...]:
        return tuple(
            float(drum_pitch(label)) if label in self.parts else None
            for label in self.dictionary.labels
        )

    def _salience(self, found: Decomposition, times: np.ndarray) -> Salience:
        labels = self.dictionary.labels
        groups = [[k for k, label in enumerate(labels) if label == part] for part in self.parts]
        pitches = np.array([drum_pitch(part) for part in self.parts], np.float64)
        return Salience(part_levels(found.W, found.H, groups), pitches, times)

    def _notes(self, salience: Salience, duration: float) -> tuple[Note, ...]:
        return self._hits(salience)

    def _hits(self, salience: Salience, parts: Sequence[str] | None = None) -> tuple[Note, ...]:
        parts = self.parts if parts is None else parts
        rows = [self.parts.index(part) for part in parts]
        return pick_hits(salience.values[rows], parts, salience.times, threshold=self.threshold)

    def _tried(self, part: str) -> list[float]:
        """The thresholds that tuning tries for a part."""
        return threshold_grid(share_of(self.threshold, part), _PER_OCTAVE)

    def _settings(self) -> dict[str, Any]:
        return plain_settings(self, without=("dictionary",))


def _notes(part: str, seconds: Iterable[float]) -> list[Note]:
    """Hits of one part."""
    return [Note(t, t, drum_pitch(part), channel=DRUM_CHANNEL) for t in seconds]


def _drum_score(made: Sequence[Note], true: Sequence[Note], which: int) -> float:
    """Precision, recall or F of the hits of one part."""
    from nmfaudio.metrics.transcription import evaluate_transcription

    (figures,) = evaluate_transcription(list(true), list(made), drums=True).drums.values()
    return figures[which]
