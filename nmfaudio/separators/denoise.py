"""Noise reduction from examples of the noise."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import AudioWarning, ContentError, ParameterError
from nmfaudio.separators.inputs import GroupedDecomposition, SeparationInput
from nmfaudio.separators.pipeline import NmfSeparator

STEMS = ("signal", "noise")
RETURNED = "returned_noise"
"""Metadata of the model: share of the noise that stays in the signal."""

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.dictionaries.recordings import AnyRecording
    from nmfaudio.separators.blockwise import Learned
    from nmfaudio.separators.noise_frames import TrainingFrames
    from nmfaudio.separators.noise_model import ModelSizes, NoiseModel
    from nmfaudio.stems.stems import Stems

    Sound = AnyRecording | tuple[float, float]

_WINDOW = 0.064  # seconds
# Ratios of losses above which examples do not match, on 16 mixtures of speech and noise. Examples
# of the noise to the quietest frames: 0.90 to 1.02 for the same noise, 0.97 to 1.17 for another.
# Examples of the signal to free components: 0.96 to 1.43 for the same speaker, at least 1.45 for
# another one wherever those made the speech worse by more than 0.5 dB.
_OTHER_NOISE, _OTHER_SIGNAL = 0.98, 1.45
_LEARNING_SHARE = 2  # of the learning frames, since several models are fitted at a time
_FLOOR = -12.0  # dB; default where no example of the signal is used


def _sound(text: str) -> str | tuple[float, float]:
    """Parse a path or a time range."""
    from nmfaudio._common.time_ranges import parse_time_range

    return parse_time_range(text) if re.fullmatch(r"[\d:.]+-[\d:.]+", text) else text


@public
@documented
@dataclass(frozen=True, kw_only=True)
class DenoiseSeparator(NmfSeparator):
    """Reduce the noise of a recording.

    Frames of isolated noise are fixed templates of the noise. The signal is modelled by frames of
    isolated signal, or by a few free components. Several such models, with different frames and
    initialisations, are averaged.

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
    An intermittent tone in noise; the first half second is noise alone:

    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(16000) / 8000
    >>> tone = np.sin(2770 * t) * (t % 1 > 0.5)
    >>> hiss = 0.5 * np.random.default_rng(0).standard_normal(16000)
    >>> stems = na.DenoiseSeparator(noise=(0, 0.5), n_free=2)(tone + hiss, 8000)
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
        "recording of the noise only, or a time range in seconds of this recording with noise "
        "only; by default, and where a recording of it does not match, the quietest tenth of the "
        "frames",
        parse=_sound,
        many=True,
        metavar="FILE|FROM-TO",
    )
    signal: Sound | Sequence[Sound] = option(
        (),
        "recording of the signal alone, such as the same voice without noise, or a time range in "
        "seconds of this recording; by default, and where it does not match, the signal is "
        "everything unlike the noise",
        parse=_sound,
        many=True,
        metavar="FILE|FROM-TO",
    )
    floor: float | None = option(
        None,
        "level in dB of the noise that stays in the signal, such as -20, to mask musical noise; by "
        "default -12 without examples of the signal, which harms the signal least, else none",
        parse=float,
        metavar="DB",
    )
    n_free: int = option(
        8,
        "number of components of the signal where there is no recording of it; more keep more of "
        "the signal, and of the noise",
        flag="--free",
        metavar="N",
    )
    exemplars: int = option(
        200,
        "maximum number of frames of a recording that serve as templates of a model",
        metavar="N",
    )
    models: int = option(
        3, "number of models to average; more separate better and take longer", metavar="N"
    )
    max_iter: int = option(
        50,
        "maximum number of iterations of each model; more fit the mixture better and take longer",
        metavar="N",
    )
    mask_power: float = option(
        1.5,
        "exponent of the soft masks: 1 keeps more of each source and leaks more, 2 suits music",
        metavar="ALPHA",
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer windows separate voiced speech from noise better, "
        "shorter ones smear less; by default the power of two nearest to 64 ms",
        parse=int,
        metavar="SAMPLES",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count, as_number

        super().__post_init__()
        for name in ("n_free", "exemplars", "models"):
            self._set(name, as_count(getattr(self, name), name, low=1))
        for name in ("noise", "signal"):
            self._set(name, _as_tuple(getattr(self, name), name))
        if self.floor is not None:
            self._set("floor", as_number(self.floor, "floor"))
            if self.floor >= 0:
                raise ParameterError(f"floor is {self.floor:g} dB; it must be below 0, such as -20")

    @property
    def stem_names(self) -> tuple[str, ...]:
        """Names of the stems."""
        return STEMS

    def finish(self, stems: Stems) -> Stems:
        """Add noise back to the signal up to the floor.

        Parameters
        ----------
        stems : Stems
            The stems signal and noise.

        Returns
        -------
        Stems
            Stems with the same sum.
        """
        import numpy as np

        from nmfaudio.separators.noise_model import return_noise

        block = np.stack([stems[name] for name in STEMS])
        returned = return_noise(block, stems.decomposition.metadata[RETURNED])
        return replace(stems, stems=dict(zip(STEMS, returned, strict=True)))

    def finish_block(self, block: np.ndarray, learned: Learned) -> np.ndarray:
        """Add noise back to the signal up to the floor, in a block of the stems.

        Parameters
        ----------
        block : np.ndarray [shape=(stem, channel, sample)]
            The stems signal and noise.
        learned : Learned
            Their model.

        Returns
        -------
        np.ndarray [shape=(stem, channel, sample)]
            Stems with the same sum.
        """
        from nmfaudio.separators.noise_model import return_noise

        return return_noise(block, learned.metadata[RETURNED])

    def noise_share(self, signal_examples: bool) -> float:
        """Return the share of the noise that stays in the signal.

        Parameters
        ----------
        signal_examples : bool
            Whether there are matching examples of the signal.

        Returns
        -------
        float
            Factor of the samples, from 0 to 1.
        """
        floor = self.floor
        if floor is None:
            floor = -math.inf if signal_examples else _FLOOR
        return float(10 ** (floor / 20))

    def transform(self, sr: int) -> Stft:
        """Return the transform for audio of a sample rate.

        Parameters
        ----------
        sr : int
            Sample rate in Hz.

        Returns
        -------
        Stft
            With a shorter window than usual, as the pitch of voices glides.
        """
        from nmfaudio.audio.transforms import Stft

        n_fft = 2 ** max(1, round(math.log2(_WINDOW * sr))) if self.n_fft is None else self.n_fft
        return Stft(sr, n_fft, self.hop)  # type: ignore[arg-type]

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """
        signal = self.exemplars if self.signal else self.n_free
        return self.models * (self.exemplars + signal), 2

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Average several models with templates of noise and signal.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.
        """
        from nmfaudio.separators.noise_frames import whole_recording

        average = self._average(whole_recording(inputs.V), inputs)
        return GroupedDecomposition(average.mean, average.groups, self._metadata(average))

    def learn(self, inputs: SeparationInput) -> Learned:
        """Learn the noise from the quietest frames, and the signal from frames of all of it.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, and the components of each stem.
        """
        from nmfaudio.separators.blockwise import LEARNING_FRAMES, Learned, described_groups
        from nmfaudio.separators.noise_frames import spread_over_recording
        from nmfaudio.separators.noise_model import MeanFit

        average = self._average(
            spread_over_recording(inputs, LEARNING_FRAMES // _LEARNING_SHARE), inputs
        )
        fit = MeanFit(average.sizes, max(self.max_iter, 1))
        groups = described_groups(average.mean, fit, average.groups, inputs)
        return Learned(average.mean, groups, fit, self._metadata(average))

    def _metadata(self, average: NoiseModel) -> dict[str, Any]:
        """Metadata of the model, with what a later rendering needs."""
        share = self.noise_share(average.metadata["signal_examples"])
        return {**average.metadata, RETURNED: share}

    def _average(self, frames: TrainingFrames, inputs: SeparationInput) -> NoiseModel:
        """Average several models with templates of noise and signal."""
        from nmfaudio.factorisation.engine import generator
        from nmfaudio.separators.noise_model import average_noise_models

        rng = generator(inputs.rng)
        examples = self._matching_examples(frames, inputs, rng)
        return average_noise_models(
            frames.V, examples, self._sizes(), self.models, callback=inputs.callback, rng=rng
        )

    def _sizes(self) -> ModelSizes:
        """Sizes and iterations of a model."""
        from nmfaudio.separators.noise_model import ModelSizes

        return ModelSizes(self.exemplars, self.n_free, self.max_iter, self.tol)

    def _matching_examples(
        self, frames: TrainingFrames, inputs: SeparationInput, rng: np.random.Generator
    ) -> list[list[np.ndarray]]:
        """Spectrograms of the noise, and of the signal if there are any that match.

        The examples of the noise are compared with the quietest frames of the recording, those of
        the signal with free components: what explains the recording worse is not used.
        """
        from nmfaudio.separators.noise_model import fit_noise_model

        noise, signal = (self._spectrograms(inputs, name) for name in ("noise", "signal"))
        quiet = [frames.quietest]

        def loss(examples: list[list[np.ndarray]]) -> float:
            fitted, _ = fit_noise_model(
                frames.compared, examples, self._sizes(), callback=inputs.callback, rng=rng
            )
            return float(fitted.losses[-1])

        chosen, best = quiet, math.nan
        elsewhere = not all(isinstance(sound, tuple) for sound in _as_tuple(self.noise, "noise"))
        if signal or (noise and elsewhere):
            best = loss([quiet])
        if noise:
            noise_loss = loss([noise]) if signal or elsewhere else 0.0
            if elsewhere and noise_loss > _OTHER_NOISE * best:
                _warn_of_mismatch("noise", "its quietest frames")
            else:
                chosen, best = noise, noise_loss
        if signal and loss([chosen, signal]) > _OTHER_SIGNAL * best:
            _warn_of_mismatch("signal", f"{self.n_free} free components")
            signal = []
        return [chosen, signal] if signal else [chosen]

    def _spectrograms(self, inputs: SeparationInput, name: str) -> list[np.ndarray]:
        """Spectrograms of the examples of the noise or of the signal."""
        from nmfaudio.dictionaries.learning import read_recordings

        sounds = [
            _samples_in(inputs, sound, name) if isinstance(sound, tuple) else sound
            for sound in getattr(self, name)
        ]
        if not sounds:
            return []
        spectra = [V for V in read_recordings(name, sounds, inputs.transform) if V.any()]
        if not spectra:
            raise ContentError(f"{name}: the examples are silent; give another time range or file")
        return spectra


def _warn_of_mismatch(name: str, remedy: str) -> None:
    """Warn that the examples of a source are not used."""
    warnings.warn(
        f"the {name} examples do not match: they explain the recording no better than {remedy}, "
        f"which are used instead; give an example of the same {name}",
        AudioWarning,
        stacklevel=6,
    )


def _as_tuple(sounds: Any, name: str) -> tuple[Any, ...]:
    """One or several sounds as a tuple; a pair of numbers is one time range."""
    if isinstance(sounds, int | float):
        raise ParameterError(
            f"{name} is {sounds!r}; a time range is a pair of seconds, such as (0, {sounds!r})"
        )
    if isinstance(sounds, list | tuple):
        is_range = len(sounds) == 2 and all(isinstance(t, int | float) for t in sounds)
        return (tuple(sounds),) if is_range else tuple(sounds)
    return (sounds,)


def _samples_in(inputs: SeparationInput, span: tuple[float, float], name: str) -> np.ndarray:
    """Samples of a time range of the recording, read from its file if outside the excerpt."""
    start, stop = span
    duration = inputs.file_duration
    if not 0 <= start < stop or round(start * inputs.sr) >= round(duration * inputs.sr):
        raise ParameterError(
            f"{name} is {start:g}-{stop:g} s; it must be a time range within the recording of "
            f"{duration:g} s"
        )
    if inputs.excerpt is not None:
        stop = min(stop, duration)
        if start < inputs.start or stop > inputs.start + inputs.duration:
            return inputs.excerpt.read(start, stop)
    first, last = (round((time - inputs.start) * inputs.sr) for time in (start, stop))
    return inputs.y[:, first:last]
