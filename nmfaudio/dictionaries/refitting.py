"""Templates of notes at other pitches, and under other transforms."""

from __future__ import annotations

import numpy as np

from nmfaudio.audio.transforms import Stft, Transform
from nmfaudio.errors import ParameterError


def transpose(templates: np.ndarray, frequencies: np.ndarray, semitones: float) -> np.ndarray:
    """Templates with their frequency axis stretched, zero where nothing is known.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
    frequencies : np.ndarray [shape=(freq,)]
        Of the rows in Hz, ascending.
    semitones : float
        Upwards; negative ones downwards.

    Returns
    -------
    np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Of the same precision; each component sums to one, unless nothing of it is left.
    """
    moved = _at(templates, frequencies, frequencies * 2.0 ** (-semitones / 12), axis=-2)
    return unit_sums(moved)


def refit(templates: np.ndarray, own: Transform, other: Transform) -> np.ndarray:
    """Templates of an STFT as they are under another transform; see `NoteDictionary.fitted`.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
    own, other : Transform

    Returns
    -------
    np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Of the same precision; each component sums to one.

    Raises
    ------
    ParameterError
        `own` is no `Stft`, or nothing of a component is left.
    """
    if not isinstance(own, Stft):
        raise ParameterError(
            f"templates of kind {own.kind} do not fit another transform; learn them again with it, "
            "or learn them with an Stft, which fits all"
        )
    bins = other if isinstance(other, Stft) else other.stft  # type: ignore[attr-defined]
    magnitudes = templates ** (1 / own.power)
    if templates.ndim == 3:
        step = bins.hop_seconds
        times = own.times(len(templates))
        wanted = np.arange(max(1, round(len(templates) * times[1] / step))) * step
        magnitudes = _at(magnitudes, times, np.minimum(wanted, times[-1]), axis=0)
    # Neighbouring bins of a sound in the middle of a frame have opposite signs, which bands that
    # add them up must see.
    signs = (-1.0) ** np.arange(len(bins.frequencies))[:, None]
    Z = _at(magnitudes, own.frequencies, bins.frequencies, axis=-2) * signs
    stretches = Z if Z.ndim == 3 else Z[None]
    complex_type = np.result_type(templates.dtype, np.complex64)
    seen = np.stack([other.features(frames[None].astype(complex_type)) for frames in stretches])
    found = unit_sums(seen if Z.ndim == 3 else seen[0])
    silent = found.reshape(-1, found.shape[-1]).max(axis=0) == 0
    if silent.any():
        raise ParameterError(
            f"{silent.sum()} of {silent.size} components have nothing between "
            f"{other.frequencies[0]:.0f} and {other.frequencies[-1]:.0f} Hz; restrict the "
            "dictionary to notes that the transform covers"
        )
    return found


def unit_sums(templates: np.ndarray) -> np.ndarray:
    """Templates that each sum to one; silent ones stay silent."""
    axes = tuple(range(templates.ndim - 1))
    sums = templates.sum(axis=axes, dtype=np.float64)
    shares: np.ndarray = (templates / np.where(sums > 0, sums, 1)).astype(templates.dtype)
    return shares


def _at(X: np.ndarray, places: np.ndarray, wanted: np.ndarray, *, axis: int) -> np.ndarray:
    """X, known at ascending places along an axis, where it is wanted: linearly between, else 0."""
    # What a rounding error carries over the edge lies on it.
    slack = 1e-9 * abs(places[-1])
    inside = (wanted >= places[0] - slack) & (wanted <= places[-1] + slack)
    right = np.clip(np.searchsorted(places, wanted, side="right"), 1, len(places) - 1)
    left = right - 1
    share = np.clip((wanted - places[left]) / (places[right] - places[left]), 0, 1)
    share = share.astype(X.dtype).reshape([-1 if a == axis % X.ndim else 1 for a in range(X.ndim)])
    between = X.take(left, axis) * (1 - share) + X.take(right, axis) * share
    kept = inside.reshape(share.shape)
    found: np.ndarray = np.where(kept, between, X.dtype.type(0))
    return found
