"""Audio mosaics: a recording resynthesised from the frames of others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.validation import as_audio, as_count, as_sample_rate, require_array
from nmfaudio.audio.masking import analyse
from nmfaudio.audio.transforms import Stft, default_n_fft
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.factorisation.decomposition import Decomposition
from nmfaudio.factorisation.engine import decompose
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.solvers import Diagonal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Audio = str | os.PathLike[str] | np.ndarray

__all__ = ["Mosaic", "mosaic"]

_REFIT_ITERATIONS = 10  # plain updates after the restrictions, which restore the level


@dataclass(frozen=True, eq=False)
class Mosaic(EqualByContent):
    """Target recording resynthesised from source recordings.

    Parameters
    ----------
    audio : np.ndarray [shape=(channel, sample)]
        Samples, as long as the target, with the channels of the sources.
    sr : int
        Sample rate in Hz.
    decomposition : Decomposition
        Model of the target: W [shape=(freq, source frame)] are the magnitudes of the sources, H
        [shape=(source frame, time)] the weights of the source frames in each frame of the target.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal(8000)
    >>> m = na.mosaics.mosaic(y, y[::-1].copy(), 8000, iterations=2)
    >>> m.audio.shape, m.sr
    ((1, 8000), 8000)
    """

    audio: np.ndarray = field(repr=False)
    sr: int
    decomposition: Decomposition

    def plot(self, **options: Any) -> Axes:
        """Draw the place in the sources of the frames that the mosaic is made of.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.display.plot_mosaic`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_mosaic

        return plot_mosaic(self, **options)


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
    """Resynthesise one recording from the frames of others.

    The frames of the sources' spectrogram are fixed templates of a KL-NMF of the target's. Their
    activations are made sparse and diagonal, so that the mosaic plays short passages of the sources
    unchanged (see `Diagonal`); the sources' complex frames, weighted by them, are transformed back
    into audio.

    Parameters
    ----------
    target : path, or np.ndarray [shape=(channel, sample) or (sample,)]
        Recording to imitate; its channels are analysed together.
    sources : path or np.ndarray, or a sequence of them
        Recordings to take the frames from, all with the same number of channels.
    sr : int, optional
        Sample rate of all arrays in Hz; not needed for files. Nothing is resampled.
    n_fft, hop : int, optional
        Window and hop length in samples; by default `default_n_fft` and half of it. A longer
        window follows the target's pitches better, a shorter one its rhythm.
    repeat : int
        Number of frames during which a source frame is not used again.
    polyphony : int
        Largest number of source frames in one frame of the mosaic.
    continuity : int
        Length in frames of the diagonals that passages are extended along.
    iterations : int
        Iterations over which these restrictions are faded in.

    Returns
    -------
    Mosaic
        The mosaic with its model.

    Raises
    ------
    ParameterError, ShapeError, ContentError
        A parameter or a recording is invalid; for example, sample rates or the sources' channels
        differ, or the sources are silent.
    AudioFileError
        A file cannot be read.

    See Also
    --------
    nmfaudio.solvers.Diagonal : The restrictions on the activations.

    Notes
    -----
    The sources need the target's pitches to play its melody; add transposed copies of a source as
    further sources. The mosaic may be softer than the target: sounds that the sources lack are
    missing, and reordered frames partly cancel.

    W has (n_fft / 2) · (source frames) entries and H (source frames) · (target frames). An
    iteration takes time in proportion to n_fft times the latter: with the defaults at 44.1 kHz and
    float32, a minute of sources and a minute of target take 180 MB and 20 Gflop per iteration; ten
    minutes of each take a hundred times as much.

    References
    ----------
    J. Driedger, T. Prätzlich, M. Müller, "Let it Bee – towards NMF-inspired audio mosaicing",
    ISMIR 2015, doi:10.5281/zenodo.1415698.

    Examples
    --------
    A rising tune from the frames of a falling one:

    >>> import numpy as np, nmfaudio as na
    >>> def tune(*pitches):
    ...     t = np.arange(4000) / 8000
    ...     return np.concatenate([np.sin(2 * np.pi * hertz * t) for hertz in pitches])
    >>> m = na.mosaics.mosaic(tune(220, 330, 440), tune(440, 330, 220), 8000, polyphony=1)
    >>> m.audio.shape
    (1, 12000)
    >>> frames = m.decomposition.H.argmax(axis=0)  # strongest source frame in each frame
    >>> bool(frames[2:6].min() > 15 and frames[-6:-2].max() < 8)
    True
    """
    solver = Diagonal(repeat, polyphony, continuity, iterations)
    require_array(sources, "sources")
    several = [sources] if isinstance(sources, str | os.PathLike | np.ndarray) else list(sources)
    (y, *source_samples), sr = _load_all([target, *several], sr)
    window = default_n_fft(sr) if n_fft is None else as_count(n_fft, "n_fft", low=2)
    stft = Stft(sr, window, window // 2 if hop is None else hop)
    Z = _source_frames(source_samples, stft)
    W, V = stft.features(Z), analyse(y, stft).astype(Z.real.dtype, copy=False)
    # All source frames alike, at the level of the target's frame [shape=(source frame, time)].
    initial = np.tile(V.sum(axis=0) / W.sum(), (W.shape[1], 1))
    fitted = decompose(
        V,
        [Factor(W, free=False, name="W"), Factor(initial, name="H")],
        solver=solver,
        max_iter=iterations + _REFIT_ITERATIONS,
        tol=0,
    )
    audio = stft.inverse(_weighted(Z, fitted.H), y.shape[1])
    return Mosaic(audio, sr, replace(fitted, metadata={"transform": stft.to_dict()}))


def _load_all(recordings: Sequence[Audio], sr: int | None) -> tuple[list[np.ndarray], int]:
    """Samples [shape=(channel, sample)] of target and sources, and their common rate in Hz."""
    if len(recordings) == 1:
        raise ParameterError("sources is empty; at least 1 recording is needed")
    names = ["target", *(f"sources[{i}]" for i in range(len(recordings) - 1))]
    loaded = [_load(name, recording, sr) for name, recording in zip(names, recordings, strict=True)]
    common = loaded[0][1] if sr is None else sr
    for name, (_, rate) in zip(names, loaded, strict=True):
        if rate != common:
            raise ParameterError(
                f"{name} has sample rate {rate} Hz where {common} Hz is needed; resample it first"
            )
    return [samples for samples, _ in loaded], common


def _load(name: str, recording: Audio, sr: int | None) -> tuple[np.ndarray, int]:
    """Samples [shape=(channel, sample)] and their rate in Hz."""
    if isinstance(recording, str | os.PathLike):
        from nmfaudio.audio.io import read

        decoded = read(recording)
        return decoded.samples, decoded.sr
    if sr is None:
        raise ParameterError(f"sr is missing; the samples of {name} need their rate in Hz")
    return as_audio(recording, name), as_sample_rate(sr)


def _source_frames(sources: Sequence[np.ndarray], stft: Stft) -> np.ndarray:
    """Spectrograms of all sources, concatenated in time [shape=(channel, freq, time)]."""
    channels = {len(y) for y in sources}
    if len(channels) > 1:
        raise ShapeError(
            f"the sources have {' and '.join(map(str, sorted(channels)))} channels; "
            "give all of them the same number"
        )
    Z = np.concatenate([stft.forward(y) for y in sources], axis=-1)
    if not Z.any():
        raise ContentError("the sources are silent; give recordings with sound")
    return Z


def _weighted(Z: np.ndarray, H: np.ndarray) -> np.ndarray:
    """``Z @ H`` for each channel, with a sparse H."""
    from scipy.sparse import csr_array

    rows = csr_array(H.T)
    return np.stack([(rows @ channel.T).T for channel in Z])
