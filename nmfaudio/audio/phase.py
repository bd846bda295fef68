"""Phase reconstruction: consistent Wiener filtering and MISI.

The frames of an STFT overlap, so most arrays of its shape are inconsistent: they are the STFT of no
signal. Masked spectrograms are such arrays, and their inverse has another STFT. The functions here
estimate sources that sum to the mixture and are less inconsistent.
"""

from __future__ import annotations

import numpy as np

from nmfaudio._common.validation import as_audio, as_count, as_number
from nmfaudio.audio.consistency import Consistency
from nmfaudio.audio.transforms import Stft
from nmfaudio.errors import ParameterError, ShapeError


def consistent(X: np.ndarray, stft: Stft, length: int) -> np.ndarray:
    """Project spectrograms onto consistent ones: the STFT of their inverse.

    Parameters
    ----------
    X : np.ndarray [shape=(source, channel, freq, time)]
        Complex spectrograms.
    stft : Stft
    length : int
        Length of the audio in samples.

    Returns
    -------
    np.ndarray [shape=(source, channel, freq, time)]
        The nearest consistent spectrograms.

    Examples
    --------
    >>> stft, X = Stft(8000, 64), np.ones((1, 1, 33, 9), complex)
    >>> once = consistent(X, stft, 128)
    >>> bool(np.allclose(once, X)), bool(np.allclose(once, consistent(once, stft, 128)))
    (False, True)
    """
    return _forward(_inverse(X, stft, length), stft)


def consistent_wiener(
    X: np.ndarray,
    variances: np.ndarray,
    stft: Stft,
    length: int,
    *,
    weight: float = 1.0,
    iterations: int = 10,
) -> np.ndarray:
    """Consistent Wiener filtering of sources.

    Parameters
    ----------
    X : np.ndarray [shape=(source, channel, freq, time)]
        Complex spectrograms of the sources, estimated by a Wiener filter.
    variances : np.ndarray [shape=(source, freq, time) or (source, channel, freq, time)]
        Modelled power of each source, non-negative, in any unit.
    stft : Stft
    length : int
        Length of the audio in samples.
    weight : float
        Weight γ of the consistency; 0 returns the inverse of X.
    iterations : int
        Number of conjugate gradient steps.

    Returns
    -------
    np.ndarray [shape=(source, channel, sample)]
        Audio of the sources in the precision of X. Its sum is that of X.

    Raises
    ------
    ShapeError, ParameterError
        The shapes do not fit, or a parameter is out of range.

    Notes
    -----
    With the projection P onto consistent spectrograms, the corrections D_s minimise

    .. math:: \\sum_s \\sum_{f,t} \\frac{|D_s|^2}{v_s} + \\gamma \\, |C_s - P C_s|^2, \\qquad
        C_s = X_s + D_s, \\quad \\sum_s D_s = 0,

    where the v_s are relative to their mean. The minimum is approached by conjugate gradients, with
    the audio of the sources as the unknowns: the best D_s for given audio follow bin by bin.

    References
    ----------
    J. Le Roux, E. Vincent, "Consistent Wiener filtering for audio source separation", IEEE Signal
    Processing Letters 20(3), 2013, doi:10.1109/LSP.2012.2225617.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> stft = na.Stft(8000, 64)
    >>> tones = np.sin(np.array([[[0.3]], [[0.4]]]) * np.arange(2000))
    >>> S = np.stack([stft.forward(tone) for tone in tones])
    >>> v = np.mean(abs(S[:, 0]) ** 2, axis=2, keepdims=True) + np.zeros(S.shape[-1])
    >>> X = (v / v.sum(0))[:, None] * S.sum(0)
    >>> estimates = na.audio.consistent_wiener(X, v, stft, 2000, iterations=20)
    >>> bool(np.allclose(estimates.sum(0), tones.sum(0)))
    True
    >>> before = np.stack([stft.inverse(x, 2000) for x in X])
    >>> bool(np.square(estimates - tones).sum() < 0.8 * np.square(before - tones).sum())
    True
    """
    _check(X)
    weight = as_number(weight, "weight", low=0)
    iterations = as_count(iterations, "iterations", low=0)
    v = variances[:, None] if variances.ndim == 3 else variances
    if v.ndim != 4 or v.shape[::2] != X.shape[::2] or v.shape[3] != X.shape[3]:
        raise ShapeError(
            f"X has shape {X.shape} and the variances {variances.shape}; they must have the same "
            "sources, frequencies and frames"
        )
    audio = _inverse(X, stft, length)
    if weight == 0 or iterations == 0 or len(X) == 1:  # then D = 0
        return audio
    problem = Consistency(X, audio, v, weight, stft)
    for _ in range(iterations):
        if not problem.descend():
            break
    return problem.corrected()


def misi(X: np.ndarray, y: np.ndarray, stft: Stft, *, iterations: int = 5) -> np.ndarray:
    """Multiple input spectrogram inversion (MISI): phases for known magnitudes and a mixture.

    Each iteration combines the phases of the current audio with the known magnitudes, inverts, and
    distributes the difference from the mixture equally over the sources.

    Parameters
    ----------
    X : np.ndarray [shape=(source, channel, freq, time)]
        Complex spectrograms of the sources: known magnitudes and initial phases.
    y : np.ndarray [shape=(channel, sample) or (sample,)]
        The mixture.
    stft : Stft
    iterations : int

    Returns
    -------
    np.ndarray [shape=(source, channel, sample)]
        Audio of the sources, which sums to the mixture.

    Raises
    ------
    ShapeError, ParameterError, ContentError
        The arrays have unsuitable shapes, types or values, or do not fit each other.

    References
    ----------
    D. Gunawan, D. Sen, "Iterative phase estimation for the synthesis of separated sources from
    single-channel mixtures", IEEE Signal Processing Letters 17(5), 2010,
    doi:10.1109/LSP.2010.2042530.

    Examples
    --------
    >>> import numpy as np
    >>> import nmfaudio as na
    >>> rng, stft = np.random.default_rng(0), na.Stft(8000, 64)
    >>> sources = rng.standard_normal((2, 1, 500))
    >>> S = np.stack([stft.forward(s) for s in sources])
    >>> bool(np.allclose(na.audio.misi(S, sources.sum(0), stft), sources))
    True
    """
    _check(X)
    y = as_audio(y)
    iterations = as_count(iterations, "iterations", low=0)
    if X.shape[1] != len(y):
        raise ShapeError(
            f"X has {X.shape[1]} channels and the mixture {len(y)}; both must have the same number"
        )
    length = y.shape[1]
    magnitudes = np.abs(X)
    audio = _summing_to(y, _inverse(X, stft, length))
    for _ in range(iterations):
        X = _forward(audio, stft)
        size = np.abs(X)
        silent = size == 0
        X *= magnitudes / np.where(silent, 1, size)
        X[silent] = magnitudes[silent]  # a bin without a phase gets phase 0
        audio = _summing_to(y, _inverse(X, stft, length))
    return audio


def _summing_to(y: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """Add the difference from y to the sources in equal shares."""
    difference = y - audio.sum(axis=0)
    difference /= len(audio)
    audio += difference
    return audio


def _forward(audio: np.ndarray, stft: Stft) -> np.ndarray:
    """Spectrograms [shape=(source, channel, freq, time)] of audio."""
    sources, channels, length = audio.shape
    Z = stft.forward(audio.reshape(sources * channels, length))
    return Z.reshape(sources, channels, *Z.shape[1:])


def _inverse(X: np.ndarray, stft: Stft, length: int) -> np.ndarray:
    """Audio [shape=(source, channel, sample)] of spectrograms."""
    sources, channels = X.shape[:2]
    audio = stft.inverse(X.reshape(sources * channels, *X.shape[2:]), length)
    return audio.reshape(sources, channels, length)


def _check(X: np.ndarray) -> None:
    """Raise an error unless X holds complex spectrograms of sources."""
    if X.ndim != 4 or 0 in X.shape:
        raise ShapeError(f"X has shape {X.shape}; (source, channel, freq, time) is needed")
    if X.dtype.kind != "c":
        raise ParameterError(f"X has dtype {X.dtype}; it must be complex")
