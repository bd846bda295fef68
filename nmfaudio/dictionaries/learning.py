"""From examples of sounds to a dictionary of templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import numpy as np

from nmfaudio._common.validation import as_count, as_number
from nmfaudio._public import public
from nmfaudio._version import __version__
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, Transform, default_n_fft
from nmfaudio.dictionaries.dictionary import Dictionary, Kind
from nmfaudio.dictionaries.exemplars import choose_exemplars, loud_frames
from nmfaudio.dictionaries.recordings import AnyRecording, Recording, gather
from nmfaudio.errors import ContentError, ParameterError
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.engine import Callback, decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.initialisation import LEAST
from nmfaudio.factorisation.structures import Convolutive, Product

SIZES = {"exemplars": 300, "templates": 30, "convolutive": 10}
"""Components of a label, unless it is said how many."""
SIZES_ALONE = {"exemplars": 10, "templates": 3, "convolutive": 1}
"""Components of a sound that is by itself, unless it is said how many."""
LAGS = 10
"""Frames in a convolutive template, unless it is said how many."""


@public
def learn(
    examples: Mapping[str, AnyRecording | Sequence[AnyRecording]],
    sr: int | None = None,
    *,
    kind: Kind = "exemplars",
    size: int | None = None,
    lags: int | None = None,
    transform: Transform | None = None,
    beta: float = 1.0,
    max_iter: int = 100,
    resample: bool = False,
    callback: Callback | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Dictionary:
    """Learn what sources sound like from recordings of each by itself.

    The channels of a recording count together, as the transform's features have them. A recording
    counts as much as another that is louder. Silence is left out. Each template sums to one.

    Parameters
    ----------
    examples : mapping of str to path, np.ndarray or Example, or a sequence of them
        Recordings for each label. A path may be a folder: each audio file in it is one sound by
        itself, of the pitch that its name says if all names are MIDI numbers or notes (``60.wav``,
        ``F#3.wav``). An `Recording` is a stretch of a recording, or a note of a known pitch.
    sr : int, optional
        Sample rate of all arrays in Hz. Files know theirs.
    kind : "exemplars", "templates" or "convolutive"
        Frames as they are, chosen to be unlike one another; spectra that make them up, found by
        NMF; or spectra that change over several frames, found by convolutive NMF.
    size : int, optional
        How many components a label gets at most, and besides each sound that is by itself. By
        default 300 exemplars, 30 templates or 10 convolutive ones; 10, 3 or 1 for a sound by
        itself. Recordings with fewer frames that differ make fewer.
    lags : int, optional
        Frames in a component: 1 by default, 10 for convolutive ones. Exemplars of several are
        stretches of the recording.
    transform : Transform, optional
        Of which the templates are to be frames; by default ``Stft(sr, default_n_fft(sr))``, with
        power 2 where β is 0.
    beta : float
        The β-divergence to learn under, and to separate under later.
    max_iter : int
        Iterations at most, for each factorisation.
    resample : bool
        Whether recordings of another sample rate than the transform's, or else that of the first,
        are brought to it; otherwise they are refused.
    callback : callable, optional
        Gets a `Progress` every ten iterations of a factorisation, whose `start` counts the
        factorisations; True ends this one.
    rng : int, np.random.Generator or None
        Where chance comes from; the same seed gives the same bytes.

    Returns
    -------
    Dictionary
        Labels in the order of `examples`; in each, the components of all recordings come first,
        those of sounds by themselves after them.

    Raises
    ------
    ParameterError, ShapeError
        A parameter cannot be, or sample rates differ.
    AudioFileError
        A file cannot be read.
    ContentError
        The examples of a label are silent, or a folder holds no audio.

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
    method = _Method(*_settings(kind, size, lags), as_number(beta, "beta"), max_iter, callback)
    if not isinstance(examples, Mapping) or not examples:
        raise ParameterError("there are no examples; give a mapping of labels to recordings")
    reader = RecordingReader(sr, transform, resample, method.beta)
    generator = np.random.default_rng(rng)
    learned: list[_Learned] = []
    metadata = {}
    for label, given in examples.items():
        wanted = gather(given)
        learned += _learn_label(label, wanted, method, reader, generator)
        metadata[label] = [example.name for example in wanted]
    whole = np.concatenate([one.templates for one in learned], axis=-1)
    each = [one for one in learned for _ in range(one.templates.shape[-1])]
    return Dictionary(
        whole[0] if method.lags == 1 else whole,
        tuple(one.label for one in each),
        reader.transform,
        tuple(one.pitch for one in each),
        method.beta,
        method.kind,
        {"examples": metadata, "max_iter": max_iter, "nmfaudio": __version__},
    )


def read_examples(
    label: str, given: AnyRecording | Sequence[AnyRecording], transform: Transform
) -> list[np.ndarray]:
    """The features of all examples of a label, each brought near a peak of 1.

    Parameters
    ----------
    label : str
        What messages call them.
    given : path, np.ndarray or Example, or a sequence of them
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
    return [reader.read(label, example) for example in gather(given)]


class _Learned(NamedTuple):
    templates: np.ndarray  # (lag, freq, component)
    label: str
    pitch: float | None


def _settings(kind: Any, size: Any, lags: Any) -> tuple[Kind, int, int, int]:
    """Kind, components of a label and of a sound by itself, and lags."""
    if kind not in get_args(Kind):
        raise ParameterError(f"kind is {kind!r}; it must be one of {', '.join(get_args(Kind))}")
    if size is not None:
        size = as_count(size, "size", low=1)
    usual = LAGS if kind == "convolutive" else 1
    lags = usual if lags is None else as_count(lags, "lags", low=1)
    if (kind == "templates" and lags > 1) or (kind == "convolutive" and lags == 1):
        raise ParameterError(
            f"lags is {lags} for kind {kind!r}; templates have 1, convolutive ones 2 or more, "
            "exemplars any number"
        )
    return kind, size or SIZES[kind], size or SIZES_ALONE[kind], lags


def _learn_label(
    label: str,
    examples: Sequence[Recording],
    method: _Method,
    reader: RecordingReader,
    rng: np.random.Generator,
) -> list[_Learned]:
    """The templates of all recordings of a label together, then those of each sound by itself."""
    spectrograms = [(example, reader.read(label, example)) for example in examples]
    together = [V for example, V in spectrograms if not example.alone and V.any()]
    found = []
    if together:
        found.append(_Learned(method.learn(together, method.size, rng), label, None))
    for example, V in spectrograms:
        if example.alone and V.any():
            templates = method.learn([V], method.size_alone, rng)
            found.append(_Learned(templates, label, example.pitch))
    if not found:
        raise ContentError(f"{label}: its examples are silent; nothing can be learned from them")
    return found


class RecordingReader:
    """Examples into audio and spectrograms of one transform, which the first may settle."""

    def __init__(
        self, sr: int | None, transform: Transform | None, resample: bool, beta: float
    ) -> None:
        self.sr = sr
        self.resample = resample
        self.power = 2.0 if beta == 0 else 1.0
        if transform is not None:
            self.transform = transform

    def read(self, label: str, example: Recording) -> np.ndarray:
        """The features of an example, its peak brought near 1 [shape=(freq, time)]."""
        samples = self.samples(label, example)
        return analyse(samples, self.transform)

    def samples(self, label: str, example: Recording) -> np.ndarray:
        """An example at the transform's rate, its peak brought near 1 [shape=(channel, sample)]."""
        samples, sr = example.load(self.sr)
        if not hasattr(self, "transform"):
            self.transform = Stft(sr, default_n_fft(sr), power=self.power)
        if sr != self.transform.sr:
            if not self.resample:
                raise ParameterError(
                    f"{label}: {example.name} has a sample rate of {sr} Hz, {self.transform.sr} Hz "
                    "is needed; resample it first, or learn a dictionary with --resample "
                    "(resample=True)"
                )
            from nmfaudio._common.librosa_loader import load_librosa

            librosa = load_librosa()
            samples = librosa.resample(samples, orig_sr=sr, target_sr=self.transform.sr)
        peak = max(samples.max(), -samples.min())
        scaled: np.ndarray = np.ldexp(samples, -int(np.frexp(peak)[1]))
        return scaled


@dataclass
class _Method:
    """How templates are learned."""

    kind: Kind
    size: int
    size_alone: int
    lags: int
    beta: float
    max_iter: int
    callback: Callback | None
    fits: int = 0

    def learn(
        self, spectrograms: Sequence[np.ndarray], size: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Templates that sum to one [shape=(lag, freq, component)]."""
        start = choose_exemplars(spectrograms, size, self.lags, rng)
        if self.kind == "exemplars":
            return start
        V = _joined(spectrograms, self.lags)
        H = np.full((start.shape[-1], V.shape[1]), V.sum() / (start.shape[-1] * V.shape[1]))
        # What is zero in a frame by chance could never become more.
        W = start + LEAST * start.mean()
        found = decompose(
            V,
            [Factor(W[0] if self.lags == 1 else W), Factor(H)],
            structure=Product() if self.lags == 1 else Convolutive(),
            divergence=Beta(self.beta),
            max_iter=self.max_iter,
            callback=self._counted(),
        )
        templates = found.W if self.lags > 1 else found.W[None]
        sums = templates.sum(axis=(0, 1), dtype=np.float64)
        used = (sums > 0) & found.H.any(axis=1)
        shares: np.ndarray = templates[..., used] / sums[used]
        return shares.astype(V.dtype)

    def _counted(self) -> Callback | None:
        """The callback, which hears how many factorisations came before."""
        if self.callback is None:
            return None
        number, tell = self.fits, self.callback
        self.fits += 1
        return lambda progress: tell(replace(progress, start=number))


def _joined(spectrograms: Sequence[np.ndarray], lags: int) -> np.ndarray:
    """One after the other: without silent frames, or so far apart that no stretch reaches over."""
    if lags == 1:
        return np.concatenate([V[:, loud_frames(V)] for V in spectrograms], axis=1)
    gap = np.zeros((len(spectrograms[0]), lags - 1), spectrograms[0].dtype)
    return np.concatenate([part for V in spectrograms for part in (V, gap)], axis=1)
