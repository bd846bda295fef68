"""Spectrograms of sources whose neighbouring frames agree with each other.

A spectrogram of overlapping frames has more numbers than the audio it is of, so most arrays of its
shape are the spectrogram of nothing. What masks make is such an array; turning it into audio
silently changes it. These functions look for sources that sum to the mixture and are changed less.
"""

from __future__ import annotations

import numpy as np

from nmfaudio._common.validation import as_audio, as_count, as_number
from nmfaudio.audio.transforms import Stft
from nmfaudio.errors import ParameterError, ShapeError

# Variances below this share of their mean are taken to be as large: a bin that a source has nothing
# of need not be held to that more firmly than others by more.
_LEAST_VARIANCE = 1e-6


def consistent(X: np.ndarray, stft: Stft, length: int) -> np.ndarray:
    """The nearest spectrograms that audio has: what is left of X after turning it into audio.

    Parameters
    ----------
    X : np.ndarray [shape=(source, channel, freq, time)]
        Complex.
    stft : Stft
    length : int
        Samples of the audio.

    Returns
    -------
    np.ndarray [shape=(source, channel, freq, time)]

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
    """Consistent Wiener filtering: the likeliest sources whose frames agree with each other.

    Minimises ``Σ_s Σ |D_s|² / v_s + γ |C_s - consistent(C_s)|²``, with ``C_s = X_s + D_s`` and
    ``Σ_s D_s = 0``, by preconditioned conjugate gradients. `variances` are relative to their mean.

    Parameters
    ----------
    X : np.ndarray [shape=(source, channel, freq, time)]
        What Wiener filters made of a mixture; complex.
    variances : np.ndarray [shape=(source, freq, time) or (source, channel, freq, time)]
        The power that the model says each source has, in any unit, >= 0.
    stft : Stft
    length : int
        Samples of the audio.
    weight : float
        γ, how much consistency counts: 0 leaves X as it is.
    iterations : int
        Of conjugate gradients.

    Returns
    -------
    np.ndarray [shape=(source, channel, sample)]
        Audio of X's precision. It has the sum that X has.

    Raises
    ------
    ShapeError, ParameterError
        The shapes do not fit, or a parameter is out of range.

    References
    ----------
    J. Le Roux, E. Vincent, "Consistent Wiener filtering for audio source separation", IEEE Signal
    Processing Letters 20(3), 2013, doi:10.1109/LSP.2012.2225617.

    Examples
    --------
    >>> rng, stft = np.random.default_rng(0), Stft(8000, 64)
    >>> tones = np.sin(np.array([[[0.3]], [[0.4]]]) * np.arange(2000))
    >>> S = np.stack([stft.forward(tone) for tone in tones])
    >>> v = np.mean(abs(S[:, 0]) ** 2, axis=2, keepdims=True) + np.zeros(S.shape[-1])
    >>> X = (v / v.sum(0))[:, None] * S.sum(0)
    >>> found = consistent_wiener(X, v, stft, 2000, iterations=20)
    >>> bool(np.allclose(found.sum(0), tones.sum(0)))
    True
    >>> before = np.stack([stft.inverse(x, 2000) for x in X])
    >>> bool(np.square(found - tones).sum() < 0.8 * np.square(before - tones).sum())
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
    problem = _Consistency(X, v, weight, stft, length)
    for _ in range(iterations):
        if not problem.descend():
            break
    return _inverse(problem.X, stft, length)


def misi(X: np.ndarray, y: np.ndarray, stft: Stft, *, iterations: int = 5) -> np.ndarray:
    """Multiple input spectrogram inversion: phases that fit given magnitudes and a mixture.

    Each iteration takes the phases of the sources' audio, gives them their magnitudes again, and
    shares out equally what the audio of that lacks of the mixture.

    Parameters
    ----------
    X : np.ndarray [shape=(source, channel, freq, time)]
        Complex: the magnitudes to have, and the phases to start from.
    y : np.ndarray [shape=(channel, sample) or (sample,)]
        The mixture.
    stft : Stft
    iterations : int

    Returns
    -------
    np.ndarray [shape=(source, channel, sample)]
        Audio that sums to the mixture.

    Raises
    ------
    ShapeError, ParameterError, ContentError
        X or `y` cannot be such, or do not fit each other.

    References
    ----------
    D. Gunawan, D. Sen, "Iterative phase estimation for the synthesis of separated sources from
    single-channel mixtures", IEEE Signal Processing Letters 17(5), 2010,
    doi:10.1109/LSP.2010.2042530.

    Examples
    --------
    >>> rng, stft = np.random.default_rng(0), Stft(8000, 64)
    >>> sources = rng.standard_normal((2, 1, 500))
    >>> S = np.stack([stft.forward(s) for s in sources])
    >>> bool(np.allclose(misi(S, sources.sum(0), stft), sources))
    True
    """
    _check(X)
    y = as_audio(y)
    iterations = as_count(iterations, "iterations", low=0)
    if X.shape[1] != len(y):
        raise ShapeError(f"X has {X.shape[1]} channels and the mixture {len(y)}")
    length = y.shape[1]
    magnitudes = np.abs(X)
    audio = _summing_to(y, _inverse(X, stft, length))
    for _ in range(iterations):
        X = _forward(audio, stft)
        size = np.abs(X)
        silent = size == 0
        X *= magnitudes / np.where(silent, 1, size)
        X[silent] = magnitudes[silent]
        audio = _summing_to(y, _inverse(X, stft, length))
    return audio


class _Consistency:
    """The quadratic problem of consistent Wiener filtering, and where its descent has got to."""

    def __init__(
        self, X: np.ndarray, v: np.ndarray, weight: float, stft: Stft, length: int
    ) -> None:
        self.X = X.copy()
        self._stft, self._length = stft, length
        real = X.real.dtype
        # In units of the mean variance neither term depends on how loud the sources are.
        mean = float(v.mean(dtype=np.float64))
        self._lam = (1 / np.maximum(v / (mean if mean > 0 else 1), _LEAST_VARIANCE)).astype(real)
        self._weight = real.type(weight)
        # Projections onto consistent arrays keep hop / n_fft of independent entries' energy.
        self._damp = 1 / (self._lam + self._weight * real.type(1 - stft.hop / stft.n_fft))
        # Bins between the first and the last stand for two of the full spectrum.
        self._twice = np.full((X.shape[2], 1), 2.0)
        self._twice[0] = 1
        if stft.n_fft % 2 == 0:
            self._twice[-1] = 1
        self._slope = self._weight * (consistent(self.X, stft, length) - self.X)
        self._step = self._direction()
        self._gain = self._inner(self._slope, self._step)
        self._enough = self._gain * float(np.finfo(real).eps) ** 2  # no more than rounding

    def descend(self) -> bool:
        """One step of conjugate gradients; False where the minimum was reached already."""
        step = self._step
        bent = self._lam * step
        bent += self._weight * (step - consistent(step, self._stft, self._length))
        steepness = self._inner(step, bent)
        if self._gain <= self._enough or steepness <= 0:
            return False
        real = self.X.real.dtype.type
        self.X += real(self._gain / steepness) * step
        self._slope -= real(self._gain / steepness) * bent
        direction = self._direction()
        gain = self._inner(self._slope, direction)
        direction += real(gain / self._gain) * step
        self._step, self._gain = direction, gain
        return True

    def _direction(self) -> np.ndarray:
        """Minus the gradient, preconditioned, and such that the sum over the sources stays.

        What the gradients of all sources have in common does not count, and would let roundings
        grow: it is taken away.
        """
        self._slope -= (self._damp * self._slope).sum(axis=0) / self._damp.sum(axis=0)
        direction: np.ndarray = self._damp * self._slope
        return direction

    def _inner(self, A: np.ndarray, B: np.ndarray) -> float:
        products = A.real * B.real
        products += A.imag * B.imag
        return float((products * self._twice).sum(dtype=np.float64))


def _summing_to(y: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """Audio of sources, to which what they lack of y is added in equal shares."""
    lacking = y - audio.sum(axis=0)
    lacking /= len(audio)
    audio += lacking
    return audio


def _forward(audio: np.ndarray, stft: Stft) -> np.ndarray:
    sources, channels, length = audio.shape
    Z = stft.forward(audio.reshape(sources * channels, length))
    return Z.reshape(sources, channels, *Z.shape[1:])


def _inverse(X: np.ndarray, stft: Stft, length: int) -> np.ndarray:
    sources, channels = X.shape[:2]
    audio = stft.inverse(X.reshape(sources * channels, *X.shape[2:]), length)
    return audio.reshape(sources, channels, length)


def _check(X: np.ndarray) -> None:
    if X.ndim != 4 or 0 in X.shape:
        raise ShapeError(f"X has shape {X.shape}; (source, channel, freq, time) is needed")
    if X.dtype.kind != "c":
        raise ParameterError(f"X has dtype {X.dtype}; it must be complex")
