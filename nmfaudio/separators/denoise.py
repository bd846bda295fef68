"""Speech, or any other sound, from noise of which a stretch is known."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput

# All that is heavy is imported where it is needed, so that the command's help stays quick.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.dictionaries.recordings import AnyRecording
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.stems.stems import Stems

    Sound = AnyRecording | tuple[float, float]

_WINDOW = 0.064  # seconds
# Where nobody says what is noise, it is this share of the frames: the quietest.
_QUIETEST = 0.1
_NEIGHBOURS = 2  # on each side, over which the median of the loudness is taken first
_LEAST = 1e-3  # of the start of an activation: what is zero by chance could never become more


def _sound(text: str) -> str | tuple[float, float]:
    """A path, or a stretch of time."""
    from nmfaudio._common.time_ranges import parse_time_range

    return parse_time_range(text) if re.fullmatch(r"[\d:.]+-[\d:.]+", text) else text


@public
@documented
@dataclass(frozen=True, kw_only=True)
class DenoiseSeparator(NmfSeparator):
    """Take the noise out of a recording.

    Frames of the noise by itself stand for the noise. Together with a few sounds that are free to
    become whatever they are not, or with frames of the signal by itself, they make the recording
    up. Several such models, with other frames and other starts, are averaged. The parameters are
    those of the command ``nmfaudio denoise``; see `options`.

    Raises
    ------
    ParameterError
        A setting is out of range.

    References
    ----------
    P. Smaragdis, B. Raj, M. Shashanka, "Supervised and semi-supervised separation of sounds from
    single-channel mixtures", ICA 2007, doi:10.1007/978-3-540-74494-8_52.

    Examples
    --------
    A tone that comes and goes in noise, the first half second of which is noise alone:

    >>> import numpy as np
    >>> t = np.arange(16000) / 8000
    >>> tone = np.sin(2770 * t) * (t % 1 > 0.5)
    >>> hiss = 0.5 * np.random.default_rng(0).standard_normal(16000)
    >>> stems = DenoiseSeparator(noise=(0, 0.5), free=2)(tone + hiss, 8000)
    >>> list(stems)
    ['signal', 'noise']
    >>> bool(np.square(stems["signal"][0] - tone).sum() < 0.2 * np.square(hiss).sum())
    True
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "speech.wav --noise 0-1.2",
        "speech.wav --noise hum.wav --floor -20",
    )

    noise: Sound | Sequence[Sound] = option(
        (),
        "a recording of the noise alone, or FROM-TO, in seconds, a stretch of this recording with "
        "nothing else in it; by default the quietest tenth is taken for that",
        parse=_sound,
        many=True,
        metavar="FILE|FROM-TO",
    )
    signal: Sound | Sequence[Sound] = option(
        (),
        "a recording of the signal alone, such as the same voice elsewhere; by default the signal "
        "is whatever the noise is not",
        parse=_sound,
        many=True,
        metavar="FILE|FROM-TO",
    )
    floor: float | None = option(
        None,
        "leave the noise in the signal at this level, such as -20: it hides the warbling that "
        "the rest of it makes; by default all is taken away that can be",
        parse=float,
        metavar="DB",
    )
    free: int = option(
        8,
        "how many sounds the signal is made of where there is no recording of it; more keep more "
        "of it, and of the noise",
        metavar="N",
    )
    exemplars: int = option(
        200, "how many moments of a recording stand for it at most, in each model", metavar="N"
    )
    models: int = option(
        3, "how many models are averaged; more are better and take longer", metavar="N"
    )
    max_iter: int = option(
        50, "iterations per model at most; more fit the mix closer and take longer", metavar="N"
    )
    mask_power: float = option(
        1.5,
        "how sharply soft masks divide: 1 keeps more of each sound and leaks more, 2 suits music",
        metavar="ALPHA",
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer tells voiced speech from noise better, shorter smears "
        "less; by default the power of two nearest to 64 ms",
        parse=int,
        metavar="SAMPLES",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count, as_number

        super().__post_init__()
        for name in ("free", "exemplars", "models"):
            self._keep(name, as_count(getattr(self, name), name, low=1))
        for name in ("noise", "signal"):
            self._keep(name, _several(getattr(self, name)))
        if self.floor is not None:
            self._keep("floor", as_number(self.floor, "floor"))
            if self.floor >= 0:
                raise ParameterError(f"floor is {self.floor:g} dB; it must be below 0, such as -20")

    def __call__(self, audio: Any, sr: int | None = None, **how: Any) -> Stems:
        """As every separator does, and then see to the floor."""
        stems = super().__call__(audio, sr, **how)
        if self.floor is None:
            return stems
        noise = stems["noise"]
        left = noise.dtype.type(10 ** (self.floor / 20)) * noise
        return replace(stems, stems={"signal": stems["signal"] + left, "noise": noise - left})

    def transform(self, sr: int) -> Stft:
        """See `NmfSeparator.transform`; the window is shorter, as voices glide."""
        from nmfaudio.audio.transforms import Stft

        n_fft = 2 ** max(1, round(math.log2(_WINDOW * sr))) if self.n_fft is None else self.n_fft
        return Stft(sr, n_fft, self.hop)  # type: ignore[arg-type]

    def size(self) -> tuple[int, int]:
        """See `NmfSeparator.size`."""
        signal = self.exemplars if self.signal else self.free
        return self.models * (self.exemplars + signal), 2

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Explain the inputs by frames of the noise, and of the signal or by free spectra."""
        from nmfaudio.separators.ensemble import averaged

        noise = self._heard(inputs, "noise") or [_quietest(inputs.V)]
        signal = self._heard(inputs, "signal")
        sizes: list[tuple[int, int]] = []

        def fit(report: Callback, rng: np.random.Generator) -> Decomposition:
            from nmfaudio.dictionaries.exemplars import choose_exemplars

            known = [
                choose_exemplars(each, self.exemplars, 1, rng)[0]
                for each in (noise, signal)
                if each
            ]
            free = 0 if signal else self.free
            sizes.append((known[0].shape[1], sum(W.shape[1] for W in known) + free))
            return self._fit(inputs.V, known, free, report, rng)

        found = averaged(inputs.V, fit, self.models, callback=inputs.callback, rng=inputs.rng)
        groups: dict[str, list[int]] = {"signal": [], "noise": []}
        begin = 0
        for of_noise, all_of_it in sizes:
            groups["noise"] += range(begin, begin + of_noise)
            begin += all_of_it
            groups["signal"] += range(begin - all_of_it + of_noise, begin)
        return GroupedDecomposition(found, groups)

    def _heard(self, inputs: SeparationInput, name: str) -> list[np.ndarray]:
        """The spectrograms of what is said to be noise, or signal, alone."""
        from nmfaudio.dictionaries.learning import read_recordings

        given = [
            _stretch_of(inputs, one, name) if isinstance(one, tuple) else one
            for one in getattr(self, name)
        ]
        if not given:
            return []
        heard = [V for V in read_recordings(name, given, inputs.transform) if V.any()]
        if not heard:
            raise ContentError(f"{name}: what was given of it is silent; name another stretch")
        return heard

    def _fit(
        self,
        V: np.ndarray,
        known: Sequence[np.ndarray],
        free: int,
        report: Callback,
        rng: np.random.Generator,
    ) -> Decomposition:
        """One model: known spectra that stay, and free ones, with random activations."""
        import numpy as np

        from nmfaudio.factorisation.engine import decompose
        from nmfaudio.factorisation.factors import Factor

        started = rng.random((len(V), free)) * V.mean(axis=1, dtype=np.float64)[:, None]
        sums = np.maximum(started.sum(axis=0), np.finfo(np.float32).tiny)
        W = np.concatenate([*known, (started / sums).astype(V.dtype)], axis=1)
        level = float(V.mean(dtype=np.float64)) * len(V) / W.shape[1]
        H = ((rng.random((W.shape[1], V.shape[1])) + _LEAST) * level).astype(V.dtype)
        moving = np.arange(W.shape[1]) >= W.shape[1] - free
        return decompose(
            V,
            [Factor(W, free=moving if free else False, name="W"), Factor(H, name="H")],
            max_iter=self.max_iter,
            tol=self.tol,
            callback=report,
            rng=rng,
        )


def _several(given: Any) -> tuple[Any, ...]:
    """What was given, one or several, as a tuple; a pair of numbers is one stretch of time."""
    if isinstance(given, list | tuple):
        pair = len(given) == 2 and all(isinstance(t, int | float) for t in given)
        return (tuple(given),) if pair else tuple(given)
    return (given,)


def _stretch_of(inputs: SeparationInput, span: tuple[float, float], name: str) -> np.ndarray:
    """The samples of a stretch of the recording itself."""
    start, stop = span
    length = inputs.y.shape[1]
    if not 0 <= start < stop or round(start * inputs.sr) >= length:
        raise ParameterError(
            f"{name} is {start:g}-{stop:g} s, which is no stretch of this recording of "
            f"{length / inputs.sr:g} s"
        )
    return inputs.y[:, round(start * inputs.sr) : round(stop * inputs.sr)]


def _quietest(V: np.ndarray) -> np.ndarray:
    """The frames that are the quietest, as a median over a few of them has it."""
    import numpy as np

    from nmfaudio.kernels.median import running_median

    level = V.sum(axis=0, dtype=np.float64)
    if len(level) > _NEIGHBOURS:
        level = running_median(np.ascontiguousarray(level[None]), _NEIGHBOURS)[0]
    count = max(1, round(_QUIETEST * len(level)))
    frames = V[:, np.sort(np.argsort(level, kind="stable")[:count])]
    # Where the recording begins with digital silence, that is no noise to learn from.
    return frames if frames.any() else V
