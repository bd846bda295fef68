"""Dictionaries learned from recordings of isolated sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio._public import public
from nmfaudio._version import __version__
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, Transform, default_n_fft
from nmfaudio.dictionaries.dictionary import Dictionary, Kind
from nmfaudio.dictionaries.exemplars import active_frames, choose_exemplars
from nmfaudio.dictionaries.recordings import AnyRecording, Recording, as_recordings
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factorisation.divergences import Beta, beta_named
from nmfaudio.factorisation.engine import Callback, decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import RELATIVE_FLOOR
from nmfaudio.factorisation.structures import Convolutive, Product

SIZES = {"exemplars": 300, "templates": 30, "convolutive": 10}
"""Default number of components of a label."""
SIZES_ISOLATED = {"exemplars": 10, "templates": 3, "convolutive": 1}
"""Default number of components of an isolated sound."""
LAGS = 10
"""Default number of frames of a convolutive template."""


@public
def learn(
    recordings: Mapping[str, AnyRecording | Sequence[AnyRecording]],
    sr: int | None = None,
    *,
    kind: Kind = "exemplars",
    size: int | None = None,
    lags: int | None = None,
    transform: Transform | None = None,
    beta_loss: str | float | Beta = 1.0,
    max_iter: int = 100,
    resample: bool = False,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Dictionary:
    """Learn a dictionary of templates from recordings of isolated sources.

    The channels of a recording are combined by the features of the transform. All recordings have
    the same weight, regardless of their level. Silence is left out. Each template sums to one.

    Parameters
    ----------
    recordings : mapping of str to path, np.ndarray or Recording, or a sequence of them
        Recordings of each label. A path may be a folder: each audio file in it is an isolated
        sound, whose pitch is taken from its name if all names are MIDI numbers or notes
        (``60.wav``, ``F#3.wav``). A `Recording` is an excerpt, or a note of known pitch.
    sr : int, optional
        Sample rate of arrays in Hz; files have their own.
    kind : "exemplars", "templates" or "convolutive"
        Frames of the recordings, chosen to differ from one another; spectra learned by NMF; or
        spectrograms of several frames learned by convolutive NMF.
    size : int, optional
        Maximum number of components of a label, and of each isolated sound. By default 300
        exemplars, 30 templates or 10 convolutive ones, and 10, 3 or 1 for an isolated sound.
        Recordings with fewer frames that differ get fewer.
    lags : int, optional
        Frames of a component: by default 1, or 10 for convolutive ones. Exemplars of several
        frames are excerpts of the recording.
    transform : Transform, optional
        Transform whose frames the templates are; by default ``Stft(sr, default_n_fft(sr))``, with
        power 2 where `beta_loss` is 0.
    beta_loss : str, float or Beta
        β-divergence under which the templates are learned, and later used.
    max_iter : int
        Maximum number of iterations of each factorisation.
    resample : bool
        Whether recordings are resampled to the rate of `transform`, or else of the first
        recording; otherwise those of another rate are refused.
    callback : callable, optional
        Gets a `Progress` every ten iterations of a factorisation, with the number of the
        factorisation as that of the start; True ends this factorisation.
    rng : int, np.random.Generator or None
        Seed or generator; the same seed gives the same bytes.

    Returns
    -------
    Dictionary
        Labels in the order of `recordings`. In each, the components of all other recordings come
        first, then those of isolated sounds.

    Raises
    ------
    ParameterError, ShapeError
        A parameter is invalid, or sample rates differ.
    AudioFileError
        A file cannot be read.
    ContentError
        The recordings of a label are silent, or a folder has no audio.

    References
    ----------
    P. Smaragdis, B. Raj, M. Shashanka, "Supervised and semi-supervised separation of sounds from
    single-channel mixtures", ICA 2007, doi:10.1007/978-3-540-74494-8_52.

    J. F. Gemmeke, T. Virtanen, A. Hurmalainen, "Exemplar-based sparse representations for noise
    robust automatic speech recognition", IEEE TASLP 19(7), 2011, doi:10.1109/TASL.2011.2112350.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> t = np.arange(8000) / 8000
    >>> tone, hiss = np.sin(2770 * t), np.random.default_rng(0).standard_normal(8000)
    >>> na.learn({"tone": tone, "hiss": hiss}, 8000, kind="templates", size=4)
    Dictionary(2 labels: tone 4, hiss 4; templates of 513 frequencies, stft, 8000 Hz)
    """
    beta = beta_named(beta_loss, "a dictionary").beta
    method = _Method(*_settings(kind, size, lags), beta, max_iter, callback)
    if not isinstance(recordings, Mapping) or not recordings:
        raise ParameterError("no recordings; give a mapping of labels to recordings")
    reader = RecordingReader(sr, transform, resample, method.beta)
    generator = np.random.default_rng(rng)
    learned: list[_Learned] = []
    origins = {}
    for label, sources in recordings.items():
        expanded = as_recordings(sources)
        learned += _learn_label(label, expanded, method, reader, generator)
        origins[label] = [recording.name for recording in expanded]
    templates = np.concatenate([part.templates for part in learned], axis=-1)
    parts = [part for part in learned for _ in range(part.templates.shape[-1])]
    return Dictionary(
        templates[0] if method.lags == 1 else templates,
        tuple(part.label for part in parts),
        reader.transform,
        tuple(part.pitch for part in parts),
        method.beta,
        method.kind,
        {"examples": origins, "max_iter": max_iter, "nmfaudio": __version__},
    )


def read_recordings(
    label: str, sources: AnyRecording | Sequence[AnyRecording], transform: Transform
) -> list[np.ndarray]:
    """Return the spectrograms of all recordings of a label, each scaled to a peak near 1.

    Parameters
    ----------
    label : str
        Label in messages.
    sources : path, np.ndarray or Recording, or a sequence of them
        Arrays have the transform's sample rate.
    transform : Transform

    Returns
    -------
    list of np.ndarray [shape=(freq, time)]

    Raises
    ------
    AudioFileError, ParameterError, ContentError
        As for `learn`.
    """
    reader = RecordingReader(transform.sr, transform, False, 1.0)
    return [reader.read(label, recording) for recording in as_recordings(sources)]


class _Learned(NamedTuple):
    """Templates of a label, or of one isolated sound."""

    templates: np.ndarray  # (lag, freq, component)
    label: str
    pitch: float | None


def _settings(kind: Any, size: Any, lags: Any) -> tuple[Kind, int, int, int]:
    """Kind, numbers of components of a label and of an isolated sound, and lags."""
    if kind not in get_args(Kind):
        raise ParameterError(f"kind is {kind!r}; it must be one of {', '.join(get_args(Kind))}")
    if size is not None:
        size = as_count(size, "size", low=1)
    default = LAGS if kind == "convolutive" else 1
    lags = default if lags is None else as_count(lags, "lags", low=1)
    if (kind == "templates" and lags > 1) or (kind == "convolutive" and lags == 1):
        raise ParameterError(
            f"lags is {lags} for kind {kind!r}; it must be 1 for templates, at least 2 for "
            "convolutive ones, and may be any number for exemplars"
        )
    return kind, size or SIZES[kind], size or SIZES_ISOLATED[kind], lags


def _learn_label(
    label: str,
    recordings: Sequence[Recording],
    method: _Method,
    reader: RecordingReader,
    rng: np.random.Generator,
) -> list[_Learned]:
    """Templates of all longer recordings of a label together, then of each isolated sound."""
    spectrograms = [(recording, reader.read(label, recording)) for recording in recordings]
    together = [V for recording, V in spectrograms if not recording.isolated and V.any()]
    learned = []
    if together:
        learned.append(_Learned(method.learn(together, method.size, rng), label, None))
    for recording, V in spectrograms:
        if recording.isolated and V.any():
            templates = method.learn([V], method.size_isolated, rng)
            learned.append(_Learned(templates, label, recording.pitch))
    if not learned:
        raise ContentError(f"{label}: its recordings are silent; nothing can be learned from them")
    return learned


class RecordingReader:
    """Reader of recordings as samples and spectrograms of one transform.

    Parameters
    ----------
    sr : int or None
        Sample rate of arrays in Hz.
    transform : Transform or None
        By default an `Stft` at the sample rate of the first recording that is read.
    resample : bool
        Whether recordings of another rate are resampled; otherwise they are refused.
    beta : float
        β-divergence of the templates; 0 makes the default transform one of power spectra.
    """

    def __init__(
        self, sr: int | None, transform: Transform | None, resample: bool, beta: float
    ) -> None:
        self.sr = sr
        self.resample = resample
        self.power = 2.0 if beta == 0 else 1.0
        if transform is not None:
            self.transform = transform

    def read(self, label: str, recording: Recording) -> np.ndarray:
        """Return the spectrogram of a recording scaled to a peak near 1 [shape=(freq, time)]."""
        samples = self.samples(label, recording)
        return analyse(samples, self.transform)

    def samples(self, label: str, recording: Recording) -> np.ndarray:
        """Return samples at the transform's rate, with a peak near 1 [shape=(channel, sample)]."""
        samples, sr = recording.load(self.sr)
        if not hasattr(self, "transform"):
            self.transform = Stft(sr, default_n_fft(sr), power=self.power)
        if sr != self.transform.sr:
            if not self.resample:
                raise ParameterError(
                    f"{label}: {recording.name} has a sample rate of {sr} Hz, "
                    f"{self.transform.sr} Hz is needed; resample it first, or learn a dictionary "
                    "with resample=True"
                )
            from nmfaudio._common.librosa_loader import load_librosa

            resample = load_librosa("core.audio").resample
            samples = resample(samples, orig_sr=sr, target_sr=self.transform.sr)
        # Scaling by a power of two, to a peak between 0.5 and 1, changes no bit of the mantissas.
        peak = max(samples.max(), -samples.min())
        scaled: np.ndarray = np.ldexp(samples, -int(np.frexp(peak)[1]))
        return scaled


@dataclass
class _Method:
    """Settings by which templates are learned."""

    kind: Kind
    size: int
    size_isolated: int
    lags: int
    beta: float
    max_iter: int
    callback: Callback | None
    n_fits: int = 0

    def learn(
        self, spectrograms: Sequence[np.ndarray], size: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return templates that sum to one [shape=(lag, freq, component)]."""
        exemplars = choose_exemplars(spectrograms, size, self.lags, rng)
        if self.kind == "exemplars":
            return exemplars
        V = _joined(spectrograms, self.lags)
        n_components = exemplars.shape[-1]
        H = np.full((n_components, V.shape[1]), V.sum() / (n_components * V.shape[1]))
        # Multiplicative updates keep zeros: a bin that is 0 in an exemplar by chance has to start
        # from a little more.
        W = exemplars + RELATIVE_FLOOR * exemplars.mean()
        fit = decompose(
            V,
            [Factor(W[0] if self.lags == 1 else W), Factor(H)],
            structure=Product() if self.lags == 1 else Convolutive(),
            divergence=Beta(self.beta),
            max_iter=self.max_iter,
            callback=self._counted(),
        )
        templates = fit.W if self.lags > 1 else fit.W[None]
        sums = templates.sum(axis=(0, 1), dtype=np.float64)
        used = (sums > 0) & fit.H.any(axis=1)
        shares: np.ndarray = templates[..., used] / sums[used]
        return shares.astype(V.dtype)

    def _counted(self) -> Callback | None:
        """Return the callback with the number of the factorisation, or None."""
        if self.callback is None:
            return None
        number, callback = self.n_fits, self.callback
        self.n_fits += 1
        return lambda progress: callback(replace(progress, start_index=number))


def _joined(spectrograms: Sequence[np.ndarray], lags: int) -> np.ndarray:
    """Concatenated spectrograms, without silent frames or with gaps between them [(freq, time)].

    A gap as long as a template keeps convolutive templates from reaching into the next recording.
    """
    if lags == 1:
        return np.concatenate([V[:, active_frames(V)] for V in spectrograms], axis=1)
    gap = np.zeros((len(spectrograms[0]), lags - 1), spectrograms[0].dtype)
    return np.concatenate([part for V in spectrograms for part in (V, gap)], axis=1)
