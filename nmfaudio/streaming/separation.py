"""From a separator to the model of a stream: its templates, and how they are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nmfaudio.audio.masking import Masking
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.drum_kit import bundled_kit_templates, learn_one_shots
from nmfaudio.dictionaries.drum_model import BAND_WIDTH
from nmfaudio.dictionaries.exemplars import choose_exemplars
from nmfaudio.dictionaries.learning import read_recordings
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import generator
from nmfaudio.separators.denoise import RETURNED, DenoiseSeparator
from nmfaudio.separators.drums import DrumSeparator
from nmfaudio.separators.guided import GuidedSeparator
from nmfaudio.separators.hpss import HpssSeparator
from nmfaudio.separators.inputs import SeparationInput
from nmfaudio.stems import REST
from nmfaudio.stems.grouping import ComponentGroup
from nmfaudio.streaming.models import FrameModel, MedianModel, NoiseModel, TemplateModel
from nmfaudio.streaming.rendering import StemPlan
from nmfaudio.streaming.templates import Templates
from nmfaudio.symbolic.names import DRUM_PARTS

if TYPE_CHECKING:
    from nmfaudio.separators.pipeline import NmfSeparator

LONGEST_WINDOW = 0.05
"""Length in seconds of the windows of a stream by default, at most."""

# SI-SDR of the figures below is on recordings that none of the templates were learned from.
# Guided: frames of the examples per label. Single frames were no worse than 100 stacks of four of
# them (mean of five recordings 4.3 and 4.0 dB) and take less time.
_EXEMPLARS, _BETA = 200, 1.0
# Widths of the bands in which activations are fitted, as shares of their frequency.
_FINE, _COARSE = 0.02, 0.05
# Drums: with each frame the last four are refitted. More change less than 0.1 dB.
_REFITTED, _ITERATIONS = 4, 10
# Denoising without examples of the signal: share by which a band must exceed the noise. SI-SDR of
# the speech in three recordings with 0.5, 1 and 2: 11.1, 7.1 and 4.7; 3.3, 4.2 and 2.4; 2.2, 2.3
# and 0.1 dB.
_EXCESS = 0.5
# Harmonic and percussive sound: lengths of the medians. 0.1 and 0.4 s were 0.5 and 0.4 dB worse.
_STEADY_SECONDS, _BROAD_HZ = 0.2, 330.0


def stream_transform(separator: NmfSeparator, sr: int) -> Stft:
    """Return the transform of a stream: that of the separator, with windows of 50 ms at most.

    Parameters
    ----------
    separator : NmfSeparator
        Its `n_fft`, or the dictionary of a `GuidedSeparator`, choose another length.
    sr : int
        Sample rate in Hz.

    Returns
    -------
    Stft
    """
    has_dictionary = getattr(separator, "dictionary", None) is not None
    if separator.n_fft is None and not (has_dictionary and separator.hop is None):
        separator = replace(separator, n_fft=_short_window(sr))
    return separator.transform(sr)


def plan_stems(
    separator: NmfSeparator,
    transform: Stft,
    *,
    recording: np.ndarray | None,
    lookahead: int,
    rng: int | np.random.Generator | None,
) -> StemPlan:
    """Return the model of the stems of a stream.

    Parameters
    ----------
    separator : NmfSeparator
    transform : Stft
    recording : np.ndarray [shape=(channel, sample)], optional
        Recording to separate, whose templates are then those of the stream.
    lookahead : int
    rng : int, np.random.Generator or None
        Seed of the learning.

    Returns
    -------
    StemPlan

    Raises
    ------
    ParameterError
        The separator has settings that a stream cannot follow, or needs a recording.
    ContentError, AudioFileError
        An example cannot be used.
    """
    request = _Request(separator, transform, lookahead, generator(rng))
    masking = Masking(separator.mask_power, transform.power, separator.mask == "binary")
    if recording is not None:
        templates, metadata = request.learned(recording)
        model: FrameModel = TemplateModel(templates, lookahead)
        return StemPlan(model, masking, metadata.get(RETURNED, 0.0))
    if isinstance(separator, GuidedSeparator):
        model = TemplateModel(request.guided(separator), lookahead)
    elif isinstance(separator, DrumSeparator):
        model = TemplateModel(request.drums(separator), lookahead)
    elif isinstance(separator, DenoiseSeparator):
        share = separator.noise_share(bool(separator.signal))
        return StemPlan(request.denoise(separator), masking, share)
    elif isinstance(separator, HpssSeparator):
        model = request.medians(separator)
    else:
        raise ParameterError(
            f"{type(separator).__name__} has no templates before it has separated a recording; "
            "use learn_from, a recording of the same sounds"
        )
    return StemPlan(model, masking, 0.0)


@dataclass(frozen=True, eq=False)
class _Request:
    """Settings that the templates of all separators depend on."""

    separator: NmfSeparator
    transform: Stft
    lookahead: int
    rng: np.random.Generator

    def learned(self, y: np.ndarray) -> tuple[Templates, Any]:
        """Templates of a recording, by the separator itself, and facts about them."""
        if isinstance(self.separator, GuidedSeparator):
            raise ParameterError(
                "learn_from is for separators without a dictionary; GuidedSeparator has the "
                "templates of its examples, so leave it out"
            )
        model = self.separator.model(SeparationInput(y, self.transform, self.rng, None))
        d = model.decomposition
        if d.structure.name not in ("product", "convolutive") or len(d.factors) != 2:
            raise ParameterError(
                f"{type(self.separator).__name__} has no fixed templates, which a stream needs; "
                "use guided, drums, denoise, hpss or separate"
            )
        groups = {
            name: tuple(group.components if isinstance(group, ComponentGroup) else group)
            for name, group in model.groups.items()
        }
        W = d.W if d.W.ndim == 3 else d.W[None]
        beta = d.divergence.beta if isinstance(d.divergence, Beta) else 1.0
        templates = Templates(W, groups, beta=beta, band_width=_FINE)
        if isinstance(self.separator, DrumSeparator):
            templates = replace(templates, band_width=BAND_WIDTH)
        return (_refitting(templates) if len(W) > 1 else templates), model.metadata

    def guided(self, separator: GuidedSeparator) -> Templates:
        """Templates of a dictionary, or exemplars of examples."""
        if separator.adapt is not None:
            raise ParameterError(
                f"adapt is {separator.adapt:g}, but a stream keeps its templates; leave it out"
            )
        known = separator.known_templates(self.transform, self.rng, size=_EXEMPLARS, lags=1)
        W = known.templates if known.templates.ndim == 3 else known.templates[None]
        default = _BETA if separator.dictionary is None else known.beta_loss
        beta = default if separator.beta_loss is None else separator.beta_loss
        stacked = len(W) > 1 and known.kind != "convolutive"
        templates = Templates(
            W,
            {name: known.components(name) for name in known.names},
            stacked=stacked,
            residual=REST if separator.free_components else None,
            beta=float(cast("float", beta)),
            band_width=_FINE,
        )
        if stacked and self.lookahead >= len(W):
            raise ParameterError(
                f"lookahead is {self.lookahead}; with templates of {len(W)} frames it must be "
                f"below {len(W)}"
            )
        return _refitting(templates) if len(W) > 1 and not stacked else templates

    def drums(self, separator: DrumSeparator) -> Templates:
        """Shipped templates of a kit, or those of one-shots."""
        for name in ("onsets", "hits"):
            if getattr(separator, name):
                raise ParameterError(f"{name} is for recordings; leave it out for a stream")
        if separator.one_shots is None:
            labels: Sequence[str] = separator.parts or DRUM_PARTS[:3]
            W = bundled_kit_templates(labels, self.transform)
        else:
            kit = learn_one_shots(
                separator.one_shots, separator.parts, self.transform, rng=self.rng
            )
            labels, W = kit.labels, kit.templates
        return _refitting(Templates(W, _members(labels), band_width=BAND_WIDTH))

    def denoise(self, separator: DenoiseSeparator) -> FrameModel:
        """Frames of the noise, and of the signal if there are examples of it."""
        signal = self._spectra("signal", separator.signal)
        sounds = cast("tuple[Any, ...]", separator.noise)
        ranges = [sound for sound in sounds if isinstance(sound, tuple)]
        if not sounds or (ranges and len(sounds) > 1):
            raise ParameterError(
                "noise is needed, a recording of it, or one time range of the stream with noise "
                "only, such as (0, 1)"
            )

        def learn(*noise: np.ndarray) -> Templates:
            found = [V for V in noise if V.any()]
            W = choose_exemplars(found, separator.exemplars, 1, self.rng)[0] if found else None
            if W is None:  # digital silence: all else is signal
                W = np.zeros((len(self.transform.frequencies), 1), np.float32)
            if not signal:
                count = W.shape[1]
                groups: dict[str, Sequence[int]] = {"signal": (), "noise": range(count)}
                return Templates(
                    W[None], groups, residual="signal", excess=_EXCESS, band_width=_COARSE
                )
            own = choose_exemplars(signal, separator.exemplars, 1, self.rng)[0]
            labels = ["signal"] * own.shape[1] + ["noise"] * W.shape[1]
            both = np.concatenate([own, W], axis=1)
            return Templates(both[None], _members(labels), band_width=_FINE)

        if not ranges:
            templates = learn(*self._spectra("noise", sounds))
            return TemplateModel(templates, self.lookahead)
        start, stop = ranges[0]
        if not 0 <= start < stop:
            raise ParameterError(f"noise is {start:g}-{stop:g} s; it must be a time range")
        hop, sr = self.transform.hop, self.transform.sr
        first, last = (-(-round(time * sr) // hop) for time in (start, stop))
        last = max(last, first + 1)
        return NoiseModel(first, last, learn, self.lookahead)

    def _spectra(self, name: str, sounds: Any) -> list[np.ndarray]:
        """Spectrograms of the examples of the noise or of the signal."""
        if name == "signal" and any(isinstance(sound, tuple) for sound in sounds):
            raise ParameterError(
                "signal is a time range, which a stream has not played yet; give a recording"
            )
        spectra = list(read_recordings(name, sounds, self.transform)) if sounds else []
        if sounds and not any(V.any() for V in spectra):
            raise ContentError(f"{name}: the examples are silent; give another file")
        return spectra

    def medians(self, separator: HpssSeparator) -> MedianModel:
        """Medians over the past and over frequency."""
        if separator.residual:
            raise ParameterError(
                "residual is for recordings, or for a stream with learn_from; leave it out"
            )
        transform = self.transform
        frames = max(3, round(_STEADY_SECONDS / transform.hop_seconds) // 2 * 2 + 1)
        if self.lookahead >= frames:
            raise ParameterError(
                f"lookahead is {self.lookahead}; it must be below the {frames} frames of the median"
            )
        bins = _BROAD_HZ / float(transform.frequencies[1])
        half = min(max(1, round((bins - 1) / 2)), len(transform.frequencies))
        return MedianModel(len(transform.frequencies), frames, half, self.lookahead)


def _refitting(templates: Templates) -> Templates:
    """Templates of several frames, with the last activations refitted."""
    return replace(templates, refitted=_REFITTED, iterations=_ITERATIONS)


def _members(labels: Sequence[str]) -> dict[str, list[int]]:
    """Components of each label."""
    return {
        name: [k for k, label in enumerate(labels) if label == name]
        for name in dict.fromkeys(labels)
    }


def _short_window(sr: int) -> int:
    """Longest window of a length that is fast to transform, and not above `LONGEST_WINDOW`."""
    for n_fft in range(int(LONGEST_WINDOW * sr) // 8 * 8, 8, -8):
        rest = n_fft
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n_fft
    return 8
