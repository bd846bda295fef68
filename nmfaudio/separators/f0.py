"""Separation of a voice by its pitch track."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import AudioWarning, ParameterError
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.separators.blockwise import Learned
    from nmfaudio.separators.pitch_track import Pitch
    from nmfaudio.separators.voice_model import VoiceSizes
    from nmfaudio.stems.stems import Stems

_COPIES = 8  # copies of the spectrogram beyond those of plain NMF, as measured
_LEARNING_SHARE = 4  # of the learning frames, since carriers and weights take their memory too
_PIECE = 60.0  # s of a long recording in which the pitch is guessed at a time

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
            _judge_guess(*_energies(stems[name] for name in self.stem_names))
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

        from nmfaudio.separators.voice_model import Carrier, fit_voices

        frames = np.arange(inputs.n_frames)
        pitches = self._pitches(inputs, inputs.V, frames)
        carriers = [Carrier(pitch, inputs).frames_at(frames) for pitch in pitches]
        fitted = fit_voices(inputs.V, carriers, self._sizes, inputs)
        return GroupedDecomposition(fitted, self._members(len(pitches)))

    def learn(self, inputs: SeparationInput) -> Learned:
        """Learn the accompaniment from frames of all of the recording.

        The pitch of a long recording is guessed in pieces of a minute, so a guess may differ from
        that of a call at a few frames.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, and the components of each stem.
        """
        from nmfaudio.separators.blockwise import (
            LEARNING_FRAMES,
            Learned,
            described_groups,
            without_frames,
        )
        from nmfaudio.separators.voice_model import VoiceFit, fit_voices

        V, frames = inputs.spread_frames(LEARNING_FRAMES // _LEARNING_SHARE)
        pitches = self._pitches(inputs, V, frames)
        learning = self._sizes.learning
        texts = tuple(pitch.to_text() for pitch in pitches)
        # Of half the updates of the accompaniment alone, known templates need no more: SI-SDR of
        # a voice rises by 0.03 to 0.14 dB.
        fit = VoiceFit(texts, max(learning // 2, 1), self.max_iter - learning)
        carriers = [carrier.frames_at(frames) for carrier in fit.carriers(inputs)]
        fitted = without_frames(fit_voices(V, carriers, self._sizes, inputs))
        del V, carriers  # frees memory
        groups = described_groups(fitted, fit, self._members(len(pitches)), inputs)
        return Learned(fitted, groups, fit)

    def finisher(self, samples: int) -> Callable[[np.ndarray, Learned], np.ndarray]:
        """Return the last step of `stream`, which judges a guessed pitch.

        Parameters
        ----------
        samples : int
            Length of the recording.

        Returns
        -------
        callable
            Called with one block after another.
        """
        return _Judge(samples) if self.guess else super().finisher(samples)

    @property
    def _sizes(self) -> VoiceSizes:
        """Sizes and iterations of the model."""
        from nmfaudio.separators.voice_model import VoiceSizes

        return VoiceSizes(self.n_components, self.filters, self.max_iter, self.tol)

    def _members(self, voices: int) -> dict[str, range]:
        """Components of each stem."""
        count = voices * self.filters
        return {"voice": range(count), "rest": range(count, count + self.n_components)}

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

    def _pitches(self, inputs: SeparationInput, V: np.ndarray, frames: np.ndarray) -> list[Pitch]:
        """Pitch tracks of all voices, checked against some frames of the recording."""
        from nmfaudio.separators.pitch_checks import check_pitches
        from nmfaudio.separators.pitch_track import Pitch, as_pitch, estimate_pitch

        if self.guess:
            piece = None if len(frames) == inputs.n_frames else _PIECE
            guess = estimate_pitch(inputs.y, inputs.sr, piece=piece)
            return [Pitch(inputs.start + guess.times, guess.hertz)]
        tracks = [p for p in (self.pitch, *self.second_pitch) if p is not None]
        pitches = [as_pitch(p, unit=self.pitch_unit) for p in tracks]
        check_pitches(pitches, inputs, V, inputs.times[frames])
        return pitches


class _Judge:
    """Last step of a stream: keeps the stems, and judges the guessed pitch after the last block."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._energies, self._done = [0.0, 0.0], 0

    def __call__(self, block: np.ndarray, learned: Learned) -> np.ndarray:
        energies = _energies(block)
        self._energies = [a + b for a, b in zip(self._energies, energies, strict=True)]
        self._done += block.shape[-1]
        if self._done == self._samples:
            _judge_guess(*self._energies)
            self._energies, self._done = [0.0, 0.0], 0  # the blocks may be rendered again
        return block


def _energies(stems: Iterable[np.ndarray]) -> list[float]:
    """Energy of each stem."""
    import numpy as np

    return [float(np.square(stem, dtype=float).sum()) for stem in stems]


def _judge_guess(voice: float, rest: float) -> None:
    """Warn of a guessed pitch if the voice with this pitch has little of the energy."""
    if 0 < voice + rest and voice < _DOMINANT * (voice + rest):
        warnings.warn(
            f"the voice of the guessed pitch has {voice / (voice + rest):.0%} of the energy; below "
            f"{_DOMINANT:.0%} the stems were worse than the mixture in 3 of 4 measured mixtures: "
            "listen to them, or give a pitch track",
            AudioWarning,
            stacklevel=3,
        )
