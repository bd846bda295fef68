"""Separation by examples: isolated recordings of each sound."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, cast

from nmfaudio._common.options import documented, name_or_number, option
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators.inputs import (
    GroupedDecomposition,
    SeparationInput,
    describe_members,
)
from nmfaudio.separators.pipeline import NmfSeparator
from nmfaudio.stems import REST

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.recordings import AnyRecording, Recording
    from nmfaudio.factorisation.decomposition import Decomposition
    from nmfaudio.factorisation.engine import Callback
    from nmfaudio.separators.blockwise import BlockFit, Learned

# Dictionary of examples: exemplars per label, frames of each, and the β-divergence.
_SIZE = 400
_LAGS = 4
_BETA = 0.5
# Components of the stem rest beside a single label. SI-SDR of the label above the mixture, mean of
# 18 labels of seven recordings: 7.8, 8.4, 7.9 and 7.3 dB with 5, 10, 20 and 40; leaving out any
# recording, 10 has the best mean, and it loses least on the worst label (1.8 dB to the best count).
_REST_COMPONENTS = 10
_LEARNING_RUN = 16  # consecutive frames of a long recording that templates are learned from
# Recordings up to this sample rate in Hz are assumed to be speech, whose gliding pitch needs short
# windows (in seconds).
_SPEECH_RATE, _SPEECH_WINDOW = 16_000, 0.032


def _labelled(text: str) -> tuple[str, str]:
    """Parse ``LABEL=PATH``."""
    label, _, path = text.partition("=")
    if not (label and path):
        raise ParameterError(f"{text!r} does not have the form LABEL=PATH, as in guitar=guitar.wav")
    return label, path


@public
@documented
@dataclass(frozen=True, kw_only=True)
class GuidedSeparator(NmfSeparator):
    """Separate a recording by examples of each sound.

    An example is an isolated recording of one sound: another part of the song, a bar of drums only,
    a folder of hits. Short spectrograms from the examples (exemplars) are fitted to the mixture,
    and each stem is the part of the mixture that its exemplars explain.

    Raises
    ------
    ParameterError
        A setting is out of range, or there is neither an example nor a dictionary.

    References
    ----------
    P. Smaragdis, B. Raj, M. Shashanka, "Supervised and semi-supervised separation of sounds from
    single-channel mixtures", ICA 2007, doi:10.1007/978-3-540-74494-8_52.

    J. F. Gemmeke, T. Virtanen, A. Hurmalainen, "Exemplar-based sparse representations for noise
    robust automatic speech recognition", IEEE TASLP 19(7), 2011, doi:10.1109/TASL.2011.2112350.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(16000) / 8000
    >>> tone, hiss = np.sin(2770 * t), np.random.default_rng(0).standard_normal(16000)
    >>> examples = {"tone": tone[:8000], "hiss": hiss[:8000]}
    >>> separator = na.GuidedSeparator(example=examples, max_iter=10)
    >>> stems = separator(tone[8000:] + hiss[8000:], 8000)
    >>> list(stems)
    ['tone', 'hiss']
    """

    usage_examples: ClassVar[tuple[str, ...]] = (
        "mix.wav --example guitar=riff.wav --example rest=other.wav",
        "mix.wav --example voice=mix.wav@1:02-1:09 --free 20",
        "loop.wav --example kick=kicks/ --example snare=snares/",
        "mix.wav --dictionary songs.npz",
    )

    dictionary: str | os.PathLike[str] | Dictionary | None = option(
        None,
        "dictionary learned from examples, as nmfaudio learn saves it; by default none",
        metavar="FILE.npz",
    )
    example: (
        Mapping[str, AnyRecording | Sequence[AnyRecording]] | tuple[tuple[str, AnyRecording], ...]
    ) = option(
        (),
        "isolated recording of one sound, or folder of its hits or notes; PATH@12-15.5,1:02-1:09 "
        "uses these time ranges of the file; several examples of one label are combined",
        parse=_labelled,
        many=True,
        metavar="LABEL=PATH",
    )
    n_free: int | None = option(
        None,
        "number of components of sounds without examples; they make the stem rest; by default 10 "
        "if there is only one label, and none otherwise",
        flag="--free",
        parse=int,
        metavar="N",
    )
    adapt: float | None = option(
        None,
        "weight of the examples while their templates adapt to the mixture: 1 weights them as much "
        "as the mixture, less adapts more; by default the templates stay fixed",
        parse=float,
        metavar="WEIGHT",
    )
    beta_loss: str | float | None = option(
        None,
        "beta-divergence of the fit: 1 suits most music, less weights quiet parts more, 2 weights "
        "loud parts more; or kl, is, frobenius; by default that of the dictionary, and 0.5 for "
        "examples",
        parse=name_or_number,
        metavar="LOSS",
    )
    max_iter: int = option(
        60,
        "maximum number of iterations; more fit the mixture better and take longer",
        metavar="N",
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer windows resolve pitches better, shorter ones smear hits "
        "and gliding voices less; by default that of the dictionary, or the power of two nearest "
        "to 93 ms (32 ms for sample rates up to 16 kHz)",
        parse=int,
        metavar="SAMPLES",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count, as_number
        from nmfaudio.factorisation.divergences import beta_named

        super().__post_init__()
        if self.n_free is not None:
            self._set("n_free", as_count(self.n_free, "n_free", low=0))
        if self.adapt is not None:
            self._set("adapt", as_number(self.adapt, "adapt", low=0))
        if self.beta_loss is not None:
            self._set("beta_loss", beta_named(self.beta_loss, "guided").beta)
        if self.dictionary is None and not self.example:
            raise ParameterError(
                "no example and no dictionary; give an example of each sound (--example "
                "guitar=riff.wav) or a dictionary (--dictionary songs.npz)"
            )
        known = () if self._loaded is None else self._loaded.names
        shared = [label for label in self._examples if label in known]
        if shared:
            raise ParameterError(
                f"{shared[0]!r} is in the dictionary and has an example too; leave one out, or "
                "learn a dictionary from both"
            )
        _ = self.free_components  # refuses a single stem before any audio is read

    @cached_property
    def free_components(self) -> int:
        """Number of components of sounds without examples."""
        from nmfaudio.separators.free_components import count_free_components

        known = () if self._loaded is None else self._loaded.names
        return count_free_components(self.n_free, [*known, *self._examples], _REST_COMPONENTS)

    @cached_property
    def _examples(self) -> dict[str, list[Recording]]:
        """Examples of each label."""
        from nmfaudio._common.validation import as_pair
        from nmfaudio.dictionaries.recordings import as_recordings

        if isinstance(self.example, str | bytes | os.PathLike):
            raise ParameterError(
                f"example is {self.example!r}; give a mapping of labels to recordings, such as "
                '{"voice": "voice.wav"}'
            )
        pairs = self.example.items() if isinstance(self.example, Mapping) else self.example
        by_label: dict[str, list[Recording]] = {}
        for pair in pairs:
            label, recordings = as_pair(pair, "example", "(label, recording)")
            by_label.setdefault(label, []).extend(as_recordings(_time_ranges(recordings)))
        return by_label

    @cached_property
    def _loaded(self) -> Dictionary | None:
        """Dictionary, read from its file."""
        from nmfaudio.dictionaries.dictionary import Dictionary

        if self.dictionary is None or isinstance(self.dictionary, Dictionary):
            return self.dictionary
        return Dictionary.load(self.dictionary)

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Fit the exemplars to the spectrogram, and group them by label.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        GroupedDecomposition
            The model, and the components of each stem.
        """
        from nmfaudio.factorisation.engine import generator

        rng = generator(inputs.rng)
        known = self.known_templates(inputs.transform, rng)
        fitted = self._fit(inputs.V, known, inputs.callback, rng)
        return GroupedDecomposition(fitted, self._groups(known, fitted.n_components))

    def learn(self, inputs: SeparationInput) -> Learned:
        """Take the exemplars as templates, and learn those of other sounds from runs of frames.

        Parameters
        ----------
        inputs : SeparationInput
            The recording.

        Returns
        -------
        Learned
            The templates, and the components of each stem.
        """
        from nmfaudio.factorisation.engine import generator
        from nmfaudio.separators.blockwise import LEARNING_FRAMES, Learned, fitted_evidence
        from nmfaudio.separators.exemplar_fit import exemplar_model

        rng = generator(inputs.rng)
        known = self.known_templates(inputs.transform, rng)
        if self.free_components or self.adapt is not None:
            # Not in a variable, which would keep the frames in memory.
            model = self._fit(
                inputs.training_frames(LEARNING_FRAMES, _LEARNING_RUN)[0],
                known,
                inputs.callback,
                rng,
                refit=False,
            )
        else:
            model = exemplar_model(
                known.templates,
                inputs.y.dtype,
                convolutive=known.kind == "convolutive",
                beta_loss=self._beta(known),
            )
        fit = self._block_fit(model, known, inputs)
        V, fitted = fitted_evidence(model, fit, inputs)
        members = self._groups(known, fitted.n_components)
        groups = describe_members(V, fitted, members, inputs.transform)
        return Learned(fitted, groups, fit)

    @property
    def learns_from_all(self) -> bool:
        """True if `learn` takes `SeparationInput.training_frames`."""
        from nmfaudio.factorisation.divergences import beta_named

        # Refitting all bins for β ≤ 0 would copy the spectrogram.
        return self.adapt is None or beta_named(self._beta(self._loaded), "guided").beta > 0

    def _fit(
        self,
        V: np.ndarray,
        known: Dictionary,
        callback: Callback | None,
        rng: np.random.Generator,
        *,
        refit: bool = True,
    ) -> Decomposition:
        """Fit the exemplars, and templates of other sounds, to a spectrogram."""
        from nmfaudio.separators.exemplar_fit import fit_exemplars

        return fit_exemplars(
            V,
            known.templates,
            convolutive=known.kind == "convolutive",
            n_free=self.free_components,
            adapt=self.adapt,
            refit=refit,
            beta_loss=self._beta(known),
            max_iter=self.max_iter,
            tol=self.tol,
            callback=callback,
            rng=rng,
        )

    def _block_fit(
        self, model: Decomposition, known: Dictionary, inputs: SeparationInput
    ) -> BlockFit:
        """Return the fit of the templates to a block."""
        from nmfaudio.separators.block_fits import (
            CONVOLUTIVE_ITERATIONS,
            BandTemplates,
            ExemplarWindows,
            convolutive_halo,
            pooled_peak,
        )
        from nmfaudio.separators.exemplar_fit import BAND_WIDTH

        lags, peak = len(model.W), pooled_peak(inputs, model.divergence, BAND_WIDTH)
        if known.kind == "convolutive":
            halo = convolutive_halo(lags)
            return BandTemplates(BAND_WIDTH, CONVOLUTIVE_ITERATIONS, halo, peak)
        return ExemplarWindows(self.max_iter, lags, peak)

    def _beta(self, known: Dictionary | None) -> str | float:
        """Return the beta-divergence of the fit."""
        if self.beta_loss is not None:
            return self.beta_loss
        return _BETA if known is None else known.beta_loss

    def _groups(self, known: Dictionary, n_components: int) -> dict[str, Sequence[int]]:
        """Return the components of each stem."""
        groups: dict[str, Sequence[int]] = {name: known.components(name) for name in known.names}
        if self.free_components:
            unknown = tuple(range(known.n_components, n_components))
            groups[REST] = (*groups.get(REST, ()), *unknown)
        return groups

    def known_templates(
        self, transform: Stft, rng: np.random.Generator, *, size: int = _SIZE, lags: int = _LAGS
    ) -> Dictionary:
        """Merge the loaded dictionary with one learned from the examples.

        Parameters
        ----------
        transform : Stft
            Transform of the recording.
        rng : np.random.Generator
            Random numbers of the learning.
        size : int
            Maximum number of templates of each example's label.
        lags : int
            Number of frames of these templates, if there is no loaded dictionary.

        Returns
        -------
        Dictionary

        Raises
        ------
        ParameterError
            The loaded dictionary is of another transform.
        """
        from nmfaudio.dictionaries.learning import learn

        loaded = self._loaded
        if loaded is not None:
            loaded.check(transform)
        if not self._examples:
            return cast("Dictionary", loaded)
        learned = learn(
            self._examples,
            transform.sr,
            kind="exemplars" if loaded is None or loaded.lags == 1 else loaded.kind,
            size=size,
            lags=lags if loaded is None else loaded.lags,
            transform=transform,
            beta_loss=_BETA if loaded is None else loaded.beta_loss,
            rng=rng,
        )
        return learned if loaded is None else loaded.merge(learned)

    def size(self) -> tuple[int, int]:
        """Return upper bounds of the numbers of components and stems.

        Returns
        -------
        tuple of (int, int)
            Number of components, number of stems.
        """
        loaded = self._loaded
        components = self.free_components + _SIZE * len(self._examples)
        stems = len(self._examples) + bool(self.free_components)
        if loaded is not None:
            components += loaded.n_components
            stems += len(loaded.names)
        return components, stems

    def transform(self, sr: int) -> Stft:
        """Return the transform for audio of a sample rate.

        Parameters
        ----------
        sr : int
            Sample rate in Hz.

        Returns
        -------
        Stft
            That of the dictionary, unless the settings choose another.
        """
        from nmfaudio.audio.transforms import Stft

        if self._loaded is not None and self.n_fft is None and self.hop is None:
            # `Dictionary.check` refuses another sample rate later, with both rates in its message.
            return replace(cast("Stft", self._loaded.transform), sr=sr)
        if self.n_fft is None and sr <= _SPEECH_RATE:
            n_fft = 2 ** max(round(math.log2(sr * _SPEECH_WINDOW)), 1)
            return Stft(sr, n_fft, self.hop)  # type: ignore[arg-type]
        return super().transform(sr)


def _time_ranges(
    recording: AnyRecording | Sequence[AnyRecording],
) -> AnyRecording | Sequence[AnyRecording]:
    """Split ``PATH@FROM-TO,FROM-TO`` into recordings of these time ranges; keep anything else."""
    from nmfaudio._common.time_ranges import parse_time_range
    from nmfaudio.dictionaries.recordings import Recording

    if not isinstance(recording, str) or "@" not in recording or os.path.exists(recording):
        return recording
    path, _, ranges = recording.rpartition("@")
    return [Recording(path, *parse_time_range(range_)) for range_ in ranges.split(",")]
