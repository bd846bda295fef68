"""Templates of notes transposed, and converted to other transforms."""

from __future__ import annotations

import numpy as np

from nmfaudio.audio.interpolation import interpolate
from nmfaudio.audio.transforms import Stft, Transform
from nmfaudio.errors import ParameterError


def transpose(templates: np.ndarray, frequencies: np.ndarray, semitones: float) -> np.ndarray:
    """Transpose templates by scaling their frequency axis.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
    frequencies : np.ndarray [shape=(freq,)]
        Frequency of each row in Hz, ascending.
    semitones : float
        Interval, upwards; negative for downwards.

    Returns
    -------
    np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Of the same precision, 0 where the template would need frequencies outside its own. Each
        component sums to one, unless it is zero throughout.
    """
    # The transposed spectrum at f is the original one at f / 2^(semitones / 12).
    positions = frequencies * 2.0 ** (-semitones / 12)
    moved = interpolate(templates, positions, axis=-2, coordinates=frequencies, outside="zero")
    return unit_sums(moved)


def convert_templates(templates: np.ndarray, source: Transform, target: Transform) -> np.ndarray:
    """Convert templates of an STFT to another transform; see `NoteDictionary.to_transform`.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
    source : Transform
        Transform of `templates`.
    target : Transform

    Returns
    -------
    np.ndarray [shape=(freq, component) or (lag, freq, component)]
        Of the same precision; each component sums to one.

    Raises
    ------
    ParameterError
        `source` is not an `Stft`, or a component is zero throughout.
    """
    if not isinstance(source, Stft):
        raise ParameterError(
            f"templates of kind {source.kind} cannot be converted to another transform; learn them "
            "again with it, or learn them with an Stft, which can be converted to all"
        )
    stft = target if isinstance(target, Stft) else target.stft  # type: ignore[attr-defined]
    magnitudes = templates ** (1 / source.power)
    if templates.ndim == 3:
        magnitudes = _resample_frames(magnitudes, source, stft)
    spectra = interpolate(
        magnitudes,
        stft.frequencies,
        axis=-2,
        coordinates=source.frequencies,
        outside="zero",
    )
    # The phase of a sound in the middle of a frame alternates between neighbouring bins, which
    # matters to filter banks that add complex bins up.
    Z = spectra * (-1.0) ** np.arange(len(stft.frequencies))[:, None]
    frames = Z if Z.ndim == 3 else Z[None]  # (lag, freq, component)
    complex_type = np.result_type(templates.dtype, np.complex64)
    # Each component takes the place of a frame: features maps (channel, freq, time) to bands.
    features = np.stack([target.features(X[None].astype(complex_type)) for X in frames])
    converted = unit_sums(features if Z.ndim == 3 else features[0])
    silent = converted.reshape(-1, converted.shape[-1]).max(axis=0) == 0
    if silent.any():
        raise ParameterError(
            f"{silent.sum()} of {silent.size} components have no energy between "
            f"{target.frequencies[0]:.0f} and {target.frequencies[-1]:.0f} Hz; restrict the "
            "dictionary to notes that the transform covers"
        )
    return converted


def _resample_frames(magnitudes: np.ndarray, source: Stft, target: Stft) -> np.ndarray:
    """Templates of the same duration, in frames of another hop [shape=(lag, freq, component)]."""
    times = source.times(len(magnitudes))
    count = max(1, round(len(magnitudes) * source.hop_seconds / target.hop_seconds))
    positions = np.minimum(np.arange(count) * target.hop_seconds, times[-1])
    return interpolate(magnitudes, positions, axis=0, coordinates=times, outside="zero")


def unit_sums(templates: np.ndarray) -> np.ndarray:
    """Return templates that each sum to one; silent ones stay silent.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]

    Returns
    -------
    np.ndarray
        Of the same shape and precision.
    """
    axes = tuple(range(templates.ndim - 1))
    sums = templates.sum(axis=axes, dtype=np.float64)
    shares: np.ndarray = (templates / np.where(sums > 0, sums, 1)).astype(templates.dtype)
    return shares
