"""Windows of the short-time Fourier transform."""

from __future__ import annotations

import math

import numpy as np

from nmfaudio.errors import ParameterError

# `inverse` divides by the summed squared window. Where that is small, inconsistencies caused by a
# mask are amplified: with this limit by a factor of sqrt(10) at most.
_MAX_CONDITION = 10.0

# Coefficients of sums of cosines, as in SciPy. They are computed here because scipy.signal takes
# longer to import than a short recording to separate.
_COSINES = {"hann": (0.5, 0.5), "hamming": (0.54, 1 - 0.54), "blackman": (0.42, 0.50, 0.08)}


def window_samples(name: str, n_fft: int) -> np.ndarray:
    """Return the periodic window with a given name.

    Parameters
    ----------
    name : str
        As in `scipy.signal.get_window`.
    n_fft : int

    Returns
    -------
    np.ndarray [shape=(n_fft,)]
        float64.

    Raises
    ------
    ParameterError
        The name is unknown, or the window needs parameters.
    """
    if not isinstance(name, str):
        raise ParameterError(f"window must be the name of a window, got {name!r}")
    if name in _COSINES and n_fft > 1:
        return _sum_of_cosines(_COSINES[name], n_fft)

    from scipy.signal import get_window

    try:
        window: np.ndarray = get_window(name, n_fft, fftbins=True)
    except (ValueError, TypeError) as error:
        raise ParameterError(
            f"window {name!r} is unknown or needs parameters; try hann, hamming or blackman"
        ) from error
    return window


def _sum_of_cosines(coefficients: tuple[float, ...], n_fft: int) -> np.ndarray:
    """Periodic window that is a sum of cosines, to the bit as SciPy computes it."""
    phase = np.linspace(-np.pi, np.pi, n_fft + 1)
    window = np.zeros(n_fft + 1)
    for k, coefficient in enumerate(coefficients):
        window += coefficient * np.cos(k * phase)
    return window[:-1]


def require_invertible(window: str, n_fft: int, hop: int) -> None:
    """Raise an error unless frames overlap enough for a well-conditioned inverse.

    Parameters
    ----------
    window : str
    n_fft, hop : int
        Window length and step between frames in samples.

    Raises
    ------
    ParameterError
        The window is unknown, or the hop is too large; the message states the largest that works.
    """
    squared = np.square(window_samples(window, n_fft))
    if _condition(squared, hop) <= _MAX_CONDITION:
        return
    works, fails = 1, hop  # bisection: the condition grows with the hop
    while fails - works > 1:
        middle = (works + fails) // 2
        if _condition(squared, middle) <= _MAX_CONDITION:
            works = middle
        else:
            fails = middle
    raise ParameterError(
        f"hop {hop} leaves gaps between {window} windows of {n_fft} samples that cannot be "
        f"inverted well; the largest hop that works is {works}"
    )


def _condition(squared: np.ndarray, hop: int) -> float:
    """Peak of the squared window over the lowest sum of two neighbours between their centres.

    Further neighbours only add to the sum, and the first and last samples have none.
    """
    centre = len(squared) // 2
    summed = np.zeros(hop)
    earlier = squared[centre : centre + hop]
    later = squared[max(centre - hop, 0) : centre]
    summed[: len(earlier)] += earlier
    summed[hop - len(later) :] += later
    lowest = float(summed.min())
    return float(squared.max()) / lowest if lowest > 0 else math.inf
