"""One voice whose pitch is known, and the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import ContentError
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput

if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.separators.pitch_track import Pitch

# A pitch track and a voice agree within about this, and a sung note's partials are this wide.
_CENTS = (-20.0, -10.0, 0.0, 10.0, 20.0)

# A bin has half its say on the accompaniment where a partial is this many times weaker than the
# strongest of its frame.
_SHY = 30.0

_HELD = 8  # spectrograms held beside those of plain NMF, as measured


@public
@documented
@dataclass(frozen=True, kw_only=True)
class F0Separator(NmfSeparator):
    """Take a voice out of a recording, given its pitch over time.

    A buzz of that pitch is synthesised. Where its spectrogram has nothing, the accompaniment is
    seen alone and its templates are learned there. Then the buzz through one smooth filter per
    frame, and these templates, share out the mixture. The parameters are those of the command
    ``nmfaudio f0``; see `options`.

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
    >>> pitch = na.separators.Pitch([0.5, 0.51, 0.52], [220.0, 221.0, 222.0])
    >>> stems = na.F0Separator(pitch=pitch, components=4, max_iter=10)(y, 8000)
    >>> list(stems)
    ['voice', 'rest']
    """

    usage_examples: ClassVar[tuple[str, ...]] = ("song.wav pitch.csv", "song.wav")

    pitch: str | os.PathLike[str] | Pitch | None = option(
        None,
        "the voice's pitch, rows of seconds and Hz; without it, pYIN estimates it",
        suffixes=(".csv",),
        metavar="PITCH.csv",
    )
    also: tuple[str | os.PathLike[str] | Pitch, ...] = option(
        (), "the pitch of another voice of the stem", many=True, metavar="PITCH.csv"
    )
    components: int = option(
        50,
        "how many sounds the accompaniment is taken to be made of",
        short="-k",
        metavar="N",
    )
    filters: int = option(
        30, "how many bands shape the voice's timbre; more follow it closer", metavar="N"
    )
    max_iter: int = option(
        60, "iterations, two thirds of them for the accompaniment; more take longer", metavar="N"
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count

        super().__post_init__()
        self._set("components", as_count(self.components, "components", low=1))
        self._set("filters", as_count(self.filters, "filters", low=2))

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Learn the accompaniment where it is seen alone, then share out with the voices."""
        import numpy as np

        from nmfaudio.factorisation.engine import decompose, nmf
        from nmfaudio.factorisation.factors import Factor
        from nmfaudio.factorisation.structures import Masked, filter_bumps

        V = inputs.V
        learning = round(self.max_iter * 2 / 3)
        buzzes = [_buzz(pitch, inputs) for pitch in self._pitches(inputs)]
        rest = nmf(
            V,
            self.components,
            weights=_away(buzzes),
            max_iter=learning,
            tol=self.tol,
            rng=inputs.rng,
            callback=inputs.callback,
        )
        bumps = filter_bumps(_by_ear(inputs.transform.frequencies), self.filters).astype(V.dtype)
        gains = np.full((self.filters, V.shape[1]), V.mean(), V.dtype)
        factors = [(Factor(C, False), Factor(bumps, False), Factor(gains)) for C in buzzes]
        factors += [(Factor(np.ones((1, 1)), False), Factor(rest.W, False), Factor(rest.H))]
        found = decompose(
            V,
            list(chain.from_iterable(factors)),
            structure=Masked(),
            max_iter=self.max_iter - learning,
            tol=self.tol,
            callback=inputs.callback,
        )
        sung = len(buzzes) * self.filters
        return GroupedDecomposition(
            found, {"voice": range(sung), "rest": range(sung, found.n_components)}
        )

    def size(self) -> tuple[int, int]:
        """Components, and stems."""
        return self.components + (1 + len(self.also)) * self.filters, 2

    def memory(self, y: np.ndarray, sr: int) -> int:
        """About how many bytes taking `y` apart needs; see `NmfSeparator.memory`."""
        stft = self.transform(sr)
        cells = len(stft.frequencies) * stft.n_frames(y.shape[1])
        return super().memory(y, sr) + (_HELD + 2 * len(self.also)) * cells * y.itemsize

    def _pitches(self, inputs: SeparationInput) -> list[Pitch]:
        """Of each voice; there must be one somewhere in the recording."""
        from nmfaudio.separators.pitch_track import Pitch, estimate_pitch, read_pitch

        given = [p for p in (self.pitch, *self.also) if p is not None]
        pitches = [p if isinstance(p, Pitch) else read_pitch(p) for p in given]
        if not pitches:
            return [estimate_pitch(inputs.y, inputs.sr)]
        count = inputs.y.shape[1]
        highest = max(pitch.hertz.max() for pitch in pitches)
        if highest >= inputs.sr / 2:
            raise ContentError(
                f"a pitch is {highest:g} Hz; all must be below half the sample rate, "
                f"{inputs.sr / 2:g} Hz"
            )
        if not any(pitch.sampled(count, inputs.sr)[1].any() for pitch in pitches):
            raise ContentError(
                f"no voice has a pitch in the {count / inputs.sr:.3g} s of the recording; "
                "give times in seconds from its start, and pitches in Hz"
            )
        return pitches


def _buzz(pitch: Pitch, inputs: SeparationInput) -> np.ndarray:
    """The spectrogram of a buzz of this pitch, level over frequency [shape=(freq, time)]."""
    import numpy as np

    from nmfaudio.audio.masking import analyse
    from nmfaudio.separators.pitch_track import FALL

    buzzes = np.stack([pitch.pulse_train(inputs.y.shape[1], inputs.sr, cents=c) for c in _CENTS])
    spectrogram = analyse(buzzes.astype(inputs.y.dtype), inputs.transform)
    level = 10 ** (FALL / 20 * inputs.transform.frequencies / (inputs.sr / 2))
    spectrogram *= level[:, None].astype(spectrogram.dtype)
    return spectrogram


def _away(buzzes: Sequence[np.ndarray]) -> np.ndarray:
    """How much each bin tells about the accompaniment: next to nothing on a voice's partials."""
    import numpy as np

    weights = np.ones(buzzes[0].shape, buzzes[0].dtype)
    for pulse_train in buzzes:
        peaks = pulse_train.max(0)
        weights /= 1 + (_SHY * pulse_train / np.where(peaks > 0, peaks, 1)) ** 2
    return weights


def _by_ear(frequencies: np.ndarray) -> np.ndarray:
    """On the scale of auditory bandwidths (Glasberg & Moore 1990)."""
    import numpy as np

    return np.asarray(21.4 * np.log10(1 + 0.00437 * frequencies))
