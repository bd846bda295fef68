"""Energy and percussiveness of components, measured on the mixture's spectrogram."""

from __future__ import annotations

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.errors import ShapeError
from nmfaudio.kernels.median import running_median
from nmfaudio.kernels.products import product

# Lengths of the two median filters: along time for steady sounds, along frequency for transients.
_STEADY_SECONDS = 0.4
_BROAD_HZ = 330.0
# Number of frames of a long recording that are analysed, in blocks spread evenly over it.
EXCERPT_FRAMES = 2048
_BLOCK = 64


def percussiveness(
    V: np.ndarray, W: np.ndarray, H: np.ndarray, *, frequencies: np.ndarray, hop_seconds: float
) -> np.ndarray:
    """Share of each component's energy under the percussive mask of the mixture.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Magnitude spectrogram of the mixture, ≥ 0.
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Templates, ≥ 0.
    H : np.ndarray [shape=(component, time)]
        Activations, ≥ 0.
    frequencies : np.ndarray [shape=(freq,)]
        Centre of each bin in Hz, ascending and evenly spaced.
    hop_seconds : float
        Time between two frames in seconds.

    Returns
    -------
    np.ndarray [shape=(component,)]
        From 0 (steady tones) to 1 (clicks) in float64; 0.5 for a component without energy.

    Raises
    ------
    ParameterError
        `hop_seconds` is not above 0.
    ShapeError
        The shapes of `V`, `W`, `H` and `frequencies` do not match.

    See Also
    --------
    percussive_mask : The mask, which compares two median filters.
    """
    check_shapes(V, W, H, frequencies, hop_seconds)
    frames = _excerpt(V.shape[1])
    V, W = scale_to_unit_peak(V[:, frames]), scale_to_unit_peak(W)
    H = scale_to_unit_peak(H[:, frames])
    spacing = float(frequencies[-1] - frequencies[0]) / max(len(frequencies) - 1, 1) or 1.0
    mask = percussive_mask(V, spacing, hop_seconds)
    energy = explained_energy(V, W, H).sum(axis=0)
    mask *= V
    share = safe_ratio(explained_energy(mask, W, H).sum(axis=0), energy, 0.5)
    return share.clip(0.0, 1.0)


def percussive_mask(V: np.ndarray, spacing: float, hop_seconds: float) -> np.ndarray:
    """Compute the soft mask of percussive sound by median filtering.

    With P the median of V over neighbouring bins, which keeps broadband transients, and S the
    median over neighbouring frames, which keeps steady partials, the mask is P² / (P² + S²).

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Magnitude spectrogram, ≥ 0.
    spacing : float
        Distance of two bins in Hz.
    hop_seconds : float
        Time between two frames in seconds.

    Returns
    -------
    np.ndarray [shape=(freq, time)]
        Values from 0 to 1; 0.5 where both medians are zero.

    References
    ----------
    D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010,
    https://arrow.tudublin.ie/argcon/67/.
    """
    # In place, since each of these arrays is as large as the spectrogram.
    broad = median_filter(V.T, _BROAD_HZ / spacing).T
    broad **= 2
    both = median_filter(V, _STEADY_SECONDS / hop_seconds)
    both **= 2
    both += broad
    return safe_ratio(broad, both, 0.5)


def explained_energy(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Compute the energy that each component explains in each bin.

    The value for bin f and component k is ∑ₜ V[f, t] · M[f, t], with M the model of component k
    alone.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
    H : np.ndarray [shape=(component, time)]

    Returns
    -------
    np.ndarray [shape=(freq, component)]
        In float64.
    """
    lags = W[None] if W.ndim == 2 else W
    energy = np.zeros(lags.shape[1:])
    for lag, template in enumerate(lags[: V.shape[1]]):
        # ∑ₜ V[f, t + lag] H[k, t]: the model need not be built
        delayed = product(V[:, lag:], H[:, : H.shape[1] - lag].T.astype(V.dtype, copy=False))
        energy += np.multiply(template, delayed, dtype=np.float64)
    return energy


def median_filter(X: np.ndarray, width: float) -> np.ndarray:
    """Median along the last axis over an odd length near `width`, with mirrored ends."""
    half = min(max(1, round((width - 1) / 2)), X.shape[-1])
    return running_median(np.ascontiguousarray(X), half)


def _excerpt(n_frames: int) -> np.ndarray:
    """Indices of all frames, or of blocks of frames spread evenly over a long recording."""
    if n_frames <= EXCERPT_FRAMES:
        return np.arange(n_frames)
    starts = np.linspace(0, n_frames - _BLOCK, EXCERPT_FRAMES // _BLOCK).astype(int)
    # In a recording just above the limit the blocks overlap; each frame counts once.
    return np.unique(starts[:, None] + np.arange(_BLOCK))


def scale_to_unit_peak(X: np.ndarray) -> np.ndarray:
    """Scale `X` to a maximum of one, so that products neither underflow nor overflow."""
    peak = X.max(initial=0)
    scaled: np.ndarray = X / peak if peak > 0 else X
    return scaled


def safe_ratio(numerator: np.ndarray, denominator: np.ndarray, fill: float) -> np.ndarray:
    """Divide elementwise; the result is `fill` where the denominator is not above 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    result = np.full(shape, fill, np.result_type(numerator, denominator))
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def check_shapes(
    V: np.ndarray, W: np.ndarray, H: np.ndarray, frequencies: np.ndarray, hop_seconds: float
) -> None:
    """Raise an error where the shapes of spectrogram and factors do not match."""
    valid = V.ndim == 2 and H.ndim == 2 and W.ndim in (2, 3) and min(*V.shape, len(H)) > 0
    if not valid or (*W.shape[-2:], H.shape[1]) != (len(V), len(H), V.shape[1]):
        raise ShapeError(
            f"V {V.shape}, W {W.shape} and H {H.shape} do not fit together; needed are "
            "(freq, time), (freq, component) or (lag, freq, component), and (component, time)"
        )
    if np.shape(frequencies) != V.shape[:1]:
        raise ShapeError(
            f"frequencies has shape {np.shape(frequencies)}; needed is one value for each of the "
            f"{len(V)} bins"
        )
    as_number(hop_seconds, "hop_seconds", above=0)
