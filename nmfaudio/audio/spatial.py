"""Spatial covariances of sources and the multichannel Wiener filter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.kernels import wiener

# Share of the identity in each covariance: bounds the amplification of noise by the filter ...
_DIFFUSE = 1e-3
# ... and the larger share for sharpening the masks, which is more sensitive to errors.
_UNCERTAIN = 0.05


@dataclass(frozen=True, eq=False)
class SpatialFilter:
    """Multichannel Wiener filter with a spatial covariance for each source.

    Parameters
    ----------
    covariances : np.ndarray [shape=(source, freq, channel, channel)]
        Hermitian covariance of each source between the channels, with a diagonal of mean 1;
        complex128.

    Examples
    --------
    Uninformative covariances leave the masks unchanged:

    >>> import numpy as np
    >>> import nmfaudio as na
    >>> R = np.tile(np.eye(2, dtype=complex), (2, 3, 1, 1))
    >>> Z, masks = np.ones((2, 3, 4), complex), np.full((2, 3, 4), 0.5)
    >>> bool(np.allclose(na.audio.SpatialFilter(R)(Z, masks), masks[:, None] * Z))
    True
    """

    covariances: np.ndarray

    @cached_property
    def _distances(self) -> np.ndarray:
        return _distances(self.covariances)

    def __call__(self, Z: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Filter the sources out of a mixture.

        The masks are first sharpened by the likelihood of each bin's direction under each source.
        Then source s with mask m_s and covariance R_s is ``m_s R_s (Σ_r m_r R_r)⁻¹ Z``.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
            Complex spectrogram of the mixture.
        masks : np.ndarray [shape=(source, freq, time)]
            Share of each source in the power of each bin; they sum to one.

        Returns
        -------
        np.ndarray [shape=(source, channel, freq, time)]
            Spectrograms of the sources in the precision of Z; they sum to Z.

        Raises
        ------
        ShapeError, ParameterError, ContentError
            The arrays have unsuitable shapes, types or values, or do not fit each other.
        """
        rows, shares = _checked(Z, masks)
        if (len(shares), rows.shape[2], len(rows)) != self.covariances.shape[:3]:
            raise ShapeError(
                f"the masks and Z have (source, freq, channel) "
                f"{(len(shares), rows.shape[2], len(rows))}; the filter is for "
                f"{self.covariances.shape[:3]}"
            )
        out = np.empty((len(shares), *rows.shape), rows.dtype)
        wiener.apply_filter(rows, shares, self.covariances, self._distances, out)
        return out.transpose(0, 1, 3, 2)


def fit_spatial_filter(Z: np.ndarray, masks: np.ndarray, *, iterations: int = 3) -> SpatialFilter:
    """Estimate the spatial covariances of sources from approximate masks.

    Parameters
    ----------
    Z : np.ndarray [shape=(channel, freq, time)]
        Complex spectrogram of the mixture, or a selection of its frames.
    masks : np.ndarray [shape=(source, freq, time)]
        Share of each source in the power of each bin, 0 to 1; they sum to one.
    iterations : int
        Number of expectation-maximisation steps.

    Returns
    -------
    SpatialFilter
        Filter with the estimated covariances.

    Raises
    ------
    ShapeError, ParameterError, ContentError
        The arrays have unsuitable shapes, types or values, or do not fit each other.

    Notes
    -----
    Each source is locally Gaussian with a full-rank spatial covariance (Duong et al., 2010), and
    its power in a bin is the mask times the power of the mixture. Initial covariances of the masked
    mixture are improved by expectation maximisation. Panned sources have one covariance at all
    frequencies, sources recorded with spaced microphones have a different one at each frequency:
    both models are fitted, and the one with the smaller expected error is returned. Directions are
    weighted by a complex angular central Gaussian distribution (Ito et al., 2016).

    References
    ----------
    N. Q. K. Duong, E. Vincent, R. Gribonval, "Under-determined reverberant audio source separation
    using a full-rank spatial covariance model", IEEE TASLP 18(7), 2010,
    doi:10.1109/TASL.2010.2050716.

    N. Ito, S. Araki, T. Nakatani, "Complex angular central Gaussian mixture model for directional
    statistics in mask-based microphone array signal processing", EUSIPCO 2016,
    doi:10.1109/EUSIPCO.2016.7760429.

    Examples
    --------
    Two sources on the left and on the right, with masks that hardly separate them:

    >>> import numpy as np
    >>> import nmfaudio as na
    >>> rng = np.random.default_rng(0)
    >>> gains = np.array([[1.0, 0.2], [0.2, 1.0]])[:, :, None, None]
    >>> sources = gains * (rng.standard_normal((2, 1, 9, 400)) ** 3 + 0j)
    >>> Z, masks = sources.sum(0), np.empty((2, 9, 400))
    >>> masks[0] = np.where(abs(sources[0]).sum(0) > abs(sources[1]).sum(0), 0.6, 0.4)
    >>> masks[1] = 1 - masks[0]
    >>> estimates = na.audio.fit_spatial_filter(Z, masks, iterations=20)(Z, masks)
    >>> bool(np.allclose(estimates.sum(axis=0), Z))
    True
    >>> errors = [float((abs(e - sources) ** 2).sum()) for e in (masks[:, None] * Z, estimates)]
    >>> errors[1] < 0.1 * errors[0]
    True
    """
    rows, masks = _checked(Z, masks)
    iterations = as_count(iterations, "iterations", low=1)
    peak = np.abs(rows).max()
    rows = rows / (peak if peak > 0 else 1)  # so that squares neither overflow nor underflow
    moments = wiener.masked_moments(rows, masks)
    fits = [_fit(rows, masks, moments, panned, iterations) for panned in (True, False)]
    return SpatialFilter(min(fits, key=lambda fit: fit[1])[0])


def _fit(
    rows: np.ndarray, masks: np.ndarray, moments: np.ndarray, panned: bool, iterations: int
) -> tuple[np.ndarray, float]:
    """Covariances by expectation maximisation, and the expected squared error."""
    R = _covariances(moments, panned)
    for _ in range(iterations):
        moments, error = wiener.posterior_moments(rows, masks, R, _distances(R))  # E step
        R = _covariances(moments, panned)  # M step
    return R, error


def _covariances(moments: np.ndarray, panned: bool) -> np.ndarray:
    """Covariances with a diagonal of mean 1 from sums of outer products.

    If the sources are panned, all frequencies share one covariance.
    """
    channels = moments.shape[-1]
    if panned:
        moments = np.broadcast_to(moments.sum(axis=1, keepdims=True), moments.shape)
    power = moments.trace(axis1=2, axis2=3).real[:, :, None, None] / channels
    active = power > np.finfo(np.float64).tiny
    eye = np.eye(channels)
    R = np.where(active, moments / np.where(active, power, 1), eye)
    return (1 - _DIFFUSE) * R + _DIFFUSE * eye


def _distances(R: np.ndarray) -> np.ndarray:
    """Quadratic forms K for the distance of a direction z from a source, ``z* K z / z* z``.

    The complex angular central Gaussian density of z in C channels is proportional to
    ``det(R)**-1 (z* R⁻¹ z)**-C``. Masks are multiplied by its C-th root only, because neighbouring
    bins are not independent observations; with ``K = det(R)**(1/C) R⁻¹`` that is 1 / (z* K z).
    """
    R = (1 - _UNCERTAIN) * R + _UNCERTAIN * np.eye(R.shape[-1])
    root: np.ndarray = np.linalg.det(R).real ** (1 / R.shape[-1])
    return np.ascontiguousarray(root[:, :, None, None] * np.linalg.inv(R))


def _checked(Z: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z and the masks in its precision, both with time before frequency."""
    if Z.ndim != 3 or masks.ndim != 3 or Z.shape[1:] != masks.shape[1:] or 0 in masks.shape:
        raise ShapeError(
            f"Z has shape {Z.shape} and the masks {masks.shape}; (channel, freq, time) and "
            "(source, freq, time) with the same frequencies and frames are needed"
        )
    if Z.dtype.kind != "c":
        raise ParameterError(f"Z has dtype {Z.dtype}; it must be a complex spectrogram")
    if not (np.isfinite(Z).all() and masks.min() >= 0 and np.isfinite(masks).all()):
        raise ContentError(
            "Z or the masks have NaN, infinite or negative values; both must be finite, and the "
            "masks >= 0"
        )
    rows = np.ascontiguousarray(Z.transpose(0, 2, 1))
    return rows, np.ascontiguousarray(masks.transpose(0, 2, 1), rows.real.dtype)
