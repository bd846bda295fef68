"""Audio mosaics: one recording played with the sounds of others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nmfaudio._common.validation import as_audio, as_count
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, default_n_fft
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.solvers import Diagonal

Audio = str | os.PathLike[str] | np.ndarray

__all__ = ["Mosaic", "mosaic"]

_REFITS = 10  # iterations that bring what the restrictions left to its level


@dataclass(frozen=True, eq=False)
class Mosaic:
    """A target played with sounds of the sources.

    Attributes
    ----------
    audio : np.ndarray [shape=(channel, sample)]
        As long as the target, with the channels of the sources.
    sr : int
        Sample rate in Hz.
    decomposition : Decomposition
        W [shape=(freq, frame of the sources)] are the sources' magnitudes, H [shape=(frame of the
        sources, time)] says when each of these frames sounds and how loud.
    """

    audio: np.ndarray = field(repr=False)
    sr: int
    decomposition: Decomposition


def mosaic(
    target: Audio,
    sources: Audio | Sequence[Audio],
    sr: int | None = None,
    *,
    n_fft: int | None = None,
    hop: int | None = None,
    repeat: int = 3,
    polyphony: int = 10,
    continuity: int = 3,
    iterations: int = 20,
) -> Mosaic:
    """Play one recording with the sounds of others: bees that hum a song.

    The frames of the sources' spectrogram are fixed templates of a KL NMF of the target's. Their
    activations are made sparse and diagonal, so that stretches of the sources sound as they are,
    see `Diagonal`; the sources' complex frames, weighted by them, are turned back into audio.
    The sources need the target's pitches, or the mosaic cannot have its melody: add transposed
    copies of a source as further sources.

    W takes (n_fft / 2) · (frames of the sources) numbers and H (frames of the sources) · (frames of
    the target). An iteration takes time in proportion to n_fft times the latter: with the defaults
    at 44.1 kHz and float32, a minute of sources and a minute of target take 180 MB and 20 Gflop per
    iteration; ten minutes of each take a hundred times as long. Give sources of a minute or two.

    The mosaic may be softer than the target: sounds that the sources do not have are missing, and
    frames out of their order partly cancel.

    Parameters
    ----------
    target : path, or np.ndarray [shape=(channel, sample) or (sample,)]
        What shall be heard; all its channels count together.
    sources : path or np.ndarray, or a sequence of them
        What it shall be made of, all with the same number of channels.
    sr : int, optional
        Sample rate of all arrays in Hz. Files know theirs; nothing is resampled.
    n_fft, hop : int, optional
        Window length and distance in samples; by default `default_n_fft` and half of it. A longer
        window follows the target's pitches better, a shorter one its rhythm.
    repeat, polyphony, continuity, iterations : int
        As in `Diagonal`: for how many frames a source frame may not sound again, how many sound at
        once, over how many frames a stretch is made to go on, and over how many iterations these
        restrictions fade in.

    Returns
    -------
    Mosaic

    Raises
    ------
    ParameterError, ShapeError, ContentError
        A parameter or a recording cannot work: among others, sample rates or the sources' channels
        differ, or the sources are silent.
    AudioFileError
        A file cannot be read.

    References
    ----------
    J. Driedger, T. Prätzlich, M. Müller, "Let it Bee – towards NMF-inspired audio mosaicing",
    ISMIR 2015, doi:10.5281/zenodo.1415698.

    Examples
    --------
    A rising tune, played with a falling one:

    >>> import numpy as np, nmfaudio as na
    >>> def tune(*pitches):
    ...     t = np.arange(4000) / 8000
    ...     return np.concatenate([np.sin(2 * np.pi * hertz * t) for hertz in pitches])
    >>> m = na.mosaics.mosaic(tune(220, 330, 440), tune(440, 330, 220), 8000, polyphony=1)
    >>> m.audio.shape
    (1, 12000)
    >>> frames = m.decomposition.H.argmax(axis=0)  # of the source, one per frame of the mosaic
    >>> bool(frames[2:6].min() > 15 and frames[-6:-2].max() < 8)
    True
    """
    solver = Diagonal(repeat, polyphony, continuity, iterations)
    several = [sources] if isinstance(sources, str | os.PathLike | np.ndarray) else list(sources)
    (wanted, *given), sr = _loaded([target, *several], sr)
    window = default_n_fft(sr) if n_fft is None else as_count(n_fft, "n_fft", low=2)
    stft = Stft(sr, window, window // 2 if hop is None else hop)
    Z = _frames(given, stft)
    W, V = stft.features(Z), analyse(wanted, stft).astype(Z.real.dtype, copy=False)
    start = np.tile(V.sum(axis=0) / W.sum(), (W.shape[1], 1))  # the target's loudness
    found = decompose(
        V,
        [Factor(W, free=False, name="W"), Factor(start, name="H")],
        solver=solver,
        max_iter=iterations + _REFITS,
        tol=0,
    )
    audio = stft.inverse(_weighted(Z, found.H), wanted.shape[1])
    return Mosaic(audio, sr, replace(found, metadata={"transform": stft.to_dict()}))


def _loaded(recordings: Sequence[Audio], sr: int | None) -> tuple[list[np.ndarray], int]:
    """The samples (channel, sample) of the target and the sources, and their one rate in Hz."""
    if len(recordings) == 1:
        raise ParameterError("there are no sources; at least 1 recording is needed")
    names = ["target", *(f"sources[{i}]" for i in range(len(recordings) - 1))]
    loaded = [_load(name, one, sr) for name, one in zip(names, recordings, strict=True)]
    common = loaded[0][1] if sr is None else sr
    for name, (_, own) in zip(names, loaded, strict=True):
        if own != common:
            raise ParameterError(
                f"{name} has sample rate {own} Hz where {common} Hz is needed; resample it first"
            )
    return [samples for samples, _ in loaded], common


def _load(name: str, recording: Audio, sr: int | None) -> tuple[np.ndarray, int]:
    """Samples (channel, sample) and their rate in Hz."""
    if isinstance(recording, str | os.PathLike):
        from nmfaudio.audio.io import read

        found = read(recording)
        return found.samples, found.sr
    if sr is None:
        raise ParameterError(f"sr is missing; the samples of {name} need their rate in Hz")
    return as_audio(recording, name), sr


def _frames(sources: Sequence[np.ndarray], stft: Stft) -> np.ndarray:
    """The spectrograms of all sources, one after the other [shape=(channel, freq, time)]."""
    channels = {len(y) for y in sources}
    if len(channels) > 1:
        raise ShapeError(
            f"the sources have {' and '.join(map(str, sorted(channels)))} channels; "
            "give all of them the same number"
        )
    Z = np.concatenate([stft.forward(y) for y in sources], axis=-1)
    if not Z.any():
        raise ContentError("the sources are silent; nothing can be made of them")
    return Z


def _weighted(Z: np.ndarray, H: np.ndarray) -> np.ndarray:
    """``Z @ H`` channel by channel, for an H of few entries."""
    from scipy.sparse import csr_array

    rows = csr_array(H.T)
    return np.stack([(rows @ channel.T).T for channel in Z])
