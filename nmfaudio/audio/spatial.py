"""Where sources are among the channels, and what that says about who is heard in a bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmfaudio._common.validation import as_count
from nmfaudio.errors import ContentError, ParameterError, ShapeError
from nmfaudio.kernels import wiener

# So much of each covariance says nothing about the direction: it bounds what noise can gain ...
_DIFFUSE = 1e-3
# ... and so much where shares are sharpened, which errs by more.
_UNCERTAIN = 0.05


@dataclass(frozen=True, eq=False)
class SpatialFilter:
    """A multichannel Wiener filter that knows where each source is.

    Attributes
    ----------
    covariances : np.ndarray [shape=(source, freq, channel, channel)]
        The covariance of each source among the channels, Hermitian, of mean 1 on the diagonal;
        complex128.
    """

    covariances: np.ndarray

    def __call__(self, Z: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The sources in a mixture.

        The masks are first sharpened by how well each bin fits the place of each source. Then a
        source s with mask m and covariance R is ``m_s R_s (Σ m R)⁻¹ Z``.

        Parameters
        ----------
        Z : np.ndarray [shape=(channel, freq, time)]
            Complex spectrogram of the mixture.
        masks : np.ndarray [shape=(source, freq, time)]
            What each source has of the power in each bin; they sum to one.

        Returns
        -------
        np.ndarray [shape=(source, channel, freq, time)]
            Of Z's precision; the sources sum to Z.

        Raises
        ------
        ShapeError, ParameterError, ContentError
            Z and the masks do not fit each other or the filter, or cannot be such.
        """
        rows, shares = _checked(Z, masks)
        if (len(shares), rows.shape[2], len(rows)) != self.covariances.shape[:3]:
            raise ShapeError(
                f"the filter is for (source, freq, channel) {self.covariances.shape[:3]}, "
                f"the masks and Z have {(len(shares), rows.shape[2], len(rows))}"
            )
        wiener.sharpen_shares(rows, shares, _distances(self.covariances))
        out = np.empty((len(shares), *rows.shape), rows.dtype)
        wiener.apply_filter(rows, shares, self.covariances, out)
        return out.transpose(0, 1, 3, 2)


def fit_spatial_filter(Z: np.ndarray, masks: np.ndarray, *, iterations: int = 3) -> SpatialFilter:
    """Find out where sources are, from masks that roughly tell them apart.

    The covariances of what the masks let through are improved by expectation maximisation, where
    sources have local Gaussian distributions with the masks as their shares of the power. Sources
    that were panned have one place for all frequencies, sources at microphones apart have another
    one for each: both are tried, and what promises the smaller error is taken.

    Parameters
    ----------
    Z : np.ndarray [shape=(channel, freq, time)]
        Complex spectrogram of the mixture, or frames from all over it.
    masks : np.ndarray [shape=(source, freq, time)]
        What each source has of the power in each bin, 0 to 1; they sum to one.
    iterations : int
        Of expectation maximisation.

    Returns
    -------
    SpatialFilter

    Raises
    ------
    ShapeError, ParameterError, ContentError
        Z and the masks do not fit each other, or cannot be such.

    References
    ----------
    N. Q. K. Duong, E. Vincent, R. Gribonval, "Under-determined reverberant audio source separation
    using a full-rank spatial covariance model", IEEE TASLP 18(7), 2010,
    doi:10.1109/TASL.2010.2050716.

    Examples
    --------
    Two sources on the left and on the right, with masks that hardly know it:

    >>> rng = np.random.default_rng(0)
    >>> gains = np.array([[1.0, 0.2], [0.2, 1.0]])[:, :, None, None]
    >>> sources = gains * (rng.standard_normal((2, 1, 9, 400)) ** 3 + 0j)
    >>> Z, masks = sources.sum(0), np.empty((2, 9, 400))
    >>> masks[0] = np.where(abs(sources[0]).sum(0) > abs(sources[1]).sum(0), 0.6, 0.4)
    >>> masks[1] = 1 - masks[0]
    >>> found = fit_spatial_filter(Z, masks, iterations=20)(Z, masks)
    >>> bool(np.allclose(found.sum(axis=0), Z))
    True
    >>> errors = [float((abs(e - sources) ** 2).sum()) for e in (masks[:, None] * Z, found)]
    >>> errors[1] < 0.1 * errors[0]
    True
    """
    rows, masks = _checked(Z, masks)
    iterations = as_count(iterations, "iterations", low=1)
    peak = np.abs(rows).max()
    rows = rows / (peak if peak > 0 else 1)
    seen = np.zeros((len(masks), rows.shape[2], len(rows), len(rows)), np.complex128)
    for s, mask in enumerate(masks):
        weights = np.square(mask, dtype=np.float64)  # a float32 would underflow
        for a, b in np.ndindex(len(rows), len(rows)):
            seen[s, :, a, b] = (weights * rows[a] * rows[b].conj()).sum(axis=0)
    fits = [_fit(rows, masks, seen, one_place, iterations) for one_place in (True, False)]
    return SpatialFilter(min(fits, key=lambda fit: fit[1])[0])


def _fit(
    rows: np.ndarray, masks: np.ndarray, seen: np.ndarray, one_place: bool, iterations: int
) -> tuple[np.ndarray, float]:
    """Covariances by expectation maximisation, and the squared error they let expect."""
    R = _covariances(seen, one_place)
    for _ in range(iterations):
        shares = masks.copy()
        wiener.sharpen_shares(rows, shares, _distances(R))
        seen, error = wiener.posterior_moments(rows, shares, R)
        R = _covariances(seen, one_place)
    return R, error


def _covariances(seen: np.ndarray, one_place: bool) -> np.ndarray:
    """Sums of outer products as covariances of mean 1 on the diagonal."""
    channels = seen.shape[-1]
    if one_place:
        seen = np.broadcast_to(seen.sum(axis=1, keepdims=True), seen.shape)
    power = seen.trace(axis1=2, axis2=3).real[:, :, None, None] / channels
    heard = power > np.finfo(np.float64).tiny
    eye = np.eye(channels)
    R = np.where(heard, seen / np.where(heard, power, 1), eye)
    return (1 - _DIFFUSE) * R + _DIFFUSE * eye


def _distances(R: np.ndarray) -> np.ndarray:
    """The forms K that measure how far a direction z is from a source's, as ``z* K z / z* z``.

    ``(z* K z)**-C`` is the density of the directions of complex Gaussians in C channels: the
    angular central Gaussian. Its C-th root is what shares are multiplied with, as neighbouring bins
    are no independent witnesses.
    """
    R = (1 - _UNCERTAIN) * R + _UNCERTAIN * np.eye(R.shape[-1])
    root: np.ndarray = np.linalg.det(R).real ** (1 / R.shape[-1])
    return np.ascontiguousarray(root[:, :, None, None] * np.linalg.inv(R))


def _checked(Z: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z and copies of the masks, time before frequency."""
    if Z.ndim != 3 or masks.ndim != 3 or Z.shape[1:] != masks.shape[1:] or 0 in masks.shape:
        raise ShapeError(
            f"Z has shape {Z.shape} and the masks {masks.shape}; (channel, freq, time) and "
            "(source, freq, time) with the same frequencies and frames are needed"
        )
    if Z.dtype.kind != "c":
        raise ParameterError(f"Z has dtype {Z.dtype}; it must be a complex spectrogram")
    if not (np.isfinite(Z).all() and masks.min() >= 0 and np.isfinite(masks).all()):
        raise ContentError("Z and the masks must be finite, and the masks >= 0")
    rows = np.ascontiguousarray(Z.transpose(0, 2, 1))
    return rows, np.array(masks.transpose(0, 2, 1), rows.real.dtype, order="C")
