"""Separation by examples: recordings of what is to be heard in each stem."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, cast

from nmfaudio._common.options import documented, option
from nmfaudio._public import public
from nmfaudio.errors import ParameterError
from nmfaudio.separators.pipeline import GroupedDecomposition, NmfSeparator, SeparationInput
from nmfaudio.stems import REST

# All that is heavy is imported where it is needed, so that the command's help stays quick.
if TYPE_CHECKING:
    import numpy as np

    from nmfaudio.audio.transforms import Stft
    from nmfaudio.dictionaries.dictionary import Dictionary
    from nmfaudio.dictionaries.recordings import AnyRecording, Recording

"""The stem of what no example is like."""

_SIZE = 400
_LAGS = 4
_BETA = 0.5
# Up to this rate, in Hz, people record speech rather than music; its pitch never rests, so that
# windows are to be shorter.
_SPEECH_RATE, _SPEECH_WINDOW = 16_000, 0.032


def _labelled(text: str) -> tuple[str, str]:
    label, _, path = text.partition("=")
    if not (label and path):
        raise ParameterError(f"{text!r} is not of the form LABEL=PATH, as in guitar=guitar.wav")
    return label, path


@public
@documented
@dataclass(frozen=True, kw_only=True)
class GuidedSeparator(NmfSeparator):
    """Take a recording apart into sounds of which there are examples.

    An example is a recording in which nothing but the sound is heard: the other half of the song,
    a bar of the drummer alone, a folder of hits. Short stretches of the examples are laid over
    the mixture so that together they make it up; each stem gets what its own stretches explain.
    The parameters are those of the command ``nmfaudio guided``; see `options`.

    Raises
    ------
    ParameterError
        A setting is out of range, or there are neither examples nor a dictionary.

    References
    ----------
    P. Smaragdis, B. Raj, M. Shashanka, "Supervised and semi-supervised separation of sounds from
    single-channel mixtures", ICA 2007, doi:10.1007/978-3-540-74494-8_52.

    J. F. Gemmeke, T. Virtanen, A. Hurmalainen, "Exemplar-based sparse representations for noise
    robust automatic speech recognition", IEEE TASLP 19(7), 2011, doi:10.1109/TASL.2011.2112350.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(16000) / 8000
    >>> tone, hiss = np.sin(2770 * t), np.random.default_rng(0).standard_normal(16000)
    >>> guided = GuidedSeparator(example={"tone": tone[:8000], "hiss": hiss[:8000]}, max_iter=10)
    >>> stems = guided(tone[8000:] + hiss[8000:], 8000)
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
        "what nmfaudio learn made of examples; by default there is none",
        metavar="FILE.npz",
    )
    example: (
        Mapping[str, AnyRecording | Sequence[AnyRecording]] | tuple[tuple[str, AnyRecording], ...]
    ) = option(
        (),
        "a recording in which nothing but this sound is heard, or a folder of its hits or notes; "
        "PATH@12-15.5,1:02-1:09 takes stretches of it; several of one label belong together",
        parse=_labelled,
        many=True,
        metavar="LABEL=PATH",
    )
    free: int = option(
        0,
        "how many sounds there are that no example is like; they make the stem rest",
        metavar="N",
    )
    adapt: float | None = option(
        None,
        "let the examples' spectra move towards the mix, held back this strongly: 1 counts them as "
        "much as the mix; by default they stay as they are",
        parse=float,
        metavar="WEIGHT",
    )
    beta_loss: float | None = option(
        None,
        "what counts as a misfit: 1 suits most music, less hears quiet parts better, 2 follows the "
        "loudest; by default the dictionary's own, and 0.5 for examples",
        parse=float,
        metavar="BETA",
    )
    max_iter: int = option(
        60, "iterations at most; more fit the mix closer and take longer", metavar="N"
    )
    n_fft: int | None = option(
        None,
        "window length in samples: longer tells pitches apart better, shorter smears hits and "
        "gliding voices less; by default the dictionary's own, or the power of two nearest to "
        "93 ms, 32 ms where the sample rate is 16 kHz or less",
        parse=int,
        metavar="SAMPLES",
    )

    def __post_init__(self) -> None:
        from nmfaudio._common.validation import as_count, as_number

        super().__post_init__()
        self._keep("free", as_count(self.free, "free", low=0))
        if self.adapt is not None:
            self._keep("adapt", as_number(self.adapt, "adapt", low=0))
        if self.beta_loss is not None:
            self._keep("beta_loss", as_number(self.beta_loss, "beta_loss"))
        if self.dictionary is None and not self.example:
            raise ParameterError(
                "there is nothing to go by; give an example of each sound (--example "
                "guitar=riff.wav) or a dictionary (--dictionary songs.npz)"
            )
        known = () if self._loaded is None else self._loaded.names
        twice = [label for label in self._given if label in known]
        if twice:
            raise ParameterError(
                f"{twice[0]!r} is in the dictionary and has an example too; leave one out, or "
                "learn a dictionary from both"
            )

    @cached_property
    def _given(self) -> dict[str, list[Recording]]:
        """The examples of each label."""
        from nmfaudio.dictionaries.recordings import as_recordings

        pairs = self.example.items() if isinstance(self.example, Mapping) else self.example
        found: dict[str, list[Recording]] = {}
        for label, given in pairs:
            found.setdefault(label, []).extend(as_recordings(_cut(given)))
        return found

    @cached_property
    def _loaded(self) -> Dictionary | None:
        from nmfaudio.dictionaries.dictionary import Dictionary

        if self.dictionary is None or isinstance(self.dictionary, Dictionary):
            return self.dictionary
        return Dictionary.load(self.dictionary)

    def model(self, inputs: SeparationInput) -> GroupedDecomposition:
        """Lay what is known over the spectrogram, and give each label its components."""
        from nmfaudio.factorisation.engine import generator
        from nmfaudio.separators.exemplar_fit import fit_stretches

        rng = generator(inputs.rng)
        known = self._known(inputs.transform, rng)
        found = fit_stretches(
            inputs.V,
            known.templates,
            convolutive=known.kind == "convolutive",
            free=self.free,
            adapt=self.adapt,
            beta=known.beta if self.beta_loss is None else self.beta_loss,
            max_iter=self.max_iter,
            tol=self.tol,
            callback=inputs.callback,
            rng=rng,
        )
        groups = {name: known.components(name) for name in known.names}
        if self.free:
            unknown = tuple(range(known.n_components, found.n_components))
            groups[REST] = (*groups.get(REST, ()), *unknown)
        return GroupedDecomposition(found, groups)

    def _known(self, transform: Stft, rng: np.random.Generator) -> Dictionary:
        """The dictionary, with what is learned from the examples, as frames of `transform`."""
        from nmfaudio.dictionaries.learning import learn

        loaded = self._loaded
        if loaded is not None:
            loaded.check(transform)
        if not self._given:
            return cast("Dictionary", loaded)
        learned = learn(
            self._given,
            transform.sr,
            kind="exemplars" if loaded is None or loaded.lags == 1 else loaded.kind,
            size=_SIZE,
            lags=_LAGS if loaded is None else loaded.lags,
            transform=transform,
            beta=_BETA if loaded is None else loaded.beta,
            rng=rng,
        )
        return learned if loaded is None else loaded.merge(learned)

    def size(self) -> tuple[int, int]:
        """How many components and stems, at most."""
        loaded = self._loaded
        components = self.free + _SIZE * len(self._given)
        stems = len(self._given) + bool(self.free)
        if loaded is not None:
            components += loaded.n_components
            stems += len(loaded.names)
        return components, stems

    def transform(self, sr: int) -> Stft:
        """The dictionary's, or one for audio of this sample rate."""
        from nmfaudio.audio.transforms import Stft

        if self._loaded is not None and self.n_fft is None and self.hop is None:
            # Another sample rate is refused later, by its name.
            return replace(cast("Stft", self._loaded.transform), sr=sr)
        if self.n_fft is None and sr <= _SPEECH_RATE:
            n_fft = 2 ** max(round(math.log2(sr * _SPEECH_WINDOW)), 1)
            return Stft(sr, n_fft, self.hop)  # type: ignore[arg-type]
        return super().transform(sr)


def _cut(given: AnyRecording | Sequence[AnyRecording]) -> AnyRecording | Sequence[AnyRecording]:
    """The stretches that follow an ``@`` in a path, if any do."""
    from nmfaudio._common.time_ranges import parse_time_range
    from nmfaudio.dictionaries.recordings import Recording

    if not isinstance(given, str) or "@" not in given or os.path.exists(given):
        return given
    path, _, spans = given.rpartition("@")
    return [Recording(path, *parse_time_range(span)) for span in spans.split(",")]
