"""What the spectrogram says of components: what they explain, and how percussive they are."""

from __future__ import annotations

import numpy as np

from nmfaudio._common.validation import as_number
from nmfaudio.errors import ShapeError
from nmfaudio.kernels.median import running_median
from nmfaudio.kernels.products import product

# Medians this wide, in seconds and in Hz, tell what is steady from what is broad.
_STEADY_SECONDS = 0.4
_BROAD_HZ = 330.0
# Evidence is gathered from this many frames, in blocks spread evenly over a long recording.
EVIDENCE_FRAMES = 2048
_BLOCK = 64


def percussiveness(
    V: np.ndarray, W: np.ndarray, H: np.ndarray, *, frequencies: np.ndarray, hop_seconds: float
) -> np.ndarray:
    """Share of each component's energy that lies under the percussive mask of `V`.

    The mask compares the median over neighbouring bins, which keeps what is broad and short, with
    the median over neighbouring frames, which keeps what is narrow and steady.

    Parameters
    ----------
    V : np.ndarray [shape=(freq, time)]
        Magnitude spectrogram of the mixture, >= 0.
    W : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Templates, >= 0.
    H : np.ndarray [shape=(component, time)]
        Activations, >= 0.
    frequencies : np.ndarray [shape=(freq,)]
        Centre of each bin in Hz, ascending and evenly spaced.
    hop_seconds : float
        Time between two frames in seconds.

    Returns
    -------
    np.ndarray [shape=(component,)]
        From 0 (steady tones) to 1 (clicks) in float64, 0.5 for a component without energy.

    Raises
    ------
    ParameterError
        `hop_seconds` is not above 0.
    ShapeError
        The shapes of `V`, `W`, `H` and `frequencies` do not fit together.

    References
    ----------
    D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010,
    https://arrow.tudublin.ie/argcon/67/.
    """
    check_model(V, W, H, frequencies, hop_seconds)
    frames = _excerpt(V.shape[1])
    V, W, H = at_unit_peak(V[:, frames]), at_unit_peak(W), at_unit_peak(H[:, frames])
    spacing = float(frequencies[-1] - frequencies[0]) / max(len(frequencies) - 1, 1) or 1.0
    broad = median_over(V.T, _BROAD_HZ / spacing).T ** 2
    steady = median_over(V, _STEADY_SECONDS / hop_seconds) ** 2
    mask = ratio_or(broad, broad + steady, 0.5)
    whole = explained(V, W, H).sum(axis=0)
    share = ratio_or(explained(mask * V, W, H).sum(axis=0), whole, 0.5)
    return share.clip(0.0, 1.0)


def explained(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> np.ndarray:
    """What component k explains of bin f, ``sum_t V[f, t] · model_k[f, t]``, in float64."""
    lags = W[None] if W.ndim == 2 else W
    energy = np.zeros(lags.shape[1:])
    for lag, template in enumerate(lags[: V.shape[1]]):
        later = product(V[:, lag:], H[:, : H.shape[1] - lag].T.astype(V.dtype, copy=False))
        energy += template.astype(np.float64) * later
    return energy


def median_over(X: np.ndarray, width: float) -> np.ndarray:
    """Median along the last axis over an odd number near `width`, mirrored at the ends."""
    half = min(max(1, round((width - 1) / 2)), X.shape[-1])
    return running_median(np.ascontiguousarray(X), half)


def _excerpt(n_frames: int) -> np.ndarray:
    """Indices of all frames, or of blocks of them spread evenly over a long recording."""
    if n_frames <= EVIDENCE_FRAMES:
        return np.arange(n_frames)
    starts = np.linspace(0, n_frames - _BLOCK, EVIDENCE_FRAMES // _BLOCK).astype(int)
    # Blocks of a recording that is hardly too long overlap.
    return np.unique(starts[:, None] + np.arange(_BLOCK))


def at_unit_peak(X: np.ndarray) -> np.ndarray:
    """`X` scaled to a maximum of one, so that no product under- or overflows."""
    top = X.max(initial=0)
    scaled: np.ndarray = X / top if top > 0 else X
    return scaled


def ratio_or(over: np.ndarray, under: np.ndarray, otherwise: float) -> np.ndarray:
    """`over` / `under`, and `otherwise` where `under` is not above 0."""
    shape = np.broadcast_shapes(over.shape, under.shape)
    result = np.full(shape, otherwise, np.result_type(over, under))
    np.divide(over, under, out=result, where=under > 0)
    return result


def check_model(
    V: np.ndarray, W: np.ndarray, H: np.ndarray, frequencies: np.ndarray, hop_seconds: float
) -> None:
    """Refuse what does not fit together."""
    fits = V.ndim == 2 and H.ndim == 2 and W.ndim in (2, 3) and min(*V.shape, len(H)) > 0
    if not fits or (*W.shape[-2:], H.shape[1]) != (len(V), len(H), V.shape[1]):
        raise ShapeError(
            f"V {V.shape}, W {W.shape} and H {H.shape} do not fit together; needed are "
            "(freq, time), (freq, component) or (lag, freq, component), and (component, time)"
        )
    if np.shape(frequencies) != V.shape[:1]:
        raise ShapeError(
            f"frequencies has shape {np.shape(frequencies)}; one for each of the {len(V)} bins "
            "is needed"
        )
    as_number(hop_seconds, "hop_seconds", above=0)
