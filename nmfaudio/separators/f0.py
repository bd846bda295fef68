"""Separation of a voice by its pitch track."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Literal

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import AudioWarning, ParameterError
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.separators.pitch_track import Pitch
    from nmfaudio.stems.stems import Stems

# The partials of a sung note are about this wide, and pitch tracks about this accurate.
_CENTS = (-20.0, -10.0, 0.0, 10.0, 20.0)

# A partial 30 times weaker than the strongest of its frame halves the weight that its bin has for
# the accompaniment.
_WEIGHT_SLOPE = 30.0

_COPIES = 8  # copies of the spectrogram beyond those of plain NMF, as measured

# Share of the energy in the voice's stem below which a guessed pitch is doubtful. Of 48 mixtures of
# 12 recordings, the stems were better than the mixture in 13 of 19 above it and in 7 of 29 below.
_DOMINANT = 0.5


def _is_pitch_table(path: str) -> bool:
    """Check whether a file is a table of pitches, whatever its name."""
    from nmfaudio.separators.pitch_track import is_pitch_table

    return is_pitch_table(path)


@public
@documented
@dataclass(frozen=True, kw_only=True)
class F0Separator(NmfSeparator):
    """Separate a voice from its accompaniment by the pitch of the voice.

    A pulse train of that pitch is synthesised. The templates of the accompaniment are learned
    where the spectrogram of the pulse train is near zero. Then the pulse train, through a smooth
    filter for each frame, and these templates are fitted to the mixture together.

    Raises
    ------
    ParameterError
        A setting is out of range.

    References
    ----------
    J.-L. Durrieu, G. Richard, B. David and C. Févotte, "Source/filter model for unsupervised main
    melody extraction from polyphonic audio signals", IEEE Trans. Audio, Speech, and Language
    Processing 18(3), 2010, doi:10.1109/TASL.2010.2041114.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(16000)
    >>> pitch = na.separators.Pitch(np.arange(0, 2, 0.01), np.linspace(220, 240, 200))
    >>> stems = na.F0Separator(pitch=pitch, n_components=4, max_iter=10)(y, 8000)
    >>> list(stems)
    ['voice', 'rest']
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "song.wav pitch.csv",
        "song.wav notes.tsv --pitch-unit midi",
        "solo.wav --guess",
    )

    pitch: str | os.PathLike[str] | Pitch | tuple[np.ndarray, np.ndarray] | None = option(
        None,
        "pitch track of the voice: a text file of rows of seconds and Hz, as Tony and Sonic "
        "Visualiser export them; 0 or a gap is no pitch",
        suffixes=(".csv", ".tsv", ".txt", ".f0"),
        content=_is_pitch_table,
        metavar="PITCH",
    )
    guess: bool = option(
        False,
        "without a pitch track, let pYIN estimate the predominant pitch: for a voice that is much "
        "louder than its accompaniment; on full mixes it is mostly worse than no separation",
        switch=True,
    )
    pitch_unit: Literal["hz", "midi"] = option(
        "hz", "unit of the pitches in files: Hz, or MIDI note numbers", choices=("hz", "midi")
    )
    second_pitch: tuple[str | os.PathLike[str] | Pitch, ...] = option(
        (),
        "pitch track of a further voice in the same stem",
        many=True,
        metavar="PITCH",
    )
    n_components: int = option(
        50,
        "number of components of the accompaniment; more capture finer detail",
        short="-k",
        metavar="N",
        flag="--components",
    )
    filters: int = option(
        30,
        "number of bands of the voice's filter; more follow its timbre more closely",
        metavar="N",
    )
    max_iter: int = option(
        60,
        "maximum number of iterations, two thirds of them for the accompaniment; more fit the "
        "mixture better and take longer",
        metavar="N",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_choice, as_count

        super().__post_init__()
        self._set("n_components", as_count(self.n_components, "n_components", low=1))
        self._set("filters", as_count(self.filters, "filters", low=2))
        as_choice(self.pitch_unit, "pitch_unit", ("hz", "midi"))
        known = self.pitch is not None or bool(self.second_pitch)
        if not known and not self.guess:
            raise ParameterError(
                "f0 needs the pitch of the voice; name a text file of rows of seconds and Hz "
                "beside the recording (Tony and Sonic Visualiser export such tables), or use "
                "--guess for a voice that is much louder than its accompaniment"
            )
        if known and self.guess:
            raise ParameterError("--guess estimates the pitch; leave it out, or the pitch track")

    def finish(self, stems: Stems) -> Stems:
        """Warn if the pitch was guessed and has little of the energy.

        Parameters
        ----------
        stems : Stems
            The stems voice and rest.

        Returns
        -------
        Stems
            The same stems.
        """
        if self.guess:
            _judge_guess(stems)
        return stems

    @property
    def stem_names(self) -> tuple[str, ...]:
        """Names of the stems."""
        return ("voice", "rest")

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Learn the accompaniment between the voice's partials, then fit both.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.
        """
        import numpy as np

        from nmfaudio._common.pitch import erb_rate
        from nmfaudio.factorisation.engine import decompose, nmf
        from nmfaudio.factorisation.factors import Factor
        from nmfaudio.factorisation.loop import numbered
        from nmfaudio.factorisation.structures import Masked, filter_bumps

        V = inputs.V
        learning = round(self.max_iter * 2 / 3)
        carriers = [_carrier(pitch, inputs) for pitch in self._pitches(inputs)]
        rest = nmf(
            V,
            self.n_components,
            weights=_weights_between_partials(carriers),
            max_iter=learning,
            tol=self.tol,
            rng=inputs.rng,
            callback=numbered(inputs.callback, 0, 2),
        )
        bumps = filter_bumps(erb_rate(inputs.transform.frequencies), self.filters).astype(V.dtype)
        gains = np.full((self.filters, V.shape[1]), V.mean(), V.dtype)
        # V ≈ ∑ carrier ⊙ (bumps @ gains) + W H: each voice has one smooth filter in each frame.
        factors = [(Factor(C, False), Factor(bumps, False), Factor(gains)) for C in carriers]
        factors += [(Factor(np.ones((1, 1)), False), Factor(rest.W, False), Factor(rest.H))]
        fitted = decompose(
            V,
            list(chain.from_iterable(factors)),
            structure=Masked(),
            max_iter=self.max_iter - learning,
            tol=self.tol,
            callback=numbered(inputs.callback, 1, 2),
        )
        count = len(carriers) * self.filters
        groups = {"voice": range(count), "rest": range(count, fitted.n_components)}
        return GroupedDecomposition(fitted, groups)

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """
        return self.n_components + (1 + len(self.second_pitch)) * self.filters, 2

    def memory(self, y: np.ndarray, sr: int) -> int:
        """Estimate the peak memory of a call.

        Parameters
        ----------
        y : np.ndarray [shape=(channel, sample)]
            The recording.
        sr : int
            Sample rate in Hz.

        Returns
        -------
        int
            Bytes, including `y` and the process itself.
        """
        stft = self.transform(sr)
        cells = len(stft.frequencies) * stft.n_frames(y.shape[1])
        return super().memory(y, sr) + (_COPIES + 2 * len(self.second_pitch)) * cells * y.itemsize

    def _pitches(self, inputs: SeparationInput) -> list[Pitch]:
        """Pitch tracks of all voices, checked against the recording."""
        from nmfaudio.separators.pitch_checks import check_pitches
        from nmfaudio.separators.pitch_track import Pitch, as_pitch, estimate_pitch

        if self.guess:
            guess = estimate_pitch(inputs.y, inputs.sr)
            return [Pitch(inputs.start + guess.times, guess.hertz)]
        tracks = [p for p in (self.pitch, *self.second_pitch) if p is not None]
        pitches = [as_pitch(p, unit=self.pitch_unit) for p in tracks]
        check_pitches(pitches, inputs)
        return pitches


def _judge_guess(stems: Stems) -> None:
    """Warn of a guessed pitch if the voice with this pitch has little energy."""
    import numpy as np

    voice, rest = (float(np.square(stems[name], dtype=float).sum()) for name in ("voice", "rest"))
    if 0 < voice + rest and voice < _DOMINANT * (voice + rest):
        warnings.warn(
            f"the voice of the guessed pitch has {voice / (voice + rest):.0%} of the energy; below "
            f"{_DOMINANT:.0%} the stems were worse than the mixture in 3 of 4 measured mixtures: "
            "listen to them, or give a pitch track",
            AudioWarning,
            stacklevel=3,
        )


def _carrier(pitch: Pitch, inputs: SeparationInput) -> np.ndarray:
    """Spectrogram of a pulse train, level over frequency [shape=(freq, time)]."""
    from nmfaudio.audio.masking import analyse
    from nmfaudio.separators.pulse_trains import FALL, pulse_trains

    count, sr, start = inputs.y.shape[1], inputs.sr, inputs.start
    pulses = pulse_trains(pitch.at, count, sr, start=start, cents=_CENTS)
    spectrogram = analyse(pulses.astype(inputs.y.dtype, copy=False), inputs.transform)
    # Undo the spectral slope of the pulse train.
    level = 10 ** (FALL / 20 * inputs.transform.frequencies / (inputs.sr / 2))
    spectrogram *= level[:, None].astype(spectrogram.dtype)
    return spectrogram


def _weights_between_partials(carriers: Sequence[np.ndarray]) -> np.ndarray:
    """Weight of each bin for the accompaniment: 1 between the partials, near 0 on them."""
    import numpy as np

    weights = np.ones(carriers[0].shape, carriers[0].dtype)
    for carrier in carriers:
        peaks = carrier.max(0)
        weights /= 1 + (_WEIGHT_SLOPE * carrier / np.where(peaks > 0, peaks, 1)) ** 2
    return weights
